package session

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/kiiweb/kiiweb/internal/fault"
	"github.com/kiiweb/kiiweb/internal/mqtt"
	"github.com/kiiweb/kiiweb/internal/transport"
)

// world is a session with all that surrounds it: network, broker, application and clock, which do
// what the seed says. The hooks run in the session's goroutines, so mu guards what they share.
type world struct {
	r     *rand.Rand
	s     *Session
	cfg   Config
	began time.Time
	user  *user

	mu     sync.Mutex
	moved  *sync.Cond // something changed that a hook may wait for
	log    []string
	failed string
	broker *broker
	wires  []*wire

	dialErr, fetchErr   error
	dialSlow, fetchSlow time.Duration
	ttl                 time.Duration // of endpoints; 0: for ever
	busy                bool          // handlers do not return
	bursting            bool          // what is asked for has no order
	clock               simClock
	condemned           bool // something may have ended the session for good

	accepted  map[string]*item // what the broker has accepted for the client
	lost      map[string]bool  // of that, what it has lost with its session
	tooLarge  map[string]bool  // of that, what is larger than the client accepts
	sent      map[string]int   // how often it was sent
	handled   map[string]int   // how often a handler has returned from it
	newest    map[string]int   // by topic, the number of the latest message that was handled first
	pushes    map[string]bool  // ids of pushes that were handled
	arrived   map[string]int   // what has arrived at the broker, how often it was taken for a new one
	lastCame  int              // the number of the latest of these
	forgotten int              // how often the broker has lost the session
	stood     int64            // until when the network has stood still, by nanos
	changes   []Change
}

func newWorld(seed uint64) *world {
	w := &world{
		r: rand.New(rand.NewPCG(seed, 0x5e55)), began: time.Now(),
		accepted: map[string]*item{}, lost: map[string]bool{}, tooLarge: map[string]bool{}, sent: map[string]int{},
		handled: map[string]int{}, newest: map[string]int{}, pushes: map[string]bool{}, arrived: map[string]int{},
	}
	w.moved = sync.NewCond(&w.mu)
	w.clock.began = w.began
	versions := [...]mqtt.Version{mqtt.V31, mqtt.V311, mqtt.V5, mqtt.V5}
	w.broker = &broker{w: w, best: versions[w.r.IntN(4)], rude: map[string]bool{}}
	if w.chance(2) {
		w.broker.quota = 1 + w.r.IntN(4)
	}
	if w.chance(4) {
		w.broker.room = 200
	}
	if w.chance(4) {
		w.broker.keepAlive = 30
	}
	if w.chance(8) {
		w.ttl = 3 * time.Minute
	}
	if w.chance(3) {
		w.broker.hasty = haste(w.r.IntN(int(hastes)))
	}
	if w.chance(6) {
		most := []uint32{0, 40, 400}[w.r.IntN(3)]
		w.broker.keepsFor = &most
	}
	w.cfg = Config{
		Endpoint: w.endpoint, Dial: w.dial, OnChange: w.changed, OnPanic: w.panicked,
		QoS: byte(w.r.IntN(3)), KeepAlive: []uint16{0, 20, 60}[w.r.IntN(3)],
		ReceiveMaximum: 1 + w.r.IntN(6), MaxPacket: 300, MaxBacklog: 1 + w.r.IntN(12), MaxOutgoing: 2 + w.r.IntN(12),
		CleanStart: w.chance(10), NoContest: w.chance(2), Spoken: &Spoken{}, Clock: &w.clock,
		Rand: rand.New(rand.NewPCG(seed, 1)).Float64,
	}
	if w.chance(2) {
		w.cfg.Version = w.broker.best
	}
	if w.chance(4) {
		w.cfg.SessionExpiry = []uint32{20, 200}[w.r.IntN(2)]
	}
	if w.chance(2) {
		w.cfg.Deliver = w.deliver
	} else {
		w.cfg.HandOver = func(m []Message) func() uint16 { return func() uint16 { w.deliver(m); return 0 } }
	}
	w.user = &user{w: w, filters: map[string]*wish{}}
	w.s = Open(w.cfg)
	w.cfg = w.s.cfg
	return w
}

// chance is true once in n times.
func (w *world) chance(n int) bool { return w.r.IntN(n) == 0 }

// nanos is the time since the beginning.
func (w *world) nanos() int64 { return int64(time.Since(w.began)) }

func (w *world) note(format string, args ...any) {
	w.log = append(w.log, fmt.Sprintf("%8.3f ", time.Since(w.began).Seconds())+fmt.Sprintf(format, args...))
}

// fail notes the first rule that was broken.
func (w *world) fail(format string, args ...any) {
	if w.failed == "" {
		w.failed = fmt.Sprintf(format, args...)
		w.note("VIOLATION: %s", w.failed)
	}
}

// wait lets time pass in a hook.
func (w *world) wait(ctx context.Context, d time.Duration) error {
	if d == 0 {
		return nil
	}
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return fault.Wrap(fault.Aborted, "the hook was cancelled", ctx.Err())
	}
}

