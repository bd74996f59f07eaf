package tap

import (
	"bytes"
	"compress/flate"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// echo is a server that sends back what it gets.
func echo(t *testing.T) string {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var running sync.WaitGroup
	running.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			running.Go(func() {
				defer conn.Close()
				_, _ = io.Copy(conn, conn)
			})
		}
	})
	t.Cleanup(func() {
		_ = ln.Close()
		running.Wait()
	})
	return ln.Addr().String()
}

func dial(t *testing.T, tap *Tap) net.Conn {
	conn, err := net.Dial("tcp", "127.0.0.1:"+strconv.Itoa(tap.Port()))
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	require.NoError(t, conn.SetDeadline(time.Now().Add(time.Minute)))
	return conn
}

func TestForwarding(t *testing.T) {
	for name, f := range map[string]Fault{
		"good":    {},
		"late":    {Latency: time.Millisecond},
		"in bits": {Slice: 1},
		"slow":    {Rate: 10_000},
	} {
		t.Run(name, func(t *testing.T) {
			tap := Start(t, echo(t))
			tap.Suffer(f)
			conn, sent := dial(t, tap), bytes.Repeat([]byte("abc"), 100)
			_, err := conn.Write(sent)
			require.NoError(t, err)
			got := make([]byte, len(sent))
			_, err = io.ReadFull(conn, got)
			require.NoError(t, err)
			assert.Equal(t, sent, got)
		})
	}
}

func TestResetEndsTheFirstConnectionAlone(t *testing.T) {
	for name, r := range map[string]Reset{"up": {Up: 5}, "down": {Down: 5}} {
		t.Run(name, func(t *testing.T) {
			tap := Start(t, echo(t))
			tap.Suffer(Fault{Reset: r})
			first := dial(t, tap)
			_, err := first.Write([]byte("0123456789"))
			require.NoError(t, err)
			got, err := io.ReadAll(first)
			assert.ErrorIs(t, err, syscall.ECONNRESET)
			assert.LessOrEqual(t, len(got), 5)

			second := dial(t, tap)
			_, err = second.Write([]byte("0123456789"))
			require.NoError(t, err)
			_, err = io.ReadFull(second, make([]byte, 10))
			assert.NoError(t, err)
		})
	}
}

func TestMute(t *testing.T) {
	tap := Start(t, echo(t))
	conn := dial(t, tap)
	tap.Mute(true)
	_, err := conn.Write([]byte("lost"))
	require.NoError(t, err)
	require.Eventually(t, func() bool { up, _ := tap.Passed(); return up.Pieces == 1 }, time.Minute, time.Millisecond)
	tap.Mute(false)
	got, err := io.ReadAll(conn)
	assert.Empty(t, got)
	assert.NoError(t, err, "cut")
}

// deflated compresses as permessage-deflate does.
func deflated(t *testing.T, s string) string {
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.BestSpeed)
	require.NoError(t, err)
	_, err = w.Write([]byte(s))
	require.NoError(t, err)
	require.NoError(t, w.Flush())
	return strings.TrimSuffix(b.String(), "\x00\x00\xff\xff")
}

func TestLevel(t *testing.T) {
	frame := func(head string, payload string) []byte { // masked with "mask"
		b := []byte("GET /mqtt HTTP/1.1\r\nA: b\r\n\r\n" + head + "mask")
		for i := range payload {
			b = append(b, payload[i]^"mask"[i%4])
		}
		return b
	}
	const connect = "\x10\x20\x00\x04MQTT\x05\x02"
	for _, x := range []struct {
		name  string
		bytes []byte
		want  byte
	}{
		{"nothing", nil, 0},
		{"a part", []byte(connect[:8]), 0},
		{"5 over TCP", []byte(connect), 5},
		{"3.1 over TCP", []byte("\x10\x20\x00\x06MQIsdp\x03\x02"), 3},
		{"a handshake", []byte("GET / HTTP/1.1\r\n\r\n"), 0},
		{"5 over WebSocket", frame("\x82\x8c", connect), 5},
		{"5, compressed", frame("\xc2\x8c", deflated(t, connect)), 5},
		{"5 in a larger frame", frame("\x82\xfe\x00\xff", connect), 5},
		{"5 in a huge frame", frame("\x82\xff\x00\x00\x00\x00\x00\x01\x00\x00", connect), 5},
	} {
		t.Run(x.name, func(t *testing.T) { assert.Equal(t, x.want, level(x.bytes)) })
	}
}
