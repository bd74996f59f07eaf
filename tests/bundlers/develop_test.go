package bundlers

import (
	"net"
	"net/http"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// develop runs a development server in dir until t ends, and waits for it to answer.
func develop(t *testing.T, dir, command string) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := listener.Addr().String()
	port := listener.Addr().(*net.TCPAddr).Port
	require.NoError(t, listener.Close())

	words := strings.Fields(command + strconv.Itoa(port))
	cmd := exec.Command("sh", append([]string{"-c", `exec "$@"`, "sh"}, words...)...)
	cmd.Dir, cmd.Env = dir, environment()
	var output strings.Builder
	cmd.Stdout, cmd.Stderr = &output, &output
	require.NoError(t, cmd.Start())
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-ended:
		case <-time.After(10 * time.Second):
			_ = cmd.Process.Kill()
			<-ended
		}
	})
	base := "http://" + address + "/"
	require.Eventually(t, func() bool {
		answer, err := http.Get(base)
		if err != nil {
			return false
		}
		return assert.NoError(t, answer.Body.Close())
	}, time.Minute, 50*time.Millisecond, "%s does not answer", command)
	return base
}