func (w *world) endpoint(ctx context.Context, refresh bool) (Endpoint, error) {
	w.mu.Lock()
	w.note("  endpoint, refresh %v", refresh)
	slow, err := w.fetchSlow, w.fetchErr
	e := Endpoint{URL: "wss://broker.example/mqtt", ClientID: "me", Username: "me", Password: "secret", Topic: "me"}
	if w.ttl > 0 {
		e.Expires = w.clock.Now().Add(w.ttl)
	}
	w.mu.Unlock()
	if ended := w.wait(ctx, slow); ended != nil {
		return e, ended
	}
	return e, err
}

func (w *world) dial(ctx context.Context, _ string, _ transport.Options) (transport.Conn, error) {
	w.mu.Lock()
	slow, err := w.dialSlow, w.dialErr
	w.mu.Unlock()
	if ended := w.wait(ctx, slow); ended != nil {
		return nil, ended
	}
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, old := range w.wires { // what is still under way comes before what this one says, or never
		if old.closed && old.stalled {
			old.swallow()
		}
		old.pumpUp(len(old.up))
	}
	c := &wire{w: w, n: len(w.wires) + 1}
	w.wires = append(w.wires, c)
	w.broker.accept(c)
	w.note("  connection %d", c.n)
	return c, nil
}

func (w *world) panicked(v any, stack []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.fail("panic: %v\n%s", v, stack)
}

// changed notes a change, and demands that it may follow the one before.
func (w *world) changed(c Change) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.note("  state %s, %s %s", c.State, c.Code, c.Reason)
	before := Idle
	if n := len(w.changes); n > 0 {
		before = w.changes[n-1].State
	}
	follows := map[State]string{
		Idle:       "connecting closed",
		Connecting: "connecting online waiting displaced closed failed",
		Online:     "online connecting waiting displaced closed failed",
		Waiting:    "waiting connecting closed",
		Displaced:  "connecting closed",
	}
	if !strings.Contains(follows[before]+" ", string(c.State)+" ") {
		w.fail("%s follows %s", c.State, before)
	}
	if (c.Err == nil) != (c.Code == "") || c.RetryIn != 0 && c.State != Waiting || c.RetryIn < 0 && c.Err != nil {
		w.fail("a change that contradicts itself: %+v", c)
	}
	w.changes = append(w.changes, c)
}

// deliver is the application's handler.
func (w *world) deliver(batch []Message) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for w.busy {
		w.moved.Wait()
	}
	for _, m := range batch {
		w.handle(m)
	}
}

// handle notes that a message was handled.
func (w *world) handle(m Message) {
	name := strings.TrimRight(string(m.Payload), ".")
	w.note("  handled %s", name)
	it := w.accepted[name]
	n := 0
	_, _ = fmt.Sscanf(name, "b%d", &n)
	switch {
	case it == nil:
		w.fail("%q was handled, which nobody sent", name)
		return
	case m.Topic != it.topic || m.QoS != it.qos || w.tooLarge[name]:
		w.fail("%s was handled as %s at QoS %d, and sent as %s at QoS %d, too large %v", name, m.Topic, m.QoS, it.topic, it.qos, w.tooLarge[name])
	case w.handled[name] == 0 && n < w.newest[m.Topic]:
		w.fail("%s was handled for the first time behind b%d", name, w.newest[m.Topic])
	case w.handled[name] >= w.sent[name]:
		w.fail("%s was handled more often than it was sent: %d", name, w.sent[name])
	case w.handled[name] > 0 && m.QoS == 2 && !w.lost[name]:
		w.fail("%s at QoS 2 was handled twice", name)
	case it.told && w.pushes[it.push]:
		w.fail("the push %s was handled twice", it.push)
	}
	w.handled[name]++
	w.newest[m.Topic] = max(w.newest[m.Topic], n)
	if it.told {
		w.pushes[it.push] = true
	}
}

// acknowledged judges an acknowledgement of the session's: what was acknowledged was handled before.
func (w *world) acknowledged(m *item) error {
	if m.qos == 2 && w.forgotten > 0 {
		return nil // where it is not known whether the session is the same, one with DUP may be taken for the repeat of another
	}
	if w.handled[m.name] == 0 && !w.tooLarge[m.name] && (m.push == "" || !w.pushes[m.push]) {
		return errors.New(m.name + " is acknowledged, and was not handled")
	}
	return nil
}

func (w *world) noteAccepted(m *item) { w.accepted[m.name] = m }
func (w *world) noteLost(m *item)     { w.lost[m.name] = true }
func (w *world) noteTooLarge(m *item) { w.tooLarge[m.name] = true }

func (w *world) noteSent(m *item) {
	w.sent[m.name]++
	w.note("  %d < %s at QoS %d as %d on %s", m.on.n, m.name, m.qos, m.id, m.topic)
}

// noteArrived takes a message of the session's in as a broker of its kind does: at QoS 2, once.
func (w *world) noteArrived(name string) {
	n := 0
	_, _ = fmt.Sscanf(name, "u%d", &n)
	n -= n % 10 // what is published in a burst has no order
	if w.arrived[name] == 0 && n < w.lastCame {
		w.fail("%s arrives for the first time behind u%d", name, w.lastCame)
	}
	w.arrived[name]++
	w.lastCame = max(w.lastCame, n)
}
