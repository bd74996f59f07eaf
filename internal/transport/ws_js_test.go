package transport_test

import (
	"errors"
	"syscall/js"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/fault"
	"github.com/kiiweb/kiiweb/internal/jsx"
	"github.com/kiiweb/kiiweb/internal/transport"
)

// TestUnreadIsBounded lets a server send twice of what may lie unread. Natively the
// server would have to wait; a browser takes it all.
func TestUnreadIsBounded(t *testing.T) {
	const size = 1 << 20
	s := servers(t)
	conn := open(t, s, s.WS("/ws/flood?n=32&size=1048576"), mqtt)
	// Nothing is read until this side has left, which a write notices.
	require.Eventually(t, func() bool { return conn.Write(nil) != nil }, patience, 5*time.Millisecond)
	read := 0
	for {
		b, err := readSoon(t, conn)
		if err != nil {
			wantCode(t, fault.QueueFull, err)
			break
		}
		require.Len(t, b, size)
		read++
	}
	assert.Equal(t, transport.MaxUnread/size, read, "what was held is read before the error")
}

// TestFunctionsAreReleased looks at each way out, one at a time.
func TestFunctionsAreReleased(t *testing.T) {
	s := servers(t)
	require.Zero(t, jsx.Live())
	t.Run("by Close", func(t *testing.T) {
		conn := open(t, s, s.WS("/ws/echo"), mqtt)
		assert.NotZero(t, jsx.Live())
		require.NoError(t, conn.Close())
		assert.Zero(t, jsx.Live())
	})
	t.Run("by the server's close, without Close", func(t *testing.T) {
		conn := open(t, s, s.WS("/ws/bye?code=1000"), mqtt)
		wantRead(t, conn, "one", "two")
		_, err := readSoon(t, conn)
		require.Error(t, err)
		assert.Zero(t, jsx.Live())
	})
	t.Run("by a failed handshake", func(t *testing.T) {
		_ = dialError(t, context10(t), s, s.WS("/ws/refuse"), mqtt)
		assert.Zero(t, jsx.Live())
	})
	t.Run("by a message over the limit", func(t *testing.T) {
		_, err := readSoon(t, open(t, s, s.WS("/ws/size?n=10"), transport.Options{ReadLimit: 9}))
		require.Error(t, err)
		assert.Zero(t, jsx.Live())
	})
}

func TestNoStreamsInABrowser(t *testing.T) {
	for _, url := range []string{"tcp://127.0.0.1:1883", "ssl://127.0.0.1:8883"} {
		_, err := transport.Dial(context10(t), url, transport.Options{})
		wantCode(t, fault.Unsupported, err)
	}
}

// TestConstructorThrows replaces the browser's WebSocket by ones that throw as a browser
// does on pages that a test cannot easily be.
func TestConstructorThrows(t *testing.T) {
	original := js.Global().Get("WebSocket")
	defer js.Global().Set("WebSocket", original)
	throwing := func(name string) js.Value {
		return js.Global().Get("Function").New("name", `return class { constructor() { throw new DOMException("no", name); } }`).Invoke(name)
	}
	cases := []struct {
		name, url string
		class     js.Value
		code      fault.Code
	}{
		{"mixed content", "ws://broker.example/mqtt", throwing("SecurityError"), fault.Insecure},
		{"forbidden by the page's policy", "wss://broker.example/mqtt", throwing("SecurityError"), fault.Network},
		{"URL", "wss://broker.example/mqtt", throwing("SyntaxError"), fault.InvalidArgument},
		{"something else", "wss://broker.example/mqtt", throwing("OddError"), fault.Network},
		{"no WebSocket at all", "wss://broker.example/mqtt", js.Undefined(), fault.Unsupported},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			js.Global().Set("WebSocket", c.class)
			_, err := transport.Dial(context10(t), c.url, mqtt)
			wantCode(t, c.code, err)
			if c.class.Truthy() {
				var thrown *jsx.Error
				assert.True(t, errors.As(err, &thrown), "what was thrown is the cause")
			}
		})
	}
}

// TestDialer: what UseDialer has set makes the WebSockets, and may throw as the constructor does.
func TestDialer(t *testing.T) {
	s := servers(t)
	defer transport.UseDialer(js.Undefined())
	calls := 0
	dialer := jsx.NewFunc(func(args []js.Value) any {
		calls++
		return js.Global().Get("WebSocket").New(args[0], args[1])
	})
	defer dialer.Release()
	transport.UseDialer(dialer.Value())
	conn := open(t, s, s.WS("/ws/echo"), mqtt)
	require.NoError(t, conn.Write([]byte("a")))
	wantRead(t, conn, "a")
	require.NoError(t, conn.Close())
	assert.Equal(t, 1, calls)

	transport.UseDialer(js.Global().Get("Function").New("url", `throw new DOMException("no", "SecurityError")`))
	_, err := transport.Dial(context10(t), "ws://broker.example/mqtt", mqtt)
	wantCode(t, fault.Insecure, err)
}
