//go:build !js

package transport

import (
	"errors"
	"time"

	"github.com/gorilla/websocket"
)

// webSocketConn is a WebSocket over gorilla/websocket.
type webSocketConn struct {
	lifeline
	ws  *websocket.Conn
	err error // why reading ended; guarded by reading
}

func newWebSocketConn(ws *websocket.Conn) *webSocketConn {
	return &webSocketConn{lifeline: lifeline{conn: ws.NetConn()}, ws: ws}
}

// Read implements Conn.
func (c *webSocketConn) Read() ([]byte, error) {
	c.reading.Lock()
	defer c.reading.Unlock()
	if c.err == nil && !c.closed.Load() {
		kind, b, err := c.ws.ReadMessage()
		if err == nil && kind == websocket.BinaryMessage && !c.closed.Load() {
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
		_ = c.sayClose(websocket.CloseUnsupportedData)
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

func (c *webSocketConn) sayClose(code int) error {
	return c.ws.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, ""), time.Now().Add(closeWait))
}

// Write implements Conn.
func (c *webSocketConn) Write(b []byte) error {
	c.writing.Lock()
	defer c.writing.Unlock()
	if c.closed.Load() {
		return ErrClosed
	}
	if err := c.ws.WriteMessage(websocket.BinaryMessage, b); err != nil {
		return c.writeError(err)
	}
	return nil
}

// Close implements Conn.
func (c *webSocketConn) Close() error {
	c.close(func() error { return c.sayClose(websocket.CloseNormalClosure) })
	return nil
}
