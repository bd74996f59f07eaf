package browser

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/kiiweb/kiiweb/tests/browser/chrome"
)

// startTimeout is how long Chromium may take to start, on a machine that is busy.
const startTimeout = time.Minute

// Browser is one Chromium process with a user data folder of its own.
type Browser struct {
	cmd    *exec.Cmd
	data   string
	conn   *conn
	exited chan struct{}
}

// switches keep Chromium from doing what no page asked for, and from slowing pages down
// that nobody looks at. Pages run as for a user: neither the sandbox nor the GPU matters to
// what is measured, and the sandbox does not start everywhere.
var switches = []string{
	"--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--no-default-browser-check",
	"--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-extensions",
	"--disable-background-timer-throttling", "--disable-backgrounding-occluded-windows", "--disable-renderer-backgrounding",
	"--disable-features=SpareRendererForSitePerProcess", // so that a tab's renderer comes with the tab
	"--disable-dev-shm-usage", "--metrics-recording-only", "--mute-audio", "--remote-debugging-port=0",
}

// Start runs Chromium.
func Start() (*Browser, error) {
	path, err := chrome.Find()
	if err != nil {
		return nil, err
	}
	data, err := os.MkdirTemp("", "kiiweb-bench-")
	if err != nil {
		return nil, err
	}
	b := &Browser{data: data, exited: make(chan struct{})}
	b.cmd = exec.Command(path, append(switches, "--user-data-dir="+data, "about:blank")...)
	said, err := b.cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := b.cmd.Start(); err != nil {
		return nil, err
	}
	address := make(chan string, 1)
	go func() {
		lines := bufio.NewScanner(said)
		for lines.Scan() {
			if url, ok := strings.CutPrefix(lines.Text(), "DevTools listening on "); ok {
				address <- url
			}
		}
		_ = b.cmd.Wait()
		close(b.exited)
	}()
	select {
	case url := <-address:
		b.conn, err = dial(url)
	case <-b.exited:
		err = errors.New("Chromium ended while it started")
	case <-time.After(startTimeout):
		err = fmt.Errorf("Chromium did not start within %v", startTimeout)
	}
	if err != nil {
		b.Close()
		return nil, err
	}
	return b, nil
}

// Close ends Chromium and removes its data.
func (b *Browser) Close() {
	if b.conn != nil {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		_ = b.conn.call(ctx, "", "Browser.close", nil, nil)
		cancel()
	}
	select {
	case <-b.exited:
	case <-time.After(10 * time.Second):
		_ = b.cmd.Process.Kill()
		<-b.exited
	}
	if b.conn != nil {
		b.conn.close()
	}
	for range 50 { // its processes live, and write, a moment longer than it does
		if os.RemoveAll(b.data) == nil {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// Version is the browser's name and version.
func (b *Browser) Version(ctx context.Context) (string, error) {
	var v struct{ Product string }
	err := b.conn.call(ctx, "", "Browser.getVersion", nil, &v)
	return v.Product, err
}

// Processes gives the process ids of all of the browser's processes.
func (b *Browser) Processes(ctx context.Context) ([]int, error) {
	return b.processes(ctx, func(string) bool { return true })
}

// renderers gives the process ids of the renderers.
func (b *Browser) renderers(ctx context.Context) ([]int, error) {
	return b.processes(ctx, func(kind string) bool { return kind == "renderer" })
}

func (b *Browser) processes(ctx context.Context, fits func(kind string) bool) ([]int, error) {
	var info struct {
		ProcessInfo []struct {
			Type string
			ID   int
		}
	}
	if err := b.conn.call(ctx, "", "SystemInfo.getProcessInfo", nil, &info); err != nil {
		return nil, err
	}
	var pids []int
	for _, p := range info.ProcessInfo {
		if fits(p.Type) {
			pids = append(pids, p.ID)
		}
	}
	return pids, nil
}
