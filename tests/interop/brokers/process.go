package brokers

import (
	"errors"
	"net"
	"os/exec"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/syncbuf"
	"github.com/kiiweb/kiiweb/tests/ports"
)

const (
	// patience bounds the start of a broker, and its end.
	patience = 90 * time.Second
	// tries is how often a broker is started before its test fails: somebody who knows nothing of the
	// tests may take a free port before it is used.
	tries = 3

	poll = 20 * time.Millisecond
)

// process is a broker's.
type process struct {
	cmd   *exec.Cmd
	ports []int
	done  chan struct{} // closed when it has ended

	log syncbuf.Buffer // what it has said
}

// launch starts what command makes, for as many free ports as are asked for, and waits
// until all ports but the silent first ones take connections. The test's end stops it.
func launch(t testing.TB, count int, command func(ports []int) *exec.Cmd) (*process, []int) {
	t.Helper()
	var err error
	for range tries {
		free := ports.Free(t, count)
		p := &process{cmd: command(free), ports: free}
		if err = p.begin(); err == nil {
			err = p.listens()
		}
		if err == nil {
			t.Cleanup(func() { p.stop(t) })
			return p, free
		}
		p.kill()
		t.Logf("%s did not start: %v\n%s", p.cmd.Path, err, p.log.String())
	}
	require.NoError(t, err, "the broker does not start; `make deps` installs what is missing")
	return nil, nil
}

func (p *process) begin() error {
	p.cmd.Stdout, p.cmd.Stderr = &p.log, &p.log
	p.cmd.WaitDelay = patience
	p.done = make(chan struct{})
	if err := p.cmd.Start(); err != nil {
		close(p.done)
		return err
	}
	go func(cmd *exec.Cmd, done chan struct{}) {
		_ = cmd.Wait() // how it ended shows in what it said
		close(done)
	}(p.cmd, p.done)
	return nil
}

// restart ends the process in order and starts it again.
func (p *process) restart(t testing.TB) {
	t.Helper()
	p.stop(t)
	again := exec.Command(p.cmd.Path, p.cmd.Args[1:]...)
	again.Dir, again.Env = p.cmd.Dir, p.cmd.Env
	p.cmd = again
	require.NoError(t, p.begin())
	require.NoError(t, p.listens())
}

// listens waits until all ports take connections.
func (p *process) listens() error {
	for _, port := range p.ports {
		err := p.until(func() bool {
			conn, err := net.Dial("tcp", Loopback(port))
			if err != nil {
				return false
			}
			return conn.Close() == nil
		})
		if err != nil {
			return errors.Join(err, errors.New("nothing listens on port "+strconv.Itoa(port)))
		}
	}
	return nil
}

// until waits for a condition, as long as the process lives.
func (p *process) until(condition func() bool) error {
	for deadline := time.Now().Add(patience); !condition(); time.Sleep(poll) {
		select {
		case <-p.done:
			return errors.New("the process has ended")
		default:
		}
		if time.Now().After(deadline) {
			return errors.New("the process took too long")
		}
	}
	return nil
}

// stop asks the process to end, and waits until it has.
func (p *process) stop(t testing.TB) {
	t.Helper()
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.done:
	case <-time.After(patience):
		p.kill()
		t.Errorf("%s did not stop", p.cmd.Path)
	}
	if t.Failed() {
		t.Logf("%s said:\n%s", p.cmd.Path, p.log.String())
	}
}

func (p *process) kill() {
	if p.cmd.Process != nil {
		_ = p.cmd.Process.Kill()
	}
	<-p.done
}

// Loopback gives the address of a port on this machine.
func Loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }
