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

func TestEveryClientReceivesWhatWasSent(t *testing.T) {
	root, err := chrome.Root()
	require.NoError(t, err)
	stage, err := suite.NewStage(root)
	require.NoError(t, err)
	t.Cleanup(stage.Close)
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	t.Cleanup(cancel)
	clients := suite.Clients(root)
	require.GreaterOrEqual(t, len(clients), 6)
	for _, c := range clients {
		t.Run(c.Name, func(t *testing.T) {
			act, err := stage.Open(ctx, c)
			require.NoError(t, err)
			defer act.Close(ctx)
			for _, shape := range shapes(c) {
				t.Run(fmt.Sprintf("QoS %d, %v", shape.QoS, shape.Frames), func(t *testing.T) {
					got, err := act.Receive(ctx, shape, 0, messages)
					require.NoError(t, err)
					assert.GreaterOrEqual(t, got.Messages, messages)
					assert.Positive(t, got.CPU.Main, "no processor time was seen: the wrong process is watched")
					if shape.QoS > 0 {
						assert.Equal(t, got.Messages, got.Acks)
					}
				})
			}
		})
	}
}

// shapes are the forms that a client can take.
func shapes(c suite.Client) []replay.Shape {
	forms := []replay.Coalescing{replay.OnePacket, replay.Large}
	if !c.Whole {
		forms = append(forms, replay.Coalescing{Bytes: 777, Cut: true})
	}
	var shapes []replay.Shape
	for _, f := range forms {
		shapes = append(shapes, replay.Shape{Payload: 64, Frames: f, Topics: 3})
		if c.Reads {
			shapes = append(shapes, replay.Shape{Payload: 64, Frames: f, Topics: 3, QoS: 1})
		}
	}
	return shapes
}
