package transport_test

import (
	"bytes"
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/fault"
	"github.com/kiiweb/kiiweb/internal/transport"
	"github.com/kiiweb/kiiweb/internal/transport/testserver"
)

var mqtt = transport.Options{Subprotocols: []string{"mqtt", "mqttv3.1"}}

var openTests = []conformance{
	{"plain", func(t *testing.T, s testserver.Servers) {
		conn := open(t, s, s.WS("/ws/echo"), transport.Options{})
		require.NoError(t, conn.Write([]byte("hello")))
		wantRead(t, conn, "hello")
	}},
	{"over TLS", func(t *testing.T, s testserver.Servers) {
		conn := open(t, s, s.WSS("/ws/echo"), mqtt)
		require.NoError(t, conn.Write([]byte("hello")))
		wantRead(t, conn, "hello")
	}},
	{"sub-protocol chosen", func(t *testing.T, s testserver.Servers) {
		open(t, s, s.WS("/ws/echo"), mqtt)
	}},
	{"sub-protocol not chosen", func(t *testing.T, s testserver.Servers) {
		o := transport.Options{Subprotocols: []string{"other"}}
		wantCode(t, fault.Network, dialError(t, context10(t), s, s.WS("/ws/echo"), o))
	}},
	{"handshake refused", func(t *testing.T, s testserver.Servers) {
		wantCode(t, fault.Network, dialError(t, context10(t), s, s.WS("/ws/refuse"), mqtt))
	}},
	{"connection refused", func(t *testing.T, s testserver.Servers) {
		wantCode(t, fault.Network, dialError(t, context10(t), s, "ws://"+s.Refused+"/mqtt", mqtt))
	}},
	{"cancelled before", func(t *testing.T, s testserver.Servers) {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		err := dialError(t, ctx, s, s.WS("/ws/echo"), mqtt)
		wantCode(t, fault.Aborted, err)
		require.ErrorIs(t, err, context.Canceled)
	}},
	{"cancelled during the handshake", func(t *testing.T, s testserver.Servers) {
		ctx, cancel := context.WithCancel(context.Background())
		time.AfterFunc(20*time.Millisecond, cancel)
		err := dialError(t, ctx, s, "ws://"+s.Silent+"/mqtt", mqtt)
		wantCode(t, fault.Aborted, err)
		require.ErrorIs(t, err, context.Canceled)
	}},
	{"timed out during the handshake", func(t *testing.T, s testserver.Servers) {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
		defer cancel()
		err := dialError(t, ctx, s, "ws://"+s.Silent+"/mqtt", mqtt)
		wantCode(t, fault.Timeout, err)
		require.ErrorIs(t, err, context.DeadlineExceeded)
	}},
	{"cancelled during the TLS handshake", func(t *testing.T, s testserver.Servers) {
		ctx, cancel := context.WithCancel(context.Background())
		time.AfterFunc(20*time.Millisecond, cancel)
		wantCode(t, fault.Aborted, dialError(t, ctx, s, "wss://"+s.Silent+"/mqtt", mqtt))
	}},
	{"no URL to connect to", func(t *testing.T, s testserver.Servers) {
		for _, url := range []string{"", "localhost", "ws://", "ws:/host", "http://host/", "ws://user:secret@host/",
			"ws://[/", "ws://ho st/", "ftp://host/"} {
			err := dialError(t, context10(t), s, url, mqtt)
			wantCode(t, fault.InvalidArgument, err)
			assert.NotContains(t, err.Error(), "secret")
		}
	}},
}

var receiveTests = []conformance{
	{"several messages in one segment", func(t *testing.T, s testserver.Servers) {
		conn := open(t, s, s.WS("/ws/segment"), mqtt)
		wantRead(t, conn, "a", "", "bb", "ccc", "d")
	}},
	{"message at the limit", func(t *testing.T, s testserver.Servers) {
		conn := open(t, s, s.WS("/ws/size?n=5000"), transport.Options{ReadLimit: 5000})
		got, err := readSoon(t, conn)
		require.NoError(t, err)
		require.Len(t, got, 5000)
	}},
	{"message over the limit", func(t *testing.T, s testserver.Servers) {
		conn := open(t, s, s.WS("/ws/size?n=5001"), transport.Options{ReadLimit: 5000})
		for range 2 {
			_, err := readSoon(t, conn)
			wantCode(t, fault.PacketTooLarge, err)
		}
		require.Error(t, conn.Write([]byte("x")))
	}},
	{"message over the default limit", func(t *testing.T, s testserver.Servers) {
		_, err := readSoon(t, open(t, s, s.WS("/ws/size?n=1048577"), mqtt))
		wantCode(t, fault.PacketTooLarge, err)
		got, err := readSoon(t, open(t, s, s.WS("/ws/size?n=1048576"), mqtt))
		require.NoError(t, err)
		require.Len(t, got, 1<<20)
	}},
	{"text message", func(t *testing.T, s testserver.Servers) {
		_, err := readSoon(t, open(t, s, s.WS("/ws/text"), mqtt))
		wantCode(t, fault.ProtocolError, err)
	}},
	{"data belongs to the caller", func(t *testing.T, s testserver.Servers) {
		conn := open(t, s, s.WS("/ws/segment"), mqtt)
		first, err := readSoon(t, conn)
		require.NoError(t, err)
		wantRead(t, conn, "", "bb", "ccc", "d")
		assert.Equal(t, "a", string(first))
	}},
}

