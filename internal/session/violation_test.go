package session

import (
	"context"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/fault"
	"github.com/kiiweb/kiiweb/internal/mqtt"
	"github.com/kiiweb/kiiweb/internal/transport"
)

func TestBlackHoles(t *testing.T) {
	stuck := make(chan struct{})
	t.Cleanup(func() { close(stuck) })
	for name, c := range map[string]struct {
		change func(*harness, *Config)
		play   func(*pipe)
		late   string
		after  time.Duration
	}{
		"the Endpoint hook": {func(_ *harness, c *Config) {
			c.Endpoint = func(context.Context, bool) (Endpoint, error) { <-stuck; return Endpoint{}, nil }
		}, nil, "the endpoint", 60 * time.Second},
		"the transport": {func(_ *harness, c *Config) {
			c.Dial = func(ctx context.Context, _ string, _ transport.Options) (transport.Conn, error) {
				<-ctx.Done()
				return nil, ctx.Err()
			}
		}, nil, "the connection", 10 * time.Second},
		"CONNACK": {nil, func(b *pipe) { b.expect(mqtt.CONNECT) }, "CONNACK", 10 * time.Second},
		"SUBACK": {nil, func(b *pipe) {
			b.expect(mqtt.CONNECT)
			b.send(&mqtt.Connack{})
			b.expect(mqtt.SUBSCRIBE)
		}, "SUBACK", 10 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			var h *harness
			h = newHarness(t, func(cfg *Config) {
				if c.change != nil {
					c.change(h, cfg)
				}
			})
			h.next(Connecting)
			var b *pipe
			if c.play != nil {
				b = h.accept()
				c.play(b)
			}
			h.until(func() bool { return len(h.changes) > 0 })
			got := h.next(Waiting)
			assert.Equal(t, fault.Timeout, got.Code)
			assert.Contains(t, got.Reason, c.late)
			assert.Equal(t, c.after, h.elapsed())
			if b != nil {
				b.gone()
			}
		})
	}
}

func TestAWriteThatHangs(t *testing.T) {
	h := newHarness(t, nil)
	b := h.online()
	close(b.deaf)
	result := make(chan error, 1)
	go func() { result <- h.s.Publish(bg, Message{Topic: "t"}) }()
	writing := make(chan bool, 1)
	require.Eventually(t, func() bool {
		h.s.post(func(l *loop) { writing <- l.link.busy })
		return <-writing
	}, patience, time.Millisecond)
	for h.s.State().State == Online {
		h.tick()
	}
	assert.Equal(t, 10*time.Second, h.elapsed())
	assert.Equal(t, fault.Network, h.next(Waiting).Code)
	assert.Equal(t, fault.Network, fault.CodeOf(<-result))
	b.gone()
}

// A machine that slept in the middle of a write does not take that for one that hangs: it looks whether the connection lives.
func TestAWriteOverASleep(t *testing.T) {
	h := newHarness(t, nil)
	b := h.online()
	close(b.deaf)
	h.publish(Message{Topic: "t"})
	writing := make(chan bool, 1)
	require.Eventually(t, func() bool {
		h.s.post(func(l *loop) { writing <- l.link.busy })
		return <-writing
	}, patience, time.Millisecond)
	h.clock.fire(t, time.Hour)
	h.sync()
	assert.Equal(t, Online, h.s.State().State)
	woken := h.elapsed()
	for h.s.State().State == Online {
		h.tick()
		h.sync()
	}
	assert.Equal(t, wakeWait, h.elapsed()-woken)
}

