package kiicloud

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/mqtt"
	"github.com/kiiweb/kiiweb/pkg/kiicloud/guard"
	"github.com/kiiweb/kiiweb/pkg/kiicloud/guard/guardtest"
	"github.com/kiiweb/kiiweb/pkg/kiicloud/rest"
)

// Whoever is one too many is told so, and counted; who looks after the cloud can still ask.
func TestConnectionsAreLimitedInAll(t *testing.T) {
	s := start(t, t.TempDir(), func(c *Config) { c.MaxConnections = 2 })
	for range 2 { // connections that say nothing count, too
		conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", s.Ready().PortTCP))
		require.NoError(t, err)
		defer conn.Close()
	}
	var client *guardtest.Client
	require.Eventually(t, func() bool { // until both have been accepted
		leave, r := s.gate.Enter("")
		if r == nil {
			leave()
		}
		return r != nil
	}, guardtest.Patience, time.Millisecond)
	client = guardtest.DialTCP(t, mqtt.V5, fmt.Sprintf("127.0.0.1:%d", s.Ready().PortTCP))
	client.Send(guardtest.Connect(mqtt.V5, guardtest.Hello{ClientID: "x"}))
	require.Equal(t, mqtt.ServerBusy, client.Expect(mqtt.CONNACK).Code())
	client.ExpectClosed()
	text := fetch(t, s.Ready().HTTP+"/metrics")
	require.Regexp(t, `kiicloud_connections_refused_total\{why="all"\} [1-9]`, text)
	require.Contains(t, text, `kiicloud_connections_refused_total{why="address"} 0`)
}

// Behind a proxy the clients that it names are counted, not itself.
func TestConnectionsAreLimitedByTheClientsAddress(t *testing.T) {
	s := start(t, t.TempDir(), func(c *Config) {
		c.MaxConnectionsByAddress = 2
		c.TrustProxies = rest.Proxies{netip.MustParsePrefix("127.0.0.0/8")}
	})
	open := func(client string) (*websocket.Conn, mqtt.ReasonCode) {
		d := websocket.Dialer{Subprotocols: []string{"mqtt"}}
		ws, _, err := d.Dial(strings.Replace(s.Ready().HTTP, "http", "ws", 1)+"/mqtt", http.Header{"X-Forwarded-For": {client}})
		require.NoError(t, err)
		t.Cleanup(func() { ws.Close() })
		require.NoError(t, ws.WriteMessage(websocket.BinaryMessage, guardtest.Connect(mqtt.V5, guardtest.Hello{ClientID: "x", Username: "u", Password: "p"})))
		_, b, err := ws.ReadMessage()
		require.NoError(t, err)
		require.Equal(t, mqtt.CONNACK, mqtt.PacketTypeOf(b))
		return ws, mqtt.ReasonCode(b[3])
	}
	held := make([]func(), 0, 2)
	for range 2 {
		leave, r := s.gate.Enter("192.0.2.1")
		require.Nil(t, r)
		held = append(held, leave)
	}
	_, code := open("192.0.2.1")
	require.Equal(t, mqtt.QuotaExceeded, code)
	_, code = open("192.0.2.2")
	require.Equal(t, mqtt.BadUserNameOrPassword, code, "somebody else is heard")
	held[0]()
	_, code = open("192.0.2.1")
	require.Equal(t, mqtt.BadUserNameOrPassword, code)
	fetch(t, s.Ready().HTTP+"/healthz")
}

// remote is a connection from elsewhere.
type remote struct {
	net.Conn
	addr   string
	closed bool
}

func (r *remote) RemoteAddr() net.Addr {
	return net.TCPAddrFromAddrPort(netip.MustParseAddrPort(r.addr))
}

func (r *remote) Close() error {
	r.closed = true
	return nil
}

func TestHTTPConnectionsAreLimited(t *testing.T) {
	g := &webGate{gate: guard.NewGate(3, 2), proxies: rest.Proxies{netip.MustParsePrefix("10.0.0.0/8")}, leave: map[net.Conn]func(){}}
	come := func(addr string) *remote {
		c := &remote{addr: addr}
		g.note(c, http.StateNew)
		return c
	}
	first, second := come("192.0.2.1:1"), come("192.0.2.1:2")
	third := come("192.0.2.1:3")
	require.True(t, third.closed)
	g.note(third, http.StateClosed)
	for _, addr := range []string{"10.1.1.1:1", "127.0.0.1:1", "[::1]:1", "192.0.2.2:1"} {
		require.False(t, come(addr).closed, addr)
	}
	require.True(t, come("[2001:db8::1]:1").closed, "there are three")
	g.note(first, http.StateHijacked)
	g.note(second, http.StateActive)
	require.False(t, come("[2001:db8::1]:1").closed)
	require.False(t, first.closed)
}

// fetch gives what a URL answers with 200.
func fetch(t *testing.T, url string) string {
	t.Helper()
	answer, err := http.Get(url)
	require.NoError(t, err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, answer.StatusCode, "%s", text)
	http.DefaultClient.CloseIdleConnections()
	return string(text)
}

// foreign is a listener whose connections come from elsewhere.
type foreign struct{ net.Listener }

func (l foreign) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return abroad{c}, nil
}

type abroad struct{ net.Conn }

