package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// write puts files, given as name and content in turn, into a folder, all of one age.
func write(t *testing.T, dir string, pairs ...string) {
	t.Helper()
	at := time.Now().Add(-time.Hour)
	for i := 0; i < len(pairs); i += 2 {
		name := filepath.Join(dir, pairs[i])
		require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o755))
		require.NoError(t, os.WriteFile(name, []byte(pairs[i+1]), 0o644))
		require.NoError(t, os.Chtimes(name, at, at))
	}
}

// get asks a handler, with headers given as name and value in turn.
func get(h http.Handler, target string, headers ...string) *http.Response {
	return ask(h, http.MethodGet, target, headers...)
}

func ask(h http.Handler, method, target string, headers ...string) *http.Response {
	r := httptest.NewRequest(method, "http://localhost/", nil)
	r.URL.Path = target // as it is: the router's clean-up must not be what protects the files
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func body(t *testing.T, r *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(r.Body)
	require.NoError(t, err)
	return string(b)
}

func library(t *testing.T) (*static, string) {
	dir := filepath.Join(t.TempDir(), "dist")
	write(t, dir,
		"kiiweb.wasm", "plain module", "kiiweb.wasm.br", "brotli module", "kiiweb.wasm.gz", "gzip module",
		"kiiweb.mjs", "export {}", "kiiweb.mjs.gz", "gzip script",
		"types/index.d.ts", "export {};", "index.html", "<!doctype html>", ".secret", "no", "sub/.git/config", "no")
	write(t, filepath.Dir(dir), "outside.txt", "outside")
	return newStatic(folder(dir), nil), dir
}

func TestStaticEncodings(t *testing.T) {
	files, _ := library(t)
	cases := []struct{ name, target, accept, encoding, kind, body string }{
		{"smallest first", "/kiiweb.wasm", "gzip, deflate, br", "br", "application/wasm", "brotli module"},
		{"gzip where brotli is not accepted", "/kiiweb.wasm", "gzip, deflate", "gzip", "application/wasm", "gzip module"},
		{"brotli refused", "/kiiweb.wasm", "br;q=0, gzip", "gzip", "application/wasm", "gzip module"},
		{"none accepted", "/kiiweb.wasm", "", "", "application/wasm", "plain module"},
		{"accepted but not built", "/kiiweb.mjs", "br", "", "text/javascript; charset=utf-8", "export {}"},
		{"the one that was built", "/kiiweb.mjs", "br, gzip", "gzip", "text/javascript; charset=utf-8", "gzip script"},
		{"declarations are text", "/types/index.d.ts", "br", "", "text/plain; charset=utf-8", "export {};"},
		{"the folder itself is its index", "/", "", "", "text/html; charset=utf-8", "<!doctype html>"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r := get(files, c.target, "Accept-Encoding", c.accept)
			assert.Equal(t, http.StatusOK, r.StatusCode)
			assert.Equal(t, c.encoding, r.Header.Get("Content-Encoding"))
			assert.Equal(t, c.kind, r.Header.Get("Content-Type"))
			assert.Equal(t, "Accept-Encoding", r.Header.Get("Vary"))
			assert.EqualValues(t, len(c.body), r.ContentLength)
			assert.Equal(t, c.body, body(t, r))
		})
	}
}

func TestStaticPassesOverAStaleEncoding(t *testing.T) {
	files, dir := library(t)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "kiiweb.wasm"), []byte("newer module"), 0o644))

	r := get(files, "/kiiweb.wasm", "Accept-Encoding", "br, gzip")
	assert.Empty(t, r.Header.Get("Content-Encoding"))
	assert.Equal(t, "newer module", body(t, r))
}

func TestStaticETag(t *testing.T) {
	files, dir := library(t)
	plain := get(files, "/kiiweb.wasm").Header.Get("ETag")
	brotli := get(files, "/kiiweb.wasm", "Accept-Encoding", "br").Header.Get("ETag")
	require.NotEmpty(t, plain)
	assert.NotEqual(t, plain, brotli, "each encoding is another representation")
	assert.Equal(t, plain, get(files, "/kiiweb.wasm").Header.Get("ETag"), "the same bytes keep their tag")

	t.Run("a known tag is answered with 304 and no body", func(t *testing.T) {
		r := get(files, "/kiiweb.wasm", "Accept-Encoding", "br", "If-None-Match", brotli)
		assert.Equal(t, http.StatusNotModified, r.StatusCode)
		assert.Equal(t, brotli, r.Header.Get("ETag"))
		assert.Equal(t, "Accept-Encoding", r.Header.Get("Vary"))
		assert.Empty(t, body(t, r))
	})
	t.Run("the tag of another encoding is not a known one", func(t *testing.T) {
		r := get(files, "/kiiweb.wasm", "Accept-Encoding", "br", "If-None-Match", plain)
		assert.Equal(t, http.StatusOK, r.StatusCode)
		assert.Equal(t, "brotli module", body(t, r))
	})
	t.Run("a new build gets a new tag", func(t *testing.T) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, "kiiweb.wasm"), []byte("another mod."), 0o644))
		r := get(files, "/kiiweb.wasm", "If-None-Match", plain)
		assert.Equal(t, http.StatusOK, r.StatusCode)
		assert.NotEqual(t, plain, r.Header.Get("ETag"))
		assert.Equal(t, "another mod.", body(t, r))
	})
}

func TestStaticMethods(t *testing.T) {
	files, _ := library(t)
	head := ask(files, http.MethodHead, "/kiiweb.wasm", "Accept-Encoding", "br")
	assert.Equal(t, http.StatusOK, head.StatusCode)
	assert.EqualValues(t, len("brotli module"), head.ContentLength)
	assert.Empty(t, body(t, head))
	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodOptions} {
		r := ask(files, method, "/kiiweb.wasm")
		assert.Equal(t, http.StatusMethodNotAllowed, r.StatusCode, method)
		assert.Equal(t, "GET, HEAD", r.Header.Get("Allow"), method)
	}
}

func TestStaticStaysInItsFolder(t *testing.T) {
	files, dir := library(t)
	require.NoError(t, os.Symlink(filepath.Join(filepath.Dir(dir), "outside.txt"), filepath.Join(dir, "link.txt")))
	for _, target := range []string{
		"/../outside.txt", "/sub/../../outside.txt", "/./kiiweb.wasm", "//etc/passwd", "/sub//x", `/..\outside.txt`,
		"/link.txt", "/.secret", "/sub/.git/config", "/sub", "/sub/", "/types", "/kiiweb.mjs/x", "/nothing.js", "/nul\x00.js",
	} {
		t.Run(target, func(t *testing.T) {
			r := get(files, target)
			assert.Equal(t, http.StatusNotFound, r.StatusCode)
			assert.NotContains(t, body(t, r), filepath.Dir(dir), "the answer does not tell where the folder is")
		})
	}
}
