package session

import (
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/mqtt"
)

func TestExpress(t *testing.T) {
	r := ride(t, nil)
	r.short(push(0, "a", "1"), push(3, "b", "2"), push(0, "a", "3"))
	assert.Equal(t, []Message{
		{Topic: "a", Payload: []byte("1"), Properties: []byte{}},
		{Topic: "b", Payload: []byte("2"), QoS: 1, PacketID: 3, Properties: []byte{}},
		{Topic: "a", Payload: []byte("3"), Properties: []byte{}},
	}, r.batch())
	assert.Equal(t, uint16(3), r.b.expect(mqtt.PUBACK).(*mqtt.Ack).PacketID)
	r.b.silent()
}

func TestExpressLeavesTheRestToTheLongWay(t *testing.T) {
	for name, packets := range map[string][]mqtt.Packet{
		"QoS 2":                   {push(0, "a", "1"), &mqtt.Publish{Topic: "a", QoS: 2, PacketID: 9}},
		"another packet":          {push(0, "a", "1"), &mqtt.Pingresp{}},
		"more than the table has": {push(0, "a", "1"), push(0, "a", "2")},
	} {
		t.Run(name, func(t *testing.T) {
			r := ride(t, nil)
			r.table = r.table[:1]
			r.short(push(0, "a", "0"))
			r.batch()
			r.long(packets...)
			assert.Equal(t, "1", string(r.batch()[0].Payload), "nothing of it is lost")
			r.short(push(0, "a", "2"))
			assert.Equal(t, "2", string(r.batch()[0].Payload), "and the short way is open again")
		})
	}
}

func TestExpressWaitsForAPacketThatIsNotWhole(t *testing.T) {
	r := ride(t, nil)
	frame := r.b.encode(push(0, "a", "1"))
	r.settled()
	require.False(t, r.offer(frame[:4]))
	r.settled()
	require.False(t, r.offer(frame[4:]), "it begins in the middle of a packet")
	assert.Equal(t, "1", string(r.batch()[0].Payload))
	r.short(push(0, "a", "2"))
}

// While the application has a batch of the long way in hand, nothing may pass it by.
func TestExpressWaitsForTheApplication(t *testing.T) {
	entered, release := make(chan struct{}, 2), make(chan struct{})
	h := ride(t, func(c *Config) {
		deliver := c.Deliver
		c.Deliver = func(m []Message) {
			entered <- struct{}{}
			<-release
			deliver(m)
		}
	})
	h.b.raw(h.b.encode(push(1, "a", "1")))
	<-entered
	h.sync()
	require.False(t, h.offer(h.b.encode(push(2, "a", "2"))))
	close(release)
	assert.Equal(t, "1", string(h.batch()[0].Payload))
}

// A batch that was handed over is before whatever comes then, though it is not handled yet.
func TestExpressPassesNothingThatWasHandedOver(t *testing.T) {
	release := make(chan struct{})
	r := ride(t, func(c *Config) {
		deliver := c.Deliver
		c.HandOver = func(m []Message) func() uint16 {
			deliver(m)
			return func() uint16 { <-release; return 0 }
		}
	})
	r.b.raw(r.b.encode(push(1, "a", "1")))
	r.batch()
	var acks int
	require.Eventually(t, func() (taken bool) {
		acks, taken = r.read(r.b.encode(push(2, "a", "2")))
		return taken
	}, patience, time.Millisecond)
	assert.Equal(t, "2", string(r.batch()[0].Payload))
	r.b.silent()
	close(release)
	assert.Equal(t, uint16(1), r.b.expect(mqtt.PUBACK).(*mqtt.Ack).PacketID)
	r.handled(acks)
	assert.Equal(t, uint16(2), r.b.expect(mqtt.PUBACK).(*mqtt.Ack).PacketID)
}

