// Package replay is the broker of the benchmarks. It answers CONNECT and SUBSCRIBE as MQTT
// 5 and 3.1.1 want, and then writes prepared PUBLISH packets as fast as the socket takes
// them. So what is measured is the client: what the server does per message is a part
// of one large write, and at QoS 1 the reading of one PUBACK.
//
// Messages that a client publishes are counted, or sent back when their topic is Echo.
package replay

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"

	"github.com/gorilla/websocket"
)

// Path is where the WebSocket is.
const Path = "/mqtt"

// Echo is the topic whose messages are sent back to who has published them, at QoS 0.
const Echo = "echo"

// Server is a running replay server.
type Server struct {
	http     *http.Server
	listener net.Listener

	mu       sync.Mutex
	sessions map[string]*Session
}

// Start listens on a free port of the loopback interface.
func Start() (*Server, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &Server{listener: listener, sessions: make(map[string]*Session)}
	mux := http.NewServeMux()
	mux.HandleFunc(Path, s.accept)
	s.http = &http.Server{Handler: mux}
	go func() { _ = s.http.Serve(listener) }()
	return s, nil
}

// Port is where the server listens.
func (s *Server) Port() int { return s.listener.Addr().(*net.TCPAddr).Port }

// Close ends the server and all its connections.
func (s *Server) Close() {
	_ = s.http.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, session := range s.sessions {
		session.end(errors.New("the server was closed"))
	}
}

// Expect makes the session of the client that will connect with a client identifier. A
// client that is not expected is turned away.
func (s *Server) Expect(clientID string) *Session {
	session := newSession(clientID)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sessions[clientID] = session
	return session
}

// Forget ends a session and its connection.
func (s *Server) Forget(session *Session) {
	s.mu.Lock()
	delete(s.sessions, session.clientID)
	s.mu.Unlock()
	session.end(errors.New("the session is over"))
}

func (s *Server) find(clientID string) (*Session, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if session, ok := s.sessions[clientID]; ok {
		return session, nil
	}
	return nil, fmt.Errorf("nobody expects the client %q", clientID)
}

var upgrader = websocket.Upgrader{
	Subprotocols:    []string{"mqtt", "mqttv3.1"},
	CheckOrigin:     func(*http.Request) bool { return true },
	ReadBufferSize:  64 << 10,
	WriteBufferSize: 4 << 10,
}

// accept makes the handshake; from there on the server reads and writes frames itself.
func (s *Server) accept(w http.ResponseWriter, r *http.Request) {
	ws, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	conn := ws.NetConn()
	defer func() { _ = conn.Close() }()
	c := &connection{server: s, conn: conn, in: newFrameReader(conn)}
	err = c.serve()
	if c.session != nil {
		c.session.detach(c, err)
	}
}

// wait waits for a channel to be closed.
func wait(ctx context.Context, what string, done <-chan struct{}, s *Session) error {
	select {
	case <-done:
		return nil
	case <-s.over:
		return fmt.Errorf("waiting for %s: %w", what, s.reason())
	case <-ctx.Done():
		return fmt.Errorf("waiting for %s: %w", what, ctx.Err())
	}
}
