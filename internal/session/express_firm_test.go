package session

import (
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/mqtt"
)

// firmly is a rider whose loader may drop what it has at QoS 0. told has the ids that it may drop no more.
func firmly(t *testing.T) (r *rider, told func() []string) {
	r = ride(t, nil)
	ids := make(chan string, 16)
	r.s.Express(7, func(property []byte) { ids <- string(property) })
	r.settled()
	return r, func() (list []string) {
		r.settled()
		for len(ids) > 0 {
			list = append(list, <-ids)
		}
		return list
	}
}

// A repeat at QoS 1 is acknowledged and not handed over, so whoever has the copy at QoS 0 is told to keep it.
func TestARepeatThatIsAcknowledgedMakesTheLoadersCopyFirm(t *testing.T) {
	r, told := firmly(t)
	r.short(marked(push(0, "a", "1"), "x"), marked(push(0, "a", "2"), "y"))
	r.short(marked(push(1, "a", "3"), "z"))
	assert.Empty(t, told())
	r.long(marked(push(2, "a", "1"), "x"))
	assert.Equal(t, []string{"pushMessageID\x00\x01x"}, told())
	r.short(marked(push(3, "a", "3"), "z"), marked(push(4, "a", "4"), ""))
	r.short(marked(push(0, "a", "2"), "y"), marked(push(0, "a", "5"), "5"))
	assert.Empty(t, told(), "a repeat at QoS 0 is not acknowledged, and one of what came at QoS 1 is with it")
	for id := range uint16(4) {
		assert.Equal(t, id+1, r.b.expect(mqtt.PUBACK).(*mqtt.Ack).PacketID)
	}
}

// Then the loader does not have the copy yet, so that comes to it as one to be kept.
func TestARepeatInOneFrameWithTheCopyMakesItFirm(t *testing.T) {
	r, told := firmly(t)
	r.long(marked(push(0, "a", "0"), "w"), marked(push(0, "a", "1"), "x"), marked(push(1, "a", "1"), "x"))
	assert.Empty(t, told())
	batch := r.batch()
	assert.False(t, batch[0].Firm)
	assert.Equal(t, "1", string(batch[1].Payload))
	assert.True(t, batch[1].Firm)
	assert.Empty(t, r.batches)
}

func TestARepeatOfWhatWaitsToBeHandedOverMakesItFirm(t *testing.T) {
	entered, release := make(chan struct{}, 3), make(chan struct{})
	r := ride(t, func(c *Config) {
		deliver := c.Deliver
		c.Deliver = func(m []Message) {
			entered <- struct{}{}
			<-release
			deliver(m)
		}
	})
	told := make(chan struct{}, 1)
	r.s.Express(7, func([]byte) { told <- struct{}{} })
	r.b.send(push(1, "a", "busy"))
	<-entered
	for _, id := range []uint16{0, 2} {
		before := taken(r)
		r.b.send(marked(push(id, "a", "1"), "x"))
		require.Eventually(t, func() bool { return taken(r) == before+1 }, patience, time.Millisecond)
		r.sync()
	}
	close(release)
	assert.Equal(t, "busy", string(r.batch()[0].Payload))
	m := r.batch()[0]
	assert.Equal(t, "1", string(m.Payload))
	assert.True(t, m.Firm)
	r.settled()
	assert.Empty(t, told, "the loader does not have it yet")
}

// taken is how many chunks the session has taken in over its connection.
func taken(r *rider) int {
	n := make(chan int, 1)
	r.s.post(func(l *loop) { n <- l.link.taken })
	return <-n
}

func TestMarksOfIDsGoWithThem(t *testing.T) {
	var d dedupe
	for n := range 3 * seenMax {
		require.False(t, d.repeated([]byte("id-"+strconv.Itoa(n)), markOf(n < 2*seenMax)))
		require.Equal(t, min(n+1, seenMax, max(0, 3*seenMax-n-1)), d.loose)
	}
	assert.False(t, d.isLoose([]byte("id-1")))
	assert.False(t, d.repeated([]byte("late"), loose))
	assert.True(t, d.isLoose([]byte("late")))
	d.forget([]byte("late"))
	assert.False(t, d.isLoose([]byte("late")))
	assert.False(t, d.repeated([]byte("late"), 0))
	assert.False(t, d.isLoose([]byte("late")), "it came anew, at another QoS")
}
