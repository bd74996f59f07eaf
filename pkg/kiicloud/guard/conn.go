package guard

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kiiweb/kiiweb/internal/mqtt"
)

// errEnded is what Next gives for a connection that was ended here.
var errEnded = errors.New("connection ended by the guard")

const (
	batchLimit = 32 << 10 // bytes of packets that Batch gathers into one write
	keepBatch  = 512      // bytes of buffer for writing that an idle connection keeps
	idleRead   = 64       // bytes of buffer in which an idle connection waits for what comes
)

// chunks are buffers for reading from clients that send more than idleRead at once.
var chunks = sync.Pool{New: func() any { return new([4 << 10]byte) }}

// Conn is a client's connection as the engine behind the guard sees it: only whole, valid and
// allowed packets come from it.
//
// Next belongs to one goroutine. Everything else may be called from any.
type Conn struct {
	under net.Conn
	h     Handler
	lim   Limits

	split     *mqtt.Splitter
	buf       [idleRead]byte
	more      bool          // the last read filled its buffer
	clientID  string        // "" before CONNECT was let in
	patience  time.Duration // 1.5 times the keep alive; 0: for ever
	version   atomic.Uint32 // mqtt.Version; 0 before CONNECT
	maxPacket int           // what the client accepts, bytes; 0: no limit
	problems  bool          // reason strings are welcome in acknowledgements

	writing  chan struct{} // holds one element while somebody writes
	answered bool          // a CONNACK was written; guarded by writing
	accepted bool          // it said success; guarded by writing
	batching bool          // guarded by writing
	batch    []byte        // guarded by writing

	mu    sync.Mutex
	cause *Refusal // non-nil once ended
}

// NewConn guards under, whose packets h decides on. A CONNECT must have arrived within
// the limit for it, counted from now.
func NewConn(under net.Conn, h Handler, lim Limits) *Conn {
	lim = lim.withDefaults()
	c := &Conn{
		under:    under,
		h:        h,
		lim:      lim,
		split:    mqtt.NewSplitter(lim.MaxPacket),
		problems: true,
		writing:  make(chan struct{}, 1),
	}
	_ = under.SetReadDeadline(time.Now().Add(lim.ConnectTimeout))
	return c
}

// Version is the protocol version of the CONNECT, 0 before there was one.
func (c *Conn) Version() mqtt.Version { return mqtt.Version(c.version.Load()) }

// MaxPacket is the largest packet that the client accepts, in bytes; 0: it named no limit. It is
// known once CONNECT was read.
func (c *Conn) MaxPacket() int { return c.maxPacket }

// Next waits for the next packet that was not dealt with here: the CONNECT that was let in, then
// SUBSCRIBE, UNSUBSCRIBE and PINGREQ. It is valid until the next call. io.EOF means that the
// client went.
func (c *Conn) Next() ([]byte, error) {
	for {
		pkt, err := c.next()
		if err == nil {
			pkt, err = c.admit(pkt)
		}
		if pkt != nil || err != nil {
			return pkt, err
		}
	}
}

// next is the next whole packet. The client's time for it starts here, not when the former one
// came: what came while that was dealt with has not been read yet.
func (c *Conn) next() ([]byte, error) {
	if err := c.wait(); err != nil {
		return nil, err
	}
	for {
		if c.Cause() != nil {
			return nil, errEnded
		}
		pkt, err := c.split.Next()
		if err != nil {
			return nil, c.broken(err)
		}
		if pkt != nil {
			return pkt, nil
		}
		if err := c.feed(); err != nil {
			return nil, c.lost(err)
		}
	}
}

// feed waits for bytes and gives them to the splitter.
func (c *Conn) feed() error {
	c.split.Release() // it may be a long wait
	buf := c.buf[:]
	if c.more {
		chunk := chunks.Get().(*[4 << 10]byte)
		defer chunks.Put(chunk)
		buf = chunk[:]
	}
	n, err := c.under.Read(buf)
	if c.more = n == len(buf); n > 0 {
		c.split.Feed(append([]byte(nil), buf[:n]...))
		return nil
	}
	return err
}

// wait starts the time in which the next packet must have come [MQTT-3.1.2-22].
func (c *Conn) wait() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.cause != nil:
		return errEnded
	case c.clientID == "": // the time for CONNECT runs on
		return nil
	case c.patience == 0:
		_ = c.under.SetReadDeadline(time.Time{})
	default:
		_ = c.under.SetReadDeadline(time.Now().Add(c.patience))
	}
	return nil
}

// lost ends the connection after a failed read.
func (c *Conn) lost(err error) error {
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded) && c.clientID != "":
		c.End(&Refusal{mqtt.KeepAliveTimeout, "nothing was received for 1.5 times the keep alive"})
	case errors.Is(err, os.ErrDeadlineExceeded):
		c.End(&Refusal{mqtt.ProtocolError, "no CONNECT was received in time"})
	default:
		c.End(&Refusal{mqtt.Success, "the client closed the connection"})
		err = io.EOF
	}
	return err
}

// Write sends b, whole packets: at once, or with the rest of a batch.
func (c *Conn) Write(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	kind := mqtt.PacketTypeOf(b)
	if kind == mqtt.DISCONNECT && c.Version() < mqtt.V5 {
		return len(b), nil // 3.x has none from a server [MQTT-3.14.0-1 of 3.1.1: client to server]
	}
	c.writing <- struct{}{}
	defer func() { <-c.writing }()
	if c.Cause() != nil {
		return 0, net.ErrClosed
	}
	if kind == mqtt.CONNACK {
		h := headerLen(b)
		c.answered, c.accepted = true, len(b) > h+1 && b[h+1] == byte(mqtt.Success)
	}
	if c.batching {
		c.batch = append(c.batch, b...)
		if len(c.batch) < batchLimit {
			return len(b), nil
		}
		return len(b), c.flush()
	}
	return len(b), c.send(b, c.lim.WriteTimeout)
}

// Batch calls write, and sends all that is written to c meanwhile together: one WebSocket
// message carries many packets. An error of write is returned as it is; otherwise nil
// means that all of it was handed to the network.
func (c *Conn) Batch(write func() error) error {
	c.writing <- struct{}{}
	c.batching = true
	<-c.writing

	err := write()

	c.writing <- struct{}{}
	defer func() { <-c.writing }()
	c.batching = false
	if c.Cause() != nil {
		c.batch = nil
		return errors.Join(err, net.ErrClosed)
	}
	return errors.Join(err, c.flush())
}

// flush sends the batch. The caller holds writing.
func (c *Conn) flush() error {
	if len(c.batch) == 0 {
		return nil
	}
	err := c.send(c.batch, c.lim.WriteTimeout)
	if c.batch = c.batch[:0]; cap(c.batch) > keepBatch {
		c.batch = nil
	}
	return err
}

// send writes b in one piece. A client that does not take it in time loses the
// connection: half a packet cannot be taken back. The caller holds writing.
func (c *Conn) send(b []byte, timeout time.Duration) error {
	if len(b) == 0 {
		return nil
	}
	_ = c.under.SetWriteDeadline(time.Now().Add(timeout))
	_, err := c.under.Write(b)
	if err != nil {
		if c.ended(&Refusal{mqtt.UnspecifiedError, "the client does not take what it is sent"}) {
			_ = c.under.Close()
		}
	}
	return err
}
