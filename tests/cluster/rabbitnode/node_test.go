//go:build linux

package rabbitnode

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestThreeNodesAreOneClusterAndAKilledOneComesBack(t *testing.T) {
	began := time.Now()
	nodes := Start(t, 3, Conf{Config: "cluster_partition_handling = pause_minority"})
	t.Logf("three nodes after %v", time.Since(began).Round(100*time.Millisecond))

	// What one node was told, the others know.
	status, err := nodes[0].Manage(context.Background(), http.MethodPut, "/queues/%2F/q", map[string]any{
		"durable": true, "arguments": map[string]any{"x-queue-type": "quorum"}}, nil)
	require.NoError(t, err)
	require.Equal(t, http.StatusCreated, status)
	var queue struct {
		Members []string `json:"members"`
	}
	status, err = nodes[2].Manage(context.Background(), http.MethodGet, "/queues/%2F/q", nil, &queue)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, status)
	require.Len(t, queue.Members, 3)

	nodes[1].Kill()
	require.False(t, nodes[1].Alive())

	// The others do not take it back in this moment: their databases say that they are not ready, as when they pause or go on.
	ready := func(is bool, others ...*Node) {
		for _, other := range others {
			other.Ctl("eval", fmt.Sprintf("sys:replace_state(mnesia_monitor, fun(S) -> %t = element(5, S), setelement(5, S, %t) end).", !is, is))
		}
	}
	ready(false, nodes[0], nodes[2])
	nodes[1].Launch()
	require.Eventually(t, func() bool { return !nodes[1].Alive() }, patience, 20*time.Millisecond, "it does not mind")
	require.Contains(t, nodes[1].Log(), "Mnesia protocol negotiation failed")
	ready(true, nodes[0], nodes[2])
	began = time.Now()
	nodes[1].Await()
	t.Logf("one node again after %v", time.Since(began).Round(100*time.Millisecond))
	for _, n := range nodes {
		n.Await()
	}

	// Nor do they take back one that has paused and goes on: it stays as it is.
	nodes[0].CutOff()
	says := func(what string) {
		t.Helper()
		require.Eventually(t, func() bool { return strings.Contains(nodes[0].Log(), what) }, patience, 20*time.Millisecond)
	}
	says("awaiting recovery")
	ready(false, nodes[1], nodes[2])
	nodes[0].Heal()
	says(gaveUp)
	ready(true, nodes[1], nodes[2])
	began = time.Now()
	nodes[0].Await()
	t.Logf("one that had paused again after %v", time.Since(began).Round(100*time.Millisecond))
	for _, n := range nodes {
		n.Await()
	}
}
