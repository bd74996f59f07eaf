package session

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/fault"
	"github.com/kiiweb/kiiweb/internal/mqtt"
)

// What waits too long fails, one after the other; what was sent once does not.
func TestWhatWaitsTooLong(t *testing.T) {
	h := newHarness(t, func(c *Config) { c.MaxAge, c.BackoffBase = time.Minute, time.Minute })
	b := h.online()
	sent, id := h.sends(b, 1, "sent")
	h.set(func() { h.dialErr = errReset })
	b.close(errReset)
	waiting := func() {
		t.Helper()
		require.Eventually(t, func() bool { return h.s.State().State == Waiting }, patience, time.Millisecond)
	}
	waiting()
	start := h.elapsed()
	first := h.publish(Message{Topic: "t", Payload: []byte("first")})
	one := h.subscribe("a", 1)
	for h.elapsed() < start+30*time.Second { // an attempt each half minute, which fails
		h.tick()
		waiting()
	}
	second := h.publish(Message{Topic: "t", QoS: 1})
	for h.elapsed() < start+time.Minute {
		assert.Empty(t, first)
		assert.Empty(t, one)
		h.tick()
		waiting()
	}
	assert.Equal(t, fault.Timeout, fault.CodeOf(result(t, first)))
	assert.Equal(t, fault.Timeout, fault.CodeOf(answered(t, one).err))
	for h.elapsed() < start+90*time.Second {
		assert.Empty(t, second)
		h.tick()
		waiting()
	}
	assert.Equal(t, fault.Timeout, fault.CodeOf(result(t, second)))
	assert.Equal(t, 1, h.outgoing())

	h.set(func() { h.dialErr = nil })
	for len(h.dials) == 0 && h.s.State().State == Waiting {
		h.tick()
	}
	b = h.welcome(&mqtt.Connack{SessionPresent: true})
	p := b.expect(mqtt.PUBLISH).(*mqtt.Publish)
	assert.Equal(t, id, p.PacketID)
	b.send(&mqtt.Ack{Kind: mqtt.PUBACK, PacketID: id})
	require.NoError(t, result(t, sent))
	h.settled()
	b.silent()
}

// What was sent before is past that, whatever became of the connections since: the broker may have it.
func TestARequestThatWasSentDoesNotLapse(t *testing.T) {
	h := newHarness(t, func(c *Config) { c.MaxAge = time.Minute })
	b := h.online()
	one := h.subscribe("a", 1)
	b.expect(mqtt.SUBSCRIBE)
	b.close(errReset)
	h.next(Waiting)
	h.connects()
	b = h.accept()
	b.expect(mqtt.CONNECT)
	b.send(&mqtt.Connack{SessionPresent: true})
	b.expect(mqtt.SUBSCRIBE) // the session's own
	h.settled()
	h.set(func() { h.dialErr = errReset })
	b.close(errReset)
	waiting := func() {
		t.Helper()
		require.Eventually(t, func() bool { return h.s.State().State == Waiting }, patience, time.Millisecond)
	}
	waiting()
	for h.elapsed() < 2*time.Minute {
		h.tick()
		waiting()
	}
	assert.Empty(t, one)
	h.set(func() { h.dialErr = nil })
	for len(h.dials) == 0 && h.s.State().State == Waiting {
		h.tick()
	}
	b = h.welcome(&mqtt.Connack{SessionPresent: true})
	b.grants("a", 1, 1)
	require.NoError(t, answered(t, one).err)
}
