package browser_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/tests/browser/chrome"
)

// strange is an answer of something that is no Kii-compatible API, to a login.
type strange struct {
	name       string
	answer     http.HandlerFunc
	code       string
	status     int // 0 where there is no answer that counts as one
	retryable  bool
	retryAfter int
	remedy     string // holds this
}

// says answers with a status, a type and a body.
func says(status int, contentType, body string, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", contentType)
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// bytesOnly writes raw bytes in place of an answer and hangs up.
func bytesOnly(raw string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		c, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			return
		}
		_, _ = io.WriteString(c, raw)
		_ = c.Close()
	}
}

// withoutEnd sends piece after piece; pause lies between two.
func withoutEnd(piece string, pause time.Duration) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		for r.Context().Err() == nil {
			if _, err := io.WriteString(w, piece); err != nil {
				return
			}
			w.(http.Flusher).Flush()
			select {
			case <-r.Context().Done():
			case <-time.After(pause):
			}
		}
	}
}

const (
	portalPage = "<!doctype html><title>Welcome to our network</title><p>Please accept the terms."
	jsonType   = "application/json"
	htmlType   = "text/html; charset=utf-8"
)

func strangeAnswers() []strange {
	bad := func(status int, name string, answer http.HandlerFunc) strange {
		return strange{name: name, answer: answer, code: "BAD_RESPONSE", status: status, remedy: "no proxy answers in its place"}
	}
	return []strange{
		bad(200, "the page of a public network's portal", says(200, htmlType, portalPage)),
		bad(200, "a page that says that it is JSON", says(200, jsonType, portalPage)),
		bad(200, "JSON that breaks off", says(200, jsonType, `{"id":"u","access_`)),
		bad(200, "nothing", says(200, jsonType, "")),
		bad(204, "no content", says(204, jsonType, "")),
		bad(200, "no object", says(200, jsonType, `["id","access_token"]`)),
		bad(200, "fields of other types", says(200, jsonType, `{"id":5,"access_token":null}`)),
		bad(200, "a token that no header can carry", says(200, jsonType, `{"id":"u","access_token":"a\nb"}`)),
		bad(200, "JSON that is too deep", says(200, jsonType, strings.Repeat("[", 100_000))),
		bad(0, "a redirect to the portal", says(302, htmlType, "", "Location", "/page/portal")),
		bad(0, "a redirect to nowhere", says(307, htmlType, "")),
		bad(0, "a body without end", withoutEnd(strings.Repeat(" ", 64<<10), 0)),
		{name: "too many requests", answer: says(429, jsonType, `{"errorCode":"RATE_LIMITED","message":"slowly"}`, "Retry-After", "7"),
			code: "RATE_LIMITED", status: 429, retryable: true, retryAfter: 7, remedy: "retryAfter"},
		{name: "too many requests, on a page", answer: says(429, htmlType, portalPage), code: "RATE_LIMITED", status: 429, retryable: true},
		{name: "a gateway's page", answer: says(502, htmlType, "<h1>502 Bad Gateway</h1>"), code: "SERVER_ERROR", status: 502, retryable: true},
		{name: "a load balancer without servers", answer: says(503, htmlType, "<h1>503</h1>", "Retry-After", "3"),
			code: "SERVER_ERROR", status: 503, retryable: true, retryAfter: 3},
		{name: "a portal that says what it is", answer: says(511, htmlType, portalPage), code: "SERVER_ERROR", status: 511, retryable: true},
		{name: "a page that is not there", answer: says(404, htmlType, "<h1>404</h1>"), code: "NOT_FOUND", status: 404, remedy: "base URL"},
		{name: "a firewall's page", answer: says(403, htmlType, "<h1>403</h1>"), code: "FORBIDDEN", status: 403},
		{name: "a proxy that wants a login", answer: says(401, htmlType, ""), code: "UNAUTHORIZED", status: 401},
		{name: "a connection that is cut", answer: bytesOnly("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{\"id\":"),
			code: "NETWORK", retryable: true},
		{name: "a server that hangs up", answer: bytesOnly(""), code: "NETWORK", retryable: true, remedy: "connection"},
		{name: "noise", answer: bytesOnly("\x00\xff\x16\x03\x01 no HTTP\r\n\r\n"), code: "NETWORK", retryable: true},
		{name: "an answer by drops", answer: withoutEnd(" ", 50*time.Millisecond), code: "TIMEOUT", retryable: true, remedy: "timeout"},
		{name: "no answer", answer: func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, code: "TIMEOUT", retryable: true},
	}
}

// TestAnswersOfNoKiiCloud: what stands between a page and its cloud may answer in its place. Each
// such answer is an error that says what to do, and none keeps a call waiting for ever.
func TestAnswersOfNoKiiCloud(t *testing.T) {
	cases := strangeAnswers()
	base := host(t, func(w http.ResponseWriter, r *http.Request) bool {
		for i, c := range cases {
			if strings.HasPrefix(r.URL.Path, "/api"+string(rune('A'+i))+"/") {
				_, _ = io.Copy(io.Discard, r.Body) // only then is the server told that the client has gone
				c.answer(w, r)
				return true
			}
		}
		return false
	})
	silent := httptest.NewServer(says(200, jsonType, `{"id":"u","access_token":"t"}`)) // without CORS
	t.Cleanup(silent.Close)
	browser := chrome.Start(t, chrome.Options{})
	for _, where := range []string{inWorker, inPage} {
		t.Run(where, func(t *testing.T) {
			tab := browser.Tab(t)
			tab.Open(base + "/page")
			var failures []*struct {
				failure
				RetryAfter int
			}
			require.NoError(t, tab.TryEval(10*time.Minute, `(async () => {
				globalThis.lib = await import("/kiiweb.mjs");
				const answer = async (baseURL, i) => {
					const kii = await lib.load({ appID: "demo", appKey: "demo-key", baseURL, host: `+quote(where)+` });
					const timeout = [list.length - 2, list.length - 1].includes(i) ? 1000 : 60_000; // those two do not end
					return kii.login("a", "b", { timeout }).then(() => null, (e) => ({ ...e, isKiiError: e instanceof lib.KiiError, message: e.message }))
						.finally(() => kii.dispose());
				};
				const list = [...Array(`+strconv.Itoa(len(cases))+`).keys()].map((i) => location.origin + "/api" + String.fromCharCode(65 + i));
				const got = [];
				for (const [i, url] of [...list, `+quote(silent.URL+"/api")+`].entries()) got.push(await answer(url, i));
				return got;
			})()`, &failures))
			require.Len(t, failures, len(cases)+1)
			for i, c := range append(cases, strange{name: "a server that does not allow the page's origin", code: "NETWORK", retryable: true, remedy: "CORS"}) {
				f := failures[i]
				require.NotNil(t, f, "%s: a login", c.name)
				assert.True(t, f.IsKiiError, c.name)
				assert.Equal(t, c.code, f.Code, "%s: %+v", c.name, f)
				assert.Equal(t, c.status, f.Status, c.name)
				assert.Equal(t, c.retryable, f.Retryable, c.name)
				assert.Equal(t, c.retryAfter, f.RetryAfter, c.name)
				assert.NotEmpty(t, f.Message, c.name)
				assert.NotEmpty(t, f.Remedy, c.name)
				assert.Contains(t, f.Remedy, c.remedy, c.name)
				assert.NotContains(t, f.Message, "<", "%s: no page is quoted", c.name)
			}
		})
	}
}
