package guard

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/mqtt"
	"github.com/kiiweb/kiiweb/pkg/kiicloud/guard/guardtest"
)

// serveWS runs a WebSocket handler for serve and gives its http:// URL.
func serveWS(t *testing.T, cfg WebSocketConfig) string {
	running := make(chan struct{}, 100)
	serve := cfg.Serve
	cfg.Serve = func(c net.Conn) {
		running <- struct{}{}
		defer func() { <-running }()
		serve(c)
	}
	server := httptest.NewServer(WebSocket(cfg))
	t.Cleanup(func() {
		server.Close()
		require.Eventually(t, func() bool { return len(running) == 0 }, guardtest.Patience, time.Millisecond)
	})
	return server.URL
}

// serveEcho is a Serve with an echo behind the guard.
func serveEcho(c net.Conn) { serveEchoFor(200 * time.Millisecond)(c) }

// serveEchoFor is serveEcho with a time for which the server waits for the client at the end.
func serveEchoFor(linger time.Duration) func(net.Conn) {
	return func(c net.Conn) {
		e := &echo{h: &fake{}}
		e.conn = NewConn(c, e.h, Limits{Linger: linger})
		e.run()
	}
}

func TestHandshake(t *testing.T) {
	upgrade := map[string]string{"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
		"Sec-WebSocket-Key": "MDEyMzQ1Njc4OWFiY2RlZg==", "Sec-WebSocket-Protocol": "mqtt"}
	cases := []struct {
		name     string
		method   string
		path     string
		change   map[string]string
		status   int
		protocol string
		says     string
	}{
		{"mqtt", "GET", "/mqtt", nil, 101, "mqtt", ""},
		{"mqttv3.1", "GET", "/mqtt", map[string]string{"Sec-WebSocket-Protocol": "mqttv3.1"}, 101, "mqttv3.1", ""},
		{"both", "GET", "/mqtt", map[string]string{"Sec-WebSocket-Protocol": "mqttv3.1, mqtt"}, 101, "mqtt", ""},
		{"one of many", "GET", "/mqtt", map[string]string{"Sec-WebSocket-Protocol": "chat, mqtt"}, 101, "mqtt", ""},
		{"query", "GET", "/mqtt?x=y", nil, 101, "mqtt", ""},
		{"no sub-protocol", "GET", "/mqtt", map[string]string{"Sec-WebSocket-Protocol": ""}, 400, "", "sub-protocol"},
		{"another sub-protocol", "GET", "/mqtt", map[string]string{"Sec-WebSocket-Protocol": "chat"}, 400, "", "sub-protocol"},
		{"another path", "GET", "/", nil, 404, "", "/mqtt"},
		{"longer path", "GET", "/mqtt/x", nil, 404, "", "/mqtt"},
		{"plain GET", "GET", "/mqtt", map[string]string{"Upgrade": "", "Connection": ""}, 426, "", "MQTT over WebSocket"},
		{"POST", "POST", "/mqtt", nil, 405, "", "GET"},
		{"old version", "GET", "/mqtt", map[string]string{"Sec-WebSocket-Version": "8"}, 400, "", "version"},
		{"allowed origin", "GET", "/mqtt", map[string]string{"Origin": "http://good.example"}, 101, "mqtt", ""},
		{"foreign origin", "GET", "/mqtt", map[string]string{"Origin": "http://evil.example"}, 403, "", "origin"},
		{"null origin", "GET", "/mqtt", map[string]string{"Origin": "null"}, 403, "", "origin"},
	}
	url := serveWS(t, WebSocketConfig{Serve: serveEcho, AllowOrigin: func(r *http.Request) bool {
		return r.Header.Get("Origin") == "http://good.example"
	}})
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			req, err := http.NewRequest(tc.method, url+tc.path, nil)
			require.NoError(t, err)
			for _, headers := range []map[string]string{upgrade, tc.change} {
				for k, v := range headers {
					req.Header.Set(k, v)
					if v == "" {
						req.Header.Del(k)
					}
				}
			}
			tr := &http.Transport{}
			defer tr.CloseIdleConnections()
			res, err := tr.RoundTrip(req)
			require.NoError(t, err)
			defer res.Body.Close()
			require.Equal(t, tc.status, res.StatusCode)
			require.Equal(t, tc.protocol, res.Header.Get("Sec-WebSocket-Protocol"))
			if tc.status != http.StatusSwitchingProtocols {
				body, err := io.ReadAll(res.Body)
				require.NoError(t, err)
				require.Contains(t, string(body), tc.says)
			}
			if tc.status == http.StatusUpgradeRequired {
				require.Equal(t, "websocket", res.Header.Get("Upgrade"))
			}
		})
	}
}

