package transport

import (
	"context"
	"errors"
	"syscall/js"

	"github.com/kiiweb/kiiweb/internal/fault"
	"github.com/kiiweb/kiiweb/internal/jsx"
)

// Close codes that tell a broker's log why we left; a browser may use only 1000 and
// 3000-4999 (WebSockets Standard, 3.1).
const (
	closeNormal     = 1000
	closeTextFrame  = 4003
	closeUnread     = 4008
	closeOverLimit  = 4009
	closeNoProtocol = 4010
)

func dial(ctx context.Context, url string, o Options) (Conn, error) {
	switch scheme(url) {
	case "ws", "wss":
	case "tcp", "ssl":
		return nil, fault.New(fault.Unsupported, "A browser connects over ws:// and wss:// only.")
	default:
		return nil, badURL(url)
	}
	ws, err := newWebSocket(url, o.Subprotocols)
	if err != nil {
		return nil, err
	}
	c := &browserConn{ws: ws, limit: o.ReadLimit, in: newInbox[js.Value](MaxUnread)}
	if err := c.open(ctx, url); err != nil {
		return nil, err
	}
	if len(o.Subprotocols) > 0 && ws.Get("protocol").String() == "" {
		c.fail(closeNoProtocol, ErrClosed)
		return nil, notNegotiated(url)
	}
	return c, nil
}

// open waits for the handshake.
func (c *browserConn) open(ctx context.Context, url string) error {
	opened := c.listen()
	select {
	case <-opened:
		return nil
	case <-c.in.done:
	case <-ctx.Done():
		_ = c.Close()
		return ended(ctx, "Connecting to "+shown(url))
	}
	select {
	case <-opened: // it was open, and what arrived before the end is still to be read
		return nil
	default:
		return fault.Wrap(fault.Network, "The WebSocket to "+shown(url)+" could not be opened", c.in.reason())
	}
}

// newWebSocket starts a connection; what the constructor throws becomes a code.
func newWebSocket(url string, subprotocols []string) (js.Value, error) {
	class := js.Global().Get("WebSocket")
	if class.Type() != js.TypeFunction {
		return js.Undefined(), fault.New(fault.Unsupported, "This environment has no WebSocket.")
	}
	offered := make([]any, len(subprotocols))
	for i, p := range subprotocols {
		offered[i] = p
	}
	var ws js.Value
	var err error
	if dialer.Truthy() {
		ws, err = jsx.Invoke(dialer, url, offered)
	} else {
		ws, err = jsx.New(class, url, offered)
	}
	if err == nil {
		ws.Set("binaryType", "arraybuffer")
		return ws, nil
	}
	thrown, ok := errors.AsType[*jsx.Error](err)
	if !ok {
		return js.Undefined(), fault.Wrap(fault.Network, "The WebSocket to "+shown(url)+" could not be opened", err)
	}
	switch {
	case thrown.Name == "SyntaxError":
		return js.Undefined(), fault.Wrap(fault.InvalidArgument, "The URL "+shown(url)+" is not one to connect to", err)
	case thrown.Name == "SecurityError" && scheme(url) == "ws":
		return js.Undefined(), fault.Wrap(fault.Insecure, "The browser forbids a page that came over https to use "+shown(url), err)
	}
	return js.Undefined(), fault.Wrap(fault.Network, "The browser refused to connect to "+shown(url), err)
}
