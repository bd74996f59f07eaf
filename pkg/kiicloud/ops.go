package kiicloud

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"
)

const (
	// readyTimeout is how long the store and RabbitMQ may take to show that they can be used.
	readyTimeout = 3 * time.Second
	// readyFor is how long what they showed is told to whoever asks: anybody may, and it takes a write.
	readyFor = 250 * time.Millisecond
)

// ops answers those who look after the cloud:
//
//	/healthz  the process lives
//	/readyz   it can serve: the store reads and writes, RabbitMQ answers, and it is not stopping
//	/metrics  what it counts, for Prometheus
//
// The first two tell nothing that a client could not find out. Metrics are for programs of this
// machine, and for who knows the token.
type ops struct {
	metrics http.Handler
	token   string // "" where nobody from elsewhere may read metrics
	check   func(context.Context) error
	stopped func() bool
	warn    func(error)

	good   time.Duration // how long an answer is
	asking chan struct{} // holds one element while somebody finds out, or looks at what was found
	asked  time.Time     // when that was; guarded by asking
	found  error         // guarded by asking
}

func newOps(metrics http.Handler, token string, check func(context.Context) error, stopped func() bool, warn func(error)) *ops {
	return &ops{metrics: metrics, token: token, check: check, stopped: stopped, warn: warn, good: readyFor, asking: make(chan struct{}, 1)}
}

// serves tells whether a path is one of these.
func (*ops) serves(path string) bool {
	return path == "/healthz" || path == "/readyz" || path == "/metrics"
}

func (o *ops) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "This path is to be read.", http.StatusMethodNotAllowed)
		return
	}
	switch r.URL.Path {
	case "/metrics":
		if !fromThisMachine(r) && !o.knowsToken(r) {
			http.Error(w, "Metrics are for programs of the cloud's own machine, and for who sends -metrics-token as Authorization: Bearer.", http.StatusForbidden)
			return
		}
		o.metrics.ServeHTTP(w, r)
	case "/readyz":
		o.ready(w, r)
	default:
		_, _ = io.WriteString(w, "ok\n")
	}
}

func (o *ops) ready(w http.ResponseWriter, r *http.Request) {
	if o.stopped() {
		http.Error(w, "stopping", http.StatusServiceUnavailable)
		return
	}
	if err := o.findOut(r.Context()); err != nil {
		http.Error(w, "the store or the broker is not available; the log says more", http.StatusServiceUnavailable)
		return
	}
	_, _ = io.WriteString(w, "ready\n")
}

// findOut tells whether the store and the broker can be used, or could a moment ago. Of many who ask at once, one
// has them tried.
func (o *ops) findOut(ctx context.Context) error {
	// Not the caller's to cancel: others wait for it, too.
	trying, cancel := context.WithTimeout(context.WithoutCancel(ctx), readyTimeout)
	defer cancel()
	select {
	case o.asking <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	case <-trying.Done():
		return trying.Err()
	}
	defer func() { <-o.asking }()
	if time.Since(o.asked) < o.good {
		return o.found
	}
	if o.found = o.check(trying); o.found != nil {
		o.warn(o.found)
	}
	o.asked = time.Now()
	return o.found
}

// fromThisMachine tells of a request by a program of this machine. A proxy here would say for
// whom it asks; and a page can make a name of its own point here, but not be asked by the name
// localhost.
func fromThisMachine(r *http.Request) bool {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil || !peer.Addr().Unmap().IsLoopback() || r.Header.Get("X-Forwarded-For") != "" || r.Header.Get("Forwarded") != "" {
		return false
	}
	host, _, err := net.SplitHostPort(r.Host)
	if err != nil {
		host = r.Host
	}
	return loopbackHost(strings.Trim(host, "[]"))
}

func (o *ops) knowsToken(r *http.Request) bool {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	a, b := sha256.Sum256([]byte(strings.TrimSpace(token))), sha256.Sum256([]byte(o.token))
	return o.token != "" && strings.EqualFold(scheme, "Bearer") && subtle.ConstantTimeCompare(a[:], b[:]) == 1
}
