package examples

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/tests/cloud"
)

// patience bounds the wait for something that a program is about to do.
const patience = time.Minute

// program is the thing in Node.js.
type program struct {
	t        *testing.T
	cmd      *exec.Cmd
	out, log chan string
}

func startThing(t *testing.T, c *cloud.Cloud, id string) *program {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	p := &program{t: t, out: make(chan string, 100), log: make(chan string, 100)}
	p.cmd = examples("KII_URL="+c.Ready.API, "KII_CA="+c.Ready.CA, "THING_ID="+id).Command(ctx, "node", "node-thing/thing.js")
	stdout, err := p.cmd.StdoutPipe()
	require.NoError(t, err)
	stderr, err := p.cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, p.cmd.Start())
	for to, from := range map[chan string]io.Reader{p.out: stdout, p.log: stderr} {
		go func() {
			defer close(to)
			for lines := bufio.NewScanner(from); lines.Scan(); {
				to <- lines.Text()
			}
		}()
	}
	return p
}

func (p *program) next(lines chan string) string {
	p.t.Helper()
	select {
	case line, ok := <-lines:
		require.True(p.t, ok, "the program has ended")
		return line
	case <-time.After(patience):
		require.FailNow(p.t, "the program says nothing")
		return ""
	}
}

// ends waits for the end and gives the exit code.
func (p *program) ends() int {
	p.t.Helper()
	for lines := range map[chan string]bool{p.out: true, p.log: true} {
		for range lines {
		}
	}
	_ = p.cmd.Wait()
	return p.cmd.ProcessState.ExitCode()
}

// TestNodeThing: it registers and receives, comes back for what was sent while it was away,
// and gives way to another one with its id.
func TestNodeThing(t *testing.T) {
	c := cloud.Start(t)
	const id = "node-thing-of-a-test"
	p := startThing(t, c, id)
	assert.Equal(t, "online as "+id, p.next(p.log))
	admin := c.Admin()
	status, thing := c.Call("GET", "/apps/"+c.Ready.AppID+"/things/VENDOR_THING_ID:"+id, admin, "", nil)
	require.Equal(t, http.StatusOK, status, "%v", thing)
	push := func(text string) {
		status, answer := c.Call("POST", "/apps/"+c.Ready.AppID+"/things/"+thing["_thingID"].(string)+"/push/messages", admin,
			"application/vnd.kii.SendPushMessageRequest+json",
			map[string]any{"data": map[string]any{"text": text}, "mqtt": map[string]any{"enabled": true}})
		require.Equal(t, http.StatusCreated, status, "%v", answer)
	}
	text := func(p *program) string {
		var m struct{ Text string }
		require.NoError(t, json.Unmarshal([]byte(p.next(p.out)), &m))
		return m.Text
	}
	push("one")
	assert.Equal(t, "one", text(p))
	require.NoError(t, p.cmd.Process.Signal(syscall.SIGTERM))
	assert.Equal(t, 0, p.ends())

	push("two")
	p = startThing(t, c, id)
	assert.Equal(t, "online as "+id, p.next(p.log))
	assert.Equal(t, "two", text(p))

	other := startThing(t, c, id)
	assert.Equal(t, "online as "+id, other.next(other.log))
	assert.Equal(t, 1, p.ends(), "the first one does not contest it")
	push("three")
	assert.Equal(t, "three", text(other))
	require.NoError(t, other.cmd.Process.Signal(syscall.SIGTERM))
	assert.Equal(t, 0, other.ends())
}
