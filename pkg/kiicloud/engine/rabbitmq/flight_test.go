package rabbitmq

import (
	"context"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func enter(t *testing.T, f *flight, topic string, n int, window chan struct{}) (tickets []*ticket) {
	t.Helper()
	for range n {
		if window != nil {
			window <- struct{}{}
		}
		ticket, err := f.enter(t.Context(), topic, window)
		require.NoError(t, err)
		tickets = append(tickets, ticket)
	}
	return tickets
}

// A queue gets so many pushes until it has answered, and while it is slow the next ones are refused at once.
func TestAQueueThatConfirmsNothingGetsNoMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFlight()
		held := enter(t, f, "dead", mostOfQueue, nil)
		begun := time.Now()
		_, err := f.enter(t.Context(), "dead", nil)
		require.ErrorIs(t, err, errStuck)
		assert.Equal(t, slowAfter, time.Since(begun), "it may only be busy")
		for _, ticket := range held[:slowOfQueue] {
			ticket.linger()
		}
		begun = time.Now()
		_, err = f.enter(t.Context(), "dead", nil)
		require.ErrorIs(t, err, errStuck)
		assert.Zero(t, time.Since(begun))
		enter(t, f, "well", mostOfQueue, nil)

		go func() {
			time.Sleep(time.Second)
			held[3].leave()
		}()
		synctest.Wait()
		time.Sleep(2 * time.Second)
		enter(t, f, "dead", 1, nil)
	})
}

// A queue that is busy makes who comes wait.
func TestAPlaceIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFlight()
		held := enter(t, f, "busy", mostOfQueue, nil)
		time.AfterFunc(time.Second, held[0].leave)
		begun := time.Now()
		enter(t, f, "busy", 1, nil)
		assert.Equal(t, time.Second, time.Since(begun))
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		_, err := f.enter(ctx, "busy", nil)
		require.ErrorIs(t, err, context.Canceled)
	})
}

// What is slow takes no place from the rest, up to a bound, and all places come back.
func TestSlowOnesMakePlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFlight()
		window := make(chan struct{}, mostFast)
		var all []*ticket
		for i := range (mostFast + mostSlow) / mostOfQueue {
			topic := string(rune('a' + i))
			tickets := enter(t, f, topic, mostOfQueue, window)
			all = append(all, tickets...)
			if len(f.slow) < mostSlow {
				for _, ticket := range tickets {
					ticket.linger()
				}
			}
		}
		assert.Len(t, f.slow, mostSlow)
		assert.Len(t, f.fast, mostFast)
		assert.Len(t, window, mostFast)
		all[len(all)-1].linger() // for which there is no room
		assert.Len(t, f.fast, mostFast)
		begun := time.Now()
		_, err := f.enter(t.Context(), "another", nil)
		require.ErrorIs(t, err, errCrowded)
		assert.Equal(t, confirmTimeout, time.Since(begun))
		for _, ticket := range all {
			ticket.leave()
		}
		assert.Empty(t, f.slow)
		assert.Empty(t, f.fast)
		assert.Empty(t, window)
		assert.Empty(t, f.lanes)
	})
}

// With nine nodes and 100,000 queues, two nodes that are gone leave 8,333 queues without a leader. Pushes go on to those, too.
func TestThousandsOfQueuesWithoutALeaderKeepNobodyElseWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFlight()
		var all []*ticket
		for range 6 {
			for i := range 8333 {
				begun := time.Now()
				ticket, err := f.enter(t.Context(), "dead "+strconv.Itoa(i), nil)
				require.Zero(t, time.Since(begun))
				if err != nil {
					require.ErrorIs(t, err, errStuck)
					continue
				}
				ticket.linger() // nothing was confirmed in time
				all = append(all, ticket)
				require.Empty(t, f.fast)
			}
		}
		for _, ticket := range enter(t, f, "well", mostOfQueue, nil) {
			ticket.leave()
		}
		for _, ticket := range all {
			ticket.leave()
		}
		assert.Empty(t, f.lanes)
		assert.Empty(t, f.slow)
	})
}

func TestAlarm(t *testing.T) {
	a := newAlarm("rabbit")
	require.NoError(t, a.why())
	quiet := a.raised()
	a.set(amqp.Blocking{Active: true, Reason: "low on memory"})
	a.set(amqp.Blocking{Active: true, Reason: "low on disk"})
	assert.True(t, isClosed(quiet), "who waits is told")
	require.ErrorIs(t, a.why(), errAlarm)
	require.ErrorContains(t, a.why(), "low on disk")
	a.set(amqp.Blocking{})
	a.set(amqp.Blocking{})
	require.NoError(t, a.why())
	assert.False(t, isClosed(a.raised()))
}
