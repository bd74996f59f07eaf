package session

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/fault"
	"github.com/kiiweb/kiiweb/internal/mqtt"
	"github.com/kiiweb/kiiweb/internal/transport"
)

// A close before CONNACK is not about what went out over the connection before.
func TestNothingIsBlamedForTheEndOfAConnectionThatItWasNotSentOver(t *testing.T) {
	for _, code := range []int{1002, 1003, 1007, 1009} {
		h := newHarness(t, func(c *Config) { c.Version = mqtt.V311 })
		b := h.online()
		sent, id := h.sends(b, 1, "good")
		more := h.subscribe("more", 1)
		b.expect(mqtt.SUBSCRIBE)
		b.close(errReset)
		h.next(Waiting)
		h.connects()
		b = h.accept()
		b.expect(mqtt.CONNECT)
		b.close(&transport.CloseError{Code: code})
		h.next(Waiting)
		h.connects()
		b = h.welcome(&mqtt.Connack{SessionPresent: true})
		h.next(Online)
		b.grants("more", 1, 1)
		require.NoError(t, answered(t, more).err)
		p := b.expect(mqtt.PUBLISH).(*mqtt.Publish)
		assert.Equal(t, id, p.PacketID)
		b.send(&mqtt.Ack{Kind: mqtt.PUBACK, PacketID: id})
		require.NoError(t, result(t, sent))
	}
}

// A broker that says with a WebSocket close code that something is not allowed does not say what: a message over which it
// does so each time is given up like one over which it closes without a word.
func TestAMessageThatIsNotAllowedByACloseCodeIsGivenUp(t *testing.T) {
	h := newHarness(t, func(c *Config) { c.Version = mqtt.V311 })
	b := h.online()
	bad := h.publish(Message{Topic: "forbidden", QoS: 1})
	for range balkMax {
		b.expect(mqtt.PUBLISH)
		b.close(&transport.CloseError{Code: 3000, Reason: "unauthorized"})
		assert.Equal(t, fault.Unauthorized, h.next(Waiting).Code)
		h.connects()
		b = h.welcome(&mqtt.Connack{})
		h.next(Online)
	}
	assert.Equal(t, fault.Unsupported, fault.CodeOf(result(t, bad)))
	h.settled()
	b.silent()
}
