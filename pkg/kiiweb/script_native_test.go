//go:build !js

package kiiweb

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// tester is what the fakes need of a *testing.T; the example brings its own.
type tester interface {
	require.TestingT
	Helper()
	Logf(format string, args ...any)
	Cleanup(func())
	Failed() bool
}

// script is an HTTP server that gives one reply after the other and keeps what it was
// asked. A test fails when a request is missing or one too many. To script a new kind
// of answer, add a field to reply and write it in ServeHTTP.
type script struct {
	t       tester
	url     string
	replies []reply

	mu       sync.Mutex
	requests []seen
}

// reply is one scripted answer.
type reply struct {
	status int
	header map[string]string
	body   string
	hang   bool // no answer before the client gives up
	before func()
}

// seen is one request as it arrived.
type seen struct {
	method, uri string
	header      http.Header
	body        string
}

func serve(t tester, replies ...reply) *script {
	s := &script{t: t, replies: replies}
	server := httptest.NewServer(s)
	s.url = server.URL
	t.Cleanup(func() {
		server.Close()
		http.DefaultClient.CloseIdleConnections()
		if !t.Failed() {
			assert.Len(t, s.seen(), len(replies), "requests")
		}
	})
	return s
}

func (s *script) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	assert.NoError(s.t, err)
	s.mu.Lock()
	n := len(s.requests)
	s.requests = append(s.requests, seen{r.Method, r.RequestURI, r.Header.Clone(), string(body)})
	s.mu.Unlock()
	if n >= len(s.replies) {
		assert.Fail(s.t, "unexpected request", "%s %s", r.Method, r.RequestURI)
		w.WriteHeader(http.StatusTeapot)
		return
	}
	answer := s.replies[n]
	if answer.before != nil {
		answer.before()
	}
	if answer.hang {
		<-r.Context().Done()
		return
	}
	for name, value := range answer.header {
		w.Header().Set(name, value)
	}
	w.WriteHeader(answer.status)
	_, _ = io.WriteString(w, answer.body)
}

func (s *script) seen() []seen {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]seen(nil), s.requests...)
}

// client makes a client for the script that is logged in as the user u1.
func (s *script) client() *Client {
	c := s.stranger()
	_, err := c.UseToken(context.Background(), "tok-1", Owner{ID: "u1"})
	require.NoError(s.t, err)
	return c
}

// stranger makes a client that is not logged in, with a clock that stands still and
// pauses that are over at once.
func (s *script) stranger() *Client {
	c, err := New(Config{AppID: "app-1", AppKey: "key-1", BaseURL: s.url + "/api/"})
	require.NoError(s.t, err)
	c.now = func() time.Time { return noon }
	c.pause = func(ctx context.Context, _ time.Duration) error { return ctx.Err() }
	return c
}

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// fails checks err's code and that its message contains says.
func fails(t *testing.T, err error, code Code, says string) *Error {
	t.Helper()
	var e *Error
	require.ErrorAs(t, err, &e)
	assert.Equal(t, code, e.Code, e.Error())
	assert.Contains(t, e.Error(), says)
	assert.NotEmpty(t, e.Remedy)
	return e
}
