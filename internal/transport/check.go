package transport

import (
	"context"
	"errors"
	"strings"

	"github.com/kiiweb/kiiweb/internal/fault"
)

// scheme gives the scheme of url in lower case, and "" when url is not scheme://host….
// User names in a URL are refused: a browser refuses them as well, and they end up in logs.
func scheme(url string) string {
	name, rest, found := strings.Cut(url, "://")
	authority := rest
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		authority = rest[:i]
	}
	if !found || authority == "" || strings.ContainsAny(authority, "@ ") {
		return ""
	}
	return lower(name)
}

// lower gives s with A to Z in lower case, which is all that a scheme consists of;
// strings.ToLower knows all of Unicode, which a browser would have to load.
func lower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}

// shown is url without what may hold a secret.
func shown(url string) string {
	if i := strings.IndexAny(url, "?#"); i >= 0 {
		url = url[:i]
	}
	if i := strings.LastIndexByte(url, '@'); i >= 0 {
		return "(a URL with a user name)"
	}
	return url
}

// check refuses a request that one of the platforms could not send, so that all refuse
// the same ones.
func check(r Request) error {
	switch s := scheme(r.URL); {
	case s != "http" && s != "https":
		return fault.New(fault.InvalidArgument, "The URL "+shown(r.URL)+" is not of the form https://host/path.")
	case !isToken(r.Method):
		return fault.New(fault.InvalidArgument, "The method is not one of HTTP.")
	case r.Body != nil && (r.Method == "GET" || r.Method == "HEAD"):
		return fault.New(fault.InvalidArgument, "A "+r.Method+" request cannot have a body.")
	}
	for name, value := range r.Header {
		if !isToken(name) {
			return fault.New(fault.InvalidArgument, "A header's name is not one of HTTP.")
		}
		if !isHeaderValue(value) {
			return fault.New(fault.InvalidArgument, "The value of header "+name+" must be printable ASCII.")
		}
	}
	return nil
}

// isToken tells whether s is a token of RFC 9110, 5.6.2.
func isToken(s string) bool {
	for i := range len(s) {
		c := s[i]
		alphanumeric := c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z'
		if !alphanumeric && !strings.ContainsRune("!#$%&'*+-.^_`|~", rune(c)) {
			return false
		}
	}
	return s != ""
}

func isHeaderValue(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' && s[i] != '\t' || s[i] > '~' {
			return false
		}
	}
	return true
}

// ended is the error of an operation that ctx ended.
func ended(ctx context.Context, operation string) error {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return fault.Wrap(fault.Timeout, operation+" took too long", ctx.Err())
	}
	return fault.Wrap(fault.Aborted, operation+" was aborted", ctx.Err())
}

func tooLarge() error {
	e := fault.New(fault.PacketTooLarge, "The server sent a WebSocket message over the limit.")
	e.Remedy, e.Retryable = "Have it sent in parts, or the place where it can be fetched.", true
	return e
}

func notBinary() error {
	return fault.New(fault.ProtocolError, "The server sent a WebSocket message that is text; MQTT is binary.")
}

func badURL(url string) error {
	return fault.New(fault.InvalidArgument, "The URL "+shown(url)+" is not one to connect to.")
}

func notNegotiated(url string) error {
	return fault.New(fault.Network, "The server at "+shown(url)+" chose none of the sub-protocols offered.")
}

func redirected(r Request) error {
	return fault.New(fault.BadResponse, r.Method+" "+shown(r.URL)+" was answered with a redirect, which is not followed.")
}

func bodyTooLarge(r Request) error {
	return fault.New(fault.BadResponse, "The answer to "+r.Method+" "+shown(r.URL)+" is larger than 1 MiB.")
}

func requestFailed(r Request, cause error) *fault.Error {
	return fault.Wrap(fault.Network, r.Method+" "+shown(r.URL)+" got no answer", cause)
}
