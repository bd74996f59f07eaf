//go:build !js

package transport

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"

	"github.com/kiiweb/kiiweb/internal/fault"
)

// closeWait is how long Close lets a write that is under way, and the close frame, take.
const closeWait = 200 * time.Millisecond

// webSocketConn is a WebSocket over gorilla/websocket.
type webSocketConn struct {
	ws      *websocket.Conn
	reading sync.Mutex
	closed  atomic.Bool
	err     error // why reading ended; guarded by reading
}

// Read implements Conn.
func (c *webSocketConn) Read() ([]byte, error) {
	c.reading.Lock()
	defer c.reading.Unlock()
	if c.err == nil {
		kind, b, err := c.ws.ReadMessage()
		if err == nil && kind == websocket.BinaryMessage {
			return b, nil
		}
		c.err = c.readError(err)
	}
	if c.closed.Load() {
		return nil, ErrClosed
	}
	return nil, c.err
}

// readError translates why reading ended; nil means that a text message came.
func (c *webSocketConn) readError(err error) error {
	var closing *websocket.CloseError
	switch {
	case err == nil:
		_ = c.ws.WriteControl(websocket.CloseMessage,
			websocket.FormatCloseMessage(websocket.CloseUnsupportedData, "MQTT is binary"), time.Now().Add(closeWait))
		_ = c.ws.Close()
		return notBinary()
	case errors.Is(err, websocket.ErrReadLimit): // the library has sent close code 1009
		_ = c.ws.Close()
		return tooLarge()
	case errors.As(err, &closing) && closing.Code != websocket.CloseAbnormalClosure:
		return &CloseError{Code: closing.Code, Reason: closing.Text}
	}
	return &CloseError{Code: websocket.CloseAbnormalClosure, Cause: err}
}

// Write implements Conn.
func (c *webSocketConn) Write(b []byte) error {
	err := c.ws.WriteMessage(websocket.BinaryMessage, b)
	if err == nil {
		return nil
	}
	if c.closed.Load() {
		return ErrClosed
	}
	return fault.Wrap(fault.Network, "The message could not be sent", err)
}

// Close implements Conn.
func (c *webSocketConn) Close() error {
	if c.closed.Swap(true) {
		return nil
	}
	_ = c.ws.WriteControl(websocket.CloseMessage,
		websocket.FormatCloseMessage(websocket.CloseNormalClosure, ""), time.Now().Add(closeWait))
	_ = c.ws.Close()
	return nil
}
