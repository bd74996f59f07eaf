package session

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/fault"
	"github.com/kiiweb/kiiweb/internal/mqtt"
)

func rec(id uint16) *mqtt.Ack  { return &mqtt.Ack{Kind: mqtt.PUBREC, PacketID: id} }
func rel(id uint16) *mqtt.Ack  { return &mqtt.Ack{Kind: mqtt.PUBREL, PacketID: id} }
func comp(id uint16) *mqtt.Ack { return &mqtt.Ack{Kind: mqtt.PUBCOMP, PacketID: id} }

// sends publishes and awaits the packet.
func (h *harness) sends(b *pipe, qos byte, payload string) (result chan error, id uint16) {
	h.t.Helper()
	result = h.publish(Message{Topic: "t", QoS: qos, Payload: []byte(payload)})
	p := b.expect(mqtt.PUBLISH).(*mqtt.Publish)
	require.Equal(h.t, payload, string(p.Payload))
	require.False(h.t, p.Dup)
	return result, p.PacketID
}

// again ends the connection and plays the next one up to SUBACK.
func (h *harness) again(b *pipe, ack *mqtt.Connack) (*pipe, Change) {
	h.t.Helper()
	b.close(errReset)
	h.next(Waiting)
	h.tick()
	h.next(Connecting)
	b = h.welcome(ack)
	return b, h.next(Online)
}

func TestPublishAtQoS2(t *testing.T) {
	for name, v := range map[string]mqtt.Version{"5": mqtt.V5, "3.1.1": mqtt.V311, "3.1": mqtt.V31} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t, func(c *Config) { c.Version = v })
			b := h.online()
			two, id := h.sends(b, 2, "two")
			b.send(rec(id))
			assert.Equal(t, rel(id), b.expect(mqtt.PUBREL))
			b.send(rec(id))
			assert.Equal(t, rel(id), b.expect(mqtt.PUBREL), "as often as it is asked for")
			h.settled()
			assert.Empty(t, two, "not before PUBCOMP")
			b.send(comp(id))
			require.NoError(t, result(t, two))
			assert.Zero(t, h.outgoing())

			unknown := rel(id)
			if v == mqtt.V5 {
				unknown.ReasonCode = mqtt.PacketIdentifierNotFound
			}
			b.send(comp(id), rec(id))
			assert.Equal(t, unknown, b.expect(mqtt.PUBREL), "so that the server can forget it")
		})
	}
}

func TestPublishAtQoS2Refused(t *testing.T) {
	h := newHarness(t, nil)
	b := h.online()
	two, id := h.sends(b, 2, "two")
	refusal := rec(id)
	refusal.ReasonCode = mqtt.QuotaExceeded
	b.send(refusal, refusal)
	assert.Equal(t, fault.RateLimited, fault.CodeOf(result(t, two)))
	h.settled()
	b.silent()
	assert.Zero(t, h.outgoing())
}

