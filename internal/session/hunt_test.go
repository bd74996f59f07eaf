package session

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/fault"
	"github.com/kiiweb/kiiweb/internal/mqtt"
)

// The server names the client once: from then on it is asked for by that name.
func TestAnAssignedClientIDIsKept(t *testing.T) {
	h := newHarnessAt(t, func(e *Endpoint) { e.ClientID = "" }, nil)
	h.next(Connecting)
	ack := &mqtt.Connack{}
	ack.Properties.AssignedClientID = "auto-1"
	b := h.welcome(ack)
	assert.Equal(t, "auto-1", h.next(Online).Broker.AssignedClientID)
	for range 2 {
		b.close(errReset)
		h.next(Waiting)
		h.until(func() bool { return len(h.changes) > 0 })
		h.next(Connecting)
		b = h.accept()
		assert.Equal(t, "auto-1", b.expect(mqtt.CONNECT).(*mqtt.Connect).ClientID)
		b.send(&mqtt.Connack{SessionPresent: true})
		b.subscribe(mqtt.GrantedQoS1)
		h.next(Online)
	}
}

// A broker that kept the session may say at once what it has taken over, before it is sent again: to
// send it then would be to send it twice.
func TestPUBRECBeforeTheMessageIsSentAgain(t *testing.T) {
	h := newHarness(t, nil)
	b := h.online()
	two, id := h.sends(b, 2, "two")
	b.close(errReset)
	h.next(Waiting)
	h.until(func() bool { return len(h.changes) > 0 })
	h.next(Connecting)
	b = h.accept()
	b.expect(mqtt.CONNECT)
	b.send(&mqtt.Connack{SessionPresent: true}, &mqtt.Ack{Kind: mqtt.PUBREC, PacketID: id})
	b.subscribe(mqtt.GrantedQoS1)
	h.next(Online)
	release := b.expect(mqtt.PUBREL).(*mqtt.Ack)
	assert.Equal(t, id, release.PacketID)
	assert.Equal(t, mqtt.Success, release.ReasonCode)
	b.send(&mqtt.Ack{Kind: mqtt.PUBCOMP, PacketID: id})
	require.NoError(t, result(t, two))
	h.settled()
	for len(b.frame) > 0 || len(b.frames) > 0 {
		assert.Equal(t, id, b.expect(mqtt.PUBREL).(*mqtt.Ack).PacketID, "and no PUBLISH")
	}
}

// Somebody who may not publish something has not lost the right to the connection.
func TestADisconnectOverWhatWasSentIsNoEnd(t *testing.T) {
	h := newHarness(t, nil)
	b := h.online()
	require.NoError(t, h.s.Publish(bg, Message{Topic: "forbidden"}))
	b.expect(mqtt.PUBLISH)
	b.send(&mqtt.Disconnect{ReasonCode: mqtt.NotAuthorized})
	c := h.next(Waiting)
	assert.Equal(t, fault.Unauthorized, c.Code)
	h.until(func() bool { return len(h.changes) > 0 })
	h.next(Connecting)
	h.welcome(&mqtt.Connack{})
	h.next(Online)
}

// There are 65,535 packet identifiers; SUBSCRIBE needs one as well, on the next connection, too.
func TestPacketIdentifiersDoNotRunOut(t *testing.T) {
	const many = 70_000
	h := newHarness(t, func(c *Config) { c.MaxOutgoing = many })
	b := h.online()
	messages := make([]Message, many)
	for i := range messages {
		messages[i] = Message{Topic: "t", QoS: 1}
	}
	h.s.Send(messages, 1, func(int32, error) {})
	for range asksMost + 1 {
		go func() { _, _ = h.s.Subscribe(bg, "more", 1) }()
	}
	sent := func() (n int) {
		looked := make(chan struct{})
		h.s.post(func(l *loop) { n = len(l.out.sent); close(looked) })
		<-looked
		return n
	}
	require.Eventually(t, func() bool { return sent() == sentMost }, patience, time.Millisecond)
	b.close(errReset)
	h.next(Waiting)
	h.until(func() bool { return len(h.changes) > 0 })
	h.next(Connecting)
	h.welcome(&mqtt.Connack{SessionPresent: true})
	h.next(Online)
	require.Eventually(t, func() bool { return sent() == sentMost }, patience, time.Millisecond)
}

// A program before this one may have left a message at QoS 2 half sent in the session that the server keeps.
func TestTheFirstPacketIdentifierIsAnyOne(t *testing.T) {
	seen := map[uint16]bool{}
	for _, r := range []float64{0, 0.25, 0.9} {
		h := newHarness(t, func(c *Config) { c.Rand = func() float64 { return r } })
		_, id := h.sends(h.online(), 2, "two")
		assert.NotZero(t, id)
		seen[id] = true
	}
	assert.Len(t, seen, 3)
}
