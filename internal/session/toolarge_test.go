package session

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/fault"
	"github.com/kiiweb/kiiweb/internal/mqtt"
)

// Before MQTT 5 a broker cannot be told what is too large. It would send such a message again with each connection, and
// nothing behind it would ever get through.
func TestAMessageThatIsTooLargeIsPassedOver(t *testing.T) {
	for _, version := range []mqtt.Version{mqtt.V311, mqtt.V31} {
		for qos := range byte(3) {
			for _, step := range []int{1 << 20, 700, 1} {
				h := newHarness(t, func(c *Config) { c.Version, c.MaxPacket = version, 30_000 })
				b := h.online()
				id := uint16(qos) * 7
				large := &mqtt.Publish{Topic: "large", QoS: qos, PacketID: id, Payload: []byte(strings.Repeat("x", 100_000))}
				stream := b.encode(push(1, "t", "before"), large, push(2, "t", "behind"))
				for len(stream) > 0 {
					n := min(step, len(stream))
					if step == 1 && len(stream) > 99_000 && len(stream) < 100_000 {
						n = 98_000
					}
					b.raw(stream[:n:n])
					stream = stream[n:]
				}
				c := h.next(Online)
				assert.Equal(t, fault.PacketTooLarge, c.Code)
				assert.Contains(t, c.Reason, "to large was passed over: its packet has 1000")
				assert.NotEmpty(t, c.Err.Remedy)
				var got []string
				for len(got) < 2 {
					got = append(got, payloads(h.batch())...)
				}
				assert.Equal(t, []string{"before", "behind"}, got)
				assert.Equal(t, uint16(1), b.expect(mqtt.PUBACK).(*mqtt.Ack).PacketID)
				switch qos {
				case 1:
					assert.Equal(t, id, b.expect(mqtt.PUBACK).(*mqtt.Ack).PacketID)
				case 2:
					assert.Equal(t, id, b.expect(mqtt.PUBREC).(*mqtt.Ack).PacketID)
				}
				assert.Equal(t, uint16(2), b.expect(mqtt.PUBACK).(*mqtt.Ack).PacketID)
				if qos == 2 { // not before, since what is behind it may not be handled by then
					b.send(&mqtt.Ack{Kind: mqtt.PUBREL, PacketID: id})
					assert.Equal(t, id, b.expect(mqtt.PUBCOMP).(*mqtt.Ack).PacketID)
				}
				h.settled()
				require.Equal(t, Online, h.s.State().State)
			}
		}
	}
}

// A session that the broker kept begins with what waits in it, before the subscription is answered.
func TestAMessageThatIsTooLargeBeforeTheSubscriptionStands(t *testing.T) {
	h := newHarness(t, func(c *Config) { c.Version, c.MaxPacket = mqtt.V311, 100 })
	h.next(Connecting)
	b := h.accept()
	b.expect(mqtt.CONNECT)
	b.send(&mqtt.Connack{}, push(1, "t", strings.Repeat("x", 200)))
	b.subscribe(mqtt.GrantedQoS1)
	assert.Equal(t, uint16(1), b.expect(mqtt.PUBACK).(*mqtt.Ack).PacketID)
	assert.Empty(t, h.next(Online).Code)
	assert.Equal(t, fault.PacketTooLarge, h.next(Online).Code)
}

// Each of them is told, and acknowledged in its turn.
func TestMessagesThatAreTooLargeBeforeTheSubscriptionStands(t *testing.T) {
	h := newHarness(t, func(c *Config) { c.Version, c.MaxPacket = mqtt.V311, 100 })
	h.next(Connecting)
	b := h.accept()
	b.expect(mqtt.CONNECT)
	b.send(&mqtt.Connack{}, push(1, "a", strings.Repeat("x", 200)), push(2, "b", strings.Repeat("x", 200)), push(3, "c", "small"))
	b.subscribe(mqtt.GrantedQoS1)
	for id := range uint16(3) {
		assert.Equal(t, id+1, b.expect(mqtt.PUBACK).(*mqtt.Ack).PacketID)
	}
	assert.Empty(t, h.next(Online).Code)
	assert.Contains(t, h.next(Online).Reason, "a message to a was passed over")
	assert.Contains(t, h.next(Online).Reason, "a message to b was passed over")
	assert.Equal(t, []string{"small"}, payloads(h.batch()))
	b.close(errReset)
	h.next(Waiting)
	h.connects()
	h.welcome(&mqtt.Connack{SessionPresent: true})
	assert.Empty(t, h.next(Online).Code)
	h.settled()
	assert.Empty(t, h.changes, "they are told once")
}

// However many there are, and whatever the application is at, what waits to be told is bounded, and all are counted.
func TestMessagesThatAreTooLargeDoNotFillTheMemory(t *testing.T) {
	const flood = 3 * passedMost
	told, count := make(chan struct{}), 0
	h := newHarness(t, func(c *Config) {
		c.Version, c.MaxPacket = mqtt.V311, 100
		tell := c.OnChange
		c.OnChange = func(change Change) {
			if change.Code != fault.PacketTooLarge {
				tell(change)
				return
			}
			<-told
			count++
		}
	})
	b := h.online()
	one := b.encode(push(0, "t", strings.Repeat("x", 200)))
	for range flood / 100 {
		b.raw(bytes.Repeat(one, 100))
	}
	b.send(push(1, "t", "behind"))
	require.Eventually(t, func() bool { return h.s.Dropped() == flood }, patience, time.Millisecond)
	close(told)
	assert.Equal(t, []string{"behind"}, payloads(h.batch()))
	assert.LessOrEqual(t, count, passedMost+1)
	assert.GreaterOrEqual(t, count, passedMost)
}

// What is no message even where it begins, or is too large and no message, still ends the connection.
func TestWhatIsTooLargeAndBrokenIsNotPassedOver(t *testing.T) {
	for name, c := range map[string]struct {
		bytes []byte
		code  fault.Code
	}{
		"no packet identifier": {append([]byte{0x32, 200, 1, 0, 1, 'a', 0, 0}, make([]byte, 200)...), fault.ProtocolError},
		"no message":           {[]byte{0x90, 200, 1}, fault.PacketTooLarge},
		"much too large":       {[]byte{0x32, 0xFF, 0xFF, 0xFF, 0x7F, 0, 1, 'a', 0, 1}, fault.PacketTooLarge},
		"a topic beyond it":    {append([]byte{0x30, 200, 1, 1, 0}, make([]byte, 198)...), fault.ProtocolError},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t, func(c *Config) { c.Version, c.MaxPacket = mqtt.V311, 100 })
			b := h.online()
			b.raw(c.bytes)
			change := h.next(Waiting)
			assert.Equal(t, c.code, change.Code)
			assert.True(t, change.Err.Retryable)
			if c.code == fault.PacketTooLarge {
				assert.Equal(t, remedyLarge, change.Err.Remedy)
			}
			b.gone()
		})
	}
}
