package rabbitmq

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/pkg/kiicloud/store"
)

// onFake runs a test with a cluster that is a fakeNode.
func onFake(t *testing.T, test func(t *testing.T, n *fakeNode, c *cluster, l *link)) {
	onFakeOf(t, 0, test)
}

// onFakeOf is onFake with so many channels at the most on a connection; 0: as many as are needed.
func onFakeOf(t *testing.T, most uint16, test func(t *testing.T, n *fakeNode, c *cluster, l *link)) {
	synctest.Test(t, func(t *testing.T) {
		n := &fakeNode{got: map[string]int{}, via: map[string]uint16{}, most: most}
		l := n.dial(t)
		test(t, n, &cluster{flight: newFlight(), keeper: &keeper{current: l}}, l)
		l.close()
		synctest.Wait()
	})
}

// beside gives a topic whose pushes go over the same channel as those of another one.
func beside(l *link, topic, prefix string) string {
	for i := 0; ; i++ {
		if name := fmt.Sprint(prefix, i); l.slotOf(name) == l.slotOf(topic) {
			return name
		}
	}
}

func publishOne(t *testing.T, c *cluster, topic string) outcome {
	t.Helper()
	out, err := c.publish(context.Background(), []string{topic}, store.Push{MessageID: "m", Payload: []byte("{}")})
	require.NoError(t, err)
	return out[0]
}

func publishOneOf(c *cluster, topic string) outcome {
	out, _ := c.publish(context.Background(), []string{topic}, store.Push{MessageID: "m", Payload: []byte("{}")})
	return out[0]
}

func publishMany(t *testing.T, c *cluster, topic string, n int) {
	t.Helper()
	for range n {
		require.Equal(t, stored, publishOne(t, c, topic))
	}
}

// The library keeps what it hears of later pushes as long as one is unanswered. Only the queue that does not answer stays on its channel:
// RabbitMQ would hold up another one for a minute.
func TestAChannelWithAPushThatIsNotAnsweredGetsASuccessor(t *testing.T) {
	onFake(t, func(t *testing.T, n *fakeNode, c *cluster, l *link) {
		well, slow := beside(l, "dead", "well"), beside(l, "dead", "late")
		begun := time.Now()
		require.Equal(t, unknown, publishOne(t, c, "dead"))
		assert.Equal(t, confirmTimeout, time.Since(begun))
		old := n.by("dead")
		publishMany(t, c, well, manyBehind)

		// Pushes flow meanwhile. Each is confirmed, also those that were sent just before over the old one, and those behind them.
		var flows sync.WaitGroup
		sent := 0
		for range 40 {
			time.Sleep(staleAfter / 40)
			sent++
			flows.Go(func() { assert.Equal(t, stored, publishOne(t, c, slow)) })
			publishMany(t, c, well, 10)
		}
		synctest.Wait()
		publishMany(t, c, well, 1)
		assert.NotEqual(t, old, n.by(well))
		flows.Go(func() { assert.Equal(t, stored, publishOne(t, c, slow)) })
		synctest.Wait()
		assert.Equal(t, old, n.by(slow), "behind others of its queue")
		flows.Wait()
		require.Equal(t, stored, publishOne(t, c, slow))
		assert.Equal(t, n.by(well), n.by(slow))
		assert.Equal(t, manyBehind+401, n.count(well))
		assert.Equal(t, sent+2, n.count(slow))
		require.Equal(t, unknown, publishOne(t, c, "dead"))
		assert.Equal(t, old, n.by("dead"))
		time.Sleep(10 * staleAfter)
		synctest.Wait()
		opened, closed := n.channels()
		assert.Equal(t, publishers+1, opened)
		assert.Zero(t, closed)

		n.revive()
		synctest.Wait()
		opened, closed = n.channels()
		assert.Equal(t, publishers+1, opened)
		assert.Equal(t, 1, closed, "all is answered")
		assert.Empty(t, c.flight.lanes)
		assert.Empty(t, l.slotOf("dead").old)
		require.Equal(t, unknown, publishOne(t, c, "dead"))
		assert.Equal(t, n.by(well), n.by("dead"))
		assert.False(t, l.ended())
	})
}

