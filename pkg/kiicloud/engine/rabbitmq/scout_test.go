package rabbitmq

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/pkg/kiicloud/store"
)

// keptBy is how many channels a slot has besides the one for all.
func keptBy(s *slot) int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return len(s.old)
}

// When a node has died many queues may not answer. The first of them holds up its channel for some seconds, and no other one does.
func TestOneQueueAtMostHoldsOthersUp(t *testing.T) {
	for _, wary := range []bool{false, true} {
		t.Run(fmt.Sprintf("wary from the beginning: %t", wary), func(t *testing.T) {
			onFake(t, func(t *testing.T, n *fakeNode, c *cluster, l *link) {
				known := beside(l, "block", "known")
				publishMany(t, c, known, 3)
				time.Sleep(time.Millisecond)
				if wary { // as is a link that takes the place of another one
					l.beWary()
				} else {
					require.Equal(t, unknown, publishOne(t, c, "block"))
				}
				var flows sync.WaitGroup
				const many = 20
				for i := range many {
					block := beside(l, "block", fmt.Sprint("block ", i, " "))
					flows.Go(func() { assert.Equal(t, unknown, publishOneOf(c, block)) })
					synctest.Wait()
					begun := time.Now()
					publishMany(t, c, known, 3)
					publishMany(t, c, beside(l, "block", fmt.Sprint("well ", i, " ")), 3)
					require.Less(t, time.Since(begun), time.Second, "behind queue %d", i)
				}
				flows.Wait()
				assert.False(t, l.ended())
				for i := range many { // what comes next waits behind the first
					flows.Go(func() { assert.Equal(t, unknown, publishOneOf(c, beside(l, "block", fmt.Sprint("block ", i, " ")))) })
				}
				flows.Wait()
				begun := time.Now()
				publishMany(t, c, known, 3)
				require.Less(t, time.Since(begun), time.Second)

				n.revive()
				synctest.Wait()
				for i := range many {
					publishMany(t, c, beside(l, "block", fmt.Sprint("block ", i, " ")), 1)
				}
				synctest.Wait()
				assert.Zero(t, keptBy(l.slotOf("block")))
				assert.Empty(t, c.flight.lanes)
				opened, closed := n.channels()
				assert.Equal(t, publishers, opened-closed)
			})
		})
	}
}

// What follows a push that a scout brings comes behind it, over the same channel as long as that is not answered.
func TestWhatFollowsAScoutComesBehindIt(t *testing.T) {
	onFake(t, func(t *testing.T, n *fakeNode, c *cluster, l *link) {
		l.beWary()
		var flows sync.WaitGroup
		late := beside(l, "known", "late")
		publishMany(t, c, "known", 2)
		for range 5 {
			flows.Go(func() { assert.Equal(t, stored, publishOne(t, c, late)) })
		}
		synctest.Wait()
		assert.NotEqual(t, n.by("known"), n.by(late))
		assert.Equal(t, 1, keptBy(l.slotOf(late)), "one scout for one queue")
		flows.Wait()
		synctest.Wait()
		assert.Zero(t, keptBy(l.slotOf(late)))
		publishMany(t, c, late, 1)
		assert.Equal(t, n.by("known"), n.by(late))
		assert.Equal(t, 6, n.count(late))

		time.Sleep(waryFor)
		other := beside(l, "known", "other")
		publishMany(t, c, other, 1)
		assert.Equal(t, n.by("known"), n.by(other), "none is sent any more")
	})
}

// A node that opens no channel keeps nobody waiting for longer than a push may take, and nothing was sent.
func TestAScoutThatIsNotOpenedInTime(t *testing.T) {
	onFake(t, func(t *testing.T, n *fakeNode, c *cluster, l *link) {
		l.beWary()
		n.setMute()
		ctx, cancel := context.WithTimeout(context.Background(), confirmTimeout)
		defer cancel()
		var flows sync.WaitGroup
		for _, topic := range []string{"one", beside(l, "one", "two")} {
			flows.Go(func() {
				begun := time.Now()
				place, err := c.flight.enter(ctx, topic, nil)
				assert.NoError(t, err)
				_, err = l.send(ctx, topic, message(store.Push{MessageID: "m", Payload: []byte("{}")}), place)
				assert.ErrorIs(t, err, errUnsent)
				assert.LessOrEqual(t, time.Since(begun), confirmTimeout)
			})
		}
		flows.Wait()
		synctest.Wait()
		assert.Empty(t, c.flight.lanes)
		assert.True(t, l.ended(), "it hangs")
	})
}

// What waits for a channel when RabbitMQ says that it takes nothing is refused then, as what comes later is. The channel is closed when it is there.
func TestAScoutIsNotWaitedForWhenRabbitMQTakesNothing(t *testing.T) {
	onFake(t, func(t *testing.T, n *fakeNode, c *cluster, l *link) {
		l.beWary()
		goOn := n.setMute()
		ctx, cancel := context.WithTimeout(context.Background(), confirmTimeout)
		defer cancel()
		begun := time.Now()
		var flows sync.WaitGroup
		for _, topic := range []string{"one", beside(l, "one", "two")} {
			flows.Go(func() {
				out, err := c.publish(ctx, []string{topic}, store.Push{MessageID: "m", Payload: []byte("{}")})
				assert.Equal(t, []outcome{unsent}, out)
				assert.ErrorIs(t, err, errAlarm)
				assert.LessOrEqual(t, time.Since(begun), time.Second)
			})
		}
		time.Sleep(time.Second)
		l.alarm.set(amqp.Blocking{Active: true, Reason: "low on memory"})
		flows.Wait()
		assert.Empty(t, c.flight.lanes)
		time.Sleep(time.Minute)
		assert.False(t, l.ended(), "it has said why it does not answer")
		goOn()
		l.alarm.set(amqp.Blocking{})
		publishMany(t, c, "one", 2)
		synctest.Wait()
		opened, closed := n.channels()
		assert.Equal(t, publishers, opened-closed)
	})
}

// RabbitMQ may allow a connection few channels. Those for whom there is none have to do with the one for all.
func TestAConnectionThatMayHaveNoMoreChannels(t *testing.T) {
	onFakeOf(t, publishers+2, func(t *testing.T, n *fakeNode, c *cluster, l *link) {
		l.beWary()
		var flows sync.WaitGroup
		for i := range 2 {
			flows.Go(func() { assert.Equal(t, unknown, publishOneOf(c, fmt.Sprint("block ", i))) })
		}
		synctest.Wait()
		publishMany(t, c, "well", 3)
		flows.Wait()
		n.revive()
		synctest.Wait()
		publishMany(t, c, "other", 1)
		assert.False(t, l.ended())
		synctest.Wait()
		opened, closed := n.channels()
		assert.Equal(t, publishers, opened-closed)
	})
}