// A reader that is far ahead ends with its connection, though nobody takes what it has.
func TestAReaderThatIsAheadEnds(t *testing.T) {
	release := make(chan struct{})
	h := newHarness(t, func(c *Config) {
		c.MaxBacklog = 1
		c.Deliver = func([]Message) { <-release }
	})
	b := h.online()
	for range 3 * chunksAhead {
		b.send(push(0, "t", "x"))
	}
	require.Eventually(t, func() bool {
		ahead := make(chan bool, 1)
		h.s.post(func(l *loop) { ahead <- !l.reading() && len(l.link.chunks) == chunksAhead })
		return <-ahead
	}, patience, time.Millisecond)
	close(release)
	ctx, cancel := context.WithCancel(bg)
	cancel()
	_ = h.s.Close(ctx)
	<-h.s.Done() // main_test.go finds a reader that is left
}

func TestAFailedWriteLeavesTheReasonToTheReader(t *testing.T) {
	h := newHarness(t, nil)
	b := h.online()
	// The broker's side is gone, but its last packet is still on the way.
	h.s.post(func(l *loop) { l.written(errReset) })
	h.sync()
	assert.Equal(t, Online, h.s.State().State)
	b.send(&mqtt.Disconnect{ReasonCode: mqtt.SessionTakenOver})
	h.next(Displaced)

	require.NoError(t, h.s.TakeBack())
	h.next(Connecting)
	h.welcome(&mqtt.Connack{})
	h.next(Online)
	h.s.post(func(l *loop) { l.written(errReset) })
	h.tick()
	c := h.next(Waiting)
	assert.ErrorIs(t, c.Err, errReset)
	assert.Equal(t, drainWait, h.elapsed())
}

func TestProtocolErrors(t *testing.T) {
	online := func(raw string) func(*pipe) {
		return func(b *pipe) {
			b.send(&mqtt.Connack{})
			b.subscribe(mqtt.GrantedQoS1)
			b.raw(unhex(raw))
		}
	}
	first := func(raw string) func(*pipe) { return func(b *pipe) { b.raw(unhex(raw)) } }
	for name, c := range map[string]struct {
		play func(b *pipe)
		told mqtt.ReasonCode
	}{
		"packet type 0":                 {online("00 00"), mqtt.MalformedPacket},
		"wrong flags":                   {online("D1 00"), mqtt.MalformedPacket},
		"QoS 3":                         {online("36 05 00 01 74 00 01"), mqtt.MalformedPacket},
		"a packet over the limit":       {online("30 FF FF FF 7F"), mqtt.PacketTooLarge},
		"a topic that is not UTF-8":     {online("30 04 00 01 FF 00"), mqtt.MalformedPacket},
		"a topic alias":                 {online("30 06 00 00 03 23 00 01"), mqtt.TopicAliasInvalid},
		"a second CONNACK":              {online("20 03 00 00 00"), mqtt.ProtocolError},
		"a CONNACK of 3.1.1 behind it":  {online("20 02 00 00"), mqtt.ProtocolError},
		"a second SUBACK":               {online("90 04 00 01 00 00"), mqtt.ProtocolError},
		"UNSUBACK":                      {online("B0 04 00 01 00 00"), mqtt.ProtocolError},
		"a client's packet":             {online("C0 00"), mqtt.ProtocolError},
		"PUBLISH first":                 {first("30 05 00 01 74 00 78"), mqtt.ProtocolError},
		"DISCONNECT first":              {first("E0 01 89"), mqtt.ProtocolError},
		"a session despite clean start": {first("20 03 01 00 00"), mqtt.ProtocolError},
		"SUBACK for another packet": {func(b *pipe) {
			b.send(&mqtt.Connack{})
			b.expect(mqtt.SUBSCRIBE)
			b.send(&mqtt.Suback{PacketID: 999, ReasonCodes: []mqtt.ReasonCode{0}})
		}, mqtt.ProtocolError},
		"SUBACK with two codes": {func(b *pipe) {
			b.send(&mqtt.Connack{})
			s := b.expect(mqtt.SUBSCRIBE).(*mqtt.Subscribe)
			b.send(&mqtt.Suback{PacketID: s.PacketID, ReasonCodes: []mqtt.ReasonCode{0, 0}})
		}, mqtt.ProtocolError},
		"more QoS than asked for": {func(b *pipe) {
			b.send(&mqtt.Connack{})
			b.subscribe(mqtt.GrantedQoS2)
		}, mqtt.ProtocolError},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t, func(c *Config) { c.CleanStart = true })
			b := h.accept()
			b.expect(mqtt.CONNECT)
			c.play(b)
			told := b.expect(mqtt.DISCONNECT).(*mqtt.Disconnect)
			assert.Equal(t, c.told.String(), told.ReasonCode.String())
			b.gone()
			require.Eventually(t, func() bool { return h.s.State().State == Waiting }, patience, time.Millisecond)
			code := fault.ProtocolError
			if c.told == mqtt.PacketTooLarge {
				code = fault.PacketTooLarge
			}
			assert.Equal(t, code, h.s.State().Code)
		})
	}
}

