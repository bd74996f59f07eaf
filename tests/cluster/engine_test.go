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

// nodeConfig has the nodes ask the clouds, which are behind port, who may do what. The rest is what
// docs/operating.md tells operators to set.
func nodeConfig(port int) string {
	return strings.ReplaceAll(`
auth_backends.1 = internal
auth_backends.2 = http
auth_http.http_method = post
auth_http.user_path = URL/user
auth_http.vhost_path = URL/vhost
auth_http.resource_path = URL/resource
auth_http.topic_path = URL/topic
mqtt.durable_queue_type = quorum
mqtt.max_session_expiry_interval_seconds = infinity
mqtt.max_packet_size_authenticated = 8192
mqtt.max_packet_size_unauthenticated = 2048
mqtt.prefetch = 64
mqtt.retained_message_store = rabbit_mqtt_retained_msg_store_noop
`, "URL", fmt.Sprintf("http://127.0.0.1:%d/rabbitmq", port))
}

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
