package main

import (
	"context"
	"encoding/json"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var someFacts = facts{AppID: "demo", AppKey: "demo-key", BaseURL: "/api", CA: "/data/ca.pem"}

func openSite(t *testing.T, webDir, dist string) *site {
	t.Helper()
	s, err := newSite(webDir, dist)
	require.NoError(t, err)
	s.announce(someFacts, contentPolicy("localhost", 8080, 8443))
	return s
}

func TestSiteServesThePage(t *testing.T) {
	s := openSite(t, "", t.TempDir())
	r := get(s, "/")
	assert.Equal(t, http.StatusOK, r.StatusCode)
	assert.Equal(t, "text/html; charset=utf-8", r.Header.Get("Content-Type"))
	assert.Contains(t, body(t, r), `id="start-push"`)

	for header, value := range map[string]string{
		"X-Content-Type-Options":       "nosniff",
		"X-Frame-Options":              "DENY",
		"Referrer-Policy":              "no-referrer",
		"Cross-Origin-Resource-Policy": "same-origin",
		"Content-Security-Policy": "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; style-src 'self'; " +
			"img-src 'self' data:; connect-src 'self' ws://localhost:8080 wss://localhost:8443; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
	} {
		assert.Equal(t, value, r.Header.Get(header), header)
	}
	assert.Equal(t, http.StatusNotFound, get(s, "/nothing").StatusCode)
}

// What the page's policy forbids would fail only in a browser, and each file needs a type.
func TestEmbeddedFilesFitThePolicy(t *testing.T) {
	err := fs.WalkDir(embedded, "web", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		assert.NotEmpty(t, contentTypes[path.Ext(name)], "a content type for %s", name)
		data, err := embedded.ReadFile(name)
		text := string(data)
		for _, forbidden := range []string{"<style", " style=", "onclick=", "innerHTML", "eval(", "https://", "//cdn"} {
			assert.NotContains(t, text, forbidden, name)
		}
		return err
	})
	require.NoError(t, err)
}

func TestEveryIDInThePageIsUsedOnce(t *testing.T) {
	page, err := embedded.ReadFile("web/index.html")
	require.NoError(t, err)
	seen := map[string]bool{}
	for i, part := range strings.Split(string(page), ` id="`) {
		if i == 0 {
			continue
		}
		id, _, _ := strings.Cut(part, `"`)
		assert.False(t, seen[id], "#%s twice", id)
		seen[id] = true
	}
	scripts, err := fs.Glob(embedded, "web/*.js")
	require.NoError(t, err)
	for _, name := range scripts {
		text, err := embedded.ReadFile(name)
		require.NoError(t, err)
		for i, part := range strings.Split(string(text), `$("`) {
			if id, _, ok := strings.Cut(part, `")`); i > 0 && ok {
				assert.True(t, seen[id], "%s uses #%s, which the page does not have", name, id)
			}
		}
	}
}

func TestSiteServesAFolderInsteadWhileEditing(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "index.html", "edited")
	assert.Equal(t, "edited", body(t, get(openSite(t, dir, t.TempDir()), "/")))

	_, err := newSite(filepath.Join(dir, "absent"), "dist")
	assert.Error(t, err)
	_, err = newSite(filepath.Join(dir, "index.html"), "dist")
	assert.ErrorContains(t, err, "not a folder")
}

func TestSiteServesTheLibrary(t *testing.T) {
	dist := t.TempDir()
	s := openSite(t, "", dist)

	t.Run("before the build the answer names it", func(t *testing.T) {
		for _, target := range []string{"/kiiweb/kiiweb.mjs", "/kiiweb/kiiweb.wasm"} {
			r := get(s, target)
			assert.Equal(t, http.StatusNotFound, r.StatusCode)
			assert.Contains(t, body(t, r), "make build")
		}
		assert.Contains(t, factsFrom(t, s, "127.0.0.1:5000").Notice, "make build")
	})
	t.Run("a build is seen without a restart", func(t *testing.T) {
		write(t, dist, "kiiweb.mjs", "export {}", "kiiweb.wasm", "module")
		r := get(s, "/kiiweb/kiiweb.wasm")
		assert.Equal(t, http.StatusOK, r.StatusCode)
		assert.Equal(t, "application/wasm", r.Header.Get("Content-Type"))
		assert.Equal(t, "module", body(t, r))
		assert.Empty(t, factsFrom(t, s, "127.0.0.1:5000").Notice)
	})
	t.Run("pages of other origins may load it", func(t *testing.T) {
		r := get(s, "/kiiweb/kiiweb.mjs")
		assert.Equal(t, "*", r.Header.Get("Access-Control-Allow-Origin"))
		assert.Equal(t, "cross-origin", r.Header.Get("Cross-Origin-Resource-Policy"))
		assert.Equal(t, "nosniff", r.Header.Get("X-Content-Type-Options"))
	})
}

func factsFrom(t *testing.T, s *site, remote string) facts {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, "/demo.json", nil)
	r.RemoteAddr = remote
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	require.Equal(t, http.StatusOK, w.Code)
	assert.Equal(t, "application/json", w.Header().Get("Content-Type"))
	assert.Equal(t, "no-store", w.Header().Get("Cache-Control"))
	var f facts
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &f))
	return f
}

func TestFacts(t *testing.T) {
	dist := t.TempDir()
	write(t, dist, "kiiweb.mjs", "export {}", "kiiweb.wasm", "module")
	s := openSite(t, "", dist)
	cases := []struct{ name, remote, ca string }{
		{"this machine is told where the certificate lies", "127.0.0.1:5000", "/data/ca.pem"},
		{"over IPv6 too", "[::1]:5000", "/data/ca.pem"},
		{"another machine is not", "192.168.1.7:5000", ""},
		{"nor is an address that cannot be read", "somewhere", ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			assert.Equal(t, facts{AppID: "demo", AppKey: "demo-key", BaseURL: "/api", CA: c.ca, Metrics: c.ca != ""}, factsFrom(t, s, c.remote))
		})
	}
}

func TestRequestsBeforeTheCloudListensWait(t *testing.T) {
	s, err := newSite("", t.TempDir())
	require.NoError(t, err)

	t.Run("until the client gives up", func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		w := httptest.NewRecorder()
		s.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil).WithContext(ctx))
		assert.Zero(t, w.Body.Len())
	})
	t.Run("or until it does", func(t *testing.T) {
		status := make(chan int)
		go func() { status <- get(s, "/").StatusCode }()
		s.announce(someFacts, contentPolicy("localhost", 1, 2))
		assert.Equal(t, http.StatusOK, <-status)
	})
}

func TestSocketSources(t *testing.T) {
	cases := []struct {
		name, host string
		ws, wss    int
		want       []string
	}{
		{"a name", "push.example.com", 80, 443, []string{"ws://push.example.com:80", "wss://push.example.com:443"}},
		{"TLS alone", "localhost", 0, 8443, []string{"wss://localhost:8443"}},
		{"an IPv6 address cannot be named", "::1", 80, 443, []string{"ws:", "wss:"}},
		{"no host known", "", 80, 443, []string{"ws:", "wss:"}},
		{"no ports", "localhost", 0, 0, nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			assert.Equal(t, c.want, socketSources(c.host, c.ws, c.wss))
		})
	}
}
