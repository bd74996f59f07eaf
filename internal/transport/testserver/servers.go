// Package testserver is the other side of internal/transport's conformance test:
// small servers that echo, close, stall, cut off and redirect on request. They run
// natively; a test in a browser is told where by Servers as JSON.
//
// To add a behaviour, add a path in websocket_native.go or http_native.go and say here
// or there what it does.
package testserver

import "strings"

// Variable is the environment variable that carries Servers as JSON to a test in a browser.
const Variable = "KIIWEB_TEST_SERVERS"

// Servers are the addresses, all on loopback.
type Servers struct {
	HTTP  string // origin of the HTTP and WebSocket server, without a slash at the end
	HTTPS string // the same over TLS
	Other string // a second HTTP origin, for redirects

	TCP       string // tcp:// echo
	SSL       string // ssl:// echo
	TCPParted string // tcp:// says "last words" and closes
	SSLParted string // the same over TLS

	Silent  string // host:port that accepts and never says a word
	Refused string // host:port where nobody listens

	CA string // PEM certificate behind HTTPS and the SSL addresses
}

// WS is the WebSocket URL of path.
func (s Servers) WS(path string) string { return "ws" + strings.TrimPrefix(s.HTTP, "http") + path }

// WSS is WS over TLS.
func (s Servers) WSS(path string) string { return "wss" + strings.TrimPrefix(s.HTTPS, "https") + path }

// Parting is how a client of /ws/watch left.
type Parting struct {
	Code     int // its close code; 1006 when it sent none
	Messages int // what it had sent until then
	Bytes    int
}

// Echo is what /http/echo says about the request it got.
type Echo struct {
	Method        string
	Authorization string
	AppID         string
	ContentType   string
	Cookie        string
	Body          string
}
