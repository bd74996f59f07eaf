//go:build linux

package rabbitnode

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/tests/cloud"
)

// cookie is what nodes, and rabbitmqctl, show each other.
const cookie = "of-the-tests-alone"

// configure writes the files of node i.
func (n *Node) configure(i int, conf Conf) {
	n.t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, `listeners.tcp.1 = 127.0.0.1:%d
mqtt.listeners.tcp.1 = 127.0.0.1:%d
mqtt.allow_anonymous = false
web_mqtt.tcp.ip = 127.0.0.1
web_mqtt.tcp.port = %d
web_mqtt.ws_path = /mqtt
management.tcp.ip = 127.0.0.1
management.tcp.port = %d
default_user = %s
default_pass = %s
log.file = false
log.console = true
log.console.level = info
disk_free_limit.absolute = 100MB
`, n.AMQP, n.MQTT, n.WebMQTT, n.Management, n.User, n.Password)
	// Nodes that start together look for each other for as long as a slow machine may need.
	b.WriteString("cluster_formation.peer_discovery_backend = classic_config\n")
	b.WriteString("cluster_formation.discovery_retry_limit = 240\ncluster_formation.discovery_retry_interval = 500\n")
	for j, other := range n.cluster {
		fmt.Fprintf(&b, "cluster_formation.classic_config.nodes.%d = %s\n", j+1, other.Name)
	}
	b.WriteString(conf.Config + "\n")
	if conf.Each != nil {
		b.WriteString(conf.Each(i, n) + "\n")
	}
	n.write("rabbitmq.conf", b.String())
	n.write("enabled_plugins", "["+strings.Join(append(plugins[:len(plugins):len(plugins)], conf.Plugins...), ",")+"].\n")
	n.write(".erlang.cookie", cookie)
	require.NoError(n.t, os.Chmod(filepath.Join(n.Dir, ".erlang.cookie"), 0o400))
}

func (n *Node) write(name, text string) {
	n.t.Helper()
	require.NoError(n.t, os.WriteFile(filepath.Join(n.Dir, name), []byte(text), 0o600))
}

// enter puts the machine's /proc and /dev and the node's folder into the root and becomes a program there: each
// step replaces the one before, so that the process id stays.
const enter = `mount --rbind /proc "$1/proc" && mount --rbind /dev "$1/dev" && mount --bind "$2" "$1/node" &&
root=$1 && shift 2 && exec chroot "$root" "$@"`

// apart makes a command that runs in a mount namespace of its own.
func apart(command ...string) *exec.Cmd {
	args := []string{"--mount"}
	if os.Geteuid() != 0 {
		args = append(args, "--map-root-user")
	}
	return exec.Command("unshare", append(args, command...)...)
}

// permitted fails the test, with what to do, where the machine does not let enter do its work.
func permitted(t require.TestingT) {
	said, err := apart("mount", "--rbind", "/proc", "/proc").CombinedOutput()
	require.NoError(t, err, `RabbitMQ's nodes run in mount namespaces of their own, and this machine permits none (unshare --mount):
%sAs root that takes CAP_SYS_ADMIN, which a container has with docker run --privileged; as another user it takes user
namespaces (sysctl kernel.unprivileged_userns_clone=1, kernel.apparmor_restrict_unprivileged_userns=0).`, said)
}

func (n *Node) command() *exec.Cmd {
	n.t.Helper()
	cmd := n.inside("/usr/lib/rabbitmq/bin/rabbitmq-server")
	cmd.Env = append(cmd.Env,
		"RABBITMQ_CONFIG_FILE=/node/rabbitmq.conf",
		"RABBITMQ_ENABLED_PLUGINS_FILE=/node/enabled_plugins",
		"RABBITMQ_MNESIA_BASE=/node/data",
		"RABBITMQ_LOG_BASE=/node/log",
		"RABBITMQ_DIST_PORT="+strconv.Itoa(n.dist),
		"RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS=-start_epmd false -kernel inet_dist_use_interface {127,0,0,1}",
	)
	return cmd
}

// inside makes a command that runs in the root, with the node's folder and name.
func (n *Node) inside(program string, args ...string) *exec.Cmd {
	n.t.Helper()
	cmd := apart(append([]string{"sh", "-c", enter, "sh", root(n.t), n.Dir, program}, args...)...)
	cmd.Dir = "/"
	cmd.Env = append(n.mapperEnvironment(),
		"HOME=/node", // for the cookie
		"TMPDIR=/node",
		"ERL_CRASH_DUMP=/node/crash.dump",
		"RUNNING_UNDER_SYSTEMD=true", // no shell stays in between
		"RABBITMQ_NODENAME="+n.Name,
		"RABBITMQ_CONF_ENV_FILE=/node/none",
	)
	return cmd
}

func (n *Node) mapperEnvironment() []string { return environment(n.mapper) }

func environment(mapper int) []string {
	return []string{
		"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8",
		"ERL_EPMD_ADDRESS=127.0.0.1", "ERL_EPMD_PORT=" + strconv.Itoa(mapper),
	}
}

// root is the folder with RabbitMQ in it.
func root(t interface {
	require.TestingT
	Helper()
}) string {
	t.Helper()
	dir := filepath.Join(cloud.Root(), ".cache", "rabbitmq")
	_, err := os.Stat(filepath.Join(dir, ".made"))
	require.NoError(t, err, "RabbitMQ 4 is needed for this test; install it with: sh tests/deps.sh cluster")
	return dir
}
