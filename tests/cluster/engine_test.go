//go:build linux

package cluster

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/tests/cloud"
	"github.com/kiiweb/kiiweb/tests/cluster/rabbitnode"
)

// engineFlags have a cloud deliver through the nodes, of which it tries the one with number first before
// the others, and advertise the balancers' ports.
func engineFlags(nodes []*rabbitnode.Node, first int, tcp, ws int) []string {
	var amqp, management []string
	for _, n := range slices.Concat(nodes[first:], nodes[:first]) {
		amqp = append(amqp, fmt.Sprintf("127.0.0.1:%d", n.AMQP))
		management = append(management, fmt.Sprintf("http://127.0.0.1:%d", n.Management))
	}
	return []string{
		"-engine", fmt.Sprintf("rabbitmq://%s:%s@%s/?management=%s", nodes[0].User, nodes[0].Password,
			strings.Join(amqp, ","), strings.Join(management, ",")),
		"-engine-ports", fmt.Sprintf("tcp=%d,ws=%d", tcp, ws),
	}
}

// cloudPort is the port of a cloud's API and pages.
func cloudPort(t testing.TB, c *cloud.Cloud) int {
	t.Helper()
	u, err := url.Parse(c.Ready.HTTP)
	require.NoError(t, err)
	port, err := strconv.Atoi(u.Port())
	require.NoError(t, err)
	return port
}
