//go:build !js

package transport_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/fault"
	"github.com/kiiweb/kiiweb/internal/transport"
	"github.com/kiiweb/kiiweb/internal/transport/testserver"
)

func TestStream(t *testing.T) {
	s := testserver.Start(t)
	for name, urls := range map[string]struct{ echo, parted string }{
		"tcp": {s.TCP, s.TCPParted},
		"ssl": {s.SSL, s.SSLParted},
	} {
		t.Run(name, func(t *testing.T) {
			t.Run("echo", func(t *testing.T) {
				conn := open(t, s, urls.echo, transport.Options{})
				sent := bytes.Repeat([]byte("0123456789"), 20_000)
				require.NoError(t, conn.Write(sent))
				var chunks [][]byte
				for total := 0; total < len(sent); {
					chunk, err := readSoon(t, conn)
					require.NoError(t, err)
					require.NotEmpty(t, chunk)
					chunks = append(chunks, chunk)
					total += len(chunk)
				}
				assert.True(t, bytes.Equal(sent, bytes.Join(chunks, nil)), "a chunk must not be reused for a later one")
			})
			t.Run("data, then the end", func(t *testing.T) {
				conn := open(t, s, urls.parted, transport.Options{})
				require.NoError(t, conn.Write([]byte("hello")))
				wantRead(t, conn, "last words")
				for range 2 {
					_, err := readSoon(t, conn)
					wantClose(t, 0, "", err)
				}
			})
			t.Run("Close ends Read", func(t *testing.T) {
				conn := open(t, s, urls.echo, transport.Options{})
				pending := reading(conn)
				require.NoError(t, conn.Close())
				require.NoError(t, conn.Close())
				_, err := waitFor(t, pending)
				require.ErrorIs(t, err, transport.ErrClosed)
				require.ErrorIs(t, conn.Write([]byte("x")), transport.ErrClosed)
			})
		})
	}
}

func TestStreamDialFails(t *testing.T) {
	s := testserver.Start(t)
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	brief, stop := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer stop()
	cases := []struct {
		name, url string
		ctx       context.Context
		code      fault.Code
	}{
		{"refused", "tcp://" + s.Refused, context10(t), fault.Network},
		{"refused with TLS", "ssl://" + s.Refused, context10(t), fault.Network},
		{"cancelled", s.TCP, cancelled, fault.Aborted},
		{"TLS handshake without an answer", "ssl://" + s.Silent, brief, fault.Timeout},
		{"no port", "tcp://localhost", context10(t), fault.InvalidArgument},
		{"a path", s.TCP + "/mqtt", context10(t), fault.InvalidArgument},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			err := dialError(t, c.ctx, s, c.url, transport.Options{})
			wantCode(t, c.code, err)
			var f *fault.Error
			require.ErrorAs(t, err, &f)
			assert.Equal(t, c.code == fault.Network || c.code == fault.Timeout, f.Retryable)
			assert.NotContains(t, f.Remedy, "RootCAs", "no certificate is wrong")
		})
	}
}

func TestCertificates(t *testing.T) {
	s := testserver.Start(t)
	for _, url := range []string{s.SSL, s.WSS("/ws/echo")} {
		_, err := transport.Dial(context10(t), url, transport.Options{})
		wantUntrusted(t, err)
		_, err = transport.Dial(context10(t), url, transport.Options{RootCAs: []byte("no certificate")})
		wantCode(t, fault.InvalidArgument, err)
	}
	_, err := transport.Do(context10(t), transport.Request{Method: "GET", URL: s.HTTPS + "/http/echo"})
	wantUntrusted(t, err)
}

func wantUntrusted(t *testing.T, err error) {
	t.Helper()
	var f *fault.Error
	require.ErrorAs(t, err, &f)
	assert.Equal(t, fault.Network, f.Code)
	assert.False(t, f.Retryable, "the certificate will not change")
	assert.Contains(t, f.Remedy, "RootCAs")
}

// TestCloseLosesNothing has a peer that has sent much more than was read: a plain close
// of the socket would answer that with a reset, which drops what the peer has not yet read.
func TestCloseLosesNothing(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	got := make(chan string, 1)
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		_, _ = conn.Write(make([]byte, 100_000))
		b, err := io.ReadAll(conn)
		if err != nil {
			b = []byte(err.Error())
		}
		got <- string(b)
	}()
	conn, err := transport.Dial(context10(t), "tcp://"+listener.Addr().String(), transport.Options{})
	require.NoError(t, err)
	_, err = readSoon(t, conn)
	require.NoError(t, err)
	require.NoError(t, conn.Write([]byte("goodbye")))
	require.NoError(t, conn.Close())
	select {
	case b := <-got:
		assert.Equal(t, "goodbye", b)
	case <-time.After(patience):
		require.Fail(t, "the peer saw no end")
	}
}
