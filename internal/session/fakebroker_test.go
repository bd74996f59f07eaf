package session

// A scripted broker in memory. A test plays the broker's part line by line:
//
//	h := newHarness(t, func(c *Config) { … })   // a session with a fake clock
//	b := h.accept()                              // the next connection that it dials
//	b.expect(mqtt.CONNECT)                       // the next packet that it sends; a SUBSCRIBE with it is kept for later
//	b.send(&mqtt.Connack{})                      // packets to it, in one chunk
//	b.close(err)                                 // what its Read returns at the end
//
// h.online() plays everything up to SUBACK. h.next(state) awaits the next change, which
// has to be of that state; h.batch() awaits the next call of Deliver. h.until(f) fires the
// clock's timers one by one until f is true; h.settled() waits until the session has
// nothing more to do, after which something that should not happen can be denied.
//
// To script a new kind of trouble, give pipe another behaviour (as deaf does: a Write
// that hangs) or set a hook of Config. The broker speaks the version of the CONNECT that
// it got; raw sends what it would not.

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/mqtt"
	"github.com/kiiweb/kiiweb/internal/transport"
)

// pipe is one connection: the session's transport.Conn, and the broker's end of it.
type pipe struct {
	t       testing.TB
	offered []string   // the sub-protocols
	codec   mqtt.Codec // for the version of CONNECT

	toClient chan chunk
	frames   chan []byte // one per Write
	deaf     chan struct{}
	closed   chan struct{}
	once     sync.Once

	frame []mqtt.Packet   // of the frame that expect looks at
	ahead *mqtt.Subscribe // came with CONNECT, for expect to look at later

	lane atomic.Pointer[transport.Lane] // of the short way, which offer tries
	kept atomic.Int64

	ending atomic.Bool // close was called
}

// Use implements transport.Express.
func (p *pipe) Use(lane transport.Lane) { p.lane.Store(&lane) }

// Kept implements transport.Express.
func (p *pipe) Kept() int { return int(p.kept.Load()) }

func (p *pipe) Read() ([]byte, error) {
	select { // what arrived before a close comes first
	case c := <-p.toClient:
		return c.b, c.err
	default:
	}
	select {
	case c := <-p.toClient:
		return c.b, c.err
	case <-p.closed:
		return nil, transport.ErrClosed
	}
}

func (p *pipe) Write(b []byte) error {
	select {
	case <-p.closed:
		return transport.ErrClosed
	case <-p.deaf:
		<-p.closed
		return transport.ErrClosed
	default:
	}
	p.frames <- append([]byte(nil), b...)
	return nil
}

func (p *pipe) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

// nextFrame awaits the next write and gives its packets.
func (p *pipe) nextFrame() []mqtt.Packet {
	p.t.Helper()
	select {
	case b := <-p.frames:
		return p.parse(b)
	case <-time.After(patience):
		require.FailNow(p.t, "nothing was written")
		return nil
	}
}

func (p *pipe) parse(b []byte) (packets []mqtt.Packet) {
	p.t.Helper()
	split := mqtt.NewSplitter(0)
	split.Feed(b)
	for {
		pkt, err := split.Next()
		require.NoError(p.t, err)
		if pkt == nil {
			return packets
		}
		if mqtt.PacketTypeOf(pkt) == mqtt.CONNECT {
			version, err := mqtt.ConnectVersion(pkt)
			require.NoError(p.t, err)
			p.codec, err = mqtt.NewCodec(version)
			require.NoError(p.t, err)
		}
		decoded, err := p.codec.Decode(pkt, mqtt.FromClient)
		require.NoError(p.t, err)
		packets = append(packets, decoded)
	}
}

// expect awaits the next packet, which has to be of that type.
func (p *pipe) expect(want mqtt.Type) mqtt.Packet {
	p.t.Helper()
	if s := p.ahead; s != nil && want == mqtt.SUBSCRIBE {
		p.ahead = nil
		return s
	}
	if len(p.frame) == 0 {
		p.frame = p.nextFrame()
	}
	got := p.frame[0]
	p.frame = p.frame[1:]
	require.Equal(p.t, want, got.PacketType(), "%+v", got)
	if want == mqtt.CONNECT && len(p.frame) > 0 {
		p.ahead = p.expect(mqtt.SUBSCRIBE).(*mqtt.Subscribe)
	}
	return got
}

// encode gives the packets' bytes.
func (p *pipe) encode(packets ...mqtt.Packet) (b []byte) {
	p.t.Helper()
	var err error
	for _, packet := range packets {
		b, err = p.codec.Append(b, packet)
		require.NoError(p.t, err)
	}
	return b
}

func (p *pipe) send(packets ...mqtt.Packet) {
	p.t.Helper()
	p.raw(p.encode(packets...))
}

func (p *pipe) raw(b []byte) {
	p.kept.Add(1)
	p.toClient <- chunk{b: b}
}

// close ends the connection as the network or the broker would.
func (p *pipe) close(err error) {
	p.ending.Store(true)
	p.toClient <- chunk{err: err}
}

// gone awaits that the session has closed the transport.
func (p *pipe) gone() {
	p.t.Helper()
	select {
	case <-p.closed:
	case <-time.After(patience):
		require.FailNow(p.t, "the transport was not closed")
	}
}

// silent denies that anything more was written.
func (p *pipe) silent() {
	p.t.Helper()
	require.Empty(p.t, p.frame)
	select {
	case b := <-p.frames:
		require.Fail(p.t, "written", "%+v", p.parse(b))
	default:
	}
}

// subscribe plays SUBSCRIBE and SUBACK.
func (p *pipe) subscribe(code mqtt.ReasonCode) *mqtt.Subscribe {
	p.t.Helper()
	s := p.expect(mqtt.SUBSCRIBE).(*mqtt.Subscribe)
	p.send(&mqtt.Suback{PacketID: s.PacketID, ReasonCodes: []mqtt.ReasonCode{code}})
	return s
}