// That takes both: minutes, and much that was sent.
func TestAChannelOnWhichLittleWasSentStays(t *testing.T) {
	onFake(t, func(t *testing.T, n *fakeNode, c *cluster, l *link) {
		require.Equal(t, unknown, publishOne(t, c, "dead"))
		well := beside(l, "dead", "well")
		publishMany(t, c, well, manyBehind-2)
		time.Sleep(10 * staleAfter)
		synctest.Wait()
		publishMany(t, c, well, 1)
		assert.Equal(t, n.by("dead"), n.by(well))
		publishMany(t, c, well, 1)
		time.Sleep(staleAfter)
		synctest.Wait()
		publishMany(t, c, well, 1)
		assert.NotEqual(t, n.by("dead"), n.by(well))
	})
}

// Many of one channel wait for the same thing.
func TestAChannelGetsOneSuccessor(t *testing.T) {
	onFake(t, func(t *testing.T, n *fakeNode, c *cluster, l *link) {
		var flows sync.WaitGroup
		for i := range slowOfQueue {
			for _, topic := range []string{"dead", beside(l, "dead", "dead and gone ")} {
				flows.Go(func() { assert.Equal(t, unknown, publishOne(t, c, topic), i) })
			}
		}
		flows.Wait()
		publishMany(t, c, beside(l, "dead", "well"), manyBehind)
		time.Sleep(staleAfter)
		synctest.Wait()
		opened, closed := n.channels()
		assert.Equal(t, publishers+1, opened)
		assert.Zero(t, closed)
		n.revive()
		synctest.Wait()
		_, closed = n.channels()
		assert.Equal(t, 1, closed)
		assert.Empty(t, c.flight.lanes)
	})
}

// A node that opens no channel hangs.
func TestANodeThatOpensNoOtherChannelIsGivenUp(t *testing.T) {
	onFake(t, func(t *testing.T, n *fakeNode, c *cluster, l *link) {
		require.Equal(t, unknown, publishOne(t, c, "dead"))
		publishMany(t, c, beside(l, "dead", "well"), manyBehind)
		n.setMute()
		time.Sleep(staleAfter)
		assert.False(t, l.ended())
		time.Sleep(toolTimeout)
		synctest.Wait()
		assert.True(t, l.ended())
		assert.Empty(t, c.flight.lanes)
	})
}

// The first push of a channel to a queue without a leader has RabbitMQ do nothing else for that channel. Others go on over another one.
func TestAQueueThatHoldsItsChannelUpGetsItForItself(t *testing.T) {
	onFake(t, func(t *testing.T, n *fakeNode, c *cluster, l *link) {
		well, same := beside(l, "block", "well"), beside(l, "block", "same")
		publishMany(t, c, same, 3)
		old := n.by(same)
		time.Sleep(time.Millisecond)
		var flows sync.WaitGroup
		send := func(topic string, want outcome) {
			flows.Go(func() { assert.Equal(t, want, publishOne(t, c, topic), topic) })
		}
		send("block", unknown)
		synctest.Wait()
		for range slowOfQueue + 1 {
			send(same, unknown) // behind it
		}
		time.Sleep(slowAfter + blockedAfter)
		synctest.Wait()
		publishMany(t, c, well, 3)
		assert.NotEqual(t, old, n.by(well))
		send("block", unknown)
		flows.Wait()
		publishMany(t, c, same, mostOfQueue)
		assert.Equal(t, n.by(well), n.by(same))
		assert.Len(t, c.flight.lanes, 1, "what waits behind another queue takes no place from its own")
		time.Sleep(time.Minute)
		assert.False(t, l.ended(), "the node answers")
		opened, closed := n.channels()
		assert.Equal(t, publishers+1, opened-closed)

		n.revive()
		synctest.Wait()
		assert.Empty(t, l.slotOf("block").old)
		publishMany(t, c, "block", 3)
		assert.Equal(t, n.by(same), n.by("block"))
		assert.Empty(t, c.flight.lanes)
		synctest.Wait()
		opened, closed = n.channels()
		assert.Equal(t, publishers, opened-closed)
	})
}

