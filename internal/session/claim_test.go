package session

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/kiiweb/kiiweb/internal/mqtt"
)

// A broker that has lost its sessions begins a new one at a CONNECT whose answer does not get through. At
// the next one it says that a session is present, in which nothing is subscribed to.
func TestSubscriptionsAreRenewedAfterAnAttemptThatWasNotAnswered(t *testing.T) {
	for _, version := range []mqtt.Version{mqtt.V5, mqtt.V311} {
		h := newHarness(t, func(c *Config) { c.Version = version })
		b := h.online()
		more := h.subscribe("more", 1)
		b.grants("more", 1, 1)
		answered(t, more)
		b.close(errReset)
		h.next(Waiting)
		h.connects()
		b = h.accept()
		b.expect(mqtt.CONNECT)
		b.close(errReset)
		h.next(Waiting)
		h.connects()
		b = h.welcome(&mqtt.Connack{SessionPresent: true})
		h.next(Online)
		b.grants("more", 1, 1)

		b.close(errReset) // this one was answered
		h.next(Waiting)
		h.connects()
		b = h.welcome(&mqtt.Connack{SessionPresent: true})
		h.next(Online)
		h.settled()
		b.silent()
	}
}

// A CONNECT that was refused has begun nothing.
func TestSubscriptionsAreNotRenewedAfterARefusal(t *testing.T) {
	h := newHarness(t, nil)
	b := h.online()
	more := h.subscribe("more", 1)
	b.grants("more", 1, 1)
	answered(t, more)
	b.close(errReset)
	h.next(Waiting)
	h.connects()
	b = h.accept()
	b.expect(mqtt.CONNECT)
	b.send(&mqtt.Connack{ReasonCode: mqtt.ServerUnavailable})
	h.next(Waiting)
	h.connects()
	b = h.welcome(&mqtt.Connack{SessionPresent: true})
	h.next(Online)
	h.settled()
	b.silent()
}

// Whoever took over may have begun a session of its own.
func TestSubscriptionsAreRenewedAfterATakeover(t *testing.T) {
	h := newHarness(t, nil)
	b := h.online()
	more := h.subscribe("more", 1)
	b.grants("more", 1, 1)
	answered(t, more)
	b.send(&mqtt.Disconnect{ReasonCode: mqtt.SessionTakenOver})
	h.next(Displaced)
	assert.NoError(t, h.s.TakeBack())
	h.next(Connecting)
	b = h.welcome(&mqtt.Connack{SessionPresent: true})
	h.next(Online)
	b.grants("more", 1, 1)
}

// In the session that such an attempt began, packet identifiers begin anew: what has one that is known from
// before, and no DUP, is another message.
func TestAMessageOfAnotherSessionIsNoRepeat(t *testing.T) {
	h := newHarness(t, nil)
	b := h.online()
	b.send(exact(1, "before"))
	assert.Equal(t, []string{"before"}, payloads(h.batch()))
	b.expect(mqtt.PUBREC)
	b.close(errReset)
	h.next(Waiting)
	h.connects()
	b = h.accept()
	b.expect(mqtt.CONNECT)
	b.close(errReset)
	h.next(Waiting)
	h.connects()
	b = h.welcome(&mqtt.Connack{SessionPresent: true})
	h.next(Online)
	b.send(exact(1, "behind"), repeat(exact(1, "behind")))
	assert.Equal(t, []string{"behind"}, payloads(h.batch()))
	assert.Equal(t, rec(1), b.expect(mqtt.PUBREC))
	assert.Equal(t, rec(1), b.expect(mqtt.PUBREC))
}
