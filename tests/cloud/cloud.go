// Package cloud runs the shipped local cloud as a process of its own for the
// end-to-end tests: the same binary that a user gets from `make demo`, on free
// ports, with a data folder of its own, and able to be killed and started again.
package cloud

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/tests/ports"
)

// patience bounds the cloud's start and its end, on a machine that is busy.
const patience = 2 * time.Minute

// Ready is the line that the cloud prints when it is ready.
type Ready struct {
	HTTP         string `json:"http"`
	HTTPS        string `json:"https"`
	API          string `json:"api"`
	PortTCP      int    `json:"portTCP"`
	PortSSL      int    `json:"portSSL"`
	PortWS       int    `json:"portWS"`
	PortWSS      int    `json:"portWSS"`
	AppID        string `json:"appID"`
	AppKey       string `json:"appKey"`
	ClientID     string `json:"clientID"`
	ClientSecret string `json:"clientSecret"`
	CA           string `json:"ca"`
}

// Cloud is one running local cloud.
type Cloud struct {
	Ready Ready
	Data  string // its data folder

	t    testing.TB
	args []string
	cmd  *exec.Cmd
	done chan struct{} // closed when the process has ended
}

// Start runs the cloud with extra flags on free ports and waits for its ready line.
// The test's end stops it.
func Start(t testing.TB, args ...string) *Cloud {
	t.Helper()
	return StartIn(t, t.TempDir(), args...)
}

// StartIn is Start with a data folder that the test has chosen.
func StartIn(t testing.TB, data string, args ...string) *Cloud {
	t.Helper()
	c := &Cloud{t: t, Data: data, args: args}
	free := ports.Free(t, 4) // also while it is down: Restart takes the same
	c.start(addr(free[0]), addr(free[1]), addr(free[2]), addr(free[3]))
	t.Cleanup(c.Stop)
	return c
}

// Kill ends the process at once, as a power cut would.
func (c *Cloud) Kill() {
	c.t.Helper()
	if c.Running() {
		require.NoError(c.t, c.cmd.Process.Kill())
		<-c.done
	}
}

// Stop asks the process to end and waits until it has.
func (c *Cloud) Stop() {
	c.t.Helper()
	if !c.Running() {
		return
	}
	_ = c.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-c.done:
	case <-time.After(patience):
		_ = c.cmd.Process.Kill()
		<-c.done
		c.t.Errorf("the cloud did not stop within %v of SIGTERM", patience)
	}
}

// Restart starts the cloud again on the same ports with the same data, and other
// flags where args are given.
func (c *Cloud) Restart(args ...string) {
	c.t.Helper()
	require.False(c.t, c.Running(), "stop or kill the cloud before starting it again")
	if len(args) > 0 {
		c.args = args
	}
	r := c.Ready
	c.start(strings.TrimPrefix(r.HTTP, "http://"), strings.TrimPrefix(r.HTTPS, "https://"), addr(r.PortTCP), addr(r.PortSSL))
}

// CA is the certificate that signed the cloud's own, in PEM.
func (c *Cloud) CA() []byte {
	pem, err := os.ReadFile(c.Ready.CA)
	require.NoError(c.t, err)
	return pem
}

// Pid is the process id of the running cloud.
func (c *Cloud) Pid() int { return c.cmd.Process.Pid }

func addr(port int) string { return "127.0.0.1:" + strconv.Itoa(port) }

// Running tells whether the process is there.
func (c *Cloud) Running() bool {
	if c.cmd == nil {
		return false
	}
	select {
	case <-c.done:
		return false
	default:
		return true
	}
}

func (c *Cloud) start(http, https, mqtt, mqtts string) {
	c.t.Helper()
	args := append([]string{
		"-http", http, "-https", https, "-mqtt", mqtt, "-mqtts", mqtts,
		"-data", c.Data, "-kiiweb", filepath.Join(Root(), "js", "dist"),
	}, c.args...)
	c.cmd = exec.Command(Binary(c.t), args...)
	stdout, err := c.cmd.StdoutPipe()
	require.NoError(c.t, err)
	log := &testLog{t: c.t}
	c.cmd.Stderr = log
	require.NoError(c.t, c.cmd.Start())

	c.done = make(chan struct{})
	line := make(chan string, 1)
	go func(cmd *exec.Cmd, done chan struct{}) {
		r := bufio.NewReader(stdout)
		s, _ := r.ReadString('\n')
		line <- s
		_, _ = io.Copy(io.Discard, r)
		_ = cmd.Wait()
		close(done)
	}(c.cmd, c.done)
	c.t.Cleanup(log.stop)

	select {
	case s := <-line:
		const prefix = "ready "
		require.Greater(c.t, len(s), len(prefix), "the cloud ended before it was ready")
		require.Equal(c.t, prefix, s[:len(prefix)])
		require.NoError(c.t, json.Unmarshal([]byte(s[len(prefix):]), &c.Ready))
	case <-time.After(patience):
		_ = c.cmd.Process.Kill()
		require.FailNow(c.t, "the cloud was not ready within "+patience.String())
	}
}

// testLog puts the process's log lines into the test's log.
type testLog struct {
	mu   sync.Mutex
	t    testing.TB
	rest []byte
	end  bool
}

func (l *testLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.end {
		return len(p), nil
	}
	l.rest = append(l.rest, p...)
	for {
		i := -1
		for j, b := range l.rest {
			if b == '\n' {
				i = j
				break
			}
		}
		if i < 0 {
			return len(p), nil
		}
		l.t.Logf("cloud: %s", l.rest[:i])
		l.rest = l.rest[i+1:]
	}
}

func (l *testLog) stop() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.end = true
}

var build struct {
	once sync.Once
	path string
	err  error
}

// Binary builds the cloud once per test process and gives the path of the binary.
func Binary(t testing.TB) string {
	t.Helper()
	build.once.Do(func() {
		dir, err := os.MkdirTemp("", "kiiweb-cloud-")
		if err != nil {
			build.err = err
			return
		}
		build.path = filepath.Join(dir, "cloud")
		cmd := exec.Command("go", "build", "-o", build.path, "./demo")
		cmd.Dir = Root()
		if out, err := cmd.CombinedOutput(); err != nil {
			build.err = fmt.Errorf("go build ./demo: %w\n%s", err, out)
		}
	})
	require.NoError(t, build.err)
	return build.path
}

// Clean removes what Binary built; call it at the end of TestMain.
func Clean() {
	if build.path != "" {
		_ = os.RemoveAll(filepath.Dir(build.path))
	}
}
