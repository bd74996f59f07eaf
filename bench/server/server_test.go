package main

import (
	"context"
	"errors"
	"io"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/bench/report"
)

func TestFlags(t *testing.T) {
	o, err := parse(nil, io.Discard)
	require.NoError(t, err)
	assert.Equal(t, options{rounds: 5, connections: 5000, write: true}, o)
	for _, args := range [][]string{{"-rounds", "0"}, {"-connections", "99"}, {"-connections", "15001"}, {"extra"}, {"-nosuch"}} {
		_, err := parse(args, io.Discard)
		assert.Error(t, err, args)
	}
}

func TestInParallelDoesEachOnce(t *testing.T) {
	var sum atomic.Int64
	require.NoError(t, inParallel(100, 8, func(i int) error { sum.Add(int64(i)); return nil }))
	assert.EqualValues(t, 4950, sum.Load())

	broken := errors.New("broken")
	var calls atomic.Int64
	err := inParallel(1000, 2, func(i int) error {
		calls.Add(1)
		if i == 3 {
			return broken
		}
		return nil
	})
	assert.ErrorIs(t, err, broken)
	assert.LessOrEqual(t, calls.Load(), int64(1000))
	assert.NoError(t, inParallel(0, 3, func(int) error { return broken }))
}

func TestSpreadWaitsForEveryDelivery(t *testing.T) {
	got := make(chan struct{}, 6)
	took, err := spread(context.Background(), 2, 3, got, func() error {
		for range 3 {
			got <- struct{}{}
		}
		return nil
	})
	require.NoError(t, err)
	assert.Positive(t, took)
	assert.Empty(t, got)

	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err = spread(ctx, 1, 1, got, func() error { return errors.New("refused") })
	assert.ErrorIs(t, err, context.Canceled)
	assert.ErrorContains(t, err, "refused")
}

func TestAProcessTellsOfItself(t *testing.T) {
	memory, err := resident(os.Getpid())
	require.NoError(t, err)
	assert.Greater(t, memory, 1<<20)
	before, err := processor(os.Getpid())
	require.NoError(t, err)
	for began := time.Now(); time.Since(began) < time.Minute; { // until a tick is seen
		now, err := processor(os.Getpid())
		require.NoError(t, err)
		if now > before {
			return
		}
	}
	t.Error("no time is seen in a minute of work")
}

func TestTheDocumentShowsBothServers(t *testing.T) {
	r := &report.Results{Clients: []string{ours, theirs}, Facts: []report.Fact{{Name: "Go", Value: "1"}}}
	r.Add(fanOutTime, "10 subscribers", ours, 2)
	r.Add(fanOutTime, "10 subscribers", ours, 4)
	r.Add(restRate, "install", ours, 100)
	r.Add(fanOutTime, "10 subscribers", theirs, 1)
	text := document(r)
	assert.Contains(t, text, "| 10 subscribers | 3 <sub>2–4</sub> | 1 |")
	assert.Contains(t, text, "| install | 100 | – |")
}
