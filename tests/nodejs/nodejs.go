// Package nodejs runs the programs of npm packages for the end-to-end tests.
package nodejs

import (
	"context"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/tests/ports"
)

// patience bounds each command, on a machine that is busy.
const patience = 3 * time.Minute

// Place is where programs run.
type Place struct {
	Dir string
	// Packages is a folder with node_modules, whose programs are in the path.
	Packages string
	// Env is what is added to the environment.
	Env []string
}

// Command makes a command that is not started yet.
func (p Place) Command(ctx context.Context, name string, args ...string) *exec.Cmd {
	// The shell looks the program up in the path that it is given.
	cmd := exec.CommandContext(ctx, "sh", append([]string{"-c", `exec "$@"`, "sh", name}, args...)...)
	cmd.Dir = p.Dir
	bin := filepath.Join(p.Packages, "node_modules", ".bin")
	cmd.Env = append(os.Environ(), "PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"), "NO_COLOR=1", "npm_config_update_notifier=false")
	cmd.Env = append(cmd.Env, p.Env...)
	return cmd
}

// Run runs a command to its end and gives its standard output. A failure ends the test.
func (p Place) Run(t testing.TB, name string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := p.Command(ctx, name, args...)
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	require.NoError(t, cmd.Run(), "%s %s\n%s%s", name, strings.Join(args, " "), &stdout, &stderr)
	return stdout.String()
}

// Serve runs a server of pages, which is told its port after all other arguments, until t
// ends. It waits for the server to answer and gives its URL, which ends in a slash.
func (p Place) Serve(t testing.TB, name string, args ...string) string {
	t.Helper()
	port := strconv.Itoa(ports.Free(t, 1)[0])
	cmd := p.Command(context.Background(), name, append(args, port)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // npm starts a shell, which starts the server
	var output strings.Builder
	cmd.Stdout, cmd.Stderr = &output, &output
	require.NoError(t, cmd.Start())
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() { stop(cmd, ended) })

	base := "http://127.0.0.1:" + port + "/"
	deadline := time.Now().Add(patience)
	for !answers(base) {
		select {
		case err := <-ended:
			ended <- err
			require.FailNow(t, "the server has ended", "%s %s: %v\n%s", name, strings.Join(args, " "), err, &output)
		case <-time.After(50 * time.Millisecond):
			require.True(t, time.Now().Before(deadline), "%s %s does not answer", name, strings.Join(args, " "))
		}
	}
	return base
}

func answers(url string) bool {
	answer, err := http.Get(url)
	if err == nil {
		_ = answer.Body.Close()
	}
	return err == nil
}

// stop ends what was started, the processes below it as well.
func stop(cmd *exec.Cmd, ended chan error) {
	_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM)
	select {
	case <-ended:
	case <-time.After(10 * time.Second):
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		<-ended
	}
}
