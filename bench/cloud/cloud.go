// Package cloud runs the push cloud for measurements, as its users run it: built, and as a process of
// its own.
package cloud

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/kiiweb/kiiweb/pkg/kiicloud"
)

// Cloud is the push cloud.
type Cloud struct {
	Ready kiicloud.Ready // where it is, once started

	folder string // binary and data
	args   []string
	cmd    *exec.Cmd
	said   tail
	client *http.Client
}

// Build builds the cloud, which Start runs, with more of its flags where args has any.
func Build(ctx context.Context, root string, args ...string) (*Cloud, error) {
	folder, err := os.MkdirTemp("", "kiiweb-bench-cloud-")
	if err != nil {
		return nil, err
	}
	c := &Cloud{folder: folder, client: &http.Client{Timeout: time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: 32}}}
	const port = "127.0.0.1:0"
	c.args = append([]string{"-http", port, "-https", port, "-mqtt", port, "-mqtts", port, "-limit-register", "0",
		"-data", filepath.Join(folder, "data"), "-kiiweb", filepath.Join(root, "js", "dist")}, args...)
	build := exec.CommandContext(ctx, "go", "build", "-o", c.binary(), "./demo")
	build.Dir = root
	if said, err := build.CombinedOutput(); err != nil {
		c.Close()
		return nil, fmt.Errorf("building the cloud: %w\n%s", err, said)
	}
	return c, nil
}

func (c *Cloud) binary() string { return filepath.Join(c.folder, "cloud") }

// Start runs the cloud on free ports, with what it has stored before.
func (c *Cloud) Start() error {
	c.cmd = exec.Command(c.binary(), c.args...)
	c.cmd.Stderr = &c.said
	out, err := c.cmd.StdoutPipe()
	if err == nil {
		err = c.cmd.Start()
	}
	if err != nil {
		c.cmd = nil
		return fmt.Errorf("starting the cloud: %w", err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err == nil {
		err = json.Unmarshal([]byte(strings.TrimPrefix(line, "ready ")), &c.Ready)
	}
	if err != nil {
		c.Stop()
		return c.Explain(fmt.Errorf("starting the cloud: %w", err))
	}
	return nil
}

// PID is the process's.
func (c *Cloud) PID() int { return c.cmd.Process.Pid }

// Stop ends the process.
func (c *Cloud) Stop() {
	if c.cmd == nil {
		return
	}
	c.client.CloseIdleConnections()
	_ = c.cmd.Process.Signal(os.Interrupt)
	_ = c.cmd.Wait()
	c.cmd = nil
}

// Close ends the process and removes what it had.
func (c *Cloud) Close() {
	c.Stop()
	_ = os.RemoveAll(c.folder)
}

// Explain adds to an error what the cloud has logged last.
func (c *Cloud) Explain(err error) error {
	if said := c.said.String(); err != nil && said != "" {
		return fmt.Errorf("%w\nthe cloud said last:\n%s", err, said)
	}
	return err
}

// App is a path below the app's.
func (c *Cloud) App(path string) string { return "/apps/" + c.Ready.AppID + path }

// Do makes a request of Kii's REST API, with a media type of Kii's where kind names one. An error
// holds no more of it than its path.
func (c *Cloud) Do(ctx context.Context, method, path, token, kind string, body, out any) error {
	var content io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return err
		}
		content = bytes.NewReader(text)
	}
	r, err := http.NewRequestWithContext(ctx, method, c.Ready.API+path, content)
	if err != nil {
		return err
	}
	r.Header.Set("X-Kii-AppID", c.Ready.AppID)
	r.Header.Set("X-Kii-AppKey", c.Ready.AppKey)
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if kind != "" {
		r.Header.Set("Content-Type", "application/vnd.kii."+kind+"+json")
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	answer, err := c.client.Do(r)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }()
	got, err := io.ReadAll(answer.Body)
	switch {
	case err != nil:
		return err
	case answer.StatusCode/100 != 2:
		return fmt.Errorf("%s %s: status %d", method, path, answer.StatusCode)
	case out == nil:
		return nil
	}
	return json.Unmarshal(got, out)
}

// tail keeps the end of what is written to it.
type tail struct {
	mu sync.Mutex
	b  []byte
}

const tailMax = 4 << 10 // bytes

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.b = append(t.b, p...)
	if over := len(t.b) - tailMax; over > 0 {
		t.b = append(t.b[:0], t.b[over:]...)
	}
	return len(p), nil
}

// String is the end.
func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.b)
}
