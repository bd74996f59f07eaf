package brokers

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// NATS starts nats-server, which speaks MQTT 3.1.1 in front of its streams.
func NATS(t testing.TB) *Broker {
	t.Helper()
	out, err := exec.Command("go", "-C", Folder(t), "tool", "-n", "nats-server").Output()
	require.NoError(t, err, "nats-server does not build")
	path := strings.TrimSpace(string(out))
	dir := t.TempDir()
	_, ports := launch(t, 3, func(ports []int) *exec.Cmd {
		file := write(t, dir, "nats.conf", fmt.Sprintf(`
listen: "127.0.0.1:-1"
http: "127.0.0.1:%d"
server_name: "interop"
max_payload: 4MB
jetstream { store_dir: %q }
authorization { user: %q, password: %q }
# It sends what was not acknowledged again only after this time, even to who connects anew.
mqtt { listen: "127.0.0.1:%d", ack_wait: "2s" }
websocket { listen: "127.0.0.1:%d", no_tls: true }
`, ports[2], dir, everybody.Username, everybody.Password, ports[0], ports[1]))
		return exec.Command(path, "-c", file)
	})
	return &Broker{
		Account: everybody, Name: "nats-server", Version: firstMatch(t, `v(\d\S+)`, path, "--version"),
		TCP: ports[0], WS: ports[1], Path: "/mqtt",
		Delivers: func(t testing.TB, topic string) bool { return natsDelivers(t, ports[2], topic) },
	}
}

// natsDelivers asks the server's monitor whether a consumer of the topic is bound to a connection.
func natsDelivers(t testing.TB, port int, topic string) bool {
	t.Helper()
	response, err := http.Get("http://" + Loopback(port) + "/jsz?accounts=true&consumers=true&config=true")
	require.NoError(t, err)
	defer response.Body.Close()
	var all struct {
		Accounts []struct {
			Streams []struct {
				Consumers []struct {
					Bound  bool `json:"push_bound"`
					Config struct {
						Filter string `json:"filter_subject"`
					} `json:"config"`
				} `json:"consumer_detail"`
			} `json:"stream_detail"`
		} `json:"account_details"`
	}
	require.NoError(t, json.NewDecoder(response.Body).Decode(&all))
	found, bound := false, false
	for _, account := range all.Accounts {
		for _, stream := range account.Streams {
			for _, c := range stream.Consumers {
				if strings.HasSuffix(c.Config.Filter, "."+topic) {
					found, bound = true, bound || c.Bound
				}
			}
		}
	}
	require.True(t, found, "nats-server knows no consumer of %s", topic)
	return bound
}
