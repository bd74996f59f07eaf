package engine

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/mqtt"
	"github.com/kiiweb/kiiweb/pkg/kiicloud/store"
)

// What a transaction of the store has queued, with a change to an object, is delivered when
// the engine is told of it.
func TestStoredDeliversWhatOthersQueued(t *testing.T) {
	onEachWay(t, func(t *testing.T, w way) {
		c := start(t, newMemory(), nil)
		inst := c.q.install(t, installationFor(1))
		client := c.subscribe(w, inst, 1)
		c.push(inst, 0, 1)
		receive(t, client, inst, 0) // the delivery has begun and waits for more

		push := pushFor(inst, 1)
		_, err := c.q.EnqueueAll(context.Background(), push, []string{inst.ID})
		require.NoError(t, err)
		absent := installationFor(2)
		c.e.Stored(store.Told{To: []store.Installation{absent, inst}, Dropped: map[string][]int64{inst.ID: {-3, -2, -1}}})
		receive(t, client, inst, 1)
		require.Eventually(t, func() bool { return c.e.Stats().Dropped == 3 }, time.Minute, time.Millisecond, "which may be counted when the client has the push already")
	})
}

// Disconnect ends the connection and leaves the queue.
func TestDisconnectLeavesTheQueue(t *testing.T) {
	onEachQueue(t, func(t *testing.T, q shelf) {
		c := start(t, q, nil)
		inst := q.install(t, installationFor(0))
		client := c.connect(tcp5, inst)
		c.push(inst, 0, 2)
		c.e.Disconnect(inst)
		expectEnd(t, tcp5, client, mqtt.AdministrativeAction)
		c.e.Disconnect(inst)
		assert.Equal(t, 2, c.pending(inst))
		again := c.subscribe(tcp5, inst, qos1)
		receive(t, again, inst, 0)
	})
}