// Acknowledgements go in the order of the messages, whichever way these came [MQTT-4.6.0-2].
func TestExpressAcknowledgesInTurnWithTheLongWay(t *testing.T) {
	r := ride(t, nil)
	owed := 0
	for id := range uint16(2) {
		acks, taken := r.read(r.b.encode(push(id+1, "a", "short")))
		require.True(t, taken)
		owed += acks
	}
	r.long(push(3, "a", "long"), &mqtt.Pingresp{})
	for id := range uint16(3) {
		assert.Equal(t, id+1, r.b.expect(mqtt.PUBACK).(*mqtt.Ack).PacketID)
	}
	r.settled()
	acks, taken := r.read(r.b.encode(push(4, "a", "short")))
	require.True(t, taken)
	r.handled(owed) // the loader's word for what was sent already
	r.handled(acks)
	assert.Equal(t, uint16(4), r.b.expect(mqtt.PUBACK).(*mqtt.Ack).PacketID)
	r.b.silent()
}

// A repeat is not acknowledged while the message is in the hands of others, and not handled.
func TestARepeatIsHandedOverBehindItsMessage(t *testing.T) {
	release := make(chan struct{})
	sizes := make(chan int, 4)
	r := ride(t, func(c *Config) {
		c.HandOver = func(m []Message) func() uint16 {
			sizes <- len(m)
			return func() uint16 { <-release; return 0 }
		}
	})
	_, taken := r.read(r.b.encode(marked(push(1, "a", "1"), "x")))
	require.True(t, taken)
	r.long(marked(push(2, "a", "1"), "x"), &mqtt.Pingresp{})
	require.Eventually(t, func() bool { return len(sizes) == 1 }, patience, time.Millisecond)
	assert.Zero(t, <-sizes)
	r.b.silent()
	close(release)
	assert.Equal(t, uint16(1), r.b.expect(mqtt.PUBACK).(*mqtt.Ack).PacketID)
	assert.Equal(t, uint16(2), r.b.expect(mqtt.PUBACK).(*mqtt.Ack).PacketID)
}

func TestExpressKeepsTheReceiveMaximum(t *testing.T) {
	r := ride(t, func(c *Config) { c.ReceiveMaximum = 2 })
	var frame []mqtt.Packet
	for id := range uint16(overrun * 2) {
		frame = append(frame, push(id+1, "a", "1"))
	}
	acks, taken := r.read(r.b.encode(frame...))
	require.True(t, taken)
	r.long(push(300, "a", "3"))
	assert.Equal(t, mqtt.ReceiveMaximumExceeded, r.b.expect(mqtt.DISCONNECT).(*mqtt.Disconnect).ReasonCode)
	r.b.gone()
	require.Eventually(t, func() bool { // while the loop is at work the answer is to ask again
		return (*r.b.lane.Load()).Handled(acks, make([]byte, 4*acks)) == 0
	}, patience, time.Millisecond, "there is nobody to hear it")
}

func TestExpressDropsRepeats(t *testing.T) {
	r := ride(t, nil)
	r.short(marked(push(1, "a", "1"), "x"), marked(push(2, "b", "2"), "y"))
	r.batch()
	r.long(marked(push(3, "a", "1"), "x"), &mqtt.Pingresp{})
	r.short(marked(push(4, "c", "2"), "y"), marked(push(5, "c", "3"), "z"))
	assert.Equal(t, "3", string(r.batch()[0].Payload))
	for id := range uint16(5) {
		assert.Equal(t, id+1, r.b.expect(mqtt.PUBACK).(*mqtt.Ack).PacketID, "each is acknowledged")
	}
	r.short(marked(push(6, "d", "1"), "x"))
	assert.Empty(t, r.batches)
}

// What comes keeps the connection alive, and what is sent, too.
func TestExpressKeepsAlive(t *testing.T) {
	r := ride(t, nil)
	r.clock.advance(20 * time.Second)
	r.short(push(1, "a", "1"))
	due := make(chan time.Time, 1)
	r.s.post(func(l *loop) { due <- l.link.keep.next() })
	heard := r.clock.Now()
	assert.Equal(t, heard.Add(30*time.Second), <-due)
	r.clock.advance(stir / 2 * time.Millisecond)
	r.short(push(0, "a", "2"))
	r.s.post(func(l *loop) { due <- l.link.keep.received })
	assert.Equal(t, heard, <-due, "the clock is not read for every frame")
	r.clock.advance(stir / 2 * time.Millisecond)
	r.short(push(0, "a", "3"))
	r.s.post(func(l *loop) { due <- l.link.keep.received })
	assert.Equal(t, r.clock.Now(), <-due)
}

