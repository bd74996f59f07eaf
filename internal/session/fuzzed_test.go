package session

import (
	"context"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/mqtt"
	"github.com/kiiweb/kiiweb/internal/transport"
)

// fuzzed is a session whose broker, application and clock do what the fuzzer's bytes say.
// Whatever that is: nothing panics, what the session writes is sound, it can be brought
// online again unless it has ended, and its end leaves nothing behind.
type fuzzed struct {
	*harness
	in         []byte // what is left of the fuzzer's bytes
	pipe       *pipe  // the latest connection, nil before the first
	goroutines int    // before the session
	calls      sync.WaitGroup
	owed       map[uint16]int // acknowledgements that are due, by packet identifier
	noisy      bool           // bytes were sent of which owed knows nothing
	gate       sync.Mutex     // Deliver waits while it is held
	held       bool
}

func newFuzzed(t testing.TB, version byte, in []byte) *fuzzed {
	f := &fuzzed{in: in, goroutines: runtime.NumGoroutine(), owed: map[uint16]int{}}
	dials := make(chan *pipe, 64)
	f.harness = newHarness(t, func(c *Config) {
		c.Version = [...]mqtt.Version{0, mqtt.V31, mqtt.V311, mqtt.V5}[version%4]
		c.QoS = version >> 2 % 3
		c.CleanStart = version&0x10 != 0
		c.ReceiveMaximum = 8
		c.MaxPacket = 4096
		c.MaxBacklog = 16
		c.MaxOutgoing = 8
		c.Rand = fromOne()
		c.Deliver = func([]Message) {
			f.gate.Lock()
			defer f.gate.Unlock()
		}
		c.OnChange = func(c Change) { checkChange(t, c) }
		c.Dial = func(_ context.Context, _ string, o transport.Options) (transport.Conn, error) {
			p := smallPipe(t, o)
			dials <- p
			return p, nil
		}
	})
	f.dials = dials
	if version&0x20 != 0 {
		f.set(func() { f.endpoint.Expires = t0.Add(time.Hour) })
	}
	return f
}

// fromOne is the harness's dice, but for the first cast: packet identifiers begin with 1, which the fuzzer hits.
func fromOne() func() float64 {
	next := 0.0
	return func() float64 {
		r := next
		next = 0.5
		return r
	}
}

// smallPipe is the harness's with less room: a fuzzer opens many.
func smallPipe(t testing.TB, o transport.Options) *pipe {
	return &pipe{
		t: t, offered: o.Subprotocols, toClient: make(chan chunk, 1024), frames: make(chan []byte, 4096),
		deaf: make(chan struct{}), closed: make(chan struct{}),
	}
}

// checkChange demands that a change's parts fit each other.
func checkChange(t testing.TB, c Change) {
	if (c.Err == nil) != (c.Code == "") || c.RetryIn != 0 && c.State != Waiting || c.RetryIn < 0 && c.Err != nil {
		t.Errorf("a change that contradicts itself: %+v", c)
	}
}

// byte takes one of the fuzzer's bytes.
func (f *fuzzed) byte() byte {
	if len(f.in) == 0 {
		return 0
	}
	b := f.in[0]
	f.in = f.in[1:]
	return b
}

// bytes takes as many as the next one says.
func (f *fuzzed) bytes() []byte {
	n := min(int(f.byte()), len(f.in))
	b := f.in[:n:n]
	f.in = f.in[n:]
	return b
}

// hold makes the application slow, or lets it go on.
func (f *fuzzed) hold(on bool) {
	switch {
	case on && !f.held:
		f.gate.Lock()
	case !on && f.held:
		f.gate.Unlock()
	}
	f.held = on
}

// calm lets the session do what it has to do, and takes up what it dials. While the
// application is slow that may be never over.
func (f *fuzzed) calm() {
	for calm, n := 0, 0; calm < 3 && !(f.held && n == 50); calm, n = calm+1, n+1 {
		quiet := make(chan bool, 1)
		if !f.s.post(func(l *loop) {
			quiet <- l.quiet() && l.machine.phase != phaseFetching && l.machine.phase != phaseDialing
		}) {
			break
		}
		if !<-quiet {
			calm = -1
		}
		runtime.Gosched() // a goroutine may have something in its hands
	}
	for {
		select {
		case p := <-f.dials:
			f.pipe, f.owed, f.noisy = p, map[uint16]int{}, false
		default:
			return
		}
	}
}

