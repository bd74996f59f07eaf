// Package guardtest has an MQTT client for tests of servers: it sends the bytes that it is
// told to send, broken ones too, and checks every byte that the server sends by the standard.
package guardtest

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/mqtt"
)

// Patience is how long a Client waits for what it expects.
const Patience = 2 * time.Minute

// Client is one connection to a server under test.
type Client struct {
	t       testing.TB
	version mqtt.Version
	write   func([]byte) error
	hangUp  func() error
	in      chan Packet   // closed after the last packet
	gone    chan struct{} // closed with in; then the three below are set
	err     error         // why reading ended
	code    int           // the WebSocket close code, 0 on TCP
	reason  string        // the WebSocket close reason

	mu       sync.Mutex
	messages []int // packets in each WebSocket message or TCP read, in order
}

// DialTCP connects to addr. The server's packets are checked by version v.
func DialTCP(t testing.TB, v mqtt.Version, addr string) *Client {
	conn, err := net.Dial("tcp", addr)
	require.NoError(t, err)
	return OnStream(t, v, conn)
}

// OnStream uses conn, which is open.
func OnStream(t testing.TB, v mqtt.Version, conn net.Conn) *Client {
	c := newClient(t, v, conn.Close, func(b []byte) error {
		_, err := conn.Write(b)
		return err
	})
	buf := make([]byte, 64<<10)
	go c.readAll(func() ([]byte, error) {
		n, err := conn.Read(buf)
		return append([]byte(nil), buf[:n]...), err
	})
	return c
}

// DialWS connects to a ws:// or wss:// URL with the sub-protocol "mqtt". secure says whom
// wss:// trusts.
func DialWS(t testing.TB, v mqtt.Version, url string, secure *tls.Config) *Client {
	ws, _, err := (&websocket.Dialer{Subprotocols: []string{"mqtt"}, TLSClientConfig: secure}).Dial(url, nil)
	require.NoError(t, err)
	return OnWebSocket(t, v, ws)
}

// OnWebSocket uses ws, which is open.
func OnWebSocket(t testing.TB, v mqtt.Version, ws *websocket.Conn) *Client {
	c := newClient(t, v, ws.Close, func(b []byte) error {
		return ws.WriteMessage(websocket.BinaryMessage, b)
	})
	go c.readAll(func() ([]byte, error) {
		_, b, err := ws.ReadMessage()
		return b, err
	})
	return c
}

func newClient(t testing.TB, v mqtt.Version, hangUp func() error, write func([]byte) error) *Client {
	c := &Client{t: t, version: v, write: write, hangUp: hangUp, in: make(chan Packet, 4096), gone: make(chan struct{})}
	t.Cleanup(c.HangUp)
	return c
}

func (c *Client) readAll(read func() ([]byte, error)) {
	defer close(c.in)
	defer close(c.gone)
	split := mqtt.NewSplitter(0)
	for {
		b, err := read()
		if len(b) > 0 {
			split.Feed(b)
			if n, broken := c.take(split); broken != nil {
				c.err = broken
				return
			} else if n > 0 {
				c.mu.Lock()
				c.messages = append(c.messages, n)
				c.mu.Unlock()
			}
		}
		if err != nil {
			var closed *websocket.CloseError
			if errors.As(err, &closed) {
				c.code, c.reason = closed.Code, closed.Text
			}
			c.err = err
			return
		}
	}
}

// take hands on all whole packets and counts them.
func (c *Client) take(split *mqtt.Splitter) (n int, err error) {
	for ; ; n++ {
		pkt, err := split.Next()
		if err != nil || pkt == nil {
			return n, err
		}
		if err := mqtt.Check(c.version, mqtt.FromServer, pkt); err != nil {
			return n, errors.New("the server broke the protocol: " + err.Error())
		}
		c.in <- Packet{c.version, append([]byte(nil), pkt...)}
	}
}

