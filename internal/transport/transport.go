// Package transport carries bytes: WebSocket everywhere, TCP and TLS natively, and
// HTTP requests. What differs between the browser and other platforms stays in the
// files whose names say so; one conformance test holds both sides to this file.
package transport

import (
	"context"
	"strconv"

	"github.com/kiiweb/kiiweb/internal/fault"
)

// Conn is one open connection to a broker.
//
// Read and Close may be called from any goroutine, Write from one at a time.
type Conn interface {
	// Read returns the next chunk: a whole WebSocket message, or whatever arrived on
	// a stream. What arrived before a close is returned before the close is. After
	// that the error is a *CloseError or another error of the network.
	// The slice belongs to the caller. After Close of this side the error is ErrClosed.
	// A WebSocket message that is over Options.ReadLimit or is text ends the connection:
	// PACKET_TOO_LARGE, PROTOCOL_ERROR [MQTT-6.0.0-1].
	//
	// A browser cannot be told to stop receiving. What it received and Read has not
	// taken yet is held up to MaxUnread; over it the connection ends with QUEUE_FULL,
	// after everything held was read. Elsewhere the network makes the peer wait.
	Read() ([]byte, error)
	// Write sends b as one binary WebSocket message, or in one write. It does not keep b.
	// It waits while the network takes no more; Close ends the wait.
	Write(b []byte) error
	// Close ends the connection and makes Read return. A WebSocket is closed with
	// code 1000, behind everything written. It is idempotent.
	Close() error
}

// Express is a Conn that can hand a frame over in the callback that brings it, instead
// of keeping it for Read: the short way. Where that is so, what the two ways do is one
// after the other, since the lane takes nothing while something is on the other way.
type Express interface {
	Conn
	// Use sets who is offered frames from now on.
	Use(Lane)
	// Kept is how many frames were kept for Read so far.
	Kept() int
}

// Lane takes what comes the short way. Its methods are called from a callback: they
// neither wait nor allocate, since either could let others run and call back.
type Lane interface {
	// Frame is offered a frame of size bytes, which it does not keep, and of which the end may be missing: it
	// takes it where that is of a message's payload. Besides, the time when it came, in milliseconds
	// by a clock of the browser that goes on (to read one here would cost as much as all the
	// rest of a small frame), and room for a table of the messages in it. It gives the number of messages that are to be handed out, how many
	// acknowledgements will be owed for the frame, how many messages of this side are
	// acknowledged by it, whose tickets are in the first column of the table then, and the
	// number by which the loader knows whom all that concerns. messages < 0: it has not
	// taken the frame.
	Frame(frame []byte, size int, at float64, table [][8]int32) (messages, acks, tickets int, receiver int32)
	// Handled says that the oldest owed acknowledgements, so many, are due, and writes them
	// to out, which has room for them. It gives the number of bytes to be sent at once;
	// -1: not now, ask again.
	Handled(acks int, out []byte) int
	// Send is offered messages of the one that the loader knows by receiver, staged as
	// mqtt.ReadStaged reads them. It makes of them, in place, what is to be sent at once, so many
	// bytes, and tells how many messages that are, which then count as written. size < 0: it
	// has not taken them, and they may be spoiled.
	Send(receiver int32, staged []byte) (size, messages int)
}

// MaxUnread is how many bytes a browser may have received before Read takes them;
// each message counts as at least 128.
const MaxUnread = 16 << 20

// ErrClosed is what Read and Write give after Close.
var ErrClosed error = fault.New(fault.Closed, "This side has closed the connection.")

// CloseError tells that the other side, or the network, ended a connection.
type CloseError struct {
	Code   int    // WebSocket close code (RFC 6455, 7.4); 1006 when none was received; 0 on TCP and TLS
	Reason string // the peer's words, often empty
	Cause  error  // what the network said behind code 1006 or 0; nil in a browser, which does not tell
}

// Unwrap gives the cause.
func (e *CloseError) Unwrap() error { return e.Cause }

// Error names the close code and reason.
func (e *CloseError) Error() string {
	s := "connection closed"
	if e.Code != 0 {
		s += " with code " + strconv.Itoa(e.Code)
	}
	if e.Reason != "" {
		s += " (" + e.Reason + ")"
	}
	if e.Cause != nil {
		s += ": " + e.Cause.Error()
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
//
// Where sub-protocols are offered the server has to choose one of them. The error is a
// *fault.Error: NETWORK, ABORTED or TIMEOUT when ctx ended, INVALID_ARGUMENT for a URL
// that is none, UNSUPPORTED for a scheme that this platform lacks, INSECURE when the
// browser forbids the address to this page.
func Dial(ctx context.Context, url string, o Options) (Conn, error) {
	if ctx.Err() != nil {
		return nil, ended(ctx, "Connecting to "+shown(url))
	}
	if o.ReadLimit == 0 {
		o.ReadLimit = defaultReadLimit
	}
	return dial(ctx, url, o)
}

const defaultReadLimit = 1 << 20

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

// Do sends r and reads the whole answer; nothing is cached and no cookie is sent. An
// error means that there was no complete HTTP answer; any status is an answer. Only a
// redirect is none: it is not followed, since the request carries credentials.
//
// The error is a *fault.Error: NETWORK, ABORTED or TIMEOUT when ctx ended,
// BAD_RESPONSE for a redirect or a body over MaxResponse, INVALID_ARGUMENT for a
// request that cannot be sent.
func Do(ctx context.Context, r Request) (*Response, error) {
	if err := check(r); err != nil {
		return nil, err
	}
	if ctx.Err() != nil {
		return nil, ended(ctx, r.Method+" "+shown(r.URL))
	}
	return do(ctx, r)
}
