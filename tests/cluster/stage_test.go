//go:build linux

package cluster

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/pkg/kiicloud/store/pgtest"
	"github.com/kiiweb/kiiweb/tests/cloud"
	"github.com/kiiweb/kiiweb/tests/cluster/rabbitnode"
)

// size is how many nodes and how many processes of the cloud there are.
const size = 3

// stage is all of it, with a balancer in front of each kind of server, as in production.
type stage struct {
	*testing.T
	nodes  []*rabbitnode.Node
	clouds []*cloud.Cloud
	schema string // of the database
	tcp    *balancer
	ws     *balancer
	auth   *balancer // the clouds, for the nodes
}

var stages atomic.Int32

func newStage(t *testing.T) *stage {
	t.Helper()
	s := &stage{T: t, auth: newBalancer(t)}
	s.schema = "cluster" + strconv.Itoa(int(stages.Add(1)))
	store := pgtest.Shared(t).Schema(t, s.schema)
	s.nodes = rabbitnode.Start(t, size, rabbitnode.Conf{
		Config: rabbitnode.Shipped(t, fmt.Sprintf("http://127.0.0.1:%d", s.auth.port()))})
	s.tcp = newBalancer(t, s.nodes[0].MQTT, s.nodes[1].MQTT, s.nodes[2].MQTT)
	s.ws = newBalancer(t, s.nodes[0].WebMQTT, s.nodes[1].WebMQTT, s.nodes[2].WebMQTT)

	secret := filepath.Join(t.TempDir(), "secret")
	require.NoError(t, os.WriteFile(secret, []byte(random()), 0o600))
	admin := "root:" + random()
	for i := range size {
		args := append(engineFlags(s.nodes, i, s.tcp.port(), s.ws.port()),
			"-store", store, "-secret-file", secret, "-admin", admin, "-limit-register", "0", "-log-level", "warn")
		c := cloud.Start(t, args...)
		s.clouds = append(s.clouds, c)
		s.auth.add(cloudPort(t, c))
	}
	return s
}

// on gives the stage to a part of the test.
func (s *stage) on(t *testing.T) *stage {
	part := *s
	part.T = t
	return &part
}

// whole brings back whatever an earlier part has ended, and waits until pushes are taken everywhere.
func (s *stage) whole() {
	s.Helper()
	for _, n := range s.nodes {
		if !n.Alive() {
			n.Launch()
		}
	}
	for _, n := range s.nodes {
		n.Await()
	}
	for i, c := range s.clouds {
		require.Eventually(s, func() bool { return s.ready(c) }, patience, 50*time.Millisecond, "cloud %d is not ready", i+1)
	}
}

// ready asks a cloud whether it can do its work.
func (s *stage) ready(c *cloud.Cloud) bool {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.Ready.HTTP+"/readyz", nil)
	require.NoError(s, err)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	_ = res.Body.Close()
	return res.StatusCode == http.StatusOK
}

func random() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b)
	return hex.EncodeToString(b)
}
