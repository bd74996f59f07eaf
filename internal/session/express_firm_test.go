package session

import (
	"strconv"
	"testing"

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

func TestARepeatInOneFrameWithTheCopyMakesItFirm(t *testing.T) {
	r, told := firmly(t)
	r.long(marked(push(0, "a", "1"), "x"), marked(push(1, "a", "1"), "x"))
	assert.Equal(t, []string{"pushMessageID\x00\x01x"}, told())
	assert.Equal(t, "1", string(r.batch()[0].Payload))
	assert.Empty(t, r.batches)
}

func TestMarksOfIDsGoWithThem(t *testing.T) {
	var d dedupe
	for n := range 3 * seenMax {
		require.False(t, d.again([]byte("id-"+strconv.Itoa(n)), markOf(n < 2*seenMax)))
		require.Equal(t, min(n+1, seenMax, max(0, 3*seenMax-n-1)), d.loose)
	}
	assert.False(t, d.isLoose([]byte("id-1")))
	assert.False(t, d.again([]byte("late"), loose))
	assert.True(t, d.isLoose([]byte("late")))
	d.forget([]byte("late"))
	assert.False(t, d.isLoose([]byte("late")))
	assert.False(t, d.again([]byte("late"), 0))
	assert.False(t, d.isLoose([]byte("late")), "it came anew, at another QoS")
}
