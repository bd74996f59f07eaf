//go:build linux

package rabbitnode

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/syncbuf"
	"github.com/kiiweb/kiiweb/tests/ports"
)

// process is a process that ends with the test process.
type process struct {
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended

	log syncbuf.Buffer // what it has said
}

func launch(cmd *exec.Cmd) (*process, error) {
	p := &process{cmd: cmd, done: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = &p.log, &p.log
	cmd.WaitDelay = time.Second // helpers of the node may hold its output a little longer
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	started := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // Pdeathsig means this thread, which ends with the function
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait()
		}
		close(p.done)
	}()
	return p, <-started
}

func (p *process) ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// signaled tells whether a process that has ended was killed.
func (p *process) signaled() bool {
	state := p.cmd.ProcessState
	if state == nil {
		return false
	}
	status, ok := state.Sys().(syscall.WaitStatus)
	return ok && status.Signaled()
}

func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.done
}

// startMapper runs a port mapper (epmd) for one cluster alone and gives its port: a node would start one
// that outlives it, or meet one that is not of this test.
func startMapper(t testing.TB) int {
	t.Helper()
	port := ports.Free(t, 1)[0]
	args := []string{"/usr/bin/epmd", "-port", strconv.Itoa(port), "-address", "127.0.0.1"}
	chroot := []string{"chroot", root(t)}
	if os.Geteuid() != 0 {
		chroot = append([]string{"unshare", "--map-root-user"}, chroot...)
	}
	args = append(chroot, args...)
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir, cmd.Env = "/", environment(port)
	p, err := launch(cmd)
	require.NoError(t, err)
	t.Cleanup(p.kill)
	require.Eventually(t, func() bool {
		require.False(t, p.ended(), "the port mapper has ended: %s", p.log.String())
		c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			return false
		}
		_ = c.Close()
		return true
	}, patience, 20*time.Millisecond)
	return port
}
