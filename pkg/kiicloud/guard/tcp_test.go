package guard

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestServeTCPOutlivesAPanic(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	var wg sync.WaitGroup
	go func() {
		ended <- ServeTCP(ctx, slog.New(slog.DiscardHandler), ln, func(c net.Conn) {
			defer wg.Done()
			b := make([]byte, 1)
			_, _ = c.Read(b)
			if b[0] == 'p' {
				panic("on purpose")
			}
			_, _ = c.Write(b)
		})
	}()
	send := func(b byte) ([]byte, error) {
		wg.Add(1)
		c, err := net.Dial("tcp", ln.Addr().String())
		require.NoError(t, err)
		defer c.Close()
		_, err = c.Write([]byte{b})
		require.NoError(t, err)
		return io.ReadAll(c)
	}
	got, _ := send('p')
	require.Empty(t, got, "the connection that panicked is closed")
	got, err = send('x')
	require.NoError(t, err)
	require.Equal(t, "x", string(got))

	cancel()
	require.NoError(t, <-ended)
	_, err = net.Dial("tcp", ln.Addr().String())
	require.Error(t, err, "the listener is closed")
	wg.Wait()
}

// troubled is a listener whose Accept fails with errs, one after the other.
type troubled struct {
	net.Listener
	errs chan error
}

func (l troubled) Accept() (net.Conn, error) { return nil, <-l.errs }

func TestServeTCPTriesAgainUntilTheListenerIsClosed(t *testing.T) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	l := troubled{inner, make(chan error, 3)}
	l.errs <- errors.New("too many open files")
	l.errs <- errors.New("too many open files")
	l.errs <- net.ErrClosed
	require.ErrorIs(t, ServeTCP(context.Background(), slog.New(slog.DiscardHandler), l, nil), net.ErrClosed)

	inner, err = net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	l = troubled{inner, make(chan error, 100)}
	for range 100 {
		l.errs <- errors.New("too many open files")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	require.NoError(t, ServeTCP(ctx, slog.New(slog.DiscardHandler), l, nil))
	require.NotEmpty(t, l.errs, "it waits between attempts")
}
