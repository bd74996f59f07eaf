package engine

import (
	"context"
	"log/slog"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/mqtt"
	"github.com/kiiweb/kiiweb/pkg/kiicloud/guard"
	"github.com/kiiweb/kiiweb/pkg/kiicloud/guard/guardtest"
)

// inBubble runs a test of what depends on a second more or less, in time that stands still while anything is done: no machine is too
// slow for it. Its cloud has no listeners, but serves pipes.
func inBubble(t *testing.T, limits guard.Limits, test func(t *testing.T, c *cloud)) {
	synctest.Test(t, func(t *testing.T) {
		q := newMemory()
		e, err := NewEmbedded(EmbeddedConfig{Queue: q, Secret: secret, Limits: limits, Logger: slog.New(slog.DiscardHandler)})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, e.Shutdown(context.Background())) })
		test(t, &cloud{t: t, e: e, q: q})
	})
}

// pipe connects without a listener.
func (c *cloud) pipe(v mqtt.Version, hello guardtest.Hello) *guardtest.Client {
	c.t.Helper()
	here, there := net.Pipe()
	go c.e.Serve(here)
	client := guardtest.OnStream(c.t, v, there)
	client.Send(guardtest.Connect(v, hello))
	require.Equal(c.t, mqtt.Success, client.Expect(mqtt.CONNACK).Code())
	return client
}

func TestKeepAliveCountsFromTheLastWholePacket(t *testing.T) {
	inBubble(t, guard.Limits{}, func(t *testing.T, c *cloud) {
		hello := c.hello(c.q.install(t, installationFor(1)))
		hello.KeepAlive = 2
		client := c.pipe(mqtt.V5, hello)
		client.ExpectSilence(2 * time.Second)
		whole := time.Now()
		client.ExpectAlive()
		client.ExpectSilence(2 * time.Second)
		client.Send([]byte{0x30}) // the start of a packet does not count
		expectEnd(t, tcp5, client, mqtt.KeepAliveTimeout)
		require.Equal(t, 3*time.Second, time.Since(whole))
	})
}

func TestClientThatReadsNothingLosesItsConnectionOnly(t *testing.T) {
	inBubble(t, guard.Limits{WriteTimeout: 300 * time.Millisecond}, func(t *testing.T, c *cloud) {
		inst, other := c.q.install(t, installationFor(1)), c.q.install(t, installationFor(2))
		subscribeAndStall(t, c, inst)
		began := time.Now()
		c.push(inst, 0, 10)
		client := c.pipe(mqtt.V311, c.hello(other))
		time.Sleep(299 * time.Millisecond)
		synctest.Wait()
		require.EqualValues(t, 2, c.e.Stats().Connections)
		time.Sleep(time.Millisecond)
		synctest.Wait()
		require.EqualValues(t, 1, c.e.Stats().Connections)
		require.Equal(t, 300*time.Millisecond, time.Since(began))
		require.Equal(t, 10, c.pending(inst), "nothing was lost")
		client.ExpectAlive()
	})
}
