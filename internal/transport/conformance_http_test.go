package transport_test

import (
	"context"
	"encoding/json"
	"net/url"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/fault"
	"github.com/kiiweb/kiiweb/internal/transport"
	"github.com/kiiweb/kiiweb/internal/transport/testserver"
)

var httpTests = []conformance{
	{"method, headers and body arrive", func(t *testing.T, s testserver.Servers) {
		for _, method := range []string{"POST", "PUT", "PATCH", "DELETE"} {
			got := echoed(t, s.HTTP, transport.Request{
				Method: method,
				Header: map[string]string{"Authorization": "Bearer abc", "X-Kii-AppID": "demo",
					"Content-Type": "application/vnd.kii.InstallationCreationRequest+json"},
				Body: []byte(`{"é":"\u0000"}`),
			})
			assert.Equal(t, testserver.Echo{Method: method, Authorization: "Bearer abc", AppID: "demo",
				ContentType: "application/vnd.kii.InstallationCreationRequest+json", Body: `{"é":"\u0000"}`}, got)
		}
	}},
	{"over TLS", func(t *testing.T, s testserver.Servers) {
		got := echoed(t, s.HTTPS, transport.Request{Method: "GET", RootCAs: []byte(s.CA)})
		assert.Equal(t, "GET", got.Method)
	}},
	{"no cookies are kept", func(t *testing.T, s testserver.Servers) {
		for range 2 {
			assert.Empty(t, echoed(t, s.HTTP, transport.Request{Method: "GET"}).Cookie)
		}
	}},
	{"status and headers of the answer", func(t *testing.T, s testserver.Servers) {
		answer, err := transport.Do(context10(t), transport.Request{Method: "GET", URL: s.HTTP + "/http/echo"})
		require.NoError(t, err)
		assert.Equal(t, 201, answer.Status)
		assert.Equal(t, "7", answer.Header("X-MQTT-TTL"))
		assert.Equal(t, "7", answer.Header("x-mqtt-ttl"))
		assert.Equal(t, "/somewhere", answer.Header("location"))
		assert.Empty(t, answer.Header("Retry-After"))
		assert.Empty(t, answer.Header("no header name"))
	}},
	{"any status is an answer", func(t *testing.T, s testserver.Servers) {
		for _, status := range []int{200, 400, 401, 404, 409, 500, 503} {
			answer, err := transport.Do(context10(t), transport.Request{
				Method: "GET", URL: s.HTTP + "/http/status?code=" + strconv.Itoa(status)})
			require.NoError(t, err)
			assert.Equal(t, status, answer.Status)
			assert.Equal(t, `{"errorCode":"SOMETHING"}`, string(answer.Body))
		}
	}},
	{"no body", func(t *testing.T, s testserver.Servers) {
		for method, status := range map[string]string{"DELETE": "204", "HEAD": "404"} {
			answer, err := transport.Do(context10(t), transport.Request{Method: method, URL: s.HTTP + "/http/status?code=" + status})
			require.NoError(t, err)
			assert.Empty(t, answer.Body)
		}
	}},
	{"body at the limit", func(t *testing.T, s testserver.Servers) {
		answer, err := transport.Do(context10(t), transport.Request{Method: "GET", URL: s.HTTP + "/http/size?n=1048576"})
		require.NoError(t, err)
		assert.Len(t, answer.Body, transport.MaxResponse)
	}},
}

