// Package transport carries bytes: WebSocket everywhere, TCP and TLS natively, and
// HTTP requests. What differs between the browser and other platforms stays in the
// files whose names say so; one conformance test holds both sides to this file.
package transport

import (
	"context"
	"strconv"
)

// Conn is one open connection to a broker.
//
// Read and Close may be called from any goroutine, Write from one at a time.
type Conn interface {
	// Read returns the next chunk: a whole WebSocket message, or whatever arrived on
	// a stream. What arrived before a close is returned before the close is. After
	// that the error is a *CloseError or another error of the network.
	// The slice belongs to the caller.
	Read() ([]byte, error)
	// Write sends b as one binary WebSocket message, or in one write. It does not keep b.
	Write(b []byte) error
	// Close ends the connection and makes Read return. A WebSocket is closed with
	// code 1000. It is idempotent.
	Close() error
}

// CloseError tells that the other side, or the network, ended a connection.
type CloseError struct {
	Code   int    // WebSocket close code (RFC 6455, 7.4); 1006 when none was received; 0 on TCP and TLS
	Reason string // the peer's words, often empty
}

// Error names the close code and reason.
func (e *CloseError) Error() string {
	s := "connection closed"
	if e.Code != 0 {
		s += " with code " + strconv.Itoa(e.Code)
	}
	if e.Reason != "" {
		s += " (" + e.Reason + ")"
	}
	return s
}

// Options say how Dial connects.
type Options struct {
	// Subprotocols are the WebSocket sub-protocols to offer, best first.
	Subprotocols []string
	// RootCAs are PEM certificates to trust besides the system's. In a browser the
	// browser alone decides, and this is ignored.
	RootCAs []byte
	// ReadLimit is the largest WebSocket message accepted, in bytes; 0 means 1 MiB.
	ReadLimit int64
}

// Dial opens a connection to url: ws://, wss://, and natively tcp:// and ssl://.
// It returns when the connection is open (a WebSocket: after its handshake), when it
// failed, or when ctx ends; after that nothing of a failed attempt remains.
func Dial(ctx context.Context, url string, o Options) (Conn, error) { return dial(ctx, url, o) }

// Request is one HTTP request.
type Request struct {
	Method string
	URL    string
	Header map[string]string
	Body   []byte // nil for none
	// RootCAs are PEM certificates to trust besides the system's; ignored in a browser.
	RootCAs []byte
}

// MaxResponse is the size in bytes above which a response body is refused.
const MaxResponse = 1 << 20

// Response is the whole answer to a Request.
type Response struct {
	Status int
	Header func(name string) string // case-insensitive; "" when absent or, in a browser, not exposed by CORS
	Body   []byte
}

// Do sends r and reads the whole answer. An error means that there was no complete
// HTTP answer; any status is an answer. Redirects are not followed across origins.
func Do(ctx context.Context, r Request) (*Response, error) { return do(ctx, r) }
