package rest

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"path"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/kiiweb/kiiweb/pkg/kiicloud/engine"
	"github.com/kiiweb/kiiweb/pkg/kiicloud/store"
)

// ServeHTTP answers one request.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	rec := &recorder{ResponseWriter: w, id: store.NewID()}
	defer a.finish(rec, r, time.Now())
	w.Header().Set("X-Request-ID", rec.id)      // which the log has, too
	w.Header().Set("Cache-Control", "no-store") // tokens and passwords are in the answers
	w.Header().Set("X-Content-Type-Options", "nosniff")
	if !a.cors(rec, r) {
		return
	}
	if r.ContentLength > MaxBody {
		tooLarge().write(rec)
		return
	}
	if hasDots(r.URL.EscapedPath()) {
		nothingHere().write(rec)
		return
	}
	r.Body = http.MaxBytesReader(rec, r.Body, MaxBody)
	a.mux.ServeHTTP(rec, tidyPath(r))
}

// finish turns a panic into an answer and writes the log line. The line has no query,
// header or body: those hold the secrets.
func (a *API) finish(rec *recorder, r *http.Request, began time.Time) {
	level := slog.LevelInfo
	if p := recover(); p != nil {
		if p == http.ErrAbortHandler {
			panic(p)
		}
		a.Logger.Error("panic in a request", "request", rec.id, "panic", p, "stack", string(debug.Stack()))
		if rec.status == 0 {
			internalError().write(rec)
		}
	}
	if rec.status >= 500 && rec.status != http.StatusServiceUnavailable {
		level = slog.LevelError
	}
	took := time.Since(began)
	if a.Observe != nil {
		a.Observe(rec.method, rec.route, rec.status, took)
	}
	a.Logger.Log(context.Background(), level, "request", "request", rec.id, "method", shortMethod(r.Method), "route", rec.route,
		"status", rec.status, "bytes", rec.bytes, "took", took.Round(time.Microsecond), "from", a.Proxies.clientAddress(r).String())
}

// shortMethod is a method for logs and answers: what no route knows may be as long as a request's header.
func shortMethod(method string) string { return method[:min(len(method), 16)] }

// explain makes a failure of any error; what is not one already is for the log alone.
func (a *API) explain(c *call, err error) *failure {
	r, id := c.r, requestID(c.w)
	var f *failure
	var full *store.FullError
	switch {
	case errors.As(err, &f):
		return f
	case errors.As(err, &full):
		return forbidden("LIMIT_REACHED", "There are "+strconv.Itoa(full.Limit)+" "+full.What+" already, which is as many as there may be: delete some first.").with("limit", full.Limit)
	case r.Context().Err() != nil: // nobody reads the answer any more
		return fail(http.StatusServiceUnavailable, "REQUEST_CANCELLED", "The request was cancelled.")
	case errors.Is(err, store.ErrNotText):
		return invalidInput("A text holds a NUL character or is not UTF-8.")
	case errors.Is(err, store.ErrUnavailable):
		a.Logger.Error("the store is not available", "request", id, "route", r.Pattern, "error", err)
		return fail(http.StatusServiceUnavailable, "SERVICE_UNAVAILABLE", "The server's database is not available; try again in a moment.").retryAfter(time.Second)
	case errors.Is(err, engine.ErrUnavailable), errors.Is(err, engine.ErrUnconfirmed):
		a.Logger.Error("the broker is not available", "request", id, "route", r.Pattern, "error", err)
		return fail(http.StatusServiceUnavailable, "SERVICE_UNAVAILABLE", "The server's message broker is not available; try again in a moment.").retryAfter(time.Second)
	case errors.Is(err, store.ErrClosed):
		return fail(http.StatusServiceUnavailable, "SERVICE_UNAVAILABLE", "The server is stopping; try again in a moment.").retryAfter(time.Second)
	case errors.Is(err, context.DeadlineExceeded): // of a time limit of our own
		a.Logger.Warn("a request waited too long", "request", id, "route", r.Pattern, "error", err)
		return fail(http.StatusServiceUnavailable, "SERVICE_UNAVAILABLE", "The server has too much to do; try again in a moment.").retryAfter(time.Second)
	default:
		a.Logger.Error("a request failed", "request", id, "route", r.Pattern, "error", err)
		return internalError()
	}
}

// hasDots tells of a path that climbs. The official SDK does not escape ids, so with ".." for
// a topic's name its request to delete the topic would be one to delete the user above.
func hasDots(escaped string) bool {
	for segment := range strings.SplitSeq(escaped, "/") {
		if segment == "." || segment == ".." {
			return true
		}
	}
	return false
}

// tidyPath removes double slashes and a slash at the end, which the mux would answer with a
// redirect that clients do not follow.
func tidyPath(r *http.Request) *http.Request {
	escaped := r.URL.EscapedPath()
	clean := path.Clean("/" + strings.TrimLeft(escaped, "/"))
	if clean == escaped {
		return r
	}
	plain, err := url.PathUnescape(clean)
	if err != nil {
		return r // the mux finds nothing there
	}
	tidy := r.Clone(r.Context())
	tidy.URL.Path, tidy.URL.RawPath = plain, clean
	return tidy
}

// recorder remembers what was answered, for the log.
type recorder struct {
	http.ResponseWriter
	id     string
	method string // of the route
	route  string
	status int
	bytes  int
}

// WriteHeader notes the status.
func (r *recorder) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}

// Write counts the bytes.
func (r *recorder) Write(b []byte) (int, error) {
	n, err := r.ResponseWriter.Write(b)
	r.bytes += n
	return n, err
}

// Unwrap lets the server reach the connection.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

func requestID(w http.ResponseWriter) string {
	if rec, ok := w.(*recorder); ok {
		return rec.id
	}
	return ""
}

func setRoute(w http.ResponseWriter, route Route) {
	if rec, ok := w.(*recorder); ok {
		rec.method, rec.route = route.Method, route.Pattern
	}
}
