// Package relay stands between clients and a server that speaks HTTP and MQTT over
// WebSocket. It counts what clients say to the broker, and it can go silent: then the
// connections that are open stay open and move nothing any more, as behind a router that
// has forgotten them, while new ones work.
package relay

import (
	"bytes"
	"errors"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/mqtt"
)

// Blank is the path of an empty page of the relay's own, which browsers may cache.
const Blank = "/blank"

// Packet is one packet that a client has sent.
type Packet struct {
	Type mqtt.Type
	At   time.Time
	Raw  []byte // all of it
	// Lost: the relay was silent on its connection, and has not handed it on.
	Lost bool
}

// Relay is one relay. Its methods may be called from any goroutine.
type Relay struct {
	server   *http.Server
	listener net.Listener
	upstream *url.URL
	running  sync.WaitGroup

	mu       sync.Mutex
	wordless bool
	conns    map[*conn]struct{}
	packets  []Packet
	closed   bool
}

// conn is one WebSocket connection and its continuation.
type conn struct {
	client, broker *websocket.Conn
	silent         bool // under the relay's lock
}

// Start relays to the server at upstream, such as http://127.0.0.1:8080, until t ends.
func Start(t testing.TB, upstream string) *Relay {
	t.Helper()
	to, err := url.Parse(upstream)
	require.NoError(t, err)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	r := &Relay{listener: listener, upstream: to, conns: map[*conn]struct{}{}}
	r.server = &http.Server{Handler: r.handler()}
	r.running.Go(func() { _ = r.server.Serve(listener) })
	t.Cleanup(r.stop)
	return r
}

// Port is where clients connect to.
func (r *Relay) Port() int { return r.listener.Addr().(*net.TCPAddr).Port }

// Silence has the connections that are open now move nothing any more.
func (r *Relay) Silence() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for c := range r.conns {
		c.silent = true
	}
}

// Wordless has connections that the broker closes end without the code and the words that
// it closes them with, as those of other brokers do.
func (r *Relay) Wordless() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.wordless = true
}

// Open tells how many connections are open, the silent ones too.
func (r *Relay) Open() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.conns)
}

// Sent gives the packets of a type that came from clients so far.
func (r *Relay) Sent(kind mqtt.Type) (sent []Packet) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, p := range r.packets {
		if p.Type == kind {
			sent = append(sent, p)
		}
	}
	return sent
}

func (r *Relay) stop() {
	_ = r.server.Close()
	r.mu.Lock()
	r.closed = true
	for c := range r.conns {
		c.close()
	}
	r.mu.Unlock()
	r.running.Wait()
}

func (r *Relay) handler() http.Handler {
	proxy := httputil.NewSingleHostReverseProxy(r.upstream)
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if websocket.IsWebSocketUpgrade(req) {
			r.carry(w, req)
			return
		}
		if req.URL.Path == Blank {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			_, _ = w.Write([]byte("<!doctype html>\n<link rel=\"icon\" href=\"data:,\">\n<title>blank</title>\n"))
			return
		}
		proxy.ServeHTTP(w, req)
	})
}

// carry connects a client to the broker, and moves messages until one of them ends.
func (r *Relay) carry(w http.ResponseWriter, req *http.Request) {
	dialer := websocket.Dialer{Subprotocols: websocket.Subprotocols(req), HandshakeTimeout: 30 * time.Second}
	broker, answer, err := dialer.Dial("ws://"+r.upstream.Host+req.URL.RequestURI(), http.Header{"Origin": {r.upstream.String()}})
	if err != nil {
		status := http.StatusBadGateway
		if answer != nil {
			status = answer.StatusCode
		}
		http.Error(w, "the broker did not take the connection", status)
		return
	}
	upgrader := websocket.Upgrader{Subprotocols: []string{broker.Subprotocol()}, CheckOrigin: func(*http.Request) bool { return true }}
	client, err := upgrader.Upgrade(w, req, nil)
	if err != nil {
		_ = broker.Close()
		return
	}
	c := &conn{client: client, broker: broker}
	r.mu.Lock()
	if r.closed {
		c.close()
	}
	r.conns[c] = struct{}{}
	r.mu.Unlock()
	r.running.Go(func() { r.down(c) })
	r.running.Go(func() { r.up(c) })
}

func (c *conn) close() {
	_ = c.client.Close()
	_ = c.broker.Close()
}

// up moves what the client says, and notes it.
func (r *Relay) up(c *conn) {
	defer func() {
		c.close()
		r.mu.Lock()
		delete(r.conns, c)
		r.mu.Unlock()
	}()
	splitter := mqtt.NewSplitter(0)
	for {
		kind, message, err := c.client.ReadMessage()
		if err != nil {
			if code, reason := closeCode(err); code != 0 && !r.silent(c) {
				_ = c.broker.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, reason), time.Now().Add(time.Second))
			}
			return
		}
		splitter.Feed(message)
		lost := r.silent(c)
		for {
			pkt, err := splitter.Next()
			if pkt == nil || err != nil { // what is wrong is the broker's to say
				break
			}
			r.note(Packet{mqtt.PacketTypeOf(pkt), time.Now(), bytes.Clone(pkt), lost})
		}
		if !lost {
			_ = c.broker.WriteMessage(kind, message) // an end shows in down
		}
	}
}

// down moves what the broker says. Where the relay is silent, the client does not even
// learn of the end.
func (r *Relay) down(c *conn) {
	for {
		kind, message, err := c.broker.ReadMessage()
		if r.silent(c) {
			if err != nil {
				return
			}
			continue
		}
		if err != nil {
			r.mu.Lock()
			wordless := r.wordless
			r.mu.Unlock()
			if code, reason := closeCode(err); code != 0 && !wordless {
				_ = c.client.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, reason), time.Now().Add(time.Second))
			}
			_ = c.client.Close()
			return
		}
		_ = c.client.WriteMessage(kind, message) // an end shows in up
	}
}

func (r *Relay) silent(c *conn) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return c.silent
}

func (r *Relay) note(p Packet) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.packets = append(r.packets, p)
}

// closeCode gives what a closing handshake said, 0 where there was none.
func closeCode(err error) (code int, reason string) {
	if e, ok := errors.AsType[*websocket.CloseError](err); ok && e.Code != websocket.CloseAbnormalClosure {
		return e.Code, e.Text
	}
	return 0, ""
}
