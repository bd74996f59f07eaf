package brokers

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

// Mosquitto starts Eclipse Mosquitto, which speaks MQTT 5, 3.1.1 and 3.1. Debian builds
// it without WebSockets, so those come over a bridge.
func Mosquitto(t testing.TB) *Broker {
	t.Helper()
	path := find(t, "mosquitto", "/usr/sbin/mosquitto")
	dir := t.TempDir()
	passwords := filepath.Join(dir, "passwords")
	out, err := exec.Command(find(t, "mosquitto_passwd", "/usr/bin/mosquitto_passwd"),
		"-c", "-b", passwords, everybody.Username, everybody.Password).CombinedOutput()
	require.NoError(t, err, "%s", out)

	p, ports := launch(t, 1, func(ports []int) *exec.Cmd {
		file := write(t, dir, "mosquitto.conf", fmt.Sprintf(`
listener %d 127.0.0.1
password_file %s
allow_anonymous false
# The limits that bursts of the tests would run into.
max_queued_messages 0
persistence true
persistence_location %s/
# Without this it gives up root, and with it the right to read its folder.
user root
`, ports[0], passwords, dir))
		return exec.Command(path, "-c", file)
	})
	return &Broker{
		Account: everybody, Name: "Mosquitto", Version: firstMatch(t, `version (\S+)`, path, "-h"),
		TCP: ports[0], WS: bridge(t, ports[0]), Path: "/mqtt", Restart: p.restart,
	}
}

// find looks for a program on PATH, then at its usual place, which may not be on it.
func find(t testing.TB, name, usual string) string {
	t.Helper()
	if path, err := exec.LookPath(name); err == nil {
		return path
	}
	_, err := os.Stat(usual)
	require.NoError(t, err, "%s is missing: run `make deps`, which installs it", name)
	return usual
}

func write(t testing.TB, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	return path
}

// firstMatch runs a program and gives the first group of an expression in its output.
func firstMatch(t testing.TB, expression, program string, args ...string) string {
	t.Helper()
	out, _ := exec.Command(program, args...).CombinedOutput() // help exits with a failure, too
	found := regexp.MustCompile(expression).FindSubmatch(out)
	require.NotNil(t, found, "%s says no version: %s", program, out)
	return string(found[1])
}
