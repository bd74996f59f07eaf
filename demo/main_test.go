package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/pkg/kiicloud"
)

// runAsDemo makes the test program run as the command itself.
const runAsDemo = "KIIWEB_RUN_AS_DEMO"

// patience bounds what a process may take on a busy machine; nothing waits that long
// when it works.
const patience = 60 * time.Second

func TestMain(m *testing.M) {
	if os.Getenv(runAsDemo) != "" {
		os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

// process is the command running on its own.
type process struct {
	cmd    *exec.Cmd
	stdout *bufio.Reader
	stderr *bytes.Buffer // to be read after the end
}

func startProcess(t *testing.T, args ...string) *process {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	p := &process{cmd: exec.CommandContext(ctx, self, args...), stderr: &bytes.Buffer{}}
	p.cmd.Env = append(os.Environ(), runAsDemo+"=1")
	p.cmd.Stderr = p.stderr
	out, err := p.cmd.StdoutPipe()
	require.NoError(t, err)
	p.stdout = bufio.NewReader(out)
	require.NoError(t, p.cmd.Start())
	return p
}

// onFreePorts are the flags for a cloud that disturbs nobody.
func onFreePorts(t *testing.T) []string {
	args := []string{"-data", t.TempDir()}
	for _, name := range []string{"-http", "-https", "-mqtt", "-mqtts"} {
		args = append(args, name, "127.0.0.1:0")
	}
	return args
}

// ready reads the one line that the command prints when it listens.
func (p *process) ready(t *testing.T) map[string]any {
	t.Helper()
	line, err := p.stdout.ReadString('\n')
	require.NoError(t, err, "the ready line; on standard error: %s", p.stderr)
	text, ok := strings.CutPrefix(line, "ready ")
	require.True(t, ok, line)
	var r map[string]any
	require.NoError(t, json.Unmarshal([]byte(text), &r))
	return r
}

// end waits for the process and gives its exit code and what else it printed.
func (p *process) end(t *testing.T) (code int, stdout string) {
	t.Helper()
	rest, err := io.ReadAll(p.stdout)
	require.NoError(t, err)
	err = p.cmd.Wait()
	var failed *exec.ExitError
	if err != nil {
		require.ErrorAs(t, err, &failed)
	}
	return p.cmd.ProcessState.ExitCode(), string(rest)
}

func TestTheCommandServesAndStopsOnASignal(t *testing.T) {
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		t.Run(signal.String(), func(t *testing.T) {
			p := startProcess(t, append(onFreePorts(t), "-kiiweb", t.TempDir())...)
			r := p.ready(t)
			for _, name := range []string{"portTCP", "portSSL", "portWS", "portWSS"} {
				assert.Greater(t, r[name], 0.0, name)
			}
			assert.Equal(t, r["http"].(string)+"/api", r["api"])
			checkServed(t, r)

			require.NoError(t, p.cmd.Process.Signal(signal))
			code, rest := p.end(t)
			assert.Equal(t, 0, code, p.stderr)
			assert.Empty(t, rest, "the ready line is the only one on standard output")
			checkFriendly(t, p.stderr.String(), r)
		})
	}
}

// checkServed asks the running command for the page and the facts.
func checkServed(t *testing.T, ready map[string]any) {
	t.Helper()
	base := ready["http"].(string)
	page, err := http.Get(base + "/")
	require.NoError(t, err)
	defer page.Body.Close()
	assert.Equal(t, http.StatusOK, page.StatusCode)
	assert.Contains(t, page.Header.Get("Content-Security-Policy"), "frame-ancestors 'none'")
	assert.Contains(t, body(t, page), "<title>kiiweb demo</title>")

	answer, err := http.Get(base + "/demo.json")
	require.NoError(t, err)
	defer answer.Body.Close()
	text := body(t, answer)
	var f facts
	require.NoError(t, json.Unmarshal([]byte(text), &f))
	assert.Equal(t, ready["appID"], f.AppID)
	assert.Equal(t, ready["appKey"], f.AppKey)
	assert.Equal(t, "/api", f.BaseURL)
	assert.FileExists(t, f.CA)
	assert.NotContains(t, text, ready["clientSecret"], "the administrator's secret is nobody else's")
}

// checkFriendly reads what people are told.
func checkFriendly(t *testing.T, stderr string, ready map[string]any) {
	t.Helper()
	port := ready["http"].(string)[strings.LastIndex(ready["http"].(string), ":"):]
	portTLS := ready["https"].(string)[strings.LastIndex(ready["https"].(string), ":"):]
	assert.Contains(t, stderr, "Open  http://localhost"+port+" ")
	assert.Contains(t, stderr, "Or    https://localhost"+portTLS+" ")
	assert.Contains(t, stderr, "make build", "the library is not built in this test")
	assert.NotContains(t, stderr, ready["clientSecret"])
}

func TestTheCommandRefusesWrongUse(t *testing.T) {
	cases := []struct {
		name string
		args []string
		code int
		says string
	}{
		{"an unknown flag", []string{"-nonsense"}, exitUsage, "nonsense"},
		{"a time without a unit", []string{"-token-ttl", "5"}, exitUsage, "how long an access token is good at most"},
		{"a proxy that is none", []string{"-trust-proxy", "foo"}, exitUsage, "address or range of a reverse proxy"},
		{"a level that is none", []string{"-log-level", "loud"}, exitUsage, "debug, info, warn, error"},
		{"an argument", []string{"serve"}, exitUsage, "unexpected argument serve"},
		{"a page folder that is not there", []string{"-web", "/nothing/here"}, exitFailed, "/nothing/here"},
		{"help", []string{"-help"}, 0, "-kiiweb"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			p := startProcess(t, append(onFreePorts(t), c.args...)...)
			code, stdout := p.end(t)
			assert.Equal(t, c.code, code)
			assert.Empty(t, stdout)
			assert.Contains(t, p.stderr.String(), c.says)
			if code != exitUsage {
				return
			}
			assert.Less(t, strings.Count(p.stderr.String(), "\n"), 7, "what is wrong stays on the screen: %s", p.stderr)
		})
	}
}

