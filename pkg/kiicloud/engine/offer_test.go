package engine

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/pkg/kiicloud/guard/guardtest"
	"github.com/kiiweb/kiiweb/pkg/kiicloud/store"
)

// counting is a Queue that counts how often it is read.
type counting struct {
	*memory
	reads atomic.Int64
}

func (q *counting) Pending(ctx context.Context, id string, after int64, limit int) ([]store.Push, error) {
	q.reads.Add(1)
	return q.memory.Pending(ctx, id, after, limit)
}

// offerings is a pump on a queue to which pushes can be added with or without its knowledge.
type offerings struct {
	t    *testing.T
	q    *counting
	w    *wire
	p    *pump
	inst store.Installation
	next int
}

// newOfferings has former pushes in the queue's past, which are not in it any more.
func newOfferings(t *testing.T, window, former int) *offerings {
	o := &offerings{t: t, q: &counting{memory: newMemory()}, w: newWire()}
	o.inst = o.q.install(t, installationFor(1))
	for range former {
		o.q.seq[o.inst.ID]++
	}
	inst, err := o.q.InstallationByTopic(t.Context(), o.inst.Topic)
	require.NoError(t, err)
	log := slog.New(slog.DiscardHandler)
	settled := newSettler(o.q, log)
	o.p = newPump(o.q, settled, o.w, inst.ID, inst.LastSeq, window, &counters{}, log)
	t.Cleanup(settled.close)
	t.Cleanup(o.p.stop)
	return o
}

// add puts the next push into the queue, and gives it as it is to be offered.
func (o *offerings) add() store.Push {
	o.t.Helper()
	push := pushFor(o.inst, o.next)
	o.next++
	var err error
	push.Seq, _, err = o.q.Enqueue(o.t.Context(), push)
	require.NoError(o.t, err)
	return push
}

// expect wants pushes from..to-1, in order, and nothing else.
func (o *offerings) expect(from, to int) (ids []uint16) {
	o.t.Helper()
	for n := from; n < to; n++ {
		select {
		case m := <-o.w.sent:
			require.Equal(o.t, fmt.Sprintf("id-%d", n), m.push.MessageID)
			ids = append(ids, m.packetID)
		case <-time.After(guardtest.Patience):
			require.FailNow(o.t, "a push is missing", "push %d", n)
		}
	}
	return ids
}

// subscribe starts the delivery and waits until it rests.
func (o *offerings) subscribe() {
	o.p.subscribe(subscription{qos: 1})
	o.rested()
}

func (o *offerings) rested() {
	o.t.Helper()
	require.Eventually(o.t, func() bool {
		o.p.mu.Lock()
		defer o.p.mu.Unlock()
		return !o.p.running
	}, guardtest.Patience, time.Millisecond, "a pump that has nothing to do has no goroutine")
}

func TestOfferedPushesAreNotReadAgain(t *testing.T) {
	o := newOfferings(t, 10, 5)
	o.subscribe()
	require.EqualValues(t, 1, o.q.reads.Load())
	for n := range 100 {
		o.p.offer(o.add())
		o.p.acknowledge(o.expect(n, n+1)[0])
	}
	o.rested()
	require.EqualValues(t, 1, o.q.reads.Load(), "that of the start")
	require.NoError(t, o.p.settled.flush())
	require.Empty(t, o.q.queues[o.inst.ID])
}

func TestPushesThatWereOfferedOutOfOrderComeInOrder(t *testing.T) {
	o := newOfferings(t, 10, 5)
	o.subscribe()
	first, second, third := o.add(), o.add(), o.add()
	o.p.offer(second)
	o.expect(0, 3)
	o.p.offer(first)
	o.p.offer(third)
	o.rested()
	o.p.offer(o.add())
	o.expect(3, 4)
	require.Empty(t, o.w.sent, "none comes twice")
}