func TestWithoutAPolicyTheSameOriginIsAllowed(t *testing.T) {
	url := serveWS(t, WebSocketConfig{Path: "/x", Serve: serveEcho})
	for origin, allowed := range map[string]bool{"": true, url: true, "http://evil.example": false, "://": false} {
		header := http.Header{}
		if origin != "" {
			header.Set("Origin", origin)
		}
		ws, res, err := (&websocket.Dialer{Subprotocols: []string{"mqtt"}}).Dial(wsURL(url)+"/x", header)
		if allowed {
			require.NoError(t, err, origin)
			require.NoError(t, ws.Close())
		} else {
			require.Error(t, err, origin)
			require.Equal(t, 403, res.StatusCode)
		}
	}
}

func wsURL(url string) string { return strings.Replace(url, "http", "ws", 1) }

func dialWS(t *testing.T, cfg WebSocketConfig) *websocket.Conn {
	if cfg.Serve == nil {
		cfg.Serve = serveEcho
	}
	ws, _, err := (&websocket.Dialer{Subprotocols: []string{"mqtt"}}).Dial(wsURL(serveWS(t, cfg))+"/mqtt", nil)
	require.NoError(t, err)
	t.Cleanup(func() { _ = ws.Close() })
	return ws
}

func TestMessagesNeedNotBePackets(t *testing.T) {
	ws := dialWS(t, WebSocketConfig{})
	all := append(guardtest.Connect(mqtt.V5, hello), guardtest.Pingreq...)
	for _, b := range all { // a byte each, and an empty message after it
		require.NoError(t, ws.WriteMessage(websocket.BinaryMessage, []byte{b}))
		require.NoError(t, ws.WriteMessage(websocket.BinaryMessage, nil))
	}
	client := guardtest.OnWebSocket(t, mqtt.V5, ws)
	client.Expect(mqtt.CONNACK)
	client.Expect(mqtt.PINGRESP)
	client.Send(guardtest.Pingreq, guardtest.Pingreq, guardtest.Pingreq) // three in one message
	for range 3 {
		client.Expect(mqtt.PINGRESP)
	}
}

func TestCloseCodes(t *testing.T) {
	cases := []struct {
		name string
		send func(*websocket.Conn) error
		code int
	}{
		{"text message", func(ws *websocket.Conn) error { return ws.WriteMessage(websocket.TextMessage, []byte("hello")) }, 1003},
		{"message over the limit", func(ws *websocket.Conn) error { return ws.WriteMessage(websocket.BinaryMessage, make([]byte, 5000)) }, 1009},
		{"broken packet", func(ws *websocket.Conn) error { return ws.WriteMessage(websocket.BinaryMessage, []byte{0, 0}) }, 1002},
		{"bad password", func(ws *websocket.Conn) error {
			return ws.WriteMessage(websocket.BinaryMessage, guardtest.Connect(mqtt.V311, with(func(h *guardtest.Hello) { h.Password = "bad" })))
		}, 1008},
		{"disconnect", func(ws *websocket.Conn) error {
			return ws.WriteMessage(websocket.BinaryMessage, append(guardtest.Connect(mqtt.V311, hello), guardtest.Disconnect...))
		}, 1000},
		{"close frame", func(ws *websocket.Conn) error {
			return ws.WriteMessage(websocket.CloseMessage, websocket.FormatCloseMessage(1000, "bye"))
		}, 1000},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			ws := dialWS(t, WebSocketConfig{ReadLimit: 1024})
			require.NoError(t, tc.send(ws))
			client := guardtest.OnWebSocket(t, mqtt.V311, ws)
			code, _ := client.CloseFrame()
			require.Equal(t, tc.code, code)
		})
	}
}