var sendTests = []conformance{
	{"empty message", func(t *testing.T, s testserver.Servers) {
		conn := open(t, s, s.WS("/ws/echo"), mqtt)
		require.NoError(t, conn.Write(nil))
		require.NoError(t, conn.Write([]byte{}))
		require.NoError(t, conn.Write([]byte("x")))
		wantRead(t, conn, "", "", "x")
	}},
	{"large message", func(t *testing.T, s testserver.Servers) {
		conn := open(t, s, s.WS("/ws/echo"), mqtt)
		large := bytes.Repeat([]byte("0123456789abcdef"), 1<<15)
		require.NoError(t, conn.Write(large))
		got, err := readSoon(t, conn)
		require.NoError(t, err)
		require.True(t, bytes.Equal(large, got))
	}},
	{"what was written may be changed afterwards", func(t *testing.T, s testserver.Servers) {
		conn := open(t, s, s.WS("/ws/echo"), mqtt)
		b := []byte("before")
		require.NoError(t, conn.Write(b))
		copy(b, "after!")
		wantRead(t, conn, "before")
	}},
	{"everything written leaves before the close", func(t *testing.T, s testserver.Servers) {
		conn := open(t, s, s.WS("/ws/watch?id=send"), mqtt)
		for range 50 {
			require.NoError(t, conn.Write(make([]byte, 1000)))
		}
		require.NoError(t, conn.Close())
		assert.Equal(t, testserver.Parting{Code: 1000, Messages: 50, Bytes: 50000}, parting(t, s, "send"))
	}},
	{"a peer that does not read makes Write wait, and Close ends the wait", func(t *testing.T, s testserver.Servers) {
		const enough = 64 // MiB, far above what lies in sockets and buffers
		conn := open(t, s, s.WS("/ws/deaf"), mqtt)
		written := make(chan struct{}, enough)
		ended := make(chan error, 1)
		go func() {
			for range enough {
				if err := conn.Write(make([]byte, 1<<20)); err != nil {
					ended <- err
					return
				}
				written <- struct{}{}
			}
			ended <- nil
		}()
		for quiet := false; !quiet; {
			select {
			case <-written:
			case <-time.After(300 * time.Millisecond):
				quiet = true
			}
		}
		require.NoError(t, conn.Close())
		select {
		case err := <-ended:
			require.ErrorIs(t, err, transport.ErrClosed)
		case <-time.After(patience):
			require.Fail(t, "Write still waits")
		}
	}},
}

var closeTests = []conformance{
	{"by the server: data first, then code and reason", func(t *testing.T, s testserver.Servers) {
		conn := open(t, s, s.WS("/ws/bye?code=4001&reason=enough"), mqtt)
		wantRead(t, conn, "one", "two")
		for range 2 { // it stays closed
			_, err := readSoon(t, conn)
			wantClose(t, 4001, "enough", err)
		}
		require.Error(t, conn.Write([]byte("x")))
		require.NoError(t, conn.Close())
	}},
	{"by the server without a reason", func(t *testing.T, s testserver.Servers) {
		conn := open(t, s, s.WS("/ws/bye?code=1001"), mqtt)
		wantRead(t, conn, "one", "two")
		_, err := readSoon(t, conn)
		wantClose(t, 1001, "", err)
	}},
	{"by the network", func(t *testing.T, s testserver.Servers) {
		conn := open(t, s, s.WS("/ws/drop"), mqtt)
		wantRead(t, conn, "one")
		_, err := readSoon(t, conn)
		wantClose(t, 1006, "", err)
	}},
	{"by this side, during Read", func(t *testing.T, s testserver.Servers) {
		conn := open(t, s, s.WS("/ws/echo"), mqtt)
		pending := reading(conn)
		require.NoError(t, conn.Close())
		_, err := waitFor(t, pending)
		require.ErrorIs(t, err, transport.ErrClosed)
	}},
	{"by this side, again and again", func(t *testing.T, s testserver.Servers) {
		conn := open(t, s, s.WS("/ws/echo"), mqtt)
		for range 3 {
			require.NoError(t, conn.Close())
			_, err := readSoon(t, conn)
			require.ErrorIs(t, err, transport.ErrClosed)
			require.ErrorIs(t, conn.Write([]byte("x")), transport.ErrClosed)
		}
		wantCode(t, fault.Closed, conn.Write(nil))
	}},
	{"the server sees code 1000", func(t *testing.T, s testserver.Servers) {
		conn := open(t, s, s.WS("/ws/watch?id=close"), mqtt)
		require.NoError(t, conn.Close())
		assert.Equal(t, 1000, parting(t, s, "close").Code)
	}},
}

// parting asks the server how the client of /ws/watch?id= left.
func parting(t *testing.T, s testserver.Servers, id string) testserver.Parting {
	t.Helper()
	answer, err := transport.Do(context10(t), transport.Request{Method: "GET", URL: s.HTTP + "/ws/parting?id=" + id})
	require.NoError(t, err)
	require.Equal(t, 200, answer.Status)
	var p testserver.Parting
	require.NoError(t, json.Unmarshal(answer.Body, &p))
	return p
}