var httpFailureTests = []conformance{
	{"body over the limit", func(t *testing.T, s testserver.Servers) {
		wantCode(t, fault.BadResponse, doError(t, context10(t), transport.Request{Method: "GET", URL: s.HTTP + "/http/size?n=1048577"}))
	}},
	{"endless body", func(t *testing.T, s testserver.Servers) {
		wantCode(t, fault.BadResponse, doError(t, context10(t), transport.Request{Method: "GET", URL: s.HTTP + "/http/size?n=1000000000"}))
	}},
	{"connection refused", func(t *testing.T, s testserver.Servers) {
		err := doError(t, context10(t), transport.Request{Method: "GET", URL: "http://" + s.Refused + "/api?token=secret"})
		wantCode(t, fault.Network, err)
		assert.NotContains(t, err.Error(), "secret")
	}},
	{"cut in the middle", func(t *testing.T, s testserver.Servers) {
		wantCode(t, fault.Network, doError(t, context10(t), transport.Request{Method: "GET", URL: s.HTTP + "/http/cut"}))
	}},
	{"aborted before", func(t *testing.T, s testserver.Servers) {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		wantCode(t, fault.Aborted, doError(t, ctx, transport.Request{Method: "GET", URL: s.HTTP + "/http/echo"}))
	}},
	{"aborted without an answer", func(t *testing.T, s testserver.Servers) {
		ctx, cancel := context.WithCancel(context.Background())
		time.AfterFunc(20*time.Millisecond, cancel)
		err := doError(t, ctx, transport.Request{Method: "GET", URL: s.HTTP + "/http/hang"})
		wantCode(t, fault.Aborted, err)
		require.ErrorIs(t, err, context.Canceled)
	}},
	{"timed out in the body", func(t *testing.T, s testserver.Servers) {
		ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
		defer cancel()
		err := doError(t, ctx, transport.Request{Method: "GET", URL: s.HTTP + "/http/stall"})
		wantCode(t, fault.Timeout, err)
		require.ErrorIs(t, err, context.DeadlineExceeded)
	}},
	{"redirects are not followed", func(t *testing.T, s testserver.Servers) {
		for _, origin := range []string{s.HTTP, s.Other} {
			for _, code := range []string{"301", "302", "303", "307", "308"} {
				err := doError(t, context10(t), transport.Request{
					Method: "POST", Body: []byte("{}"), Header: map[string]string{"Authorization": "Bearer abc"},
					URL: s.HTTP + "/http/redirect?code=" + code + "&to=" + url.QueryEscape(origin+"/http/secret")})
				wantCode(t, fault.BadResponse, err)
			}
		}
		answer, err := transport.Do(context10(t), transport.Request{Method: "GET", URL: s.Other + "/http/visits"})
		require.NoError(t, err)
		assert.Equal(t, "0", string(answer.Body))
	}},
	{"requests that cannot be sent", func(t *testing.T, s testserver.Servers) {
		good := s.HTTP + "/http/echo"
		cases := map[string]transport.Request{
			"no URL":          {Method: "GET"},
			"other scheme":    {Method: "GET", URL: "ftp://host/"},
			"relative URL":    {Method: "GET", URL: "/http/echo"},
			"user in the URL": {Method: "GET", URL: "http://user:secret@127.0.0.1/"},
			"no method":       {URL: good},
			"odd method":      {Method: "GE T", URL: good},
			"body with GET":   {Method: "GET", URL: good, Body: []byte("x")},
			"header name":     {Method: "GET", URL: good, Header: map[string]string{"X Y": "secret"}},
			"header value":    {Method: "GET", URL: good, Header: map[string]string{"X": "a\r\nsecret: b"}},
			"header not ASCII": {Method: "GET", URL: good,
				Header: map[string]string{"Authorization": "Bearer secret\u2028"}},
		}
		for name, request := range cases {
			t.Run(name, func(t *testing.T) {
				err := doError(t, context10(t), request)
				wantCode(t, fault.InvalidArgument, err)
				assert.NotContains(t, err.Error(), "secret")
			})
		}
	}},
}

func echoed(t *testing.T, origin string, r transport.Request) testserver.Echo {
	t.Helper()
	r.URL = origin + "/http/echo"
	answer, err := transport.Do(context10(t), r)
	require.NoError(t, err)
	var e testserver.Echo
	require.NoError(t, json.Unmarshal(answer.Body, &e))
	return e
}

func doError(t *testing.T, ctx context.Context, r transport.Request) error {
	t.Helper()
	answer, err := transport.Do(ctx, r)
	require.Error(t, err)
	require.Nil(t, answer)
	return err
}