const abroadAddress = "192.0.2.1"

func (abroad) RemoteAddr() net.Addr {
	return net.TCPAddrFromAddrPort(netip.MustParseAddrPort(abroadAddress + ":1"))
}

// However a connection ends, it does not count any more then.
func TestEveryConnectionLeavesTheGate(t *testing.T) {
	const most = 3
	gate := guard.NewGate(0, most)
	quiet := slog.New(slog.DiscardHandler)
	serve := func(c net.Conn) {
		b := make([]byte, 1)
		if _, err := c.Read(b); err == nil && b[0] == '!' {
			panic("on purpose")
		}
	}
	upgrade := guard.WebSocket(guard.WebSocketConfig{Gate: gate, Address: func(*http.Request) string { return abroadAddress }, Serve: serve, Logger: quiet})
	g := &webGate{gate: gate, leave: map[net.Conn]func(){}}
	web := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/panic" {
			panic(http.ErrAbortHandler)
		}
		upgrade.ServeHTTP(w, r)
	}))
	var seen atomic.Int32 // connections that have come to the gate
	web.Config.ConnState = func(c net.Conn, state http.ConnState) {
		g.note(c, state)
		if state == http.StateNew {
			seen.Add(1)
		}
	}
	web.Config.ErrorLog = log.New(io.Discard, "", 0)
	web.Listener = foreign{web.Listener}
	web.StartTLS()
	defer web.Close()

	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, stop := context.WithCancel(context.Background())
	accepting := make(chan error, 1)
	go func() {
		accepting <- guard.ServeTCP(ctx, quiet, tls.NewListener(ln, web.TLS), func(c net.Conn) {
			defer seen.Add(1)
			gate.Serve(c, abroadAddress, serve)
		})
	}()
	defer func() {
		stop()
		require.NoError(t, <-accepting)
	}()

	raw := func(addr, text string) {
		c, err := net.Dial("tcp", addr)
		require.NoError(t, err)
		_, err = io.WriteString(c, text)
		require.NoError(t, err)
		require.NoError(t, c.Close())
	}
	trusting := &tls.Config{RootCAs: x509.NewCertPool(), ServerName: "example.com"}
	trusting.RootCAs.AddCert(web.Certificate())
	secure := func(addr, text string) {
		c, err := tls.Dial("tcp", addr, trusting)
		require.NoError(t, err)
		_, err = io.WriteString(c, text)
		require.NoError(t, err)
		require.NoError(t, c.CloseWrite())
		_, _ = io.Copy(io.Discard, c)
		require.NoError(t, c.Close())
	}
	socket := func(header http.Header, protocol, text string) {
		d := websocket.Dialer{Subprotocols: []string{protocol}, TLSClientConfig: trusting}
		ws, _, err := d.Dial(strings.Replace(web.URL, "http", "ws", 1)+"/mqtt", header)
		if text == "" {
			require.Error(t, err)
			return
		}
		require.NoError(t, err)
		require.NoError(t, ws.WriteMessage(websocket.BinaryMessage, []byte(text)))
		require.NoError(t, ws.Close())
	}
	webAddr := web.Listener.Addr().String()
	for name, come := range map[string]func(){
		"a connection that says nothing": func() { raw(webAddr, "") },
		"no TLS":                         func() { raw(webAddr, "GET / HTTP/1.1\r\n\r\n") },
		"a client that does not trust":   func() { _, err := tls.Dial("tcp", webAddr, &tls.Config{ServerName: "x"}); require.Error(t, err) },
		"no request":                     func() { secure(webAddr, "") },
		"no HTTP":                        func() { secure(webAddr, "\r\n\r\nx\r\n\r\n") },
		"no upgrade":                     func() { secure(webAddr, "GET /mqtt HTTP/1.1\r\nHost: x\r\n\r\n") },
		"a broken upgrade": func() {
			secure(webAddr, "GET /mqtt HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n")
		},
		"a panic in HTTP":              func() { secure(webAddr, "GET /panic HTTP/1.1\r\nHost: x\r\n\r\n") },
		"a foreign origin":             func() { socket(http.Header{"Origin": {"https://elsewhere.example"}}, "mqtt", "") },
		"another protocol":             func() { socket(nil, "chat", "") },
		"a WebSocket":                  func() { socket(nil, "mqtt", "x") },
		"a panic behind a WebSocket":   func() { socket(nil, "mqtt", "!") },
		"MQTT that says nothing":       func() { raw(ln.Addr().String(), "") },
		"MQTT without TLS":             func() { raw(ln.Addr().String(), "\x10\x00") },
		"MQTT over TLS":                func() { secure(ln.Addr().String(), "x") },
		"a panic behind MQTT over TLS": func() { secure(ln.Addr().String(), "!") },
	} {
		for range 2 * most {
			before := seen.Load()
			come()
			require.Eventually(t, func() bool {
				if seen.Load() == before {
					return false // whoever has gone before it was accepted is yet to come
				}
				var leave []func()
				for range most {
					if l, r := gate.Enter(abroadAddress); r == nil {
						leave = append(leave, l)
					}
				}
				for _, l := range leave {
					l()
				}
				return len(leave) == most
			}, guardtest.Patience, time.Millisecond, name)
		}
	}
}
