package site

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
)

// Site is a running web server with the pages. The same pages are found under any visit's
// name: to the browser's caches each visit is a place that it has never been to.
type Site struct {
	http     *http.Server
	listener net.Listener
	files    map[string]file

	mu      sync.Mutex
	visits  int
	sent    map[string]int // bytes of bodies, by visit
	reports map[string]chan []byte
}

// Start bundles the pages and serves them on a free port of the loopback interface. root is the
// project's folder.
func Start(root string) (*Site, error) {
	files, err := bundle(root)
	if err != nil {
		return nil, err
	}
	built, err := library(filepath.Join(root, "js", "dist"), "kiiweb")
	if err != nil {
		return nil, err
	}
	for name, f := range built {
		files[name] = f
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &Site{listener: listener, files: files, sent: make(map[string]int), reports: make(map[string]chan []byte)}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{visit}/{rest...}", s.serve)
	mux.HandleFunc("POST /{visit}/report", s.report)
	s.http = &http.Server{Handler: mux}
	go func() { _ = s.http.Serve(listener) }()
	return s, nil
}

// AddBefore serves another build of kiiweb, the folder dist, with a page of its own: "before". It is to be called
// before the first visit.
func (s *Site) AddBefore(dist string) error {
	built, err := library(dist, "kiiweb-before")
	if err != nil {
		return err
	}
	maps.Copy(s.files, built)
	script := bytes.ReplaceAll(s.files["kiiweb/page.js"].plain, []byte("../kiiweb/"), []byte("../kiiweb-before/"))
	s.files["before/page.js"] = compressed("page.js", script)
	return nil
}

// Close ends the server.
func (s *Site) Close() { _ = s.http.Close() }

// Visit is one place under which the pages are found.
type Visit struct {
	s    *Site
	name string
}

// Visit makes a place that the browser does not know.
func (s *Site) Visit() Visit {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.visits++
	v := Visit{s, "v" + strconv.Itoa(s.visits)}
	s.reports[v.name] = make(chan []byte, 16)
	return v
}

// Page is the URL of a client's page.
func (v Visit) Page(client string) string {
	return fmt.Sprintf("http://%s/%s/%s/", v.s.listener.Addr(), v.name, client)
}

// Sent is how many bytes of bodies, compressed where they were, have been sent from here.
func (v Visit) Sent() int {
	v.s.mu.Lock()
	defer v.s.mu.Unlock()
	return v.s.sent[v.name]
}

// Reports gives what pages of this visit have posted.
func (v Visit) Reports() <-chan []byte {
	v.s.mu.Lock()
	defer v.s.mu.Unlock()
	return v.s.reports[v.name]
}

// serve sends a file. All may be cached for ever; a page is alone in its world, which gives
// it the finer clock (5 microseconds in place of 100).
func (s *Site) serve(w http.ResponseWriter, r *http.Request) {
	rest := r.PathValue("rest")
	f, found := s.files[rest]
	if strings.HasSuffix(rest, "/") {
		f, found = file{kind: kinds[".html"], plain: page}, s.known(rest)
	}
	if !found {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Type", f.kind)
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Embedder-Policy", "require-corp")
	body := f.plain
	if f.brotli != nil && strings.Contains(r.Header.Get("Accept-Encoding"), "br") {
		body = f.brotli
		h.Set("Content-Encoding", "br")
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	n, _ := w.Write(body)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sent[r.PathValue("visit")] += n
}

func (s *Site) known(folder string) bool {
	_, found := s.files[folder+"page.js"]
	return found
}

func (s *Site) report(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	s.mu.Lock()
	reports, known := s.reports[r.PathValue("visit")]
	s.mu.Unlock()
	if err != nil || !known {
		http.NotFound(w, r)
		return
	}
	select {
	case reports <- body:
		w.WriteHeader(http.StatusNoContent)
	default:
		http.Error(w, "too many reports", http.StatusTooManyRequests)
	}
}
