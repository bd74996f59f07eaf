package browser_test

import (
	"crypto/tls"
	"net"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/mqtt"
	"github.com/kiiweb/kiiweb/tests/cloud"
)

// emptySubscribe is an MQTT 5 SUBSCRIBE with a topic filter of no bytes, which panics
// the decoder of the broker behind the guard.
var emptySubscribe = []byte{0x82, 0x05, 0x00, 0x01, 0x00, 0x00, 0x00}

// TestBytesThatEndOtherServers sends them to each listener, before and after a proper
// CONNECT, while a page is connected.
func TestBytesThatEndOtherServers(t *testing.T) {
	s := newSite(t)
	watcher, sender := s.NewUser(), s.NewUser()
	p := s.page(secure)
	p.connectAs(watcher)
	pid := s.Pid()

	for name, dial := range map[string]func(*testing.T) net.Conn{
		"TCP": func(t *testing.T) net.Conn { return dialTCP(t, s.Ready.PortTCP, nil) },
		"TLS": func(t *testing.T) net.Conn { return dialTCP(t, s.Ready.PortSSL, &tls.Config{InsecureSkipVerify: true}) },
		"WS":  func(t *testing.T) net.Conn { return dialWS(t, "ws", s.Ready.PortWS) },
		"WSS": func(t *testing.T) net.Conn { return dialWS(t, "wss", s.Ready.PortWSS) },
	} {
		t.Run(name+" as the first packet", func(t *testing.T) {
			conn := dial(t)
			send(t, conn, emptySubscribe)
			awaitEnd(t, conn)
		})
		t.Run(name+" after CONNECT", func(t *testing.T) {
			conn := dial(t)
			send(t, conn, s.connectPacket(sender))
			first := make([]byte, 256)
			n, err := conn.Read(first)
			require.NoError(t, err)
			connack, err := mustCodec(t).Decode(first[:n], mqtt.FromServer)
			require.NoError(t, err)
			require.Equal(t, mqtt.Success, connack.(*mqtt.Connack).ReasonCode)
			send(t, conn, emptySubscribe)
			last := awaitEnd(t, conn)
			disconnect, err := mustCodec(t).Decode(last, mqtt.FromServer)
			require.NoError(t, err, "% x", last)
			assert.GreaterOrEqual(t, disconnect.(*mqtt.Disconnect).ReasonCode, mqtt.UnspecifiedError)
		})
	}
	s.Push(watcher, map[string]any{"text": "still here"})
	p.awaitTexts("still here")
	assert.Empty(t, p.states(), "the page's connection has not changed its state")
	assert.Equal(t, pid, s.Pid())
}

// connectPacket is a CONNECT with a user's real credentials.
func (s *site) connectPacket(u cloud.User) []byte {
	s.t.Helper()
	_, inst := s.Call("POST", "/apps/demo/installations", u.Token, "application/json", map[string]any{"deviceType": "MQTT", "development": false})
	_, ep := s.Call("GET", "/apps/demo/installations/"+inst["installationID"].(string)+"/mqtt-endpoint", u.Token, "", nil)
	packet, err := mustCodec(s.t).Append(nil, &mqtt.Connect{
		Version: mqtt.V5, ClientID: ep["mqttTopic"].(string), CleanStart: true, KeepAlive: 60,
		HasUsername: true, Username: ep["username"].(string), HasPassword: true, Password: []byte(ep["password"].(string)),
	})
	require.NoError(s.t, err)
	return packet
}

func mustCodec(t *testing.T) mqtt.Codec {
	t.Helper()
	codec, err := mqtt.NewCodec(mqtt.V5)
	require.NoError(t, err)
	return codec
}

func send(t *testing.T, conn net.Conn, b []byte) {
	t.Helper()
	_, err := conn.Write(b)
	require.NoError(t, err)
}

// awaitEnd reads until the server ends the connection, and gives what came before.
func awaitEnd(t *testing.T, conn net.Conn) []byte {
	t.Helper()
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(patience)))
	var all []byte
	b := make([]byte, 512)
	for {
		n, err := conn.Read(b)
		all = append(all, b[:n]...)
		if err != nil {
			require.NotErrorIs(t, err, os.ErrDeadlineExceeded, "the server keeps the connection open")
			return all
		}
	}
}

func dialTCP(t *testing.T, port int, conf *tls.Config) net.Conn {
	t.Helper()
	addr := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	var conn net.Conn
	var err error
	if conf != nil {
		conn, err = tls.Dial("tcp", addr, conf)
	} else {
		conn, err = net.Dial("tcp", addr)
	}
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	return conn
}

func dialWS(t *testing.T, scheme string, port int) net.Conn {
	t.Helper()
	dialer := websocket.Dialer{Subprotocols: []string{"mqtt"}, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	ws, _, err := dialer.Dial(scheme+"://"+net.JoinHostPort("127.0.0.1", strconv.Itoa(port))+"/mqtt", nil)
	require.NoError(t, err)
	t.Cleanup(func() { ws.Close() })
	return &wsConn{Conn: ws.NetConn(), ws: ws}
}

// wsConn makes each Write a binary message and each Read the whole next one.
type wsConn struct {
	net.Conn
	ws *websocket.Conn
}

func (c *wsConn) Write(b []byte) (int, error) {
	return len(b), c.ws.WriteMessage(websocket.BinaryMessage, b)
}

func (c *wsConn) Read(b []byte) (int, error) {
	_, m, err := c.ws.ReadMessage()
	return copy(b, m), err
}