// heard gives what the session has written since, checked.
func (f *fuzzed) heard() (packets []mqtt.Packet) {
	for f.pipe != nil && len(f.pipe.frames) > 0 {
		packets = append(packets, f.pipe.parse(<-f.pipe.frames)...)
	}
	for _, p := range packets {
		a, ok := p.(*mqtt.Ack)
		if !ok || f.noisy || a.Kind != mqtt.PUBACK && a.Kind != mqtt.PUBREC {
			continue
		}
		f.owed[a.PacketID]--
		require.GreaterOrEqual(f.t, f.owed[a.PacketID], 0, "%+v acknowledges what was not sent", a)
	}
	return packets
}

// tell sends packets of the broker's, if there is a connection whose version is known.
func (f *fuzzed) tell(packets ...mqtt.Packet) {
	if f.pipe == nil || f.pipe.codec == nil {
		return
	}
	for _, p := range packets {
		b, err := f.pipe.codec.Append(nil, p)
		if err != nil {
			continue // the version has no such packet
		}
		if m, ok := p.(*mqtt.Publish); ok && m.QoS > 0 {
			f.owed[m.PacketID]++
		}
		f.pipe.raw(b)
	}
}

// behave answers what the session says, as a broker does.
func (f *fuzzed) behave() {
	for _, p := range f.heard() {
		switch p := p.(type) {
		case *mqtt.Connect:
			f.tell(&mqtt.Connack{})
		case *mqtt.Subscribe:
			f.tell(&mqtt.Suback{PacketID: p.PacketID, ReasonCodes: []mqtt.ReasonCode{mqtt.ReasonCode(p.Subscriptions[0].QoS)}})
		case *mqtt.Unsubscribe:
			done := &mqtt.Unsuback{PacketID: p.PacketID}
			if f.pipe.codec.Version() == mqtt.V5 {
				done.ReasonCodes = []mqtt.ReasonCode{mqtt.Success}
			}
			f.tell(done)
		case *mqtt.Publish:
			if p.QoS > 0 {
				f.tell(&mqtt.Ack{Kind: [...]mqtt.Type{1: mqtt.PUBACK, 2: mqtt.PUBREC}[p.QoS], PacketID: p.PacketID})
			}
		case *mqtt.Ack:
			switch p.Kind {
			case mqtt.PUBREC:
				f.tell(&mqtt.Ack{Kind: mqtt.PUBREL, PacketID: p.PacketID})
			case mqtt.PUBREL:
				f.tell(&mqtt.Ack{Kind: mqtt.PUBCOMP, PacketID: p.PacketID})
			}
		case *mqtt.Pingreq:
			f.tell(&mqtt.Pingresp{})
		}
	}
}

// fire lets the next timer fire.
func (f *fuzzed) fire(late time.Duration) {
	if first, _ := f.clock.next(); first != nil {
		f.clock.fire(f.t, late)
	}
}

// recovers demands that a broker that behaves gets the session online, unless it ended.
func (f *fuzzed) recovers() {
	f.hold(false)
	for range 1000 {
		f.calm()
		f.behave()
		f.calm()
		switch f.s.State().State {
		case Online, Closed, Failed:
			return
		case Displaced:
			require.NoError(f.t, f.s.TakeBack())
		default:
			if f.s.State().RetryIn < 0 {
				f.s.Wake("fuzz")
			} else if f.pipe == nil || len(f.pipe.frames) == 0 {
				f.fire(0)
			}
		}
	}
	require.Fail(f.t, "the session does not come online", "%+v", f.s.State())
}

// end closes the session and waits until all of it is gone.
func (f *fuzzed) end() {
	cut, cancel := context.WithCancel(context.Background())
	cancel()
	_ = f.s.Close(cut)
	<-f.s.Done()
	f.calls.Wait() // the end settles what was waited for
	for deadline := time.Now().Add(patience); runtime.NumGoroutine() > f.goroutines; runtime.Gosched() {
		if time.Now().After(deadline) {
			stacks := make([]byte, 1<<20)
			require.Fail(f.t, "goroutines are left behind", "%s", stacks[:runtime.Stack(stacks, true)])
		}
	}
}
