//go:build linux

package rabbitnode

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/tests/ports"
)

// patience is how long a node may take to start or to stop, on a machine that is busy.
const patience = 4 * time.Minute

// attempts is how often a node is started at most that ends while it starts.
const attempts = 5

// Conf is what the nodes of a cluster are given beyond listeners, names and the administrator.
type Conf struct {
	Config  string                      // lines of rabbitmq.conf, for each node
	Each    func(i int, n *Node) string // lines of rabbitmq.conf for node i, from 0, whose ports are known
	Plugins []string                    // to be enabled beside those that every node has
}

// plugins are enabled on every node.
var plugins = []string{
	"rabbitmq_mqtt", "rabbitmq_web_mqtt", "rabbitmq_management", "rabbitmq_auth_backend_http", "rabbitmq_auth_backend_cache",
}

// Node is one node of a cluster.
type Node struct {
	Name       string // n1@localhost, n2@localhost, …
	AMQP       int    // port of AMQP 0-9-1 and 1.0
	MQTT       int    // port of MQTT over TCP
	WebMQTT    int    // port of MQTT over WebSocket, path /mqtt
	Management int    // port of the management API
	User       string // an administrator, who is in RabbitMQ's own database
	Password   string
	Dir        string // its data folder, which is /node to the node
	Spare      [2]int // free ports, for listeners that Conf adds

	t       testing.TB
	dist    int // the port at which the other nodes find it
	mapper  int // the port of the cluster's port mapper
	cluster []*Node

	mu   sync.Mutex
	proc *process
}

// Start runs n nodes that are one cluster and waits until each of them sees all. The test's end ends them.
func Start(t testing.TB, n int, conf Conf) []*Node {
	t.Helper()
	permitted(t)
	dir, err := os.MkdirTemp("", "kiiweb-rabbitmq-")
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	mapper := startMapper(t)

	nodes := make([]*Node, n)
	for i := range nodes {
		p := ports.Free(t, 7)
		nodes[i] = &Node{
			Name: fmt.Sprintf("n%d@localhost", i+1), AMQP: p[0], MQTT: p[1], WebMQTT: p[2], Management: p[3],
			User: "kiicloud", Password: "of-the-tests-alone",
			Dir: filepath.Join(dir, fmt.Sprintf("n%d", i+1)), Spare: [2]int{p[5], p[6]}, t: t, dist: p[4], mapper: mapper, cluster: nodes,
		}
		require.NoError(t, os.Mkdir(nodes[i].Dir, 0o700))
	}
	for i, node := range nodes {
		node.configure(i, conf)
	}
	for _, node := range nodes {
		node.Launch()
		t.Cleanup(node.Kill)
	}
	for _, node := range nodes {
		node.Await()
	}
	return nodes
}

// Launch starts the node's process; Await waits until it is ready.
func (n *Node) Launch() {
	n.t.Helper()
	n.mu.Lock()
	defer n.mu.Unlock()
	require.True(n.t, n.proc == nil || n.proc.ended(), "kill %s before starting it again", n.Name)
	p, err := launch(n.command())
	require.NoError(n.t, err)
	n.proc = p
}

// Await waits until the node has started and sees every node of the cluster whose process is there. A node that ends by itself
// while it starts is started again, as its service would do: Debian's unit has Restart=on-failure, and RabbitMQ relies on
// that. It gives up at once, for example, when the node that it asks has closed its database for a moment: one that pauses for
// want of a majority does, and again when it goes on. A node that has paused may itself be turned away when it goes on: then its process
// stays, and does nothing until somebody has it start, as whoever looks after it would.
func (n *Node) Await() {
	n.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	helped := 0 // how often it was turned away and was started since
	for try := 1; ; {
		p := n.process()
		require.NotNil(n.t, p)
		if p.ended() {
			require.False(n.t, p.signaled(), "%s was killed: %s", n.Name, p.log.String())
			require.Less(n.t, try, attempts, "%s ends whenever it starts: %s", n.Name, p.log.String())
			n.t.Logf("%s ended while it started, and is started again: %s", n.Name, lastWords(p.log.String()))
			pause(ctx, time.Second)
			n.Launch()
			try++
			helped = 0
			continue
		}
		if strings.Contains(p.log.String(), "Time to start RabbitMQ") && n.sees(ctx) {
			return
		}
		if times := strings.Count(p.log.String(), gaveUp); times > helped {
			require.Less(n.t, try, attempts, "%s cannot go on: %s", n.Name, p.log.String())
			try++
			said, err := n.ctl("start_app")
			n.t.Logf("%s could not go on after a pause, and was told to start: %v %s", n.Name, err, lastWords(said))
			if err == nil {
				helped = times
				continue
			}
			pause(ctx, time.Second)
		}
		pause(ctx, 50*time.Millisecond)
		if ctx.Err() != nil {
			require.FailNow(n.t, n.Name+" is not ready", p.log.String())
		}
	}
}

// gaveUp is in the log of a node that has paused and could not go on.
const gaveUp = "rabbit_outside_app_process:"

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

// lastWords are what a node has said last, which is why it has ended.
func lastWords(log string) string {
	const most = 500
	log = strings.TrimSpace(log)
	return log[max(0, len(log)-most):]
}

// sees tells whether all nodes that are alive run, as this node knows.
func (n *Node) sees(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second) // a node that pauses in this moment may answer nothing
	defer cancel()
	var all []struct {
		Name    string `json:"name"`
		Running bool   `json:"running"`
	}
	if status, err := n.Manage(ctx, http.MethodGet, "/nodes", nil, &all); err != nil || status != http.StatusOK {
		return false
	}
	running := map[string]bool{}
	for _, other := range all {
		running[other.Name] = other.Running
	}
	for _, other := range n.cluster {
		if other.Alive() && !running[other.Name] {
			return false
		}
	}
	return true
}

// Kill ends the node at once, as a power cut would, and waits until its process is gone.
func (n *Node) Kill() {
	if p := n.process(); p != nil {
		p.kill()
	}
}

// Restart starts the node again, after Kill, with the same ports and data, and waits until it is ready. A
// node that knows of others which are all dead waits for them: Launch all, then Await each.
func (n *Node) Restart() {
	n.t.Helper()
	n.Launch()
	n.Await()
}

// Alive tells whether the node's process is there.
func (n *Node) Alive() bool {
	p := n.process()
	return p != nil && !p.ended()
}

// Pid is the process id of the node.
func (n *Node) Pid() int { return n.process().cmd.Process.Pid }

// Log is what the node has written since it was started last.
func (n *Node) Log() string { return n.process().log.String() }

// AMQPURL is the node's address for AMQP clients, with the administrator's name and password.
func (n *Node) AMQPURL() string {
	return fmt.Sprintf("amqp://%s:%s@127.0.0.1:%d/", n.User, n.Password, n.AMQP)
}

func (n *Node) process() *process {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.proc
}
