package session

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/fault"
	"github.com/kiiweb/kiiweb/internal/mqtt"
	"github.com/kiiweb/kiiweb/internal/transport"
)

func TestBalked(t *testing.T) {
	over := func(lived float64) cause { c := closedAfter(1, lived); c.unanswered = true; return c }
	after := func(c cause) cause { c.answered = true; return c }
	told := over(1)
	told.err = &transport.CloseError{Code: 1012}
	for name, c := range map[string]struct {
		ends    []cause
		decided bool
	}{
		"three over the same":             {[]cause{over(1), over(0), over(4.9)}, true},
		"two":                             {[]cause{over(1), over(1)}, false},
		"after an answer the first":       {[]cause{after(over(1)), over(1), over(1)}, true},
		"with an answer between":          {[]cause{over(1), over(1), after(over(1))}, false},
		"with nothing sent the third":     {[]cause{over(1), over(1), closedAfter(1, 1)}, false},
		"with one that sent nothing":      {[]cause{over(1), closedAfter(1, 1), over(1), over(1)}, true},
		"with one that lived":             {[]cause{over(1), over(1), over(5)}, false},
		"with a reason":                   {[]cause{over(1), over(1), told}, false},
		"three, and one more":             {[]cause{over(1), over(1), over(1), over(1)}, false},
		"three, and three more":           {[]cause{over(1), over(1), over(1), over(1), over(1), over(1)}, true},
		"by a network that is only quiet": {[]cause{over(1), over(1), {kind: causeTimeout, text: "PINGRESP", unanswered: true}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			var m machine
			decided := false
			for _, end := range c.ends {
				decided = m.balked(end, judge(end))
			}
			assert.Equal(t, c.decided, decided)
		})
	}
}

// refuses plays a broker that ends the connection at what it is sent.
func (h *harness) refuses(b *pipe, sent ...mqtt.Type) (*pipe, Change) {
	h.t.Helper()
	for _, kind := range sent {
		b.expect(kind)
	}
	h.settled()
	b.silent()
	return h.again(b, &mqtt.Connack{})
}

func TestAMessageThatEndsEveryConnectionIsGivenUp(t *testing.T) {
	for name, v := range map[string]mqtt.Version{"5": mqtt.V5, "3.1.1": mqtt.V311} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t, func(c *Config) { c.Version = v })
			b := h.online()
			good, id := h.sends(b, 1, "good")
			b.send(&mqtt.Ack{Kind: mqtt.PUBACK, PacketID: id})
			require.NoError(t, result(t, good))

			bad := h.publish(Message{Topic: "t", QoS: 1, Retain: true, Payload: []byte("bad")})
			b.expect(mqtt.PUBLISH)
			next := h.publish(Message{Topic: "t", QoS: 1, Payload: []byte("next")})
			b, _ = h.refuses(b, mqtt.PUBLISH)
			b, _ = h.refuses(b, mqtt.PUBLISH, mqtt.PUBLISH)
			assert.Empty(t, bad, "twice may be chance")
			b, _ = h.refuses(b, mqtt.PUBLISH) // alone

			err := result(t, bad)
			assert.Equal(t, fault.Unsupported, fault.CodeOf(err))
			assert.ErrorContains(t, err, "three times")
			var f *fault.Error
			require.ErrorAs(t, err, &f)
			assert.False(t, f.Retryable)
			assert.Contains(t, f.Remedy, "retain")
			p := b.expect(mqtt.PUBLISH).(*mqtt.Publish)
			assert.Equal(t, "next", string(p.Payload))
			b.send(&mqtt.Ack{Kind: mqtt.PUBACK, PacketID: p.PacketID})
			require.NoError(t, result(t, next))
			assert.Equal(t, Online, h.s.State().State, "nobody was displaced")
		})
	}
}

