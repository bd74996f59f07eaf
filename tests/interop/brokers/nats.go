package brokers

import (
	"fmt"
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
	_, ports := launch(t, 2, func(ports []int) *exec.Cmd {
		file := write(t, dir, "nats.conf", fmt.Sprintf(`
listen: "127.0.0.1:-1"
server_name: "interop"
max_payload: 4MB
jetstream { store_dir: %q }
authorization { user: %q, password: %q }
# It sends what was not acknowledged again only after this time, even to who connects anew.
mqtt { listen: "127.0.0.1:%d", ack_wait: "2s" }
websocket { listen: "127.0.0.1:%d", no_tls: true }
`, dir, everybody.Username, everybody.Password, ports[0], ports[1]))
		return exec.Command(path, "-c", file)
	})
	return &Broker{
		Account: everybody, Name: "nats-server", Version: firstMatch(t, `v(\d\S+)`, path, "--version"),
		TCP: ports[0], WS: ports[1], Path: "/mqtt",
	}
}