func TestPast(t *testing.T) {
	for _, c := range []struct {
		from, to float64
		want     bool
	}{{0, 0, true}, {0, 1, false}, {0, 99, false}, {0, 100, true}, {1000, 500, true}, {0, math.NaN(), true}, {math.NaN(), 5, true}} {
		assert.Equal(t, c.want, past(c.from, c.to), "%v to %v", c.from, c.to)
	}
}

func TestExpressEndsWithItsLink(t *testing.T) {
	r := ride(t, nil)
	frame := r.b.encode(push(0, "a", "1"))
	lane := *r.b.lane.Load()
	r.b.close(errReset)
	r.next(Waiting)
	n, _, _, _ := lane.Frame(frame, len(frame), 0, r.table)
	assert.Equal(t, -1, n)
	r.tick()
	r.next(Connecting)
	r.b = r.welcome(&mqtt.Connack{})
	r.next(Online)
	n, _, _, _ = lane.Frame(frame, len(frame), 0, r.table)
	assert.Equal(t, -1, n, "it belongs to another link")
	r.short(push(0, "a", "2"))
}

func TestExpressAllocatesNothing(t *testing.T) {
	r := ride(t, nil)
	var frames [][]byte
	for n := range 200 {
		topic := "topic-" + strconv.Itoa(n)
		frames = append(frames, r.b.encode(marked(push(uint16(n+1), topic, "x"), topic), push(0, "a", "y")))
	}
	lane, out, n := *r.b.lane.Load(), make([]byte, 64), 0
	allocations := testing.AllocsPerRun(190, func() {
		if messages, acks, _, _ := lane.Frame(frames[n], len(frames[n]), float64(n), r.table); messages != 2 || lane.Handled(acks, out) != 4 {
			t.Error("not taken")
		}
		n++
	})
	assert.Zero(t, allocations)
}

// Before MQTT 5 a server may send as much as it likes: what there is no more room to note goes the long way, and nothing that was
// noted is lost.
func TestExpressOwesNoMoreThanItCanNote(t *testing.T) {
	r := ride(t, func(c *Config) { c.Version = mqtt.V311 })
	owed := 0
	for owed < owedMax {
		var frame []byte
		for range len(r.table) {
			owed++
			frame = append(frame, r.b.encode(push(uint16(owed), "a", "x"))...)
		}
		acks, taken := r.read(frame)
		require.True(t, taken)
		require.Equal(t, len(r.table), acks)
	}
	_, taken := r.read(r.b.encode(push(uint16(owed+1), "a", "x")))
	require.False(t, taken)
	r.handled(owed)
	for id := range uint16(owed) {
		require.Equal(t, id+1, r.b.expect(mqtt.PUBACK).(*mqtt.Ack).PacketID)
	}
	r.short(push(uint16(owed+1), "a", "x"))
}

func TestTopicNumbers(t *testing.T) {
	var s topicNumbers
	known := make(map[int32]string)
	number := func(topic string) {
		t.Helper()
		n, fresh := s.number([]byte(topic))
		if fresh {
			known[n] = topic
		}
		require.Equal(t, topic, known[n])
		require.Less(t, n, int32(nameFirst+nameMax))
	}
	for round := range 3 {
		for n := range 3 * nameMax / 2 {
			number("topic " + strconv.Itoa(n))
			number("topic " + strconv.Itoa(n/2))
			number("a")
		}
		number(string(make([]byte, 4096+round)))
	}
	for n := range 200 { // few, but more bytes than there is room for
		number(strconv.Itoa(n) + strings.Repeat("x", nameRoom/16-3))
		number("a")
	}
	n, fresh := s.number(make([]byte, 60000))
	assert.Equal(t, int32(-1), n)
	assert.True(t, fresh)
}