func TestCloseFrameIsAnsweredWithoutDelay(t *testing.T) {
	ws := dialWS(t, WebSocketConfig{Serve: serveEchoFor(time.Hour)})
	client := guardtest.OnWebSocket(t, mqtt.V5, ws)
	client.Send(guardtest.Connect(mqtt.V5, hello), []byte{0xF0, 0})
	client.Expect(mqtt.CONNACK)
	client.Expect(mqtt.DISCONNECT)
	code, reason := client.CloseFrame()
	require.Equal(t, 1002, code)
	require.NotEmpty(t, reason)
	raw := ws.NetConn()
	require.NoError(t, raw.SetReadDeadline(time.Now().Add(guardtest.Patience)))
	_, err := raw.Read(make([]byte, 1))
	require.ErrorIs(t, err, io.EOF, "the server closes TCP once it has the client's close frame")
}

// A WebSocket whose client is silent is closed as any connection is, with the reason in the close frame.
func TestASilentWebSocketIsToldSo(t *testing.T) {
	ws := dialWS(t, WebSocketConfig{Serve: func(c net.Conn) {
		e := &echo{h: &fake{}}
		e.conn = NewConn(c, e.h, Limits{ConnectTimeout: 10 * time.Millisecond, Linger: 200 * time.Millisecond})
		e.run()
	}})
	code, reason := guardtest.OnWebSocket(t, mqtt.V5, ws).CloseFrame()
	require.Equal(t, 1002, code)
	require.Equal(t, "no CONNECT was received in time", reason)
}

// A client that goes in the middle of a message is gone, and says nothing more.
func TestAWebSocketMessageThatStopsShort(t *testing.T) {
	ended := make(chan error, 3)
	ws := dialWS(t, WebSocketConfig{Serve: func(c net.Conn) {
		defer c.Close()
		for range 3 {
			b := make([]byte, 10)
			n, err := c.Read(b)
			if n > 0 {
				err = nil
			}
			ended <- err
		}
	}})
	_, err := ws.NetConn().Write([]byte{0x82, 0x84, 0, 0, 0, 0, 'a', 'b'}) // two bytes of four
	require.NoError(t, err)
	require.NoError(t, <-ended)
	require.NoError(t, ws.NetConn().Close())
	first := <-ended
	require.Error(t, first)
	require.Equal(t, first, <-ended, "and so it stays")
}

// More connections than the gate lets in are turned away over WebSocket, too, by the address of their request.
func TestAWebSocketPassesTheGate(t *testing.T) {
	gate := NewGate(0, 1)
	url := serveWS(t, WebSocketConfig{Serve: serveEcho, Gate: gate, Address: func(r *http.Request) string { return r.Header.Get("From") }})
	dial := func(from string) *guardtest.Client {
		ws, _, err := (&websocket.Dialer{Subprotocols: []string{"mqtt"}}).Dial(wsURL(url)+"/mqtt", http.Header{"From": {from}})
		require.NoError(t, err)
		client := guardtest.OnWebSocket(t, mqtt.V5, ws)
		client.Send(guardtest.Connect(mqtt.V5, hello))
		return client
	}
	first, other := dial("a"), dial("b")
	require.Equal(t, mqtt.Success, first.Expect(mqtt.CONNACK).Code())
	require.Equal(t, mqtt.Success, other.Expect(mqtt.CONNACK).Code())
	turned := dial("a")
	require.Equal(t, mqtt.QuotaExceeded, turned.Expect(mqtt.CONNACK).Code())
	turned.ExpectClosed()
	first.HangUp()
	require.Eventually(t, func() bool {
		leave, refused := gate.Enter("a")
		if refused == nil {
			leave()
		}
		return refused == nil
	}, guardtest.Patience, time.Millisecond)
	require.Equal(t, mqtt.Success, dial("a").Expect(mqtt.CONNACK).Code())
	other.ExpectAlive()
}

// A reason that is too long for a close frame is cut (RFC 6455, 5.5).
func TestALongReasonIsCutToACloseFrame(t *testing.T) {
	long := strings.Repeat("r", 200)
	ws := dialWS(t, WebSocketConfig{Serve: func(c net.Conn) {
		conn := NewConn(c, &fake{}, Limits{Linger: 200 * time.Millisecond})
		conn.End(&Refusal{mqtt.ServerShuttingDown, long})
		conn.Finish()
	}})
	code, reason := guardtest.OnWebSocket(t, mqtt.V5, ws).CloseFrame()
	require.Equal(t, 1001, code)
	require.Equal(t, long[:123], reason)
}