// Send writes packets in one piece: one WebSocket message.
func (c *Client) Send(packets ...[]byte) {
	c.t.Helper()
	require.NoError(c.t, c.TrySend(packets...))
}

// TrySend is Send with the error: a server may close before all was written.
func (c *Client) TrySend(packets ...[]byte) error {
	var all []byte
	for _, p := range packets {
		all = append(all, p...)
	}
	return c.write(all)
}

// Next is the server's next packet.
func (c *Client) Next() Packet {
	c.t.Helper()
	select {
	case p, ok := <-c.in:
		if !ok {
			require.FailNow(c.t, "the connection ended", "%v", c.err)
		}
		return p
	case <-time.After(Patience):
		require.FailNow(c.t, "nothing was received")
		panic("unreachable")
	}
}

// NextOrEnd is Next, or word that the connection has ended.
func (c *Client) NextOrEnd() (p Packet, open bool) {
	c.t.Helper()
	select {
	case p, open = <-c.in:
		return p, open
	case <-time.After(Patience):
		require.FailNow(c.t, "nothing was received, and the connection is still open")
		panic("unreachable")
	}
}

// Expect is the server's next packet, which must be a t.
func (c *Client) Expect(t mqtt.Type) Packet {
	c.t.Helper()
	p := c.Next()
	require.Equal(c.t, t, p.Type(), "packet type of % x", p.Bytes)
	return p
}

// ExpectClosed waits for the end of the connection, before which no packet may come.
func (c *Client) ExpectClosed() {
	c.t.Helper()
	select {
	case p, ok := <-c.in:
		require.False(c.t, ok, "a packet came before the end: % x", p.Bytes)
		require.NotErrorIs(c.t, c.err, os.ErrDeadlineExceeded)
		if c.code == 0 {
			require.ErrorIs(c.t, c.err, io.EOF, "the end was not an orderly one")
		}
	case <-time.After(Patience):
		require.FailNow(c.t, "the connection is still open")
	}
}

// Until is the next packet of type t, and what came before it.
func (c *Client) Until(t mqtt.Type) (p Packet, before []Packet) {
	c.t.Helper()
	for p = c.Next(); p.Type() != t; p = c.Next() {
		before = append(before, p)
	}
	return p, before
}

// Rest waits for the end of the connection, orderly or not, and gives what came before it.
func (c *Client) Rest() (packets []Packet) {
	c.t.Helper()
	deadline := time.After(Patience)
	for {
		select {
		case p, ok := <-c.in:
			if !ok {
				return packets
			}
			packets = append(packets, p)
		case <-deadline:
			require.FailNow(c.t, "the connection is still open")
		}
	}
}

// ExpectSilence fails when anything comes, or the connection ends, within d.
func (c *Client) ExpectSilence(d time.Duration) {
	c.t.Helper()
	select {
	case p, ok := <-c.in:
		if !ok {
			require.FailNow(c.t, "the connection ended", "%v", c.err)
		}
		require.FailNow(c.t, "a packet came", "% x", p.Bytes)
	case <-time.After(d):
	}
}

// ExpectAlive proves that the connection works, and that nothing else was on its way.
func (c *Client) ExpectAlive() {
	c.t.Helper()
	c.Send(Pingreq)
	c.Expect(mqtt.PINGRESP)
}

// Gone is closed when the connection has ended.
func (c *Client) Gone() <-chan struct{} { return c.gone }

// CloseFrame is the WebSocket close code and reason, once the connection has ended.
func (c *Client) CloseFrame() (code int, reason string) {
	<-c.gone
	return c.code, c.reason
}

// Messages tells how many packets ended in each WebSocket message so far.
func (c *Client) Messages() []int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]int(nil), c.messages...)
}

// HangUp closes the network connection without a word, and waits for the reader.
func (c *Client) HangUp() {
	_ = c.hangUp()
	for range c.in { // let the reader go on to its end
	}
}
