package session

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/fault"
	"github.com/kiiweb/kiiweb/internal/mqtt"
)

// A message at QoS 0 over which a broker of MQTT 3.x ends each connection is no other client.
func TestAMessageAtQoS0ThatEndsConnectionsIsNoContest(t *testing.T) {
	h := newHarness(t, func(c *Config) { c.Version = mqtt.V311 })
	b := h.online()
	for n := range 6 {
		require.NoError(t, result(t, h.publish(Message{Topic: "t", Payload: []byte("bad"), Retain: true})))
		b.expect(mqtt.PUBLISH)
		if n > 0 {
			b.expect(mqtt.PINGREQ)
		}
		b.close(errReset)
		h.next(Waiting)
		h.until(func() bool { return len(h.changes) > 0 }) // the back-off grows
		h.next(Connecting)
		b = h.welcome(&mqtt.Connack{})
		h.next(Online)
	}
}

// What the broker took is no reason: the answer to what comes behind it says that it did.
func TestAContestWhileMessagesAtQoS0Flow(t *testing.T) {
	h := newHarness(t, func(c *Config) { c.Version = mqtt.V311 })
	b := h.online()
	for n := range 3 {
		for range 2 {
			require.NoError(t, result(t, h.publish(Message{Topic: "t"})))
			b.expect(mqtt.PUBLISH)
			if n > 0 {
				b.expect(mqtt.PINGREQ)
				b.send(&mqtt.Pingresp{})
				h.settled()
			}
		}
		if n < 2 {
			b, _ = h.again(b, &mqtt.Connack{})
		}
	}
	b.close(errReset)
	assert.Equal(t, fault.Displaced, h.next(Displaced).Code)
}

// An answer to what went out before a message says nothing about it; then it is asked again.
func TestADoubtIsOfTheLatestMessage(t *testing.T) {
	h := newHarness(t, func(c *Config) { c.Version = mqtt.V311 })
	b, _ := h.again(h.online(), &mqtt.Connack{})
	doubt := func() (d doubt) {
		h.settled()
		passed := make(chan doubt, 1)
		require.True(t, h.s.post(func(l *loop) { passed <- l.link.doubt }))
		return <-passed
	}
	assert.Equal(t, doubtNone, doubt())
	h.publish(Message{Topic: "t"})
	b.expect(mqtt.PUBLISH)
	b.expect(mqtt.PINGREQ)
	assert.Equal(t, doubtAsked, doubt())
	h.publish(Message{Topic: "t"})
	b.expect(mqtt.PUBLISH)
	assert.Equal(t, doubtSent, doubt())
	b.silent()
	b.send(&mqtt.Pingresp{})
	b.expect(mqtt.PINGREQ)
	assert.Equal(t, doubtAsked, doubt())
	b.send(&mqtt.Pingresp{})
	assert.Equal(t, doubtNone, doubt())
	b.silent()
}

func TestWhatIsInDoubtGoesTheLongWay(t *testing.T) {
	r := ride(t, func(c *Config) { c.Version = mqtt.V311 })
	require.True(t, r.sends(Message{Topic: "a"}))
	r.b.expect(mqtt.PUBLISH)
	r.b, _ = r.again(r.b, &mqtt.Connack{})
	assert.False(t, r.sends(Message{Topic: "a"}))
}

// A large message takes its time on a slow network, and the answer to what comes behind it as well: that is
// not the silence of a connection that is dead.
func TestADoubtIsInNoHurry(t *testing.T) {
	h := newHarness(t, func(c *Config) { c.Version = mqtt.V311 })
	b, _ := h.again(h.online(), &mqtt.Connack{})
	h.publish(Message{Topic: "t"})
	b.expect(mqtt.PUBLISH)
	b.expect(mqtt.PINGREQ)
	h.settled()
	for answer := h.elapsed() + 9*time.Second; ; h.tick() {
		if timer, due := h.clock.next(); timer == nil || due.Sub(t0) > answer {
			h.clock.advance(answer - h.elapsed())
			break
		}
	}
	b.send(&mqtt.Pingresp{})
	h.settled()
	assert.Empty(t, h.changes)
	assert.Equal(t, Online, h.s.State().State)
}