// Four messages on their way: one not acknowledged, one taken over, one at QoS 1, and
// one that the receive maximum holds back.
func TestQoS2AcrossReconnections(t *testing.T) {
	three := uint16(3)
	limits := mqtt.Properties{ReceiveMaximum: &three}
	start := func(t *testing.T) (*harness, *pipe, [4]chan error, [3]uint16) {
		h := newHarness(t, nil)
		h.next(Connecting)
		b := h.welcome(&mqtt.Connack{Properties: limits})
		h.next(Online)
		var results [4]chan error
		var ids [3]uint16
		results[0], ids[0] = h.sends(b, 2, "a")
		results[1], ids[1] = h.sends(b, 2, "b")
		results[2], ids[2] = h.sends(b, 1, "c")
		before := h.outgoing()
		results[3] = h.publish(Message{Topic: "t", QoS: 2, Payload: []byte("d")})
		require.Equal(t, before, 3)
		b.send(rec(ids[1]))
		b.expect(mqtt.PUBREL)
		h.settled()
		b.silent()
		return h, b, results, ids
	}
	finish := func(t *testing.T, b *pipe, r chan error, id uint16) {
		b.send(rec(id))
		assert.Equal(t, rel(id), b.expect(mqtt.PUBREL))
		b.send(comp(id))
		require.NoError(t, result(t, r))
	}
	t.Run("session kept", func(t *testing.T) {
		h, b, results, ids := start(t)
		b, c := h.again(b, &mqtt.Connack{SessionPresent: true, Properties: limits})
		assert.Equal(t, "subscribed", c.Reason)
		a := b.expect(mqtt.PUBLISH).(*mqtt.Publish)
		assert.Equal(t, &mqtt.Publish{Topic: "t", QoS: 2, Payload: []byte("a"), PacketID: ids[0], Dup: true}, a)
		assert.Equal(t, rel(ids[1]), b.expect(mqtt.PUBREL), "it has the message already")
		one := b.expect(mqtt.PUBLISH).(*mqtt.Publish)
		assert.Equal(t, &mqtt.Publish{Topic: "t", QoS: 1, Payload: []byte("c"), PacketID: ids[2], Dup: true}, one)
		h.settled()
		b.silent()
		finish(t, b, results[0], ids[0])
		d := b.expect(mqtt.PUBLISH).(*mqtt.Publish)
		assert.Equal(t, "d", string(d.Payload))
		assert.False(t, d.Dup)
		b.send(comp(ids[1]), &mqtt.Ack{Kind: mqtt.PUBACK, PacketID: ids[2]})
		require.NoError(t, result(t, results[1]))
		require.NoError(t, result(t, results[2]))
		finish(t, b, results[3], d.PacketID)
	})
	t.Run("session lost", func(t *testing.T) {
		h, b, results, _ := start(t)
		b, c := h.again(b, &mqtt.Connack{Properties: limits})
		assert.Contains(t, c.Reason, "did not keep the session")
		require.NoError(t, result(t, results[1]), "what was taken over counts as sent, and is not sent twice")
		var ids []uint16
		for _, want := range []string{"a", "c", "d"} {
			p := b.expect(mqtt.PUBLISH).(*mqtt.Publish)
			assert.Equal(t, want, string(p.Payload))
			assert.False(t, p.Dup, "to the server it is new")
			ids = append(ids, p.PacketID)
		}
		finish(t, b, results[0], ids[0])
		b.send(&mqtt.Ack{Kind: mqtt.PUBACK, PacketID: ids[1]})
		require.NoError(t, result(t, results[2]))
		finish(t, b, results[3], ids[2])
	})
	t.Run("the session's end", func(t *testing.T) {
		h, _, results, _ := start(t)
		require.NoError(t, h.s.Close(soon(t)))
		for _, r := range results {
			assert.Equal(t, fault.Closed, fault.CodeOf(result(t, r)))
		}
	})
}

func TestWhatTheMachineKnowsOfTheSession(t *testing.T) {
	for name, c := range map[string]struct {
		before  memory
		event   welcomed
		version mqtt.Version
		after   memory
	}{
		"the first":                   {memoryNone, welcomed{kept: true}, mqtt.V5, memoryHeld},
		"the first, found":            {memoryNone, welcomed{kept: true, sessionPresent: true}, mqtt.V5, memoryHeld},
		"found again":                 {memoryHeld, welcomed{kept: true, sessionPresent: true}, mqtt.V311, memoryHeld},
		"lost":                        {memoryHeld, welcomed{kept: true}, mqtt.V311, memoryLost},
		"lost again":                  {memoryLost, welcomed{kept: true}, mqtt.V5, memoryLost},
		"found after a loss":          {memoryLost, welcomed{kept: true, sessionPresent: true}, mqtt.V5, memoryHeld},
		"3.1 does not tell":           {memoryHeld, welcomed{kept: true}, mqtt.V31, memoryHeld},
		"none is to be kept":          {memoryNone, welcomed{}, mqtt.V5, memoryNone},
		"none is to be kept any more": {memoryHeld, welcomed{}, mqtt.V5, memoryNone},
	} {
		t.Run(name, func(t *testing.T) {
			m := at(phaseGreeting)
			m.session, m.version.spoken = c.before, c.version
			c.event.gen = gen
			m, _ = step(m, c.event)
			assert.Equal(t, c.after, m.session)
			_, effects := step(m, subscribed{gen})
			told := effects[1].(announce).reason
			assert.Equal(t, c.after == memoryLost, told != "subscribed", told)
		})
	}
}

