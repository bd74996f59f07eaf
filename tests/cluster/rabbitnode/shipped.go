//go:build linux

package rabbitnode

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/tests/cloud"
)

// own are the settings of deploy/rabbitmq.conf that belong to one machine: which ports, which other nodes, whose
// certificate. Nodes of tests have theirs (configure), and no certificate.
var own = []string{
	"listeners.tcp.default",
	"management.tcp.port",
	"mqtt.listeners.tcp.default",
	"mqtt.listeners.ssl.default",
	"web_mqtt.tcp.port",
	"web_mqtt.ssl.port",
	"web_mqtt.ssl.certfile",
	"web_mqtt.ssl.keyfile",
	"ssl_options.certfile",
	"ssl_options.keyfile",
	"cluster_formation.classic_config.nodes.1",
	"cluster_formation.classic_config.nodes.2",
	"cluster_formation.classic_config.nodes.3",
}

// asked is where the nodes of deploy/rabbitmq.conf reach the cloud.
const asked = "http://127.0.0.1:8080/"

// Shipped is deploy/rabbitmq.conf, the configuration that operators are told to have, with the cloud at url
// (http://host:port) and without what belongs to one machine. All the rest is as it is shipped.
func Shipped(t require.TestingT, url string) string {
	text, err := os.ReadFile(filepath.Join(cloud.Root(), "deploy", "rabbitmq.conf"))
	require.NoError(t, err)
	left := map[string]bool{}
	for _, key := range own {
		left[key] = true
	}
	var kept strings.Builder
	paths := 0
	for line := range strings.Lines(string(text)) {
		if key, _, _ := strings.Cut(line, " = "); left[key] {
			delete(left, key)
			continue
		}
		if strings.Contains(line, asked) {
			line = strings.Replace(line, asked, url+"/", 1)
			paths++
		}
		kept.WriteString(line)
	}
	require.Empty(t, left, "deploy/rabbitmq.conf does not set these, once each")
	require.Equal(t, 4, paths, "deploy/rabbitmq.conf asks the cloud at %s in four places", asked)
	return kept.String()
}
