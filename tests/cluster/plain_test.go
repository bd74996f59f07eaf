//go:build linux

package cluster

import (
	"context"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/pkg/kiiweb"
	"github.com/kiiweb/kiiweb/tests/cluster/rabbitnode"
)

// patience bounds every wait for something that is to happen. Machines may be slow, and a cluster that
// has lost a node needs some seconds on a fast one.
const patience = 3 * time.Minute

// TestClientsOnABareCluster has our client on a cluster of RabbitMQ without the cloud: what the client
// does when another takes over on another node, and when its node dies, rests on this.
func TestClientsOnABareCluster(t *testing.T) {
	nodes := rabbitnode.Start(t, 3, rabbitnode.Conf{Config: "mqtt.durable_queue_type = quorum"})
	client, err := kiiweb.New(kiiweb.Config{AppID: "a", AppKey: "k", BaseURL: "http://127.0.0.1:1/api"})
	require.NoError(t, err)
	door := newBalancer(t, nodes[0].MQTT, nodes[1].MQTT, nodes[2].MQTT)
	connect := func(id string, node *rabbitnode.Node, o kiiweb.ConnectOptions) *kiiweb.Connection {
		t.Helper()
		door.prefer(node.MQTT)
		o.Transport, o.Timeout = kiiweb.TransportTCP, patience
		conn, err := client.Connect(context.Background(), kiiweb.Endpoint{
			Username: node.User, Password: node.Password, MQTTTopic: id, Host: "127.0.0.1", PortTCP: door.port(),
		}, o)
		require.NoError(t, err)
		t.Cleanup(func() { assert.NoError(t, conn.Close(context.Background())) })
		return conn
	}
	becomes := func(conn *kiiweb.Connection, s kiiweb.State) {
		t.Helper()
		require.Eventually(t, func() bool { return conn.State().State == s }, patience, 5*time.Millisecond, "%s", s)
	}

	t.Run("takeover between nodes", func(t *testing.T) {
		first := connect("taken", nodes[0], kiiweb.ConnectOptions{})
		second := connect("taken", nodes[1], kiiweb.ConnectOptions{})
		becomes(first, kiiweb.StateDisplaced)
		require.Equal(t, kiiweb.CodeDisplaced, first.State().Code)
		require.Equal(t, kiiweb.StateOnline, second.State().State)
	})

	t.Run("the node dies", func(t *testing.T) {
		var mu sync.Mutex
		var got []int
		receiver := connect("receiver", nodes[0], kiiweb.ConnectOptions{OnMessages: func(batch []kiiweb.Message) {
			mu.Lock()
			defer mu.Unlock()
			for _, m := range batch {
				n, err := strconv.Atoi(string(m.Payload))
				assert.NoError(t, err)
				got = append(got, n)
			}
		}})
		sender := connect("sender", nodes[1], kiiweb.ConnectOptions{})
		var queue struct {
			Type    string   `json:"type"`
			Members []string `json:"members"`
		}
		status, err := nodes[1].Manage(context.Background(), http.MethodGet, "/queues/%2F/mqtt-subscription-receiverqos1", nil, &queue)
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, status)
		require.Equal(t, "quorum", queue.Type)
		require.Len(t, queue.Members, 3)

		var killed time.Time
		for n := range 200 {
			if n == 100 {
				killed = time.Now()
				nodes[0].Kill()
			}
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			require.NoError(t, sender.Publish(ctx, kiiweb.Message{Topic: "receiver", QoS: 1, Payload: []byte(strconv.Itoa(n))}))
			cancel()
		}
		// The order is not looked at: the queue is the plugin's, which hands what comes next to the new consumer
		// before it has taken back what the dead one had. The cloud's queues have a single active consumer.
		seen := map[int]bool{}
		require.Eventually(t, func() bool {
			mu.Lock()
			defer mu.Unlock()
			clear(seen)
			for _, n := range got {
				seen[n] = true
			}
			return len(seen) == 200
		}, patience, 5*time.Millisecond)
		t.Logf("all after %v, %d with repeats", time.Since(killed), len(got))
		becomes(receiver, kiiweb.StateOnline)
	})
}