// Pushes that come at the same time may be written in another order than they have entered.
func TestTheQueueThatHoldsAChannelUpIsToldByTheOrderOnTheChannel(t *testing.T) {
	onFake(t, func(t *testing.T, n *fakeNode, c *cluster, l *link) {
		well := beside(l, "block", "well")
		p, first, err := l.slotOf("block").enter(context.Background(), "block")
		require.NoError(t, err)
		publishMany(t, c, well, 3) // overtakes it
		time.Sleep(time.Millisecond)
		place, err := c.flight.enter(context.Background(), "block", nil)
		require.NoError(t, err)
		s, err := p.send(first, "block", message(store.Push{MessageID: "m", Payload: []byte("{}")}), place)
		require.NoError(t, err)
		var flows sync.WaitGroup
		flows.Go(func() { assert.Equal(t, unknown, s.wait(context.Background())) })
		flows.Go(func() { assert.Equal(t, unknown, publishOneOf(c, well)) }) // behind it
		time.Sleep(slowAfter + blockedAfter)
		synctest.Wait()
		publishMany(t, c, well, 3)
		assert.NotEqual(t, n.by("block"), n.by(well))
		flows.Wait()
		assert.Equal(t, unknown, publishOneOf(c, "block"))
		publishMany(t, c, well, 3)
		synctest.Wait()
		opened, closed := n.channels()
		assert.Equal(t, publishers+1, opened-closed)
		assert.False(t, l.ended())
	})
}

// Also one that has a successor already keeps nobody waiting.
func TestAQueueThatHoldsUpAChannelWithASuccessorGetsItForItself(t *testing.T) {
	onFake(t, func(t *testing.T, n *fakeNode, c *cluster, l *link) {
		require.Equal(t, unknown, publishOne(t, c, "dead"))
		block, same := beside(l, "dead", "block"), beside(l, "dead", "same")
		publishMany(t, c, same, manyBehind)
		time.Sleep(staleAfter - time.Second)
		var flows sync.WaitGroup
		flows.Go(func() { assert.Equal(t, unknown, publishOneOf(c, block)) })
		synctest.Wait()
		flows.Go(func() { assert.Equal(t, unknown, publishOneOf(c, same)) }) // behind it
		time.Sleep(time.Second)
		synctest.Wait()
		opened, _ := n.channels()
		require.Equal(t, publishers+1, opened)
		time.Sleep(slowAfter + blockedAfter)
		synctest.Wait()
		publishMany(t, c, same, 3)
		flows.Wait()
		n.revive()
		synctest.Wait()
		publishMany(t, c, block, 1)
		assert.Empty(t, l.slotOf(same).old)
		assert.Empty(t, c.flight.lanes)
		assert.False(t, l.ended())
	})
}

// A queue may answer while the successor is being made.
func TestAChannelIsNotKeptForAQueueThatHasAnswered(t *testing.T) {
	onFake(t, func(t *testing.T, n *fakeNode, c *cluster, l *link) {
		publishMany(t, c, "well", 1)
		s := l.slotOf("well")
		s.succeed(s.now, "well")
		synctest.Wait()
		assert.Empty(t, s.old)
		_, closed := n.channels()
		assert.Equal(t, 1, closed)
		publishMany(t, c, "well", 1)
	})
}

// RabbitMQ may end the channel that a queue has for itself with an error.
func TestAQueueOutlivesTheChannelThatItHasForItself(t *testing.T) {
	onFake(t, func(t *testing.T, n *fakeNode, c *cluster, l *link) {
		require.Equal(t, unknown, publishOne(t, c, "block"))
		require.Len(t, l.slotOf("block").old, 1)
		require.Equal(t, unknown, publishOne(t, c, "block"))
		n.refuse(n.by("block"))
		synctest.Wait()
		assert.Empty(t, l.slotOf("block").old)
		publishMany(t, c, "block", 3)
		assert.Empty(t, c.flight.lanes)
		assert.False(t, l.ended())
	})
}

// A node that answers on no channel hangs, and another one may not.
func TestANodeThatAnswersNothingIsGivenUp(t *testing.T) {
	onFake(t, func(t *testing.T, n *fakeNode, c *cluster, l *link) {
		n.setMute()
		require.Equal(t, unknown, publishOneOf(c, "block"))
		synctest.Wait()
		assert.True(t, l.ended())
	})
}