func TestAPushThatNobodyOfferedIsReadBeforeTheNext(t *testing.T) {
	o := newOfferings(t, 10, 0)
	o.subscribe()
	o.add()
	o.p.offer(o.add())
	o.expect(0, 2)
	o.add()
	o.p.poke()
	o.expect(2, 3)
	o.rested()
	require.Empty(t, o.w.sent)
}

func TestWhatThereIsNoRoomForComesFromTheQueue(t *testing.T) {
	const window = 4
	o := newOfferings(t, window, 0)
	o.subscribe()
	for range 3 * window {
		o.p.offer(o.add())
	}
	o.rested()
	o.p.mu.Lock()
	require.LessOrEqual(t, len(o.p.offered), window, "little is kept for a client that takes no more")
	o.p.mu.Unlock()
	for from := 0; from < 3*window; from += window {
		for _, id := range o.expect(from, from+window) {
			o.p.acknowledge(id)
		}
	}
	o.p.offer(o.add())
	o.expect(3*window, 3*window+1)
	require.Empty(t, o.w.sent)
}

// A burst that was read from the queue is not kept in memory as well by a connection that is idle then.
func TestAnIdlePumpKeepsNoPushes(t *testing.T) {
	o := newOfferings(t, 10, 0)
	o.subscribe()
	pushes := []store.Push{o.add(), o.add(), o.add()}
	o.q.mu.Lock() // holds the read up
	o.p.poke()
	require.Eventually(t, func() bool { return o.q.reads.Load() == 2 }, guardtest.Patience, time.Millisecond)
	for _, push := range pushes { // which the read is going to find
		o.p.offer(push)
	}
	o.q.mu.Unlock()
	o.expect(0, 3)
	o.rested()
	o.p.mu.Lock()
	defer o.p.mu.Unlock()
	require.Nil(t, o.p.offered)
}

// What was offered a while ago may have expired, or newer ones may have pushed it out.
func TestWhatWaitsForRoomIsLookedUpAgain(t *testing.T) {
	o := newOfferings(t, 1, 0)
	o.subscribe()
	o.p.offer(o.add())
	id := o.expect(0, 1)[0]
	o.p.offer(o.add())
	o.rested()
	o.q.mu.Lock()
	o.q.queues[o.inst.ID] = nil // gone, for whatever reason
	o.q.mu.Unlock()
	o.p.mu.Lock()
	require.Len(t, o.p.offered, 1)
	o.p.since = o.p.since.Add(-2 * offeredAge)
	o.p.mu.Unlock()
	o.p.acknowledge(id)
	o.rested()
	require.Empty(t, o.w.sent)
	o.next = 7
	o.p.offer(o.add())
	o.expect(7, 8)
}

func TestSettlerSharesTransactionsAndTriesAgain(t *testing.T) {
	q := newMemory()
	inst, other := q.install(t, installationFor(1)), q.install(t, installationFor(2))
	s := newSettler(q, slog.New(slog.DiscardHandler))
	var ids []string
	for n := range 20 {
		at := []store.Installation{inst, other}[n%2]
		seq, _, err := q.Enqueue(t.Context(), pushFor(at, n))
		require.NoError(t, err)
		s.add(at.ID, seq)
		ids = append(ids, at.ID)
	}
	require.NoError(t, s.flush())
	require.LessOrEqual(t, q.acknowledgements(), 3)
	require.NoError(t, s.flush(), "of nothing")

	seq, _, err := q.Enqueue(t.Context(), pushFor(inst, 20))
	require.NoError(t, err)
	q.setFail(errStore)
	s.add(inst.ID, seq)
	require.ErrorIs(t, s.flush(), errStore)
	q.setFail(nil)
	require.Eventually(t, func() bool {
		left, err := q.Pending(t.Context(), inst.ID, 0, 10)
		return err == nil && len(left) == 0
	}, guardtest.Patience, time.Millisecond)

	q.setFail(errStore)
	s.add(ids[0], 1)
	s.close() // does not try for ever
	require.NoError(t, s.flush())
}
