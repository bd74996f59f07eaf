//go:build !js

package transport

import (
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kiiweb/kiiweb/internal/fault"
)

// closeWait is how long Close waits for a write that is under way, and then for the
// peer to take what was written and to leave.
const closeWait = 250 * time.Millisecond

// lifeline is what the native connections share: who reads, who writes, and an end
// that loses nothing that was written.
type lifeline struct {
	conn    net.Conn
	reading sync.Mutex
	writing sync.Mutex
	closed  atomic.Bool
}

// close ends the connection. farewell sends what the protocol says at the end.
//
// A TCP socket that is closed while data from the peer lies unread sends a reset, and
// then the peer may never see what was written before. So close reads on, for a short
// while, until the peer has left.
func (l *lifeline) close(farewell func() error) {
	if l.closed.Swap(true) {
		return
	}
	defer l.conn.Close()
	_ = l.conn.SetWriteDeadline(time.Now().Add(closeWait))
	l.writing.Lock()
	defer l.writing.Unlock()
	if farewell() != nil {
		return // nobody takes anything any more
	}
	_ = l.conn.SetReadDeadline(time.Unix(1, 0)) // makes a Read that waits return
	l.reading.Lock()
	defer l.reading.Unlock()
	_ = l.conn.SetReadDeadline(time.Now().Add(closeWait))
	_, _ = io.Copy(io.Discard, l.conn)
}

// writeError translates why writing failed.
func (l *lifeline) writeError(err error) error {
	if l.closed.Load() {
		return ErrClosed
	}
	return fault.Wrap(fault.Network, "The message could not be sent", err)
}
