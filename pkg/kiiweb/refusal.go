package kiiweb

import (
	"math"
	"strconv"
	"time"

	"github.com/kiiweb/kiiweb/internal/fault"
	"github.com/kiiweb/kiiweb/internal/transport"
)

// maxServerMessage bounds, in bytes, what an error repeats of a server's words.
const maxServerMessage = 300

// refusal turns an answer that is no 2xx into an error.
func (c *Client) refusal(k call, res *transport.Response) *Error {
	body, err := decodeJSON(res.Body)
	kiiCode := firstString(body, "errorCode", "error")
	code := k.own.code
	if res.Status != k.own.status {
		code = statusCode(res.Status, kiiCode)
	}

	message := k.action + " failed: the server answered " + strconv.Itoa(res.Status)
	if kiiCode != "" {
		message += " " + kiiCode
	}
	if words := firstString(body, "message", "error_description"); words != "" {
		message += ": " + truncate(words, maxServerMessage)
	}

	e := fault.New(code, message)
	e.Status, e.KiiCode, e.KiiMessage = res.Status, kiiCode, firstString(body, "message")
	if e.Retryable {
		e.RetryAfter = c.retryAfter(res, body)
	}
	switch {
	case code == fault.BadCredentials:
		e.Remedy = "Check the user name and password."
	case err != nil && (code == fault.NotFound || code == fault.InvalidArgument):
		e.Remedy = "Check the base URL, which ends in /api as a rule: the answer does not look like one of a Kii-compatible API."
	case code == fault.InvalidArgument:
		e.Remedy = "Correct what the server's message names."
	case code == fault.ServerError && (res.Status == 501 || res.Status == 505):
		e.Retryable = false
	}
	return e
}

// statusCode gives the code of an HTTP status; an errorCode that says more wins.
func statusCode(status int, kiiCode string) fault.Code {
	if status == 400 && lower(kiiCode) == "invalid_grant" {
		return fault.BadCredentials
	}
	switch status {
	case 401:
		return fault.Unauthorized
	case 403:
		return fault.Forbidden
	case 404, 410:
		return fault.NotFound
	case 408:
		return fault.Timeout
	case 409:
		return fault.Conflict
	case 429:
		return fault.RateLimited
	}
	switch {
	case status >= 500:
		return fault.ServerError
	case status >= 400:
		return fault.InvalidArgument
	}
	return fault.BadResponse // a redirect that was not followed, or no HTTP status at all
}

// retryAfter gives the seconds that the server asked to wait: its Retry-After header,
// in seconds or as a date (RFC 9110, 10.2.3), else the body's retryAfter. A browser
// shows the header only where CORS exposes it.
func (c *Client) retryAfter(res *transport.Response, body map[string]any) int {
	header := res.Header("Retry-After")
	if n, ok := parseDigits(header, math.MaxInt32); ok {
		return n
	}
	if at, ok := parseHTTPDate(header); ok {
		return max(int((at.Sub(c.now())+time.Second-1)/time.Second), 0)
	}
	if n, ok := body["retryAfter"].(float64); ok && n > 0 && n < 1<<31 {
		return int(n)
	}
	return 0
}

func firstString(object map[string]any, names ...string) string {
	for _, name := range names {
		if s, ok := object[name].(string); ok && s != "" {
			return s
		}
	}
	return ""
}

// truncate cuts s at n bytes, between two characters.
func truncate(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && s[n]&0xC0 == 0x80 { // inside a character
		n--
	}
	return s[:n] + "…"
}
