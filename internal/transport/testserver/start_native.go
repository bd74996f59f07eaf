//go:build !js

package testserver

import (
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// Start runs the servers until t ends.
func Start(t testing.TB) Servers {
	t.Helper()
	certificate, pem := selfSigned(t)
	config := &tls.Config{Certificates: []tls.Certificate{certificate}}
	n := &node{parted: map[string]chan Parting{}, stop: make(chan struct{})}
	handler := n.handler()

	plain := httptest.NewServer(handler)
	secure := httptest.NewUnstartedServer(handler)
	secure.TLS = config
	secure.StartTLS()
	other := httptest.NewServer(handler)
	t.Cleanup(func() {
		close(n.stop)
		n.running.Wait()
		for _, server := range []*httptest.Server{plain, secure, other} {
			server.Close()
		}
	})
	return Servers{
		HTTP: plain.URL, HTTPS: secure.URL, Other: other.URL,
		TCP:       "tcp://" + listen(t, nil, echo),
		SSL:       "ssl://" + listen(t, config, echo),
		TCPParted: "tcp://" + listen(t, nil, part),
		SSLParted: "ssl://" + listen(t, config, part),
		Silent:    listen(t, nil, silent),
		Refused:   refused(t),
		CA:        string(pem),
	}
}

// node is what the handlers of one Start share.
type node struct {
	mu      sync.Mutex
	parted  map[string]chan Parting
	visits  int // requests to /http/secret
	stop    chan struct{}
	running sync.WaitGroup // WebSocket handlers, which httptest does not wait for
}

func (n *node) handler() http.Handler {
	mux := http.NewServeMux()
	n.webSocket(mux)
	n.http(mux)
	return mux
}

// listen serves raw connections and gives the address.
func listen(t testing.TB, config *tls.Config, serve func(net.Conn)) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := listener.Addr().String()
	if config != nil {
		listener = tls.NewListener(listener, config)
	}
	var running sync.WaitGroup
	var conns sync.Map
	running.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			conns.Store(conn, nil)
			running.Go(func() {
				defer conn.Close()
				serve(conn)
			})
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		conns.Range(func(conn, _ any) bool {
			_ = conn.(net.Conn).Close()
			return true
		})
		running.Wait()
	})
	return address
}

func echo(conn net.Conn) { _, _ = io.Copy(conn, conn) }

func silent(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) }

// part speaks once spoken to, so that the client has finished its handshake.
func part(conn net.Conn) {
	_, _ = conn.Read(make([]byte, 16))
	_, _ = conn.Write([]byte("last words"))
}

// refused finds a port that was free a moment ago.
func refused(t testing.TB) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, listener.Close())
	return listener.Addr().String()
}