// After an answer there is no need to be careful any more.
func TestWhatIsNotToBlameGoesOutAgain(t *testing.T) {
	h := newHarness(t, func(c *Config) { c.Version = mqtt.V311 })
	b := h.online()
	var results []chan error
	for _, payload := range []string{"1", "2", "3"} {
		r, _ := h.sends(b, 1, payload)
		results = append(results, r)
	}
	b, _ = h.refuses(b)
	b, _ = h.refuses(b, mqtt.PUBLISH, mqtt.PUBLISH, mqtt.PUBLISH)
	p := b.expect(mqtt.PUBLISH).(*mqtt.Publish)
	h.settled()
	b.silent()
	b.send(&mqtt.Ack{Kind: mqtt.PUBACK, PacketID: p.PacketID})
	b, _ = h.refuses(b, mqtt.PUBLISH, mqtt.PUBLISH)
	for _, payload := range []string{"2", "3"} {
		p := b.expect(mqtt.PUBLISH).(*mqtt.Publish)
		assert.Equal(t, payload, string(p.Payload))
		b.send(&mqtt.Ack{Kind: mqtt.PUBACK, PacketID: p.PacketID})
	}
	for _, r := range results {
		assert.NoError(t, result(t, r))
	}
}

// What the server has taken over is not to blame, and neither is it held back.
func TestAMessageTakenOverIsNotGivenUp(t *testing.T) {
	h := newHarness(t, func(c *Config) { c.Version, c.NoContest = mqtt.V311, true })
	b := h.online()
	taken, id := h.sends(b, 2, "taken")
	b.send(&mqtt.Ack{Kind: mqtt.PUBREC, PacketID: id})
	b.expect(mqtt.PUBREL)
	kept := &mqtt.Connack{SessionPresent: true}
	for range 4 {
		b, _ = h.again(b, kept)
		b.expect(mqtt.PUBREL)
	}
	b.send(&mqtt.Ack{Kind: mqtt.PUBCOMP, PacketID: id})
	require.NoError(t, result(t, taken))
}

// Some brokers end the connection of who subscribes to what is not allowed.
func TestAFilterThatEndsEveryConnectionIsGivenUp(t *testing.T) {
	h := newHarness(t, func(c *Config) { c.Version = mqtt.V311 })
	b := h.online()
	bad := make(chan error, 1)
	go func() {
		_, err := h.s.Subscribe(bg, "forbidden/#", 1)
		bad <- err
	}()
	for range balkMax {
		b, _ = h.refuses(b, mqtt.SUBSCRIBE)
	}
	assert.Equal(t, fault.Unsupported, fault.CodeOf(result(t, bad)))
	h.settled()
	b.silent()
}

// Another client with the same identifier is noticed while messages flow.
func TestAContestWhileMessagesFlow(t *testing.T) {
	h := newHarness(t, func(c *Config) { c.Version = mqtt.V311 })
	b := h.online()
	for n := range 3 {
		r, id := h.sends(b, 1, "x")
		b.send(&mqtt.Ack{Kind: mqtt.PUBACK, PacketID: id})
		require.NoError(t, result(t, r))
		if n < 2 {
			b, _ = h.again(b, &mqtt.Connack{})
		}
	}
	b.close(errReset)
	assert.Equal(t, fault.Displaced, h.next(Displaced).Code)
}

// While one thing goes out after the other, an answer has the next one follow at once.
func TestAnAnswerOnTheShortWayHoldsNothingUp(t *testing.T) {
	r := ride(t, nil)
	var o verdicts
	r.s.Send([]Message{{Topic: "a", QoS: 1}}, 1, o.tell)
	p := r.b.expect(mqtt.PUBLISH).(*mqtt.Publish)
	require.True(t, r.s.post(func(l *loop) { l.machine.balks = balkMax - 1 }))
	go func() { _, _ = r.s.Subscribe(bg, "a", 1) }()
	require.Eventually(t, func() bool { return r.asked() == 1 }, patience, time.Millisecond)
	r.settled()
	r.b.silent()
	r.long(&mqtt.Ack{Kind: mqtt.PUBACK, PacketID: p.PacketID})
	r.b.expect(mqtt.SUBSCRIBE)
}

func TestAnAnswerOnTheShortWayIsOne(t *testing.T) {
	r := ride(t, nil)
	var o verdicts
	r.s.Send([]Message{{Topic: "a", QoS: 1}}, 1, o.tell)
	p := r.b.expect(mqtt.PUBLISH).(*mqtt.Publish)
	r.short(&mqtt.Ack{Kind: mqtt.PUBACK, PacketID: p.PacketID})
	answered := make(chan bool, 1)
	require.True(t, r.s.post(func(l *loop) { answered <- l.link.answered }))
	assert.True(t, <-answered)
}
