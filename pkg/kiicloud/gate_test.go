package kiicloud

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
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
