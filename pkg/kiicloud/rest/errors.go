package rest

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"
	"time"
)

// failure is an answer that is not a success. It never carries what only the log may see.
type failure struct {
	status  int
	code    string // errorCode
	message string
	extra   map[string]any // further fields of the body
	header  http.Header
}

// Error gives code and message.
func (f *failure) Error() string { return f.code + ": " + f.message }

func fail(status int, code, message string) *failure {
	return &failure{status: status, code: code, message: message, extra: map[string]any{}, header: http.Header{}}
}

// with adds a field to the body.
func (f *failure) with(key string, value any) *failure {
	f.extra[key] = value
	return f
}

// The failures that more than one handler has.

func invalidInput(message string) *failure {
	return fail(http.StatusBadRequest, "INVALID_INPUT_DATA", message)
}

func unauthorized(message string) *failure {
	f := fail(http.StatusUnauthorized, "UNAUTHORIZED", message)
	f.header.Set("WWW-Authenticate", "Bearer")
	return f
}

func forbidden(code, message string) *failure {
	return fail(http.StatusForbidden, code, message)
}

func notFound(code, message string) *failure {
	return fail(http.StatusNotFound, code, message)
}

func invalidGrant(why string) *failure {
	return fail(http.StatusBadRequest, "invalid_grant", why).with("error", "invalid_grant").with("error_description", why)
}

func internalError() *failure {
	return fail(http.StatusInternalServerError, "INTERNAL_SERVER_ERROR", "The server could not do this; its log says why. Try again later.")
}

// retryAfter tells the client in header and body when to ask again, in whole seconds.
func (f *failure) retryAfter(d time.Duration) *failure {
	s := max(1, int((d+time.Second-1)/time.Second))
	f.header.Set("Retry-After", strconv.Itoa(s))
	return f.with("retryAfter", s)
}

func (f *failure) write(w http.ResponseWriter) {
	body := map[string]any{"errorCode": f.code, "message": f.message}
	for k, v := range f.extra {
		body[k] = v
	}
	for k, v := range f.header {
		w.Header()[k] = v
	}
	writeJSON(w, f.status, "application/json", body)
}

// writeJSON answers with v. No '%' leaves as such: clients exist that run
// decodeURIComponent over the whole text, and one from a user's name would break them.
func writeJSON(w http.ResponseWriter, status int, contentType string, v any) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic(err) // only our own types come here
	}
	body := bytes.ReplaceAll(bytes.TrimRight(buf.Bytes(), "\n"), []byte("%"), []byte(`\u0025`))
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	w.Write(body)
}
