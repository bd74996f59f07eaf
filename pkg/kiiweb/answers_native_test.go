//go:build !js

package kiiweb

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/fault"
	"github.com/kiiweb/kiiweb/internal/transport"
)

// Every answer to the request for an endpoint has a code, by which the session's table
// decides: whether it asks again, and what to tell.
func TestEveryAnswerToTheEndpointRequestHasACode(t *testing.T) {
	c := serve(t).client()
	k := call{action: endpointAction, own: meaning{503, fault.EndpointNotReady}}
	next := 300
	for _, want := range []struct {
		first, last int
		code        Code
	}{
		{300, 399, CodeBadResponse},
		{400, 400, CodeInvalidArgument},
		{401, 401, CodeUnauthorized},
		{402, 402, CodeInvalidArgument},
		{403, 403, CodeForbidden},
		{404, 404, CodeNotFound},
		{405, 407, CodeInvalidArgument},
		{408, 408, CodeTimeout},
		{409, 409, CodeConflict},
		{410, 410, CodeNotFound},
		{411, 428, CodeInvalidArgument},
		{429, 429, CodeRateLimited},
		{430, 499, CodeInvalidArgument},
		{500, 502, CodeServerError},
		{503, 503, CodeEndpointNotReady},
		{504, 599, CodeServerError},
	} {
		require.Equal(t, next, want.first, "no status is left out")
		next = want.last + 1
		for status := want.first; status <= want.last; status++ {
			e := c.refusal(k, &transport.Response{Status: status, Header: func(string) string { return "" }})
			assert.Equal(t, want.code, e.Code, status)
			assert.Equal(t, status, e.Status)
			assert.NotEmpty(t, e.Remedy, status)
		}
	}
	assert.Equal(t, 600, next)
}

// A base URL without its /api leads to a server of pages: then the URL is what is to be looked at, not the arguments of the call.
func TestAnAnswerOfNoAPIPointsToTheBaseURL(t *testing.T) {
	c := serve(t).client()
	for _, tc := range []struct {
		status int
		body   string
		remedy string
	}{
		{405, "Method Not Allowed\n", "/api"},
		{404, "<!doctype html>", "/api"},
		{400, `{"errorCode":"INVALID_INPUT_DATA","message":"no"}`, "server's message"},
		{404, `{"errorCode":"USER_NOT_FOUND","message":"no"}`, "Check the id"},
	} {
		e := c.refusal(call{action: "login"}, &transport.Response{Status: tc.status, Body: []byte(tc.body), Header: func(string) string { return "" }})
		assert.Contains(t, e.Remedy, tc.remedy, "%d %s", tc.status, tc.body)
	}
}
