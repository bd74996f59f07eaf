package session

import (
	"encoding/binary"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/mqtt"
)

// staged are messages as the loader stages them.
func staged(messages ...Message) (b []byte) {
	for _, m := range messages {
		flags := m.QoS
		if m.Retain {
			flags |= 4
		}
		b = binary.BigEndian.AppendUint16(append(b, flags), uint16(len(m.Topic)))
		b = binary.BigEndian.AppendUint32(b, uint32(len(m.Payload)))
		b = append(append(b, m.Topic...), m.Payload...)
	}
	return b
}

// sends offers messages to the short way, and writes what that makes of them.
func (r *rider) sends(messages ...Message) bool {
	r.t.Helper()
	r.settled()
	b := staged(messages...)
	size, n := (*r.b.lane.Load()).Send(7, b)
	if size < 0 {
		return false
	}
	require.Equal(r.t, len(messages), n)
	r.b.frames <- b[:size]
	return true
}

func TestSendTheShortWay(t *testing.T) {
	r := ride(t, nil)
	require.True(t, r.sends(Message{Topic: "a", Payload: []byte("1")}, Message{Topic: "b", Payload: []byte{}, Retain: true}))
	assert.Equal(t, []mqtt.Packet{
		&mqtt.Publish{Topic: "a", Payload: []byte("1")}, &mqtt.Publish{Topic: "b", Retain: true},
	}, r.b.nextFrame())
	size, _ := (*r.b.lane.Load()).Send(8, staged(Message{Topic: "a"}))
	assert.Equal(t, -1, size, "that is another receiver's")
	for _, m := range []Message{{Topic: "a", QoS: 1}, {Topic: "#"}, {Topic: ""}} {
		assert.False(t, r.sends(Message{Topic: "a"}, m), "%+v goes the long way", m)
	}
	r.b.silent()
}

func TestSendPassesNothing(t *testing.T) {
	r := ride(t, func(c *Config) { c.MaxOutgoing = 2 })
	var o verdicts
	r.s.Send([]Message{{Topic: "a", QoS: 1}}, 1, o.tell)
	packets := r.b.nextFrame()
	assert.True(t, r.sends(Message{Topic: "a"}), "an answer is awaited, and nothing waits to be sent")
	r.b.nextFrame()
	r.s.Send([]Message{{Topic: "a", QoS: 1}}, 2, o.tell)
	r.b.nextFrame()
	assert.False(t, r.sends(Message{Topic: "a"}), "as many as may be under way are")
	r.long(&mqtt.Ack{Kind: mqtt.PUBACK, PacketID: packets[0].(*mqtt.Publish).PacketID, ReasonCode: mqtt.NoMatchingSubscribers})
	assert.True(t, r.sends(Message{Topic: "a"}))
	r.b.nextFrame()
	r.b.close(errReset)
	r.next(Waiting)
	assert.False(t, r.sends(Message{Topic: "a"}), "the connection is gone")
}

func TestSendKeepsToWhatTheServerTakes(t *testing.T) {
	size := uint32(20)
	none := byte(0)
	h := newHarness(t, nil)
	r := &rider{harness: h, table: make([]mqtt.Row, 64), names: make(map[int32]string), tickets: make(chan int32, 64)}
	r.b = h.welcome(&mqtt.Connack{Properties: mqtt.Properties{MaximumPacketSize: &size, RetainAvailable: &none}})
	h.next(Connecting)
	h.next(Online)
	h.s.Express(7, nil)
	r.settled()
	assert.True(t, r.sends(Message{Topic: "a", Payload: make([]byte, 14)}))
	r.b.nextFrame()
	assert.False(t, r.sends(Message{Topic: "a", Payload: make([]byte, 15)}))
	assert.False(t, r.sends(Message{Topic: "a", Retain: true}))
}

func TestSendKeepsAlive(t *testing.T) {
	r := ride(t, nil)
	r.clock.advance(20 * time.Second)
	require.True(t, r.sends(Message{Topic: "a"}))
	r.b.nextFrame()
	sent := make(chan time.Time, 1)
	r.s.post(func(l *loop) { sent <- l.link.keep.sent })
	assert.Equal(t, r.clock.Now(), <-sent)
}

func TestSendAllocatesNothing(t *testing.T) {
	r := ride(t, nil)
	b := staged(Message{Topic: "a", Payload: []byte("x")}, Message{Topic: "b"})
	packed := make([]byte, len(b))
	r.settled()
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		copy(packed, b)
		if size, _ := (*r.b.lane.Load()).Send(7, packed); size < 0 {
			t.Error("it was not taken")
		}
	}))
}

// brittleClock panics when it is told to.
type brittleClock struct {
	Clock
	broken atomic.Bool
}

func (c *brittleClock) Now() time.Time {
	if c.broken.Load() {
		panic("no time")
	}
	return c.Clock.Now()
}

func TestSendSurvivesAPanic(t *testing.T) {
	var clock *brittleClock
	panics := make(chan any, 1)
	r := ride(t, func(c *Config) {
		clock = &brittleClock{Clock: c.Clock}
		c.Clock = clock
		c.OnPanic = func(v any, _ []byte) { panics <- v }
	})
	r.settled()
	clock.broken.Store(true)
	size, _ := (*r.b.lane.Load()).Send(7, staged(Message{Topic: "a"}))
	clock.broken.Store(false)
	assert.Equal(t, -1, size)
	assert.Equal(t, "no time", <-panics)
	assert.False(t, r.sends(Message{Topic: "a"}), "the short way stays closed")
	r.long(push(0, "a", "1"))
}
