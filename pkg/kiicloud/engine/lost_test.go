package engine

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/pkg/kiicloud/guard/guardtest"
	"github.com/kiiweb/kiiweb/pkg/kiicloud/store"
)

// What is pushed out of a full queue while it is with its client is delivered when that acknowledges it, and dropped when it
// never does: nothing counts twice.
func TestWhatTheClientHasIsNotDropped(t *testing.T) {
	const over = DefaultWindow / 2 // in flight, and pushed out
	for name, acknowledges := range map[string]bool{"acknowledged": true, "never": false} {
		t.Run(name, func(t *testing.T) {
			c := start(t, newMemory(), nil)
			inst := c.q.install(t, installationFor(1))
			client := c.subscribe(tcp5, inst, qos1)
			c.push(inst, 0, DefaultWindow)
			var acks []byte
			for n := range DefaultWindow {
				acks = append(acks, guardtest.Puback(receive(t, client, inst, n))...)
			}
			c.push(inst, DefaultWindow, store.QueueMax+over)
			require.Zero(t, c.e.Stats().Dropped)
			if !acknowledges {
				client.HangUp()
				require.Eventually(t, func() bool { return c.e.Stats().Dropped == over }, guardtest.Patience, time.Millisecond)
				return
			}
			client.Send(acks)
			for n := DefaultWindow; n < store.QueueMax+over; n++ {
				client.Send(guardtest.Puback(receive(t, client, inst, n)))
			}
			c.eventuallyPending(inst, 0)
			client.HangUp()
			require.Eventually(t, func() bool { return c.e.Stats().Connections == 0 }, guardtest.Patience, time.Millisecond)
			require.EqualValues(t, store.QueueMax+over, c.e.Stats().Delivered)
			require.Zero(t, c.e.Stats().Dropped)
		})
	}
}

// What was acknowledged takes its room until the store has been told, which may be out of order for a while.
func TestWhatWasAcknowledgedIsNotDropped(t *testing.T) {
	q := newMemory()
	c := start(t, q, nil)
	inst := q.install(t, installationFor(1))
	client := c.subscribe(tcp5, inst, qos1)
	c.push(inst, 0, 10)
	var acks []byte
	for n := range 10 {
		acks = append(acks, guardtest.Puback(receive(t, client, inst, n))...)
	}
	q.setFail(errStore)
	client.Send(acks)
	require.Eventually(t, func() bool { return c.e.Stats().Delivered == 10 }, guardtest.Patience, time.Millisecond)
	c.push(inst, 10, store.QueueMax+20) // ten of which push out what was acknowledged, and ten what may be in flight
	require.LessOrEqual(t, c.e.Stats().Dropped, int64(10))
	q.setFail(nil)
	got := 10
	for {
		p := client.Next()
		got++
		client.Send(guardtest.Puback(p.Publish().PacketID))
		if messageID(p) == "id-1019" {
			break
		}
	}
	require.Eventually(t, func() bool { return c.e.Stats().Delivered == int64(got) }, guardtest.Patience, time.Millisecond)
	require.EqualValues(t, store.QueueMax+20-got, c.e.Stats().Dropped)
}

// Of what the store was told last the queue may have pushed out some in the same transaction, which is counted a moment later.
func TestWhatWasSettledIsRememberedForOneMore(t *testing.T) {
	q := newMemory()
	c := start(t, q, nil)
	inst := q.install(t, installationFor(1))
	c.e.settled.add(inst.ID, 1, 2)
	require.NoError(t, c.e.settled.flush())
	require.Equal(t, []int64{3}, c.e.settled.without(inst.ID, []int64{1, 2, 3}))
	require.Equal(t, []int64{1, 2, 3}, c.e.settled.without("another", []int64{1, 2, 3}))
	many := make([]int64, keepSettled+1)
	for i := range many {
		many[i] = int64(10 + i)
	}
	c.e.settled.add(inst.ID, many...)
	require.NoError(t, c.e.settled.flush())
	require.Equal(t, []int64{1, 10}, c.e.settled.without(inst.ID, []int64{1, 10}), "too many to remember")
}
