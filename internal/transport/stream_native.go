//go:build !js

package transport

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/url"
)

const (
	blockSize = 32 << 10 // one allocation serves many small reads
	minRead   = 4 << 10  // below this much room a new block is begun
)

func dialStream(ctx context.Context, address string, o Options) (Conn, error) {
	u, err := url.Parse(address)
	if err != nil || u.Port() == "" || u.Hostname() == "" || u.Path != "" && u.Path != "/" {
		return nil, badURL(address)
	}
	config, err := tlsConfig(o.RootCAs)
	if err != nil {
		return nil, err
	}
	var conn net.Conn
	if u.Scheme == "ssl" {
		conn, err = (&tls.Dialer{Config: config}).DialContext(ctx, "tcp", u.Host)
	} else {
		conn, err = (&net.Dialer{}).DialContext(ctx, "tcp", u.Host)
	}
	if err != nil {
		return nil, dialFailed(ctx, address, err)
	}
	return &streamConn{lifeline: lifeline{conn: conn}}, nil
}

// streamConn is a connection over TCP or TLS.
type streamConn struct {
	lifeline
	block []byte // room for the next reads; guarded by reading
}

// Read implements Conn.
func (c *streamConn) Read() ([]byte, error) {
	c.reading.Lock()
	defer c.reading.Unlock()
	if c.closed.Load() {
		return nil, ErrClosed
	}
	if len(c.block) < minRead {
		c.block = make([]byte, blockSize)
	}
	n, err := c.conn.Read(c.block)
	switch {
	case c.closed.Load():
		return nil, ErrClosed
	case n > 0: // an error that came with data comes again with the next read
		chunk := c.block[:n:n]
		c.block = c.block[n:]
		return chunk, nil
	case errors.Is(err, io.EOF):
		return nil, &CloseError{}
	}
	return nil, &CloseError{Cause: err}
}

// Write implements Conn.
func (c *streamConn) Write(b []byte) error {
	c.writing.Lock()
	defer c.writing.Unlock()
	if c.closed.Load() {
		return ErrClosed
	}
	if _, err := c.conn.Write(b); err != nil {
		return c.writeError(err)
	}
	return nil
}

// Close implements Conn.
func (c *streamConn) Close() error {
	// Both *net.TCPConn and *tls.Conn can end their own direction first.
	c.close(c.conn.(interface{ CloseWrite() error }).CloseWrite)
	return nil
}
