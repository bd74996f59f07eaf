package session

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/kiiweb/kiiweb/internal/fault"
	"github.com/kiiweb/kiiweb/internal/mqtt"
)

// renewing plays a session that had a further subscription up to where that is renewed, and not answered.
func renewing(t *testing.T, version mqtt.Version) (*harness, *pipe) {
	h := newHarness(t, func(c *Config) { c.Version = version })
	b := h.online()
	more := h.subscribe("more", 1)
	b.grants("more", 1, 1)
	answered(t, more)
	return h, h.renews(b)
}

// renews has the broker end the connection, and lose its session.
func (h *harness) renews(b *pipe) *pipe {
	h.t.Helper()
	b.close(errReset)
	h.next(Waiting)
	h.connects()
	b = h.welcome(&mqtt.Connack{})
	h.next(Online)
	assert.Equal(h.t, "more", b.expect(mqtt.SUBSCRIBE).(*mqtt.Subscribe).Subscriptions[0].Filter)
	return b
}

// A connection that ends over something else takes no subscription along.
func TestARenewalOutlivesWhatIsBlamedBesideIt(t *testing.T) {
	h, b := renewing(t, mqtt.V5)
	bad := h.publish(Message{Topic: "bad", QoS: 1})
	b.expect(mqtt.PUBLISH)
	b.send(&mqtt.Disconnect{ReasonCode: mqtt.TopicNameInvalid})
	assert.Equal(t, fault.InvalidArgument, fault.CodeOf(result(t, bad)))
	h.next(Waiting)
	h.connects()
	b = h.welcome(&mqtt.Connack{SessionPresent: true})
	h.next(Online)
	b.grants("more", 1, 1)
}

// What may be to blame itself is given up, and the application is told, once it is online.
func TestARenewalThatIsToBlameIsToldOf(t *testing.T) {
	h, b := renewing(t, mqtt.V5)
	b.send(&mqtt.Disconnect{ReasonCode: mqtt.TopicFilterInvalid})
	h.next(Waiting)
	h.connects()
	b = h.welcome(&mqtt.Connack{SessionPresent: true})
	assert.Empty(t, h.next(Online).Code)
	c := h.next(Online)
	assert.Equal(t, fault.InvalidArgument, c.Code)
	assert.Equal(t, "not subscribed to more any more", c.Reason)
	h.settled()
	b.silent()
}

// The same before MQTT 5, where a broker that minds it can only close.
func TestARenewalThatEndsConnectionsIsToldOf(t *testing.T) {
	h, b := renewing(t, mqtt.V311)
	for range balkMax - 1 {
		b = h.renews(b)
	}
	b.close(errReset)
	h.next(Waiting)
	h.connects()
	b = h.welcome(&mqtt.Connack{})
	assert.Empty(t, h.next(Online).Code)
	assert.Equal(t, fault.Unsupported, h.next(Online).Code)
	h.settled()
	b.silent()
}

// What a broker says does not always tell that it is a filter. All else that was sent is not sent again, so a renewal that
// goes on to end connections is what it minds.
func TestARenewalThatIsLeftAloneWithTheBlameIsToldOf(t *testing.T) {
	h, b := renewing(t, mqtt.V5)
	for n := range balkMax {
		b.send(&mqtt.Disconnect{ReasonCode: mqtt.ProtocolError})
		h.next(Waiting)
		h.connects()
		b = h.welcome(&mqtt.Connack{SessionPresent: true})
		assert.Empty(t, h.next(Online).Code)
		if n < balkMax-1 {
			assert.Equal(t, "more", b.expect(mqtt.SUBSCRIBE).(*mqtt.Subscribe).Subscriptions[0].Filter, "it may have been something else")
		}
	}
	c := h.next(Online)
	assert.Equal(t, fault.ProtocolError, c.Code)
	assert.Equal(t, "not subscribed to more any more", c.Reason)
	h.settled()
	b.silent()
}
