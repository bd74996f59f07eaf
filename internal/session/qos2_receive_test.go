package session

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/mqtt"
)

// exact is a message at QoS 2.
func exact(id uint16, payload string) *mqtt.Publish {
	return &mqtt.Publish{Topic: "t", QoS: 2, PacketID: id, Payload: []byte(payload)}
}

func repeat(p *mqtt.Publish) *mqtt.Publish {
	again := *p
	again.Dup = true
	return &again
}

func payloads(batch []Message) (list []string) {
	for _, m := range batch {
		list = append(list, string(m.Payload))
	}
	return list
}

func TestReceiveAtQoS2(t *testing.T) {
	for name, v := range map[string]mqtt.Version{"5": mqtt.V5, "3.1.1": mqtt.V311, "3.1": mqtt.V31} {
		t.Run(name, func(t *testing.T) {
			release := make(chan struct{})
			h := newHarness(t, func(c *Config) {
				c.Version, c.QoS = v, 2
				deliver := c.Deliver
				c.Deliver = func(m []Message) { <-release; deliver(m) }
			})
			h.next(Connecting)
			b := h.accept()
			b.expect(mqtt.CONNECT)
			b.send(&mqtt.Connack{})
			assert.Equal(t, byte(2), b.subscribe(mqtt.GrantedQoS2).Subscriptions[0].QoS)
			h.next(Online)

			b.send(exact(1, "a"), push(2, "t", "b"), exact(3, "c"), repeat(exact(1, "a")))
			h.sync()
			b.silent() // not before the handler has returned
			close(release)
			batch := h.batch()
			assert.Equal(t, []string{"a", "b", "c"}, payloads(batch))
			assert.Equal(t, []byte{2, 1, 2}, []byte{batch[0].QoS, batch[1].QoS, batch[2].QoS})
			assert.Equal(t, []mqtt.Packet{rec(1), &mqtt.Ack{Kind: mqtt.PUBACK, PacketID: 2}, rec(3), rec(1)}, b.nextFrame(),
				"in the order of the messages, in one write")
			b.send(rel(1))
			assert.Equal(t, comp(1), b.expect(mqtt.PUBCOMP))
			unknown := comp(1)
			if v == mqtt.V5 {
				unknown.ReasonCode = mqtt.PacketIdentifierNotFound
			}
			b.send(rel(1))
			assert.Equal(t, unknown, b.expect(mqtt.PUBCOMP))
			b.send(exact(1, "another"))
			assert.Equal(t, []string{"another"}, payloads(h.batch()))
			assert.Equal(t, rec(1), b.expect(mqtt.PUBREC))
		})
	}
}

func TestExactlyOnceAcrossReconnections(t *testing.T) {
	h := newHarness(t, func(c *Config) { c.QoS = 2 })
	b := h.online()
	b.send(exact(1, "a"), exact(2, "b"))
	require.Len(t, h.batch(), 2)
	b.nextFrame() // two PUBREC, which the broker never sees
	b, _ = h.again(b, &mqtt.Connack{SessionPresent: true})
	b.send(repeat(exact(1, "a")), rel(2), exact(3, "c"))
	assert.Equal(t, []string{"c"}, payloads(h.batch()))
	assert.Equal(t, comp(2), b.expect(mqtt.PUBCOMP))
	assert.Equal(t, rec(1), b.expect(mqtt.PUBREC))
	assert.Equal(t, rec(3), b.expect(mqtt.PUBREC))

	b, _ = h.again(b, &mqtt.Connack{})
	b.send(exact(1, "new"))
	assert.Equal(t, []string{"new"}, payloads(h.batch()), "with the session its identifiers are gone")
}

// The handler still has the message when the broker sends it again.
func TestExactlyOnceWhileTheHandlerWorks(t *testing.T) {
	release := make(chan struct{})
	h := newHarness(t, func(c *Config) {
		deliver := c.Deliver
		c.Deliver = func(m []Message) { <-release; deliver(m) }
	})
	b := h.online()
	b.send(exact(1, "a"))
	b.close(errReset)
	require.Eventually(t, func() bool { return h.s.State().State == Waiting }, patience, time.Millisecond)
	h.tick()
	b = h.welcome(&mqtt.Connack{SessionPresent: true})
	b.send(repeat(exact(1, "a")))
	h.sync()
	b.silent()
	close(release)
	assert.Equal(t, []string{"a"}, payloads(h.batch()))
	assert.Equal(t, rec(1), b.expect(mqtt.PUBREC))
	h.settled()
	assert.Empty(t, h.batches)
}

// MQTT 3.1 does not say whether it kept the session; DUP does.
func TestExactlyOnceOnMQTT31(t *testing.T) {
	h := newHarness(t, func(c *Config) { c.Version = mqtt.V31 })
	b := h.online()
	b.send(exact(1, "a"), exact(2, "b"))
	require.Len(t, h.batch(), 2)
	b, _ = h.again(b, &mqtt.Connack{})
	b.send(repeat(exact(1, "a")), exact(2, "new"))
	assert.Equal(t, []string{"new"}, payloads(h.batch()))
	b.send(rel(1), rel(2))
	for b.expect(mqtt.PUBREC); b.codec != nil; {
		if p := b.nextAck(); p.Kind == mqtt.PUBCOMP && p.PacketID == 2 {
			return
		}
	}
}

// nextAck awaits the next acknowledgement, of whatever kind.
func (p *pipe) nextAck() *mqtt.Ack {
	p.t.Helper()
	if len(p.frame) == 0 {
		p.frame = p.nextFrame()
	}
	ack, ok := p.frame[0].(*mqtt.Ack)
	require.True(p.t, ok)
	p.frame = p.frame[1:]
	return ack
}

func TestOurReceiveMaximumHoldsUntilPubcomp(t *testing.T) {
	h := newHarness(t, func(c *Config) { c.ReceiveMaximum, c.QoS = 2, 2 })
	b := h.online()
	b.send(exact(1, "a"))
	h.batch()
	assert.Equal(t, rec(1), b.expect(mqtt.PUBREC))
	b.send(push(2, "t", "b"))
	h.batch()
	assert.Equal(t, mqtt.PUBACK, b.nextAck().Kind)
	b.send(rel(1))
	assert.Equal(t, comp(1), b.expect(mqtt.PUBCOMP))
	b.send(rel(1)) // of no message: it makes no room
	b.nextAck()
	for id := uint16(3); id < 3+2*overrun; id++ {
		b.send(exact(id, "c"))
	}
	h.settled()
	for range 2 * overrun {
		b.expect(mqtt.PUBREC)
	}
	b.send(exact(99, "e"))
	assert.Equal(t, mqtt.ReceiveMaximumExceeded, b.expect(mqtt.DISCONNECT).(*mqtt.Disconnect).ReasonCode)
}

func TestIDSet(t *testing.T) {
	var s idSet
	assert.False(t, s.remove(7))
	for _, id := range []uint16{0, 1, 63, 64, 65535} {
		assert.False(t, s.add(id))
		assert.True(t, s.add(id))
		assert.False(t, s.add(id^2))
		assert.True(t, s.remove(id^2))
		assert.True(t, s.remove(id))
		assert.False(t, s.remove(id))
	}
	s.add(9)
	s.forget()
	assert.False(t, s.has(9))
}
