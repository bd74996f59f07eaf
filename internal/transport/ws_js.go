package transport

import (
	"sync/atomic"
	"syscall/js"
	"time"

	"github.com/kiiweb/kiiweb/internal/fault"
	"github.com/kiiweb/kiiweb/internal/jsx"
)

const (
	// maxUnsent is how many bytes the browser may hold before Write waits. The browser
	// itself takes everything and tells only the sum.
	maxUnsent = 1 << 20
	// sendPoll is how often Write looks again; there is no event for it.
	sendPoll = 5 * time.Millisecond
	// messageCost is what a message counts at least against MaxUnread.
	messageCost = 128
)

// browserConn is a WebSocket of the browser. Its callbacks only put things into in,
// where they keep their order: data, then the close that came behind it.
type browserConn struct {
	ws     js.Value
	limit  int64
	in     *inbox[js.Value] // ArrayBuffers; copied into Go when they are read
	kept   atomic.Int64     // how many were put into in
	port   int32            // 0 where the loader does not listen for us
	leave  js.Value         // ends that
	funcs  jsx.Owner
	closed atomic.Bool
}

// The loader listens to a WebSocket for us where it is there: to be called from
// JavaScript costs more than all that is to be done with a small frame. It calls
// attach's functions, and what it needs for a Lane it has from the module's exports.
var (
	listener js.Value // the loader's; undefined where there is none
	ports    []port   // a new list at each change: it is read where nothing can wait
	lastPort int32
)

type port struct {
	number int32
	lane   Lane
}

// UseListener sets the function by which the loader listens to a WebSocket: it takes the
// WebSocket, a port's number, and a function that takes the data of an event, and gives
// a function that ends it.
func UseListener(f js.Value) { listener = f }

// dialer takes the place of new WebSocket; undefined where the loader has none.
var dialer js.Value

// UseDialer sets it: it takes a URL and a list of sub-protocols, and gives a WebSocket, which may have been begun before.
// That tells of its opening when the program is at rest.
func UseDialer(f js.Value) { dialer = f }

// LaneAt gives the lane behind a port's number; nil where there is none. It allocates
// nothing.
func LaneAt(number int32) Lane {
	for i := range ports {
		if ports[i].number == number {
			return ports[i].lane
		}
	}
	return nil
}

// SendStaged offers messages to all lanes; Lane.Send says what that is. port is the number of the
// one that has taken them.
func SendStaged(receiver int32, staged []byte) (port int32, size, messages int) {
	for i := range ports {
		if size, messages = ports[i].lane.Send(receiver, staged); size >= 0 {
			return ports[i].number, size, messages
		}
	}
	return 0, -1, 0
}

// usePort sets the lane behind a port's number; nil takes the port away.
func usePort(number int32, lane Lane) {
	var list []port
	for _, p := range ports {
		if p.number != number {
			list = append(list, p)
		}
	}
	if lane != nil {
		list = append(list, port{number, lane})
	}
	ports = list
}

// Use implements Express.
func (c *browserConn) Use(lane Lane) {
	if c.port != 0 && c.in.reason() == nil {
		usePort(c.port, lane)
	}
}

// Kept implements Express.
func (c *browserConn) Kept() int { return int(c.kept.Load()) }

// listen sets the callbacks. The channel is closed when the connection has opened.
func (c *browserConn) listen() <-chan struct{} {
	opened := make(chan struct{})
	c.listenForData() // first: the loader may look on, and is to hear of each event before we answer it
	c.ws.Set("onopen", c.funcs.Func(func([]js.Value) any {
		close(opened)
		return nil
	}))
	c.ws.Set("onerror", c.funcs.Func(func([]js.Value) any {
		select {
		case <-opened: // its close follows
		default: // when the page's policy forbids the address, Chromium tells of no close
			c.detach()
			c.in.end(&CloseError{Code: 1006})
		}
		return nil
	}))
	c.ws.Set("onclose", c.funcs.Func(func(args []js.Value) any {
		c.detach()
		c.in.end(&CloseError{Code: args[0].Get("code").Int(), Reason: args[0].Get("reason").String()})
		return nil
	}))
	return opened
}

func (c *browserConn) listenForData() {
	if listener.Truthy() {
		lastPort++
		c.port = lastPort
		c.leave = listener.Invoke(c.ws, c.port, c.funcs.Func(func(args []js.Value) any {
			c.receive(args[0])
			return nil
		}))
		return
	}
	c.ws.Set("onmessage", c.funcs.Func(func(args []js.Value) any {
		c.receive(args[0].Get("data"))
		return nil
	}))
}

func (c *browserConn) receive(data js.Value) {
	if data.Type() != js.TypeObject {
		c.fail(closeTextFrame, notBinary())
		return
	}
	c.kept.Add(1)
	size := data.Get("byteLength").Int()
	if int64(size) > c.limit {
		c.fail(closeOverLimit, tooLarge())
		return
	}
	if !c.in.push(data, max(size, messageCost)) {
		c.fail(closeUnread, fault.New(fault.QueueFull, "More messages arrived than were read."))
	}
}

// fail ends the connection from this side with code. What was received is read before err.
func (c *browserConn) fail(code int, err error) {
	c.detach()
	c.in.end(err)
	_, _ = jsx.Call(c.ws, "close", code)
}

// detach takes the callbacks away; after it the browser calls none of them.
func (c *browserConn) detach() {
	for _, event := range []string{"onopen", "onerror", "onmessage", "onclose"} {
		c.ws.Set(event, js.Null())
	}
	if c.port != 0 {
		usePort(c.port, nil)
		c.leave.Invoke()
	}
	c.funcs.Release()
}

// Read implements Conn.
func (c *browserConn) Read() ([]byte, error) {
	data, err := c.in.pop()
	if err != nil {
		return nil, err
	}
	b, _ := jsx.Bytes(data)
	return b, nil
}

// Write implements Conn.
func (c *browserConn) Write(b []byte) error {
	for {
		if err := c.in.reason(); err != nil {
			return err
		}
		if c.ws.Get("bufferedAmount").Float() <= maxUnsent {
			break
		}
		select {
		case <-c.in.done:
		case <-time.After(sendPoll):
		}
	}
	if _, err := jsx.Call(c.ws, "send", jsx.Uint8Array(b)); err != nil {
		return fault.Wrap(fault.Network, "The message could not be sent", err)
	}
	return nil
}

// Close implements Conn.
func (c *browserConn) Close() error {
	if c.closed.Swap(true) {
		return nil
	}
	c.detach()
	c.in.abandon(ErrClosed)
	_, _ = jsx.Call(c.ws, "close", closeNormal)
	return nil
}
