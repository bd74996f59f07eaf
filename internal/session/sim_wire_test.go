package session

import (
	"github.com/kiiweb/kiiweb/internal/transport"
)

// wire is one connection over a simulated network: the session's transport.Conn, and what
// is under way in both directions. Its fields are guarded by the world's lock.
type wire struct {
	w *world
	n int // the first is 1

	up      []byte   // written by the session, not yet at the broker
	down    []byte   // written by the broker, not yet here
	chunks  [][]byte // arrived, for Read
	end     error    // what Read gives behind them
	endDown error    // what end becomes when down is empty: the broker has closed
	closed  bool     // by the session
	stalled bool     // Write waits
	silent  bool     // the network swallows everything, and tells nobody
	got     int      // bytes of the broker that have arrived
	peer    *peer    // nil where the broker has nothing to do with it any more
}

// Read implements transport.Conn.
func (c *wire) Read() ([]byte, error) {
	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	for {
		switch {
		case c.closed:
			return nil, transport.ErrClosed
		case len(c.chunks) > 0:
			b := c.chunks[0]
			c.chunks = c.chunks[1:]
			return b, nil
		case c.end != nil:
			return nil, c.end
		}
		c.w.moved.Wait()
	}
}

// Write implements transport.Conn.
func (c *wire) Write(b []byte) error {
	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	for c.stalled && !c.closed && c.end == nil {
		c.w.moved.Wait()
	}
	switch {
	case c.closed:
		return transport.ErrClosed
	case c.end != nil:
		return c.end
	case !c.silent:
		c.up = append(c.up, b...)
	}
	return nil
}

// Close implements transport.Conn.
func (c *wire) Close() error {
	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	c.closed = true
	c.w.moved.Broadcast()
	return nil
}

// pumpUp brings n bytes to the broker, and the close behind the last one.
func (c *wire) pumpUp(n int) {
	n = min(n, len(c.up))
	b := append([]byte(nil), c.up[:n]...)
	c.up = c.up[n:]
	if len(b) > 0 && c.peer != nil {
		c.peer.receive(b)
	}
	if len(c.up) == 0 && c.closed && c.peer != nil {
		c.peer.leave()
	}
}

// pumpDown brings n bytes to the session, and the close behind the last one.
func (c *wire) pumpDown(n int) {
	if c.end != nil {
		c.down = nil
	}
	n = min(n, len(c.down))
	if n > 0 {
		c.chunks = append(c.chunks, append([]byte(nil), c.down[:n]...))
		c.down = c.down[n:]
		c.got += n
	}
	if len(c.down) == 0 && c.endDown != nil && c.end == nil {
		c.end = c.endDown
	}
	c.w.moved.Broadcast()
}

// cut ends the connection for both sides, with all that is under way.
func (c *wire) cut(err error) {
	c.lose()
	c.up, c.down, c.end = nil, nil, err
	c.w.moved.Broadcast()
}

// lose ends it for the broker alone.
func (c *wire) lose() {
	if c.peer != nil {
		c.peer.leave()
	}
}

// swallow ends it for the broker, and the session is not told: bytes go nowhere.
func (c *wire) swallow() {
	c.lose()
	c.up, c.down, c.silent = nil, nil, true
}

// live tells whether the session still uses it.
func (c *wire) live() bool { return !c.closed && c.end == nil }
