package rabbitmq

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
)

// What RabbitMQ has taken just before it is held up it cannot confirm any more. A queue that is known to the channel is not taken for the one that holds it up.
func TestAQueueThatIsWellIsNotTakenForTheOneThatHoldsUp(t *testing.T) {
	onFake(t, func(t *testing.T, n *fakeNode, c *cluster, l *link) {
		well, other := beside(l, "block", "soon"), beside(l, "block", "well")
		publishMany(t, c, well, 2)
		publishMany(t, c, other, 1)
		old := n.by(well)
		time.Sleep(time.Millisecond)
		var flows sync.WaitGroup
		for _, topic := range []string{well, "block", other} { // within a moment
			flows.Go(func() { assert.Equal(t, unknown, publishOneOf(c, topic), topic) })
			synctest.Wait()
		}
		time.Sleep(slowAfter + blockedAfter)
		synctest.Wait()
		publishMany(t, c, well, 3)
		publishMany(t, c, other, 3)
		assert.NotEqual(t, old, n.by(well))
		flows.Go(func() { assert.Equal(t, unknown, publishOneOf(c, "block")) })
		synctest.Wait()
		assert.Equal(t, old, n.by("block"), "it has the channel for itself")
		flows.Wait()
		opened, closed := n.channels()
		assert.Equal(t, publishers+1, opened-closed)
		n.revive()
		synctest.Wait()
		assert.Empty(t, c.flight.lanes)
		assert.Empty(t, l.slotOf(well).old)
	})
}

func TestKnownQueuesAreBounded(t *testing.T) {
	k := knownQueues{}
	for i := range uint64(mostKnown + 1) {
		k.add(i)
	}
	assert.True(t, k.has(mostKnown))
	assert.LessOrEqual(t, len(k), mostKnown)
}