func TestStop(t *testing.T) {
	quiet := slog.New(slog.DiscardHandler)
	t.Run("cleanly", func(t *testing.T) {
		assert.Equal(t, 0, stop(func(context.Context) error { return nil }, stopTime, nil, quiet))
	})
	t.Run("with an error", func(t *testing.T) {
		assert.Equal(t, exitFailed, stop(func(context.Context) error { return errors.New("stuck") }, stopTime, nil, quiet))
	})
	t.Run("at once at the second signal", func(t *testing.T) {
		signals := make(chan os.Signal, 1)
		signals <- syscall.SIGINT
		released := make(chan struct{})
		code := stop(func(ctx context.Context) error { <-ctx.Done(); close(released); return ctx.Err() }, stopTime, signals, quiet)
		assert.Equal(t, exitInterrupted, code)
		<-released // what was stopped is told to give up
	})
}

func TestGreet(t *testing.T) {
	const plain, secure, ca = "http://127.0.0.1:8080", "https://127.0.0.1:8443", "/data/ca.pem"
	cases := []struct {
		name     string
		r        kiicloud.Ready
		host     string
		notice   string
		contains []string
		lacks    string
	}{
		{
			"on this machine plain HTTP comes first", kiicloud.Ready{HTTP: plain, HTTPS: secure, CA: ca}, "localhost", "",
			[]string{"Open  http://localhost:8080 ", "Or    https://localhost:8443 ", ca, "Ctrl+C"}, "NOTE",
		},
		{
			"for others TLS is the way", kiicloud.Ready{HTTP: "http://localhost:8080", HTTPS: "https://localhost:8443"}, "push.example.com", "",
			[]string{"Open  https://push.example.com:8443 ", "the one you gave"}, "Open  http:",
		},
		{
			"TLS alone", kiicloud.Ready{HTTPS: secure, CA: ca}, "localhost", "",
			[]string{"Open  https://localhost:8443 ", ca}, "http:",
		},
		{
			"plain HTTP alone", kiicloud.Ready{HTTP: plain}, "localhost", "",
			[]string{"Open  http://localhost:8080 "}, "https:",
		},
		{
			"plain HTTP alone for others", kiicloud.Ready{HTTP: "http://192.168.1.7:80"}, "192.168.1.7", "",
			[]string{"Open  http://192.168.1.7:80 ", "without -https"}, "https:",
		},
		{
			"IPv6", kiicloud.Ready{HTTP: "http://[::1]:8080"}, "::1", "",
			[]string{"Open  http://[::1]:8080 "}, "https:",
		},
		{
			"what is missing is said", kiicloud.Ready{HTTP: plain}, "localhost", "Run `make build`.",
			[]string{"NOTE", "make build"}, "https:",
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var b strings.Builder
			greet(&b, c.r, c.host, c.notice)
			for _, want := range c.contains {
				assert.Contains(t, b.String(), want)
			}
			assert.NotContains(t, b.String(), c.lacks)
		})
	}
}

func TestReportSaysWhenNobodyReads(t *testing.T) {
	assert.ErrorIs(t, report(failing{}, kiicloud.Ready{}), io.ErrClosedPipe)
}

// failing is a standard output that nobody reads any more.
type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }
