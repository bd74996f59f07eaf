package guard

import (
	"time"

	"github.com/kiiweb/kiiweb/internal/mqtt"
)

// How long End waits for a writer that is stuck, and for its own last packet.
const (
	endPatience = 500 * time.Millisecond
	endTimeout  = time.Second
)

// closer is a connection that can say why it is closed, as a WebSocket can.
type closer interface {
	CloseWith(r *Refusal) error
}

// halfCloser is a connection whose sending side closes alone, as TCP and TLS can.
type halfCloser interface {
	CloseWrite() error
}

// drainer is a connection that can be read on below a message that broke it.
type drainer interface {
	drain()
}

// Cause is why the connection ended, nil while it has not.
func (c *Conn) Cause() *Refusal {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.cause
}

// ended notes why the connection ends. It reports whether the caller was the first.
func (c *Conn) ended(r *Refusal) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cause != nil {
		return false
	}
	c.cause = r
	_ = c.under.SetReadDeadline(time.Now().Add(c.lim.Linger))
	return true
}

// End ends the connection: an MQTT 5 client that was let in is told r with DISCONNECT,
// unless r is success; a client whose CONNECT is not answered yet, by a CONNACK that refuses, since it would
// take a mere close for a server that does not speak its version; a WebSocket is closed with a code and the reason. Only the first
// call counts. When it returns nothing more will be written, and nothing that the client
// sends reaches the Handler any more, save for the call that may be under way.
func (c *Conn) End(r *Refusal) {
	if !c.ended(r) {
		return
	}
	stuck := time.NewTimer(endPatience)
	defer stuck.Stop()
	select {
	case c.writing <- struct{}{}:
		defer func() { <-c.writing }()
	case <-stuck.C:
		_ = c.under.Close()
		return
	}
	switch v := c.Version(); {
	case v == 0 || r.Code == mqtt.Success:
	case !c.answered:
		code := connackCode(r.Code)
		_ = c.send(c.fit(connackRefused(v, &Refusal{code, r.Reason}), connackRefused(v, &Refusal{Code: code})), endTimeout)
	case c.accepted && v == mqtt.V5:
		_ = c.send(c.fit(disconnect(r.Code, r.Reason), disconnect(r.Code, "")), endTimeout)
	}
	c.closeWrite(r)
}

// closeWrite closes the sending side, so that the client closes its own after it has read
// the last packet; Finish then closes the rest.
func (c *Conn) closeWrite(r *Refusal) {
	_ = c.under.SetWriteDeadline(time.Now().Add(endTimeout))
	var err error
	switch u := c.under.(type) {
	case closer:
		err = u.CloseWith(r)
	case halfCloser:
		err = u.CloseWrite()
	default:
		err = c.under.Close()
	}
	if err != nil {
		_ = c.under.Close()
	}
}

// fit is long, or short where the client's maximum packet size rules long out [MQTT-3.2.2-19], or
// nothing where it rules out both [MQTT-3.1.2-24].
func (c *Conn) fit(long, short []byte) []byte {
	switch {
	case c.maxPacket == 0 || len(long) <= c.maxPacket:
		return long
	case len(short) <= c.maxPacket:
		return short
	default:
		return nil
	}
}

// Close ends the connection without a reason. The network connection itself is closed by
// Finish, after the client had time to read what was sent last.
func (c *Conn) Close() error {
	c.End(&Refusal{mqtt.Success, "the connection was closed"})
	return nil
}

// Finish closes the network connection, once the client has closed its side or Linger is
// over. It is called by the goroutine that read, when Next has nothing more.
func (c *Conn) Finish() {
	_ = c.Close()
	chunk := chunks.Get().(*[4 << 10]byte) // whoever goes on sending sends much
	for {
		if _, err := c.under.Read(chunk[:]); err != nil {
			break
		}
	}
	chunks.Put(chunk)
	if d, ok := c.under.(drainer); ok {
		d.drain()
	}
	_ = c.under.Close()
}
