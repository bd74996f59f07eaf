package engine

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/pkg/kiicloud/guard/guardtest"
	"github.com/kiiweb/kiiweb/pkg/kiicloud/store"
)

func TestQueueContractForMany(t *testing.T) {
	ctx := context.Background()
	onEachQueue(t, func(t *testing.T, q shelf) {
		full, short, gone := q.install(t, installationFor(1)), q.install(t, installationFor(2)), q.install(t, installationFor(3))
		q.uninstall(t, gone)
		for n := range store.QueueMax {
			_, _, err := q.Enqueue(ctx, pushFor(full, n))
			require.NoError(t, err)
		}
		everybody := []string{short.ID, gone.ID, full.ID}
		done, err := q.EnqueueAll(ctx, pushFor(store.Installation{}, 5000), everybody)
		require.NoError(t, err, "who is gone is no error")
		require.Equal(t, map[string][]int64{full.ID: {1}}, done.Dropped)
		require.Equal(t, map[string]int64{full.ID: store.QueueMax + 1, short.ID: 1}, done.Places)

		left, err := q.Pending(ctx, full.ID, 0, 2*store.QueueMax)
		require.NoError(t, err)
		require.Len(t, left, store.QueueMax)
		require.Equal(t, "id-1", left[0].MessageID)
		require.Equal(t, "id-5000", left[store.QueueMax-1].MessageID)
		for _, id := range everybody[:2] {
			found, err := q.Pending(ctx, id, 0, 10)
			require.NoError(t, err)
			if id == gone.ID {
				require.Empty(t, found)
				continue
			}
			require.Len(t, found, 1)
			require.Equal(t, `{"n":5000}`, string(found[0].Payload))
			require.Equal(t, id, found[0].InstallationID)
		}
		done, err = q.EnqueueAll(ctx, pushFor(gone, 1), []string{gone.ID})
		require.NoError(t, err)
		require.Empty(t, done.Dropped)
		require.Empty(t, done.Places)
	})
}

// One message reaches who is connected at once, waits for who is not, and is nothing to who
// has ended.
func TestPublishToMany(t *testing.T) {
	onEachQueue(t, func(t *testing.T, q shelf) {
		c := start(t, q, nil)
		var to []store.Installation
		var clients []*guardtest.Client
		for i, w := range ways {
			inst := q.install(t, installationFor(i))
			to = append(to, inst)
			clients = append(clients, c.subscribe(w, inst, qos1))
		}
		online := len(to)
		offline, ended, stranger := q.install(t, installationFor(100)), q.install(t, installationFor(101)), q.install(t, installationFor(102))
		to = append(to, ended, offline)
		q.uninstall(t, ended)
		c.push(offline, 0, store.QueueMax)

		for n := range 3 {
			require.NoError(t, c.e.Publish(context.Background(), to, pushFor(stranger, 1000+n)))
		}
		for i, client := range clients {
			for n := range 3 {
				client.Send(guardtest.Puback(receive(t, client, to[i], 1000+n)))
			}
		}
		for _, inst := range to[:online] {
			c.eventuallyPending(inst, 0)
		}
		require.Zero(t, c.pending(stranger), "whose id the push has does not matter")
		require.Zero(t, c.pending(ended))
		require.Equal(t, int64(3), c.e.Stats().Dropped)
		require.Contains(t, c.logs.String(), "installation="+offline.ID+" times=1 dropped=1")
		receive(t, c.subscribe(tcp5, offline, qos1), offline, 3)

		require.NoError(t, c.e.Publish(context.Background(), nil, pushFor(stranger, 1)), "to nobody")
	})
}

func TestPublishToManyThatIsNotStoredReachesNobody(t *testing.T) {
	q := openSQLite(t, t.TempDir())
	c := start(t, q, nil)
	a, b := q.install(t, installationFor(1)), q.install(t, installationFor(2))
	client := c.subscribe(tcp5, a, qos1)
	require.NoError(t, q.Close())
	require.ErrorIs(t, c.e.Publish(context.Background(), []store.Installation{a, b}, pushFor(a, 2)), store.ErrClosed)
	client.ExpectAlive()
}
