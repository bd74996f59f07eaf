package brokers

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/tests/ports"
)

// RabbitMQ starts a node of RabbitMQ 3.x, whose plug-ins speak MQTT 3.1.1 and 3.1, and a
// port mapper (epmd) for it alone: a node would start one that outlives it.
func RabbitMQ(t testing.TB) *Broker {
	t.Helper()
	const scripts = "/usr/lib/rabbitmq/bin/rabbitmq-server" // those on PATH insist on a user of their own
	path := find(t, scripts, scripts)
	_, mapper := launch(t, 1, func(ports []int) *exec.Cmd {
		return exec.Command(find(t, "epmd", "/usr/bin/epmd"), "-port", strconv.Itoa(ports[0]), "-address", "127.0.0.1")
	})
	dir := t.TempDir()
	p, listeners := launch(t, 2, func(listeners []int) *exec.Cmd {
		cmd := exec.Command(path)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), rabbitEnvironment(t, dir, mapper[0], listeners)...)
		return cmd
	})
	version := regexp.MustCompile(`RabbitMQ (\d\S+)`)
	require.NoError(t, p.until(func() bool { return version.MatchString(p.log.String()) }), "%s", p.log.String())
	return &Broker{
		Account: everybody, Name: "RabbitMQ", Version: version.FindStringSubmatch(p.log.String())[1],
		TCP: listeners[0], WS: listeners[1], Path: "/ws",
	}
}

func rabbitEnvironment(t testing.TB, dir string, mapper int, listeners []int) []string {
	config := write(t, dir, "rabbitmq.conf", fmt.Sprintf(`
listeners.tcp = none
mqtt.listeners.tcp.1 = 127.0.0.1:%d
web_mqtt.tcp.ip = 127.0.0.1
web_mqtt.tcp.port = %d
mqtt.allow_anonymous = false
default_user = %s
default_pass = %s
log.file = false
log.console = true
log.console.level = warning
`, listeners[0], listeners[1], everybody.Username, everybody.Password))
	plugins := write(t, dir, "enabled_plugins", "[rabbitmq_mqtt,rabbitmq_web_mqtt].\n")
	return []string{
		"HOME=" + dir, // for the cookie
		"RABBITMQ_NODENAME=interop@localhost",
		"RABBITMQ_CONF_ENV_FILE=" + filepath.Join(dir, "none"),
		"RABBITMQ_CONFIG_FILE=" + config,
		"RABBITMQ_ENABLED_PLUGINS_FILE=" + plugins,
		"RABBITMQ_MNESIA_BASE=" + dir,
		"RABBITMQ_LOG_BASE=" + dir,
		"RABBITMQ_DIST_PORT=" + strconv.Itoa(ports.Free(t, 1)[0]),
		"RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS=-kernel inet_dist_use_interface {127,0,0,1}",
		"ERL_EPMD_ADDRESS=127.0.0.1",
		"ERL_EPMD_PORT=" + strconv.Itoa(mapper),
	}
}
