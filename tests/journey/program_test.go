package journey

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/syncbuf"
	"github.com/kiiweb/kiiweb/tests/cloud"
)

// program is a run of demo/thing.
type program struct {
	*testing.T
	cmd   *exec.Cmd
	lines chan string // what it prints; closed at its end
	err   error       // how it ended, once lines is closed

	log syncbuf.Buffer // its standard error
}

// awaits waits until it has said something.
func (p *program) awaits(text string) {
	p.Helper()
	require.Eventually(p, func() bool { return strings.Contains(p.log.String(), text) }, soon, 10*time.Millisecond, "%q should be said", text)
}

// next gives the key "n" of the next push that it prints, 0 at its end. A push up to
// known was printed by an earlier run, which may have ended before it had acknowledged it.
func (p *program) next(known int) int {
	p.Helper()
	for {
		select {
		case line, more := <-p.lines:
			if !more {
				return 0
			}
			var push struct{ N int }
			require.NoError(p, json.Unmarshal([]byte(line), &push), line)
			if push.N > known {
				return push.N
			}
		case <-time.After(soon):
			require.Fail(p, "nothing was printed", p.log.String())
		}
	}
}

// ends waits for its end and gives the exit code.
func (p *program) ends() int {
	p.Helper()
	for p.next(0) != 0 { // repeats
	}
	return p.cmd.ProcessState.ExitCode()
}

func (p *program) signal(s syscall.Signal) {
	p.Helper()
	require.NoError(p, p.cmd.Process.Signal(s))
}

// thingProgram builds demo/thing.
func thingProgram(t *testing.T) string {
	path := filepath.Join(t.TempDir(), "thing")
	build := exec.Command("go", "build", "-o", path, "./demo/thing")
	build.Dir = cloud.Root()
	out, err := build.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return path
}

// startThing runs it against c; it ends with the test at the latest.
func startThing(t *testing.T, path string, c *cloud.Cloud, args ...string) *program {
	p := &program{T: t, lines: make(chan string, 1024)}
	p.cmd = exec.Command(path, append([]string{"-api", c.Ready.API, "-ca", c.Ready.CA, "-app", c.Ready.AppID, "-key", c.Ready.AppKey}, args...)...)
	p.cmd.Stderr = &p.log
	stdout, err := p.cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, p.cmd.Start())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for s := bufio.NewScanner(stdout); s.Scan(); {
			p.lines <- s.Text()
		}
		p.err = p.cmd.Wait()
		close(p.lines)
	}()
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill() // it has usually ended
		<-ended
		t.Logf("thing: %s", p.log.String())
	})
	return p
}

// pushTo pushes n to the thing with the vendorThingID id, as the administrator.
func pushTo(t *testing.T, c *cloud.Cloud, id string, n int) {
	t.Helper()
	admin := c.Admin()
	status, thing := c.Call("GET", "/apps/"+c.Ready.AppID+"/things/VENDOR_THING_ID:"+id, admin, "", nil)
	require.Equal(t, http.StatusOK, status, "%v", thing)
	status, body := c.Call("POST", fmt.Sprintf("/apps/%s/things/%s/push/messages", c.Ready.AppID, thing["_thingID"]), admin,
		"application/vnd.kii.SendPushMessageRequest+json",
		map[string]any{"data": map[string]any{"n": n}, "mqtt": map[string]any{"enabled": true}})
	require.Equal(t, http.StatusCreated, status, "%v", body)
}

// TestThingProgram: it registers, receives, is killed, and gets what was sent meanwhile.
func TestThingProgram(t *testing.T) {
	c := cloud.Start(t)
	path := thingProgram(t)
	p := startThing(t, path, c, "-id", "lamp")
	p.awaits("online")
	assert.Contains(t, p.log.String(), "registered lamp")
	pushTo(t, c, "lamp", 1)
	require.Equal(t, 1, p.next(0))
	p.signal(syscall.SIGKILL)
	assert.Equal(t, -1, p.ends())
	pushTo(t, c, "lamp", 2)

	p = startThing(t, path, c, "-id", "lamp")
	require.Equal(t, 2, p.next(1))
	assert.NotContains(t, p.log.String(), "registered")
	p.signal(syscall.SIGINT)
	assert.Zero(t, p.ends(), p.log.String())
	assert.Contains(t, p.log.String(), "stopped")
	pushTo(t, c, "lamp", 3)

	p = startThing(t, path, c, "-id", "lamp", "-uninstall")
	require.Equal(t, 3, p.next(2))
	p.awaits("online")
	p.signal(syscall.SIGTERM)
	assert.Zero(t, p.ends(), p.log.String())
	assert.Contains(t, p.log.String(), "uninstalling")
	pushTo(t, c, "lamp", 4)

	p = startThing(t, path, c, "-id", "lamp")
	p.awaits("online")
	pushTo(t, c, "lamp", 5)
	assert.Equal(t, 5, p.next(3), "nothing reaches a thing that was not installed")
}

// TestThingProgramGivesUp where it cannot go on, with a code, a sentence and what to do.
func TestThingProgramGivesUp(t *testing.T) {
	c := cloud.Start(t)
	path := thingProgram(t)
	first := startThing(t, path, c, "-id", "lamp")
	first.awaits("online")
	for _, x := range []struct {
		name string
		args []string
		code int
		says []string
	}{
		{"a wrong password", []string{"-id", "lamp", "-password", "not the one"}, 1, []string{"BAD_CREDENTIALS", "Check the thing's vendorThingID and password"}},
		{"a CA that is not there", []string{"-ca", "/no/such/file.pem"}, 2, []string{"no such file"}},
		{"a CA that did not sign", []string{"-id", "other", "-ca", "main_test.go"}, 1, []string{"certificate"}},
		{"an unknown flag", []string{"-colour", "red"}, 2, []string{"-colour", "Usage"}},
		{"an argument", []string{"lamp"}, 2, []string{"unexpected argument lamp"}},
	} {
		t.Run(x.name, func(t *testing.T) {
			p := startThing(t, path, c, x.args...)
			assert.Equal(t, x.code, p.ends())
			for _, text := range x.says {
				assert.Contains(t, p.log.String(), text)
			}
		})
	}
	t.Run("displaced by its twin", func(t *testing.T) {
		second := startThing(t, path, c, "-id", "lamp")
		second.awaits("online")
		assert.Equal(t, 1, first.ends())
		assert.Contains(t, first.log.String(), "another program is connected as this thing")
		pushTo(t, c, "lamp", 1)
		assert.Equal(t, 1, second.next(0))
	})
	t.Run("uninstalled elsewhere", func(t *testing.T) {
		p := startThing(t, path, c, "-id", "lamp") // the twin gives way
		p.awaits("online")
		thing := stranger(t, c)
		_, err := thing.client.LoginAsThing(thing.ctx, "lamp", "the password of a demo thing")
		require.NoError(t, err)
		installation, err := thing.client.InstallMQTT(thing.ctx, false)
		require.NoError(t, err)
		require.NoError(t, thing.client.UninstallByInstallationID(thing.ctx, installation.InstallationID))
		assert.Equal(t, 1, p.ends())
		assert.Contains(t, p.log.String(), "REVOKED")
	})
}
