package session

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/mqtt"
)

// A large message takes a slow network longer than any small packet is given. Were the connection ended over that, the
// message would begin anew with the next one, and never get through.
func TestALargeMessageThatTheNetworkTakesSlowly(t *testing.T) {
	h := newHarness(t, nil)
	b := h.online()
	close(b.deaf)
	h.publish(Message{Topic: "t", QoS: 1, Payload: make([]byte, 1<<20)})
	require.Eventually(t, func() bool {
		writing := make(chan bool, 1)
		h.s.post(func(l *loop) { writing <- l.link.busy })
		return <-writing
	}, patience, time.Millisecond)
	for h.s.State().State == Online {
		h.tick()
	}
	assert.Greater(t, h.elapsed(), time.Minute)
	assert.Less(t, h.elapsed(), 80*time.Second, "it ends some time")
}

// A browser takes everything at once, and PINGREQ waits behind it.
func TestALargeMessageThatIsBeforePingreq(t *testing.T) {
	h := newHarness(t, nil)
	b := h.online()
	require.NoError(t, h.s.Publish(soon(t), Message{Topic: "t", Payload: make([]byte, 1<<20)}))
	b.expect(mqtt.PUBLISH)
	h.wroteAll()
	for h.elapsed() < 55*time.Second {
		h.tick()
		h.wroteAll()
	}
	require.Equal(t, Online, h.s.State().State)
	b.expect(mqtt.PINGREQ)
	h.s.Wake("a look at the page")
	h.sync()
	assert.Equal(t, Online, h.s.State().State)
	// The answer says that the server has all of it.
	b.send(&mqtt.Pingresp{})
	h.settled()
	from := h.elapsed()
	h.s.Wake("another one")
	for h.s.State().State == Online {
		h.tick()
		h.sync()
	}
	assert.Equal(t, wakeWait, h.elapsed()-from)
}

func TestHowLongWhatIsLargeMayBeUnderWay(t *testing.T) {
	var k keepAlive
	k.start(t0, 60)
	k.wrote(t0, 1000)
	assert.Zero(t, k.underWay(t0), "a small packet")
	k.start(t0, 60)
	k.wrote(t0, 1<<20)
	assert.Equal(t, 64*time.Second, k.underWay(t0))
	assert.Equal(t, 4*time.Second, k.underWay(t0.Add(time.Minute)))
	assert.Zero(t, k.underWay(t0.Add(time.Hour)))
	k.wrote(t0, 1<<28)
	assert.Equal(t, longestUnderWay, k.underWay(t0))

	k.start(t0, 60)
	for range 1 << 10 {
		k.wrote(t0, 1<<8)
	}
	assert.Equal(t, 16*time.Second, k.underWay(t0), "many small packets")
	for range 1 << 16 {
		k.wrote(t0, 1<<8)
	}
	assert.Equal(t, mostUnderWay, k.underWay(t0))
	k.wrote(t0, 1<<20)
	k.wrote(t0, 1<<20)
	assert.Equal(t, longestUnderWay, k.underWay(t0))
	k.wrote(t0, 1)
	assert.Equal(t, longestUnderWay, k.underWay(t0), "small ones take nothing from it")

	k.start(t0, 60)
	k.wrote(t0, 1<<19)
	k.pinged(t0)
	k.wrote(t0, 2) // that is the PINGREQ
	for at := t0; at.Before(t0.Add(42 * time.Second)); at = at.Add(time.Second) {
		assert.False(t, k.dead(at))
		k.wrote(at, 1<<14) // behind it, which has nothing to do with its answer
	}
	assert.True(t, k.dead(t0.Add(43*time.Second)))
	k.answered()
	assert.Equal(t, time.Second, k.underWay(t0.Add(41*time.Second)), "what was behind it")

	k.start(t0, 60)
	k.pinged(t0)
	k.wrote(t0, 1<<20) // behind it, or in its frame
	assert.False(t, k.dead(t0.Add(73*time.Second)))
	assert.True(t, k.dead(t0.Add(74*time.Second)))
	k.answered()
	assert.Equal(t, 64*time.Second, k.underWay(t0), "the answer says nothing of what was behind the question")
	k.pinged(t0)
	k.answered()
	assert.Zero(t, k.underWay(t0))
}
