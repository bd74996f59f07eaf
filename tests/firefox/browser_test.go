package firefox

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// patience bounds each step, on a machine that is busy.
const patience = 90 * time.Second

// find gives the path of Firefox. FIREFOX names another one than the usual.
func find(t *testing.T) string {
	t.Helper()
	if path := os.Getenv("FIREFOX"); path != "" {
		return path
	}
	for _, name := range []string{"firefox-esr", "firefox"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	require.FailNow(t, "there is no Firefox: sh tests/deps.sh installs it, FIREFOX names another one")
	return ""
}

// browser is one headless Firefox with a fresh profile, spoken to by WebDriver BiDi
// (w3c.github.io/webdriver-bidi).
type browser struct {
	t       *testing.T
	conn    *websocket.Conn
	context string // of its one tab

	mu      sync.Mutex
	ids     int
	waiting map[int]chan answer
}

type answer struct {
	ID             int
	Type           string // "success", "error", or "event"
	Result         json.RawMessage
	Error, Message string
}

// start runs Firefox until t ends, with the environment variables env besides ours.
func start(t *testing.T, env ...string) *browser {
	t.Helper()
	profile, err := os.MkdirTemp("", "kiiweb-firefox-")
	require.NoError(t, err)
	t.Cleanup(func() {
		assert.Eventually(t, func() bool { return os.RemoveAll(profile) == nil }, time.Minute, 20*time.Millisecond)
	})
	cmd := exec.Command(find(t), "--headless", "--no-remote", "--profile", profile, "--remote-debugging-port", "0", "about:blank")
	cmd.Env = append(os.Environ(), "HOME="+profile, "MOZ_CRASHREPORTER_DISABLE=1")
	cmd.Env = append(cmd.Env, env...)
	stderr, err := cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	conn, _, err := websocket.DefaultDialer.Dial(listening(t, stderr)+"/session", nil)
	require.NoError(t, err)
	b := &browser{t: t, conn: conn, waiting: map[int]chan answer{}}
	done := make(chan struct{})
	go func() {
		defer close(done)
		b.read()
	}()
	t.Cleanup(func() {
		_ = conn.Close()
		<-done
	})
	b.call("session.new", map[string]any{"capabilities": map[string]any{}}, nil)
	t.Cleanup(func() { _ = b.try("browser.close", map[string]any{}, nil) })
	var tree struct{ Contexts []struct{ Context string } }
	b.call("browsingContext.getTree", map[string]any{}, &tree)
	require.NotEmpty(t, tree.Contexts)
	b.context = tree.Contexts[0].Context
	return b
}

// listening waits for the line with the address, and reads on, so that Firefox never waits.
func listening(t *testing.T, stderr io.Reader) string {
	t.Helper()
	address := make(chan string, 1)
	go func() {
		pattern := regexp.MustCompile(`WebDriver BiDi listening on (ws://\S+)`)
		for lines := bufio.NewScanner(stderr); lines.Scan(); {
			if m := pattern.FindStringSubmatch(lines.Text()); m != nil {
				address <- m[1]
			}
		}
	}()
	select {
	case a := <-address:
		return a
	case <-time.After(patience):
		require.FailNow(t, "Firefox does not start")
		return ""
	}
}

func (b *browser) read() {
	for {
		var a answer
		err := b.conn.ReadJSON(&a)
		b.mu.Lock()
		if err != nil {
			for _, w := range b.waiting {
				close(w)
			}
			b.waiting = nil
			b.mu.Unlock()
			return
		}
		if w := b.waiting[a.ID]; w != nil && a.Type != "event" {
			w <- a
			delete(b.waiting, a.ID)
		}
		b.mu.Unlock()
	}
}

// call sends a command and decodes its result into out, unless that is nil.
func (b *browser) call(method string, params map[string]any, out any) {
	b.t.Helper()
	require.NoError(b.t, b.try(method, params, out))
}

func (b *browser) try(method string, params map[string]any, out any) error {
	b.mu.Lock()
	if b.waiting == nil {
		b.mu.Unlock()
		return errors.New("the browser has ended")
	}
	b.ids++
	w := make(chan answer, 1)
	b.waiting[b.ids] = w
	err := b.conn.WriteJSON(map[string]any{"id": b.ids, "method": method, "params": params})
	b.mu.Unlock()
	if err != nil {
		return err
	}
	select {
	case a, ok := <-w:
		switch {
		case !ok:
			return errors.New("the browser has ended")
		case a.Type != "success":
			return fmt.Errorf("%s: %s: %s", method, a.Error, a.Message)
		case out == nil:
			return nil
		}
		return json.Unmarshal(a.Result, out)
	case <-time.After(patience):
		return fmt.Errorf("%s: no answer", method)
	}
}

// open goes to a page and waits until it has loaded.
func (b *browser) open(url string) {
	b.t.Helper()
	b.call("browsingContext.navigate", map[string]any{"context": b.context, "url": url, "wait": "complete"}, nil)
}

// eval runs the body of an async function in the page and decodes what it returns into out.
func (b *browser) eval(body string, out any) {
	b.t.Helper()
	var result struct {
		Type             string
		Result           struct{ Value string }
		ExceptionDetails struct{ Text string }
	}
	b.call("script.evaluate", map[string]any{
		"expression":   "(async () => JSON.stringify((await (async () => {" + body + "})()) ?? null))()",
		"target":       map[string]any{"context": b.context},
		"awaitPromise": true,
	}, &result)
	require.Equal(b.t, "success", result.Type, result.ExceptionDetails.Text)
	if out != nil {
		require.NoError(b.t, json.Unmarshal([]byte(result.Result.Value), out), result.Result.Value)
	}
}
