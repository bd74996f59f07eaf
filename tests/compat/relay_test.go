package compat

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/tests/cloud"
)

// exchange is one request to the REST API, and its answer.
type exchange struct {
	method, path string // with the query
	header       http.Header
	body         string
	status       int
	answer       string
}

// relay serves pages with the libraries, and stands between them and a cloud: it writes down what
// passes, and answers in the cloud's place where it was told so.
type relay struct {
	*cloud.Cloud
	t   *testing.T
	url string

	mu        sync.Mutex
	exchanges []exchange
	canned    *answer
}

// answer is what a page has asked the relay to say in the cloud's place.
type answer struct {
	Status int
	Body   string
}

// bodyKey is under which a request's context holds its body.
type bodyKey struct{}

func newRelay(t *testing.T, args ...string) *relay {
	t.Helper()
	r := &relay{Cloud: cloud.Start(t, args...), t: t}
	to, err := url.Parse(r.Ready.HTTP)
	require.NoError(t, err)
	proxy := &httputil.ReverseProxy{
		Rewrite:        func(p *httputil.ProxyRequest) { p.SetURL(to) },
		ModifyResponse: r.record,
		ErrorHandler:   func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) },
	}
	mux := http.NewServeMux()
	mux.Handle("/kiiweb/", http.StripPrefix("/kiiweb/", http.FileServer(http.Dir(filepath.Join(cloud.Root(), "js", "dist")))))
	mux.Handle("/npm/", http.StripPrefix("/npm/", http.FileServer(http.Dir(filepath.Join(cloud.Root(), "tests", "sdk", "node_modules")))))
	mux.HandleFunc("POST /canned", r.setCanned)
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, `<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><title>compat</title>`)
	})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if strings.HasPrefix(q.URL.Path, "/api/") { // which ServeMux would clean
			r.pass(proxy, w, q)
			return
		}
		mux.ServeHTTP(w, q)
	}))
	t.Cleanup(server.Close)
	r.url = server.URL
	return r
}

// setCanned takes an answer, or null, to be given to all requests from now on.
func (r *relay) setCanned(_ http.ResponseWriter, q *http.Request) {
	var a *answer
	assert.NoError(r.t, json.NewDecoder(q.Body).Decode(&a))
	r.mu.Lock()
	defer r.mu.Unlock()
	r.canned = a
}

func (r *relay) pass(proxy http.Handler, w http.ResponseWriter, q *http.Request) {
	body, err := io.ReadAll(q.Body)
	if err != nil {
		return // the page has given up
	}
	q.Body = io.NopCloser(bytes.NewReader(body))
	q = q.WithContext(context.WithValue(q.Context(), bodyKey{}, string(body)))
	r.mu.Lock()
	canned := r.canned
	r.mu.Unlock()
	if canned == nil {
		proxy.ServeHTTP(w, q)
		return
	}
	r.add(q, string(body), canned.Status, canned.Body)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(canned.Status)
	_, _ = io.WriteString(w, canned.Body)
}

// record reads the whole answer before the page gets any of it: what has settled in the page is
// in the log.
func (r *relay) record(res *http.Response) error {
	said, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	res.Body = io.NopCloser(bytes.NewReader(said))
	body, _ := res.Request.Context().Value(bodyKey{}).(string)
	r.add(res.Request, body, res.StatusCode, string(said))
	return nil
}

func (r *relay) add(q *http.Request, body string, status int, said string) {
	path := strings.TrimPrefix(q.URL.RequestURI(), "/api")
	r.mu.Lock()
	defer r.mu.Unlock()
	r.exchanges = append(r.exchanges, exchange{q.Method, path, q.Header, body, status, said})
}

// drain gives what has passed since it was last called.
func (r *relay) drain() []exchange {
	r.mu.Lock()
	defer r.mu.Unlock()
	passed := r.exchanges
	r.exchanges = nil
	return passed
}

// count tells how much drain would give.
func (r *relay) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.exchanges)
}
