// Package smoke holds the benchmarks to account: every client, in real Chromium, must get exactly
// what was sent before anybody counts how fast.
package smoke

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/kiiweb/kiiweb/bench/replay"
	"github.com/kiiweb/kiiweb/bench/suite"
	"github.com/kiiweb/kiiweb/tests/browser/chrome"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// messages is how many each client gets in each form.
const messages = 1000

func TestEveryClient(t *testing.T) {
	root, err := chrome.Root()
	require.NoError(t, err)
	stage, err := suite.NewStage(root)
	require.NoError(t, err)
	t.Cleanup(stage.Close)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Minute)
	t.Cleanup(cancel)
	clients := suite.Clients()
	require.Len(t, clients, 8)
	for _, c := range clients {
		t.Run(c.Name, func(t *testing.T) {
			act, err := stage.Open(ctx, c)
			require.NoError(t, err)
			defer act.Close(ctx)
			for _, shape := range shapes(c) {
				t.Run(fmt.Sprintf("receives at QoS %d, %v", shape.QoS, shape.Frames), func(t *testing.T) { receives(ctx, t, act, shape) })
			}
			t.Run("receives burst by burst", func(t *testing.T) { joins(ctx, t, act) })
			if c.Reads {
				t.Run("publishes", func(t *testing.T) { publishes(ctx, t, act) })
				t.Run("keeps its memory", func(t *testing.T) { keeps(ctx, t, act) })
				t.Run("starts", func(t *testing.T) { starts(ctx, t, stage, c) })
			}
		})
	}
}

// shapes are the forms that a client can take.
func shapes(c suite.Client) []replay.Shape {
	shapes := []replay.Shape{
		{Payload: 64, Frames: replay.OnePacket, Topics: 3},
		{Payload: 64, Frames: replay.Large, Topics: 3, QoS: 1},
	}
	if !c.Whole {
		shapes = append(shapes, replay.Shape{Payload: 64, Frames: replay.Coalescing{Bytes: 777, Cut: true}, Topics: 3, QoS: 1})
	}
	return shapes
}

func receives(ctx context.Context, t *testing.T, act *suite.Act, shape replay.Shape) {
	got, err := act.Receive(ctx, shape, 0, messages) // an error where anything is lost, repeated or out of turn
	require.NoError(t, err)
	assert.GreaterOrEqual(t, got.Messages, messages)
	// The page's own thread can take so little that the scheduler has not yet noted it.
	assert.Positive(t, got.CPU.Total(), "no processor time was seen: the wrong process is watched")
	if shape.QoS > 0 {
		assert.Equal(t, got.Messages, got.Acks)
	}
}

func joins(ctx context.Context, t *testing.T, act *suite.Act) {
	joined, err := act.Join(ctx, replay.Shape{QoS: 1, Payload: 64, Frames: replay.OnePacket}, 100)
	require.NoError(t, err)
	for range 2 {
		got, err := joined.Receive(ctx, 200) // an error where the burst before it has left anything behind
		require.NoError(t, err)
		assert.Equal(t, 200, got.Messages)
		assert.Equal(t, 200, got.Acks)
	}
	require.NoError(t, joined.Leave(ctx))
}

func publishes(ctx context.Context, t *testing.T, act *suite.Act) {
	for qos := range byte(2) {
		sent, err := act.Publish(ctx, qos, 1, 100) // an error where the server counts others
		require.NoError(t, err)
		assert.Positive(t, sent.CPU.Total())
	}
	trips, err := act.RoundTrips(ctx, 10, 100)
	require.NoError(t, err)
	require.Len(t, trips, 10)
	for _, took := range trips {
		assert.Positive(t, took)
	}
}

func keeps(ctx context.Context, t *testing.T, act *suite.Act) {
	_, after, err := act.Large(ctx, 300<<10, messages)
	require.NoError(t, err)
	assert.Positive(t, after.Private)
	if act.Client.Where != "" {
		assert.Positive(t, after.Wasm, "the module's memory is seen, wherever it is")
	}
	// An error where messages are missing that were not told to be dropped.
	got, err := act.Flood(ctx, replay.Shape{QoS: 1, Payload: 1024, Frames: replay.Large}, messages, 50*time.Microsecond)
	require.NoError(t, err)
	assert.GreaterOrEqual(t, got.Received, messages)
	assert.GreaterOrEqual(t, got.Peak, got.Before)
}

func starts(ctx context.Context, t *testing.T, stage *suite.Stage, c suite.Client) {
	cold, cached, err := stage.StartUp(ctx, c)
	require.NoError(t, err)
	assert.Positive(t, cold.Sent)
	assert.Zero(t, cached.Sent, "the second visit is served from the caches")
	for _, s := range []suite.Start{cold, cached} {
		assert.Positive(t, s.Script)
		assert.Greater(t, s.Ready, s.Script)
		assert.Greater(t, s.Message, s.Script)
	}
}
