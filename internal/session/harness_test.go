package session

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/mqtt"
	"github.com/kiiweb/kiiweb/internal/transport"
)

// harness is a session with all its surroundings.
type harness struct {
	t       testing.TB
	s       *Session
	clock   *fakeClock
	dials   chan *pipe
	changes chan Change
	batches chan []Message

	mu       sync.Mutex
	fetches  []bool // the refresh argument of each call of Endpoint
	endpoint Endpoint
	fetchErr error
	dialErr  error
}

func newHarness(t testing.TB, change func(*Config)) *harness {
	t.Helper()
	return newHarnessAt(t, func(*Endpoint) {}, change)
}

// newHarnessAt is newHarness for an endpoint that differs from the usual one.
func newHarnessAt(t testing.TB, endpoint func(*Endpoint), change func(*Config)) *harness {
	t.Helper()
	h := &harness{
		t: t, clock: newFakeClock(), dials: make(chan *pipe, 16),
		changes: make(chan Change, 1024), batches: make(chan []Message, 4096),
		endpoint: Endpoint{URL: "wss://broker.example/mqtt", ClientID: "topic-1", Username: "user", Password: "secret", Topic: "topic-1"},
	}
	endpoint(&h.endpoint)
	cfg := Config{
		Endpoint: h.fetch, Dial: h.dial, KeepAlive: 60, QoS: 1,
		Deliver:  func(m []Message) { h.batches <- m },
		OnChange: func(c Change) { h.changes <- c },
		OnPanic:  func(v any, stack []byte) { t.Errorf("panic: %v\n%s", v, stack) },
		Rand:     func() float64 { return 0.5 },
		Clock:    h.clock,
		Spoken:   &Spoken{},
	}
	if change != nil {
		change(&cfg)
	}
	h.s = Open(cfg)
	t.Cleanup(func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel() // no last words
		_ = h.s.Close(ctx)
		<-h.s.Done()
	})
	return h
}

func (h *harness) fetch(_ context.Context, refresh bool) (Endpoint, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.fetches = append(h.fetches, refresh)
	return h.endpoint, h.fetchErr
}

func (h *harness) dial(_ context.Context, _ string, o transport.Options) (transport.Conn, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.dialErr != nil {
		return nil, h.dialErr
	}
	p := &pipe{
		t: h.t, offered: o.Subprotocols, toClient: make(chan chunk, 1<<11), frames: make(chan []byte, 1<<11),
		deaf: make(chan struct{}), closed: make(chan struct{}),
	}
	h.dials <- p
	return p, nil
}

// set changes what the hooks answer.
func (h *harness) set(f func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	f()
}

// fetched gives the refresh arguments so far.
func (h *harness) fetched() []bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]bool(nil), h.fetches...)
}

func (h *harness) accept() *pipe {
	h.t.Helper()
	select {
	case p := <-h.dials:
		return p
	case <-time.After(patience):
		require.FailNow(h.t, "nothing was dialed")
		return nil
	}
}

// welcome plays a connection up to SUBACK, with that CONNACK.
func (h *harness) welcome(ack *mqtt.Connack) *pipe {
	h.t.Helper()
	p := h.accept()
	p.expect(mqtt.CONNECT)
	p.send(ack)
	p.subscribe(mqtt.GrantedQoS1)
	return p
}

// online plays the first connection.
func (h *harness) online() *pipe {
	h.t.Helper()
	h.next(Connecting)
	p := h.welcome(&mqtt.Connack{})
	h.next(Online)
	return p
}

// next awaits the next change.
func (h *harness) next(want State) Change {
	h.t.Helper()
	select {
	case c := <-h.changes:
		require.Equal(h.t, want, c.State, "%+v", c)
		return c
	case <-time.After(patience):
		require.FailNow(h.t, "no change", "wanted %s", want)
		return Change{}
	}
}

// batch awaits the next delivery.
func (h *harness) batch() []Message {
	h.t.Helper()
	select {
	case m := <-h.batches:
		return m
	case <-time.After(patience):
		require.FailNow(h.t, "nothing was delivered")
		return nil
	}
}

// sync returns when the loop has ended a turn after it was called.
func (h *harness) sync() {
	for range 2 {
		passed := make(chan struct{})
		if !h.s.post(func(*loop) { close(passed) }) {
			return
		}
		<-passed
	}
}

// settled waits until the session has read, delivered and written everything.
func (h *harness) settled() {
	h.t.Helper()
	inARow := 0 // something may be in the hands of a goroutine for a moment
	require.Eventually(h.t, func() bool {
		quiet := make(chan bool, 1)
		if !h.s.post(func(l *loop) { quiet <- l.quiet() }) { // the loop has ended, and the courier may have something left
			quiet <- h.s.courier.idle()
		}
		if inARow++; !<-quiet {
			inARow = 0
		}
		return inARow > 2
	}, patience, time.Millisecond)
}

// idle tells whether nothing waits to be handed over, or is in anybody's hands.
func (c *courier) idle() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.parcels) == 0 && (!c.calling || c.handed)
}

func (l *loop) quiet() bool {
	if !l.courier.idle() || !l.batch.empty() {
		return false
	}
	k := l.link
	return k == nil || !k.busy && len(k.out) == 0 && len(k.chunks) == 0 && len(k.conn.(*pipe).toClient) == 0
}

// wroteAll waits until what the session has to write is written.
func (h *harness) wroteAll() {
	h.t.Helper()
	require.Eventually(h.t, func() bool {
		done := make(chan bool, 1)
		h.s.post(func(l *loop) { done <- l.link == nil || !l.link.busy && len(l.link.out) == 0 })
		return <-done
	}, patience, time.Millisecond)
}

// until fires timers one by one until f is true.
func (h *harness) until(f func() bool) {
	h.t.Helper()
	for range 100 {
		h.settled()
		if f() {
			return
		}
		h.clock.fire(h.t, 0)
		h.sync()
	}
	require.FailNow(h.t, "a hundred timers did not lead there")
}

// tick fires the next timer.
func (h *harness) tick() {
	h.t.Helper()
	h.sync()
	h.clock.fire(h.t, 0)
	h.sync()
}

// elapsed gives the time since the clock's beginning.
func (h *harness) elapsed() time.Duration { return h.clock.Now().Sub(t0) }

func push(id uint16, topic, payload string) *mqtt.Publish {
	p := &mqtt.Publish{Topic: topic, Payload: []byte(payload), PacketID: id}
	if id > 0 {
		p.QoS = 1
	}
	return p
}

func marked(p *mqtt.Publish, messageID string) *mqtt.Publish {
	p.Properties.User = []mqtt.UserProperty{{Key: messageIDKey, Value: messageID}}
	return p
}

var errReset = errors.New("connection reset")
