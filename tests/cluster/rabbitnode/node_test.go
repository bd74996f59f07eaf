//go:build linux

package rabbitnode

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestThreeNodesAreOneClusterAndAKilledOneComesBack(t *testing.T) {
	began := time.Now()
	nodes := Start(t, 3, Conf{})
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
	began = time.Now()
	nodes[1].Restart()
	t.Logf("one node again after %v", time.Since(began).Round(100*time.Millisecond))
	for _, n := range nodes {
		n.Await()
	}
}
