package hostile

import (
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/mqtt"
)

// Broker listens for TCP and for WebSockets, at any path.
type Broker struct {
	PortTCP, PortWS int
	// Drip sends a row's bytes in pieces of one byte each, where they are few.
	Drip bool

	t       testing.TB
	tcp     net.Listener
	web     *httptest.Server
	running sync.WaitGroup

	mu     sync.Mutex
	wires  []wire
	over   bool
	visits map[string]*Visit
}

// Start runs a broker until t ends.
func Start(t testing.TB) *Broker {
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	b := &Broker{t: t, tcp: tcp, visits: map[string]*Visit{}}
	b.web = httptest.NewServer(http.HandlerFunc(b.upgrade))
	b.PortTCP = tcp.Addr().(*net.TCPAddr).Port
	b.PortWS = b.web.Listener.Addr().(*net.TCPAddr).Port
	b.running.Go(b.accept)
	t.Cleanup(b.stop)
	return b
}

// Expect says who will come and what is to be done to it.
func (b *Broker) Expect(clientID string, c Case, v mqtt.Version) *Visit {
	visit := &Visit{Case: c, Version: v, ClientID: clientID, broker: b, ended: make(chan struct{}), handled: make(chan struct{})}
	b.mu.Lock()
	defer b.mu.Unlock()
	require.NotContains(b.t, b.visits, clientID)
	b.visits[clientID] = visit
	return visit
}

func (b *Broker) visit(clientID string) *Visit {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.visits[clientID]
}

func (b *Broker) accept() {
	for {
		conn, err := b.tcp.Accept()
		if err != nil {
			return
		}
		b.running.Go(func() { b.serve(&stream{conn}) })
	}
}

func (b *Broker) upgrade(w http.ResponseWriter, r *http.Request) {
	b.running.Add(1)
	defer b.running.Done()
	upgrader := websocket.Upgrader{
		Subprotocols: []string{"mqtt", "mqttv3.1"},
		CheckOrigin:  func(*http.Request) bool { return true },
	}
	ws, err := upgrader.Upgrade(w, r, nil)
	if err == nil { // or the test is over
		b.serve(&socket{ws})
	}
}

// stop ends the broker and waits until all of it is gone.
func (b *Broker) stop() {
	_ = b.tcp.Close()
	b.mu.Lock()
	b.over = true
	for _, w := range b.wires {
		_ = w.Close()
	}
	b.mu.Unlock()
	b.running.Wait()
	b.web.Close()
}

func (b *Broker) serve(w wire) {
	defer w.Close()
	b.mu.Lock()
	b.wires = append(b.wires, w)
	over := b.over
	b.mu.Unlock()
	if over {
		return
	}
	l := &link{b: b, wire: w, split: mqtt.NewSplitter(0)}
	first, _ := l.next().(*mqtt.Connect)
	if first == nil {
		return // it gave up before it had begun
	}
	visit := b.visit(first.ClientID)
	if !assert.NotNil(b.t, visit, "nobody expects %s", first.ClientID) {
		return
	}
	assert.Equal(b.t, visit.Version, first.Version, visit.Case.Name)
	if visit.arrive() == 1 {
		defer close(visit.ended)
		l.attack(visit)
	} else {
		l.send(&mqtt.Connack{})
		l.behave(visit)
	}
}

// wire is a connection: TCP, or a WebSocket.
type wire interface {
	read() ([]byte, error)
	write([]byte) error
	writeText([]byte) error // as WebSocket text
	writeRaw([]byte) error  // beneath the WebSocket's frames
	end() error             // says that nothing more will come, and goes on listening
	Close() error
}

type stream struct{ net.Conn }

func (s *stream) read() ([]byte, error) {
	b := make([]byte, 4096)
	n, err := s.Read(b)
	return b[:n], err
}

func (s *stream) write(b []byte) error {
	_, err := s.Write(b)
	return err
}

func (s *stream) writeText(b []byte) error { return s.write(b) }
func (s *stream) writeRaw(b []byte) error  { return s.write(b) }
func (s *stream) end() error               { return s.Conn.(*net.TCPConn).CloseWrite() }

type socket struct{ ws *websocket.Conn }

func (s *socket) read() ([]byte, error) {
	_, b, err := s.ws.ReadMessage()
	return b, err
}

func (s *socket) write(b []byte) error     { return s.ws.WriteMessage(websocket.BinaryMessage, b) }
func (s *socket) writeText(b []byte) error { return s.ws.WriteMessage(websocket.TextMessage, b) }

func (s *socket) writeRaw(b []byte) error {
	_, err := s.ws.NetConn().Write(b)
	return err
}

func (s *socket) end() error {
	return s.ws.WriteMessage(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseGoingAway, ""))
}

func (s *socket) Close() error { return s.ws.Close() }