// MQTT 3.1 does not say whether it kept the session.
func TestQoS2OnMQTT31(t *testing.T) {
	h := newHarness(t, func(c *Config) { c.Version = mqtt.V31 })
	b := h.online()
	first, id := h.sends(b, 2, "a")
	second, other := h.sends(b, 2, "b")
	b.send(rec(other))
	b.expect(mqtt.PUBREL)
	b, c := h.again(b, &mqtt.Connack{})
	assert.Equal(t, "subscribed", c.Reason)
	p := b.expect(mqtt.PUBLISH).(*mqtt.Publish)
	assert.True(t, p.Dup)
	assert.Equal(t, id, p.PacketID)
	assert.Equal(t, rel(other), b.expect(mqtt.PUBREL))
	b.send(comp(other), rec(id))
	require.NoError(t, result(t, second))
	b.expect(mqtt.PUBREL)
	b.send(comp(id))
	require.NoError(t, result(t, first))
}

func TestTheReceiveMaximumHoldsUntilPubcomp(t *testing.T) {
	h := newHarness(t, nil)
	one := uint16(1)
	h.next(Connecting)
	b := h.welcome(&mqtt.Connack{Properties: mqtt.Properties{ReceiveMaximum: &one}})
	h.next(Online)
	first, id := h.sends(b, 2, "a")
	second := h.publish(Message{Topic: "t", QoS: 1, Payload: []byte("b")})
	require.Eventually(t, func() bool { return h.outgoing() == 2 }, patience, time.Millisecond)
	third := h.publish(Message{Topic: "t", Payload: []byte("c")})
	b.send(rec(id))
	b.expect(mqtt.PUBREL)
	h.settled()
	b.silent()
	b.send(comp(id))
	require.NoError(t, result(t, first))
	p := b.expect(mqtt.PUBLISH).(*mqtt.Publish)
	assert.Equal(t, "b", string(p.Payload))
	assert.Equal(t, "c", string(b.expect(mqtt.PUBLISH).(*mqtt.Publish).Payload), "behind it, as it was published")
	require.NoError(t, result(t, third))
	b.send(&mqtt.Ack{Kind: mqtt.PUBACK, PacketID: p.PacketID})
	require.NoError(t, result(t, second))
}

func TestAcknowledgementsThatDoNotFit(t *testing.T) {
	for name, c := range map[string]struct {
		qos  byte
		kind mqtt.Type
	}{
		"PUBREC at QoS 1":       {1, mqtt.PUBREC},
		"PUBCOMP at QoS 1":      {1, mqtt.PUBCOMP},
		"PUBCOMP before PUBREC": {2, mqtt.PUBCOMP},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t, nil)
			b := h.online()
			_, id := h.sends(b, c.qos, "x")
			b.send(&mqtt.Ack{Kind: c.kind, PacketID: id})
			assert.Equal(t, mqtt.ProtocolError, b.expect(mqtt.DISCONNECT).(*mqtt.Disconnect).ReasonCode)
			h.next(Waiting)
		})
	}
}

// RabbitMQ 3 knows no QoS 2 and answers as at QoS 1.
func TestABrokerThatTakesQoS2ForQoS1(t *testing.T) {
	h := newHarness(t, nil)
	b := h.online()
	two, id := h.sends(b, 2, "x")
	b.send(&mqtt.Ack{Kind: mqtt.PUBACK, PacketID: id})
	require.NoError(t, result(t, two))
	assert.Zero(t, h.outgoing())

	two, id = h.sends(b, 2, "y")
	b.send(rec(id))
	b.expect(mqtt.PUBREL)
	b.send(&mqtt.Ack{Kind: mqtt.PUBACK, PacketID: id}) // it has shown that it knows better
	assert.Equal(t, mqtt.ProtocolError, b.expect(mqtt.DISCONNECT).(*mqtt.Disconnect).ReasonCode)
	h.next(Waiting)
	assert.Empty(t, two)
}

func TestWhatTheBrokerHasTakenOverIsNotBlamed(t *testing.T) {
	h := newHarness(t, nil)
	b := h.online()
	good, id := h.sends(b, 2, "good")
	b.send(rec(id))
	b.expect(mqtt.PUBREL)
	bad, _ := h.sends(b, 2, "bad")
	b.send(&mqtt.Disconnect{ReasonCode: mqtt.PayloadFormatInvalid})
	assert.Equal(t, fault.InvalidArgument, fault.CodeOf(result(t, bad)))
	h.next(Waiting)
	h.tick()
	h.next(Connecting)
	b = h.welcome(&mqtt.Connack{SessionPresent: true})
	h.next(Online)
	assert.Equal(t, rel(id), b.expect(mqtt.PUBREL))
	b.send(comp(id))
	require.NoError(t, result(t, good))
}
