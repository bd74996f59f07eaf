package session

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/fault"
	"github.com/kiiweb/kiiweb/internal/mqtt"
)

// lasting is a message that is good for so many seconds.
func lasting(t *testing.T, qos byte, seconds uint32) Message {
	raw, err := mqtt.EncodeProperties(&mqtt.Properties{MessageExpiry: &seconds, ContentType: "text/plain"})
	require.NoError(t, err)
	return Message{Topic: "t", QoS: qos, Payload: []byte("x"), Properties: raw}
}

// What a message waits is taken off its expiry interval, and when that is over it is not sent.
func TestWhatAMessageWaitsIsTakenOffItsExpiryInterval(t *testing.T) {
	h := newHarness(t, nil)
	h.online()
	h.s.Pause("a test")
	h.next(Waiting)
	long := h.publish(lasting(t, 1, 60))
	h.publish(lasting(t, 0, 0)) // what that means is the broker's to know
	longest := h.publish(lasting(t, 0, 3600))
	short := h.publish(lasting(t, 1, 5))
	h.tick()
	err := result(t, short)
	assert.Equal(t, fault.Timeout, fault.CodeOf(err))
	assert.ErrorContains(t, err, "expiry")
	assert.Equal(t, 5*time.Second, h.elapsed())
	assert.Empty(t, long)

	h.clock.advance(7500 * time.Millisecond)
	h.s.Wake("a test")
	h.next(Connecting)
	b := h.welcome(&mqtt.Connack{SessionPresent: true})
	for _, left := range []uint32{48, 0, 3588} { // of 12.5 s
		p := b.expect(mqtt.PUBLISH).(*mqtt.Publish)
		require.NotNil(t, p.Properties.MessageExpiry)
		assert.Equal(t, left, *p.Properties.MessageExpiry)
		assert.Equal(t, "text/plain", p.Properties.ContentType)
	}
	require.NoError(t, result(t, longest))
	h.next(Online)
}

// The broker may have what was sent, and waits for the rest; one that has lost the session does not.
func TestAMessageThatWasSentAndLapses(t *testing.T) {
	for name, kept := range map[string]bool{"kept": true, "lost": false} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t, nil)
			b := h.online()
			sent := h.publish(lasting(t, 1, 10))
			id := b.expect(mqtt.PUBLISH).(*mqtt.Publish).PacketID
			b.close(errReset)
			h.next(Waiting)
			h.clock.advance(20 * time.Second)
			h.tick()
			h.next(Connecting)
			b = h.welcome(&mqtt.Connack{SessionPresent: kept})
			h.next(Online)
			if !kept {
				err := result(t, sent)
				assert.Equal(t, fault.Timeout, fault.CodeOf(err))
				assert.ErrorContains(t, err, "expiry")
				h.settled()
				b.silent()
				assert.Zero(t, h.outgoing())
				return
			}
			p := b.expect(mqtt.PUBLISH).(*mqtt.Publish)
			assert.True(t, p.Dup)
			assert.Equal(t, uint32(1), *p.Properties.MessageExpiry)
			assert.Empty(t, sent)
			b.send(&mqtt.Ack{Kind: mqtt.PUBACK, PacketID: id})
			require.NoError(t, result(t, sent))
		})
	}
}