func unhex(s string) (b []byte) {
	for _, f := range strings.Fields(s) {
		n, _ := strconv.ParseUint(f, 16, 8)
		b = append(b, byte(n))
	}
	return b
}

func TestReceiveMaximumExceeded(t *testing.T) {
	release := make(chan struct{})
	h := newHarness(t, func(c *Config) {
		c.ReceiveMaximum = 2
		c.Deliver = func([]Message) { <-release }
	})
	b := h.online()
	for id := uint16(1); id <= overrun*2; id++ {
		b.send(push(id, "t", "x"))
	}
	h.sync()
	assert.Equal(t, Online, h.s.State().State, "a server that miscounts a little is no reason to hear all again")
	b.send(push(99, "t", "x"))
	assert.Equal(t, mqtt.ReceiveMaximumExceeded, b.expect(mqtt.DISCONNECT).(*mqtt.Disconnect).ReasonCode)
	close(release)
	h.next(Waiting)
}

func TestPanicsInHandlers(t *testing.T) {
	var panics atomic.Int32
	h := newHarness(t, func(c *Config) {
		deliver, change := c.Deliver, c.OnChange
		c.Deliver = func(m []Message) { deliver(m); panic("in Deliver") }
		c.OnChange = func(c Change) { change(c); panic(errReset) }
		c.OnPanic = func(v any, stack []byte) {
			assert.NotEmpty(t, stack)
			if panics.Add(1) == 1 {
				panic("even here")
			}
		}
	})
	b := h.online()
	for id := uint16(1); id <= 3; id++ {
		b.send(push(id, "t", "x"))
		h.batch()
		assert.Equal(t, id, b.expect(mqtt.PUBACK).(*mqtt.Ack).PacketID)
	}
	assert.Equal(t, int32(5), panics.Load(), "two changes, three messages")
	assert.Equal(t, Online, h.s.State().State)
}

func TestPanicsInHooks(t *testing.T) {
	var calls atomic.Int32
	h := newHarness(t, func(c *Config) {
		endpoint := c.Endpoint
		c.Endpoint = func(ctx context.Context, refresh bool) (Endpoint, error) {
			if calls.Add(1) == 1 {
				panic("in Endpoint")
			}
			return endpoint(ctx, refresh)
		}
		c.OnPanic = func(any, []byte) {}
	})
	h.next(Connecting)
	assert.Equal(t, fault.Crashed, h.next(Waiting).Code)
	h.tick()
	h.welcome(&mqtt.Connack{})
}

func TestATransportThatOpensTooLateIsClosed(t *testing.T) {
	release := make(chan struct{})
	h := newHarness(t, nil)
	slow := newHarness(t, func(c *Config) {
		c.Dial = func(context.Context, string, transport.Options) (transport.Conn, error) {
			<-release
			return h.dial(bg, "", transport.Options{})
		}
	})
	first := h.accept()
	slow.next(Connecting)
	slow.until(func() bool { return len(slow.changes) > 0 })
	slow.next(Waiting)
	close(release)
	late := h.accept()
	late.gone()
	late.silent()
	first.expect(mqtt.CONNECT)
}
