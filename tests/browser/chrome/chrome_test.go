package chrome

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// blank serves empty pages, so that tabs have an origin.
func blank(t *testing.T) string {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte(`<!doctype html><link rel="icon" href="data:,"><title>blank</title>`))
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func TestTab(t *testing.T) {
	b, url := Start(t, Options{}), blank(t)

	t.Run("evaluates", func(t *testing.T) {
		tab := b.Tab(t)
		tab.Open(url)
		var got struct{ Title, Later string }
		tab.Eval(`(async () => ({ title: document.title, later: await Promise.resolve("yes") }))()`, &got)
		assert.Equal(t, "blank", got.Title)
		assert.Equal(t, "yes", got.Later)

		var failure *EvalError
		require.ErrorAs(t, tab.TryEval(opTimeout, `Promise.reject(new Error("no luck"))`, nil), &failure)
		assert.Contains(t, failure.Text, "no luck")
		require.ErrorAs(t, tab.TryEval(opTimeout, `nothingOfThatName`, nil), &failure)
		require.Error(t, tab.TryEval(opTimeout, `undefined`, &got))
		require.Error(t, tab.TryEval(50*time.Millisecond, `new Promise(() => {})`, nil))
		tab.AssertQuiet()
	})

	t.Run("collects what the page says", func(t *testing.T) {
		tab := b.Tab(t)
		tab.Open(url)
		tab.Eval(`console.log("hello", 1, { a: 1 }); console.warn("careful"); console.error("bad");
			setTimeout(() => { throw new Error("uncaught"); }); Promise.reject(new Error("unhandled"));
			fetch("http://127.0.0.1:1/").catch(() => 0);`, nil)
		require.Eventually(t, func() bool { return len(tab.Problems()) >= 4 }, time.Minute, 10*time.Millisecond)
		said := map[string]string{}
		for _, e := range tab.Console() {
			said[e.Kind] += e.Text + "\n"
		}
		assert.Contains(t, said["log"], "hello 1 {a: 1}")
		assert.Contains(t, said["warning"], "careful")
		assert.Contains(t, said["error"], "bad")
		assert.Contains(t, said["error"], "Failed to load resource")
		assert.Contains(t, said["exception"], "uncaught")
		assert.Contains(t, said["exception"], "unhandled")
	})

	t.Run("takes pictures", func(t *testing.T) {
		tab := b.Tab(t)
		tab.Open(url)
		path := filepath.Join(t.TempDir(), "sub", "page.png")
		tab.Screenshot(path)
		picture, err := os.ReadFile(path)
		require.NoError(t, err)
		assert.Equal(t, "\x89PNG", string(picture[:4]))
	})
}

func TestProfilesShareNothing(t *testing.T) {
	b, url := Start(t, Options{}), blank(t)
	one, other := b.Profile(t), b.Profile(t)
	writer, reader, stranger := one.Tab(), one.Tab(), other.Tab()
	for _, tab := range []*Tab{writer, reader, stranger} {
		tab.Open(url)
	}
	writer.Eval(`localStorage.setItem("key", "value")`, nil)
	var same, foreign *string
	reader.Eval(`localStorage.getItem("key")`, &same)
	stranger.Eval(`localStorage.getItem("key")`, &foreign)
	require.NotNil(t, same)
	assert.Equal(t, "value", *same)
	assert.Nil(t, foreign)
}

func TestTrust(t *testing.T) {
	server := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(server.Close)
	certificates, err := CertificatesOf(server.Listener.Addr().String())
	require.NoError(t, err)

	trusting := Start(t, Options{Trust: certificates}).Tab(t)
	trusting.Open(server.URL)
	var secure bool
	trusting.Eval(`isSecureContext && location.protocol === "https:"`, &secure)
	assert.True(t, secure)

	wary := Start(t, Options{}).Tab(t)
	require.ErrorContains(t, wary.TryOpen(server.URL), "ERR_CERT")
}

func TestPinsNeedACertificate(t *testing.T) {
	_, err := Pins([]byte("nothing"))
	require.Error(t, err)
}

func TestWasmTestsCanFail(t *testing.T) {
	test, b := BuildWasmTest(t, "./internal/jsx"), Start(t, Options{})
	for _, in := range []In{Page, Worker} {
		code, err := test.exitCode(t, b, in, nil, "-test.run=^TestFuncCountsAndReleases$")
		require.NoError(t, err)
		assert.Zero(t, code)
		code, err = test.exitCode(t, b, in, nil, "-test.nosuchflag")
		require.NoError(t, err)
		assert.Equal(t, 2, code, "the code that package flag ends a program with")
	}
}

func TestSwitches(t *testing.T) {
	always := []string{"--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--disable-sync"}
	unthrottled := []string{"--disable-background-timer-throttling", "--disable-backgrounding-occluded-windows",
		"--disable-renderer-backgrounding"}
	switches := func(o Options) []string {
		b := Start(t, o)
		line, err := browser.GetBrowserCommandLine().Do(b.executor())
		require.NoError(t, err)
		return line
	}
	usual := switches(Options{Flags: map[string]any{"lang": "ja"}})
	assert.Subset(t, usual, always)
	assert.Subset(t, usual, unthrottled)
	assert.Contains(t, usual, "--lang=ja")

	throttled := switches(Options{Throttling: true})
	assert.Subset(t, throttled, always)
	for _, name := range unthrottled {
		assert.NotContains(t, throttled, name)
	}
}

func TestFind(t *testing.T) {
	t.Setenv("CHROMIUM", "")
	t.Setenv("PATH", t.TempDir())
	_, err := Find()
	require.ErrorContains(t, err, "make deps")

	path := filepath.Join(t.TempDir(), "my-chromium")
	require.NoError(t, os.WriteFile(path, []byte("#!/bin/sh\n"), 0o755))
	t.Setenv("CHROMIUM", path)
	found, err := Find()
	require.NoError(t, err)
	assert.Equal(t, path, found)
}
