package guard

import (
	"errors"
	"io"
	"net"
	"os"
	"time"

	"github.com/gorilla/websocket"

	"github.com/kiiweb/kiiweb/internal/mqtt"
)

// errNotBinary is read from a connection whose client sent a text message.
var errNotBinary = errors.New("a WebSocket message was not binary")

// wsConn is a WebSocket as a stream of bytes. Each Write is one binary message.
type wsConn struct {
	ws  *websocket.Conn
	cur io.Reader // what is left of the current message, nil between messages
	err error     // the read error that ended it; gorilla's are final
}

func newWSConn(ws *websocket.Conn) *wsConn { return &wsConn{ws: ws} }

// Read gives bytes of binary messages; where one message ends means nothing [MQTT-6.0.0-2].
// It is io.EOF when the client closed in order.
func (c *wsConn) Read(p []byte) (int, error) {
	if c.err != nil {
		return 0, c.err
	}
	for {
		if c.cur == nil {
			if c.err = c.nextMessage(); c.err != nil {
				return 0, c.err
			}
		}
		n, err := c.cur.Read(p)
		if err != nil {
			c.cur = nil
			if err != io.EOF {
				c.err = readError(err)
			}
		}
		if n > 0 {
			return n, nil
		}
		if c.err != nil {
			return 0, c.err
		}
	}
}

// drain throws away what the client still sends after a message that could not be read,
// until it closes or the read deadline passes.
func (c *wsConn) drain() {
	var closed *websocket.CloseError
	if c.err == io.EOF || errors.As(c.err, &closed) {
		return // the client has said its last word
	}
	_, _ = io.Copy(io.Discard, c.ws.NetConn())
}

func (c *wsConn) nextMessage() error {
	kind, r, err := c.ws.NextReader()
	if err != nil {
		return readError(err)
	}
	if kind != websocket.BinaryMessage { // [MQTT-6.0.0-1]
		c.closeFrame(websocket.CloseUnsupportedData, "MQTT needs binary messages")
		return errNotBinary
	}
	c.cur = r
	return nil
}

// readError tells a close in order (io.EOF) and an elapsed deadline from other failures.
func readError(err error) error {
	var t net.Error
	switch {
	case websocket.IsCloseError(err, websocket.CloseNormalClosure, websocket.CloseGoingAway, websocket.CloseNoStatusReceived):
		return io.EOF
	case errors.As(err, &t) && t.Timeout():
		return os.ErrDeadlineExceeded
	default:
		return err
	}
}

// Write sends p as one binary message. One goroutine at a time may call it.
func (c *wsConn) Write(p []byte) (int, error) {
	if err := c.ws.WriteMessage(websocket.BinaryMessage, p); err != nil {
		return 0, err
	}
	return len(p), nil
}

// CloseWith sends the close frame for r. The reason string is all that a client of 3.x
// can learn.
func (c *wsConn) CloseWith(r *Refusal) error {
	return c.closeFrame(closeCode(r.Code), r.Reason)
}

func (c *wsConn) closeFrame(code int, reason string) error {
	const maxReason = 123 // RFC 6455, 5.5: a control frame holds 125 bytes
	if len(reason) > maxReason {
		reason = reason[:maxReason]
	}
	err := c.ws.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, reason), time.Now().Add(endTimeout))
	if errors.Is(err, websocket.ErrCloseSent) {
		return nil
	}
	return err
}

// closeCode is the close code (RFC 6455, 7.4.1) that says most nearly what code says.
func closeCode(code mqtt.ReasonCode) int {
	switch code {
	case mqtt.Success:
		return websocket.CloseNormalClosure
	case mqtt.ServerShuttingDown:
		return websocket.CloseGoingAway
	case mqtt.MalformedPacket, mqtt.ProtocolError:
		return websocket.CloseProtocolError
	case mqtt.PacketTooLarge:
		return websocket.CloseMessageTooBig
	case mqtt.UnspecifiedError, mqtt.ServerUnavailable:
		return websocket.CloseInternalServerErr
	default:
		return websocket.ClosePolicyViolation
	}
}

func (c *wsConn) Close() error                       { return c.ws.Close() }
func (c *wsConn) LocalAddr() net.Addr                { return c.ws.LocalAddr() }
func (c *wsConn) RemoteAddr() net.Addr               { return c.ws.RemoteAddr() }
func (c *wsConn) SetReadDeadline(t time.Time) error  { return c.ws.SetReadDeadline(t) }
func (c *wsConn) SetWriteDeadline(t time.Time) error { return c.ws.SetWriteDeadline(t) }
func (c *wsConn) SetDeadline(t time.Time) error {
	return errors.Join(c.ws.SetReadDeadline(t), c.ws.SetWriteDeadline(t))
}
