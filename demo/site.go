package main

import (
	"embed"
	"encoding/json"
	"errors"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
)

//go:embed web
var embedded embed.FS

// facts is what the page is told about the cloud. None of it is secret: the app's key
// identifies the app and opens nothing by itself.
type facts struct {
	AppID   string `json:"appID"`
	AppKey  string `json:"appKey"`
	BaseURL string `json:"baseURL"`          // relative: the page uses the origin that it came from
	CA      string `json:"ca,omitempty"`     // certificate file for curl; told to this machine alone
	Metrics bool   `json:"metrics"`          // whether the page may read /metrics, as pages on this machine may
	Notice  string `json:"notice,omitempty"` // what is wrong with the setup, in a sentence
}

// site is everything that the demo serves beside the cloud's own paths: the page at /,
// the library at /kiiweb/ and /demo.json.
type site struct {
	mux  *http.ServeMux
	dist string // where the library was built to

	once   sync.Once
	open   chan struct{} // closed when the three below are set
	facts  facts
	policy string
}

// newSite serves the page from webDir, or the copy inside the program when that is "",
// and the library from dist.
func newSite(webDir, dist string) (*site, error) {
	page, err := pageFiles(webDir)
	if err != nil {
		return nil, err
	}
	s := &site{mux: http.NewServeMux(), dist: dist, open: make(chan struct{})}
	library := newStatic(folder(dist), s.missing)
	s.mux.Handle("/", newStatic(page, nil))
	s.mux.HandleFunc("GET /demo.json", s.serveFacts)
	s.mux.Handle("/kiiweb/", http.StripPrefix("/kiiweb", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		share(w.Header())
		library.ServeHTTP(w, r)
	})))
	return s, nil
}

func pageFiles(webDir string) (fs.FS, error) {
	if webDir == "" {
		return fs.Sub(embedded, "web")
	}
	info, err := os.Stat(webDir)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return nil, errors.New("-web " + webDir + " is not a folder")
	}
	return folder(webDir), nil
}

// announce gives the site what is known only once the cloud listens. Requests that
// came earlier wait for it.
func (s *site) announce(f facts, policy string) {
	s.once.Do(func() {
		s.facts, s.policy = f, policy
		close(s.open)
	})
}

// ServeHTTP implements http.Handler.
func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	select {
	case <-s.open:
	case <-r.Context().Done():
		return
	}
	protect(w.Header())
	w.Header().Set("Content-Security-Policy", s.policy)
	s.mux.ServeHTTP(w, r)
}

func (s *site) serveFacts(w http.ResponseWriter, r *http.Request) {
	f := s.facts
	f.Notice = s.notice()
	f.Metrics = sameMachine(r.RemoteAddr)
	if !f.Metrics {
		f.CA = ""
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(w).Encode(f) // fails only when the client has gone
}

// sameMachine tells whether an address of a client is this machine's loopback.
func sameMachine(remote string) bool {
	host, _, err := net.SplitHostPort(remote)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// notice says what to do when the library has not been built, and "" when it has.
func (s *site) notice() string {
	for _, name := range []string{"kiiweb.wasm", "kiiweb.mjs"} {
		if _, err := os.Stat(filepath.Join(s.dist, name)); err != nil {
			return s.missing(name)
		}
	}
	return ""
}

func (s *site) missing(name string) string {
	return name + " is not built. Run `make build`, then reload the page."
}
