//go:build !js

package kiiweb

import (
	"context"
	"math"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/kiiweb/kiiweb/internal/mqtt"
)

// recorder keeps the changes of a connection.
type recorder struct {
	mu      sync.Mutex
	changes []Change
}

func (r *recorder) add(ch Change) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.changes = append(r.changes, ch)
}

func (r *recorder) states() []State {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []State
	for _, ch := range r.changes {
		out = append(out, ch.State)
	}
	return out
}

func (r *recorder) last() Change {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.changes[len(r.changes)-1]
}

// connect opens a connection over TCP that is closed when the test ends.
func connect(t *testing.T, c *Client, e Endpoint, o ConnectOptions) *Connection {
	t.Helper()
	o.Transport = TransportTCP
	conn, err := c.Connect(context.Background(), e, o)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, conn.Close(context.Background())) })
	return conn
}

func TestConnect(t *testing.T) {
	for _, c := range []struct {
		name      string
		options   ConnectOptions
		keepAlive uint16
		qos       byte
	}{
		{"defaults", ConnectOptions{}, 60, 1},
		{"own", ConnectOptions{KeepAlive: 90, QoS: new(byte)}, 90, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := startBroker(t)
			conn := connect(t, serve(t).client(), b.endpoint(), c.options)
			l := b.next()
			assert.Equal(t, StateOnline, conn.State().State)
			assert.Equal(t, "topic-1", l.connect.ClientID)
			assert.Equal(t, "un", l.connect.Username)
			assert.Equal(t, "pw", string(l.connect.Password))
			assert.Equal(t, c.keepAlive, l.connect.KeepAlive)
			assert.False(t, l.connect.CleanStart)
			require.Len(t, l.subscribe.Subscriptions, 1)
			assert.Equal(t, "topic-1", l.subscribe.Subscriptions[0].Filter)
			assert.Equal(t, c.qos, l.subscribe.Subscriptions[0].QoS)
		})
	}
}

func TestConnectTellsUserProperties(t *testing.T) {
	b := startBroker(t)
	app := []UserProperty{{Key: "app", Value: "demo"}, {Key: "app", Value: "again"}}
	conn := connect(t, serve(t).client(), b.endpoint(), ConnectOptions{UserProperties: app})
	assert.Equal(t, app, b.next().connect.Properties.User)
	assert.Equal(t, &Broker{Protocol: 5, KeepAlive: 60}, conn.State().Broker)
}

func TestConnectNeedsNoLogin(t *testing.T) {
	b := startBroker(t)
	connect(t, serve(t).stranger(), b.endpoint(), ConnectOptions{})
}

// Arguments are checked before anything is dialed: there is nobody to dial.
func TestConnectRefusesArguments(t *testing.T) {
	good := endpointAt("127.0.0.1")
	three := byte(3)
	change := func(f func(*Endpoint)) Endpoint { e := good; f(&e); return e }
	for _, c := range []struct {
		name     string
		endpoint Endpoint
		options  ConnectOptions
		code     Code
		says     string
	}{
		{"no user name", change(func(e *Endpoint) { e.Username = "" }), ConnectOptions{}, CodeInvalidArgument, "username"},
		{"no password", change(func(e *Endpoint) { e.Password = "" }), ConnectOptions{}, CodeInvalidArgument, "password"},
		{"no topic", change(func(e *Endpoint) { e.MQTTTopic = "" }), ConnectOptions{}, CodeInvalidArgument, "mqttTopic"},
		{"no host", change(func(e *Endpoint) { e.Host = "" }), ConnectOptions{}, CodeInvalidArgument, "host"},
		{"no such port", change(func(e *Endpoint) { e.PortWS = 70000 }), ConnectOptions{}, CodeInvalidArgument, "port"},
		{"QoS 3", good, ConnectOptions{QoS: &three}, CodeInvalidArgument, "qos"},
		{"no such protocol", good, ConnectOptions{Protocol: 6}, CodeInvalidArgument, "protocol"},
		{"no such displacement", good, ConnectOptions{Displacement: "on"}, CodeInvalidArgument, "displacement"},
		{"a user property that is no text", good, ConnectOptions{UserProperties: []UserProperty{{Key: "k", Value: "\xff"}}}, CodeInvalidArgument, "userProperties"},
		{"negative timeout", good, ConnectOptions{Timeout: -1}, CodeInvalidArgument, "timeout"},
		{"relative path", good, ConnectOptions{Path: "mqtt"}, CodeInvalidArgument, "path"},
		{"unknown transport", good, ConnectOptions{Transport: "udp"}, CodeInvalidArgument, "udp"},
		{"insecure", change(func(e *Endpoint) { e.Host = "192.0.2.1" }), ConnectOptions{Transport: TransportTCP}, CodeInsecure, "192.0.2.1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := serve(t).client().Connect(context.Background(), c.endpoint, c.options)
			fails(t, err, c.code, c.says)
		})
	}
}

func TestConnectStopsAtCausesThatNoRetryMends(t *testing.T) {
	for _, c := range []struct {
		name            string
		connack, suback mqtt.ReasonCode
		code            Code
		reason          int
	}{
		{"banned", mqtt.Banned, 0, CodeForbidden, 0x8A},
		{"version", mqtt.UnsupportedProtocolVersion, 0, CodeProtocolVersion, 1}, // 3.1's, the last one tried
		{"subscription refused", 0, mqtt.TopicFilterInvalid, CodeInvalidArgument, 0x8F},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := startBroker(t)
			b.connack = func(int, *mqtt.Connect) mqtt.ReasonCode { return c.connack }
			b.suback = func(int, *mqtt.Subscribe) mqtt.ReasonCode { return c.suback }
			client := serve(t).client()
			before := goleak.IgnoreCurrent()
			_, err := client.Connect(context.Background(), b.endpoint(), ConnectOptions{Transport: TransportTCP})
			e := fails(t, err, c.code, "")
			assert.Equal(t, c.reason, e.ReasonCode)
			b.stop()
			goleak.VerifyNone(t, before)
			tries := 1
			if c.name == "version" {
				tries = 3
			}
			assert.Equal(t, tries, b.seen(mqtt.CONNECT))
		})
	}
}

func TestConnectSpeaksWhatTheBrokerSpeaks(t *testing.T) {
	for _, c := range []struct {
		name     string
		protocol int
		refused  []mqtt.Version
		spoken   mqtt.Version
	}{
		{"5", 0, nil, mqtt.V5},
		{"3.1.1", 0, []mqtt.Version{mqtt.V5}, mqtt.V311},
		{"3.1", 0, []mqtt.Version{mqtt.V5, mqtt.V311}, mqtt.V31},
		{"3.1.1, forced", 4, nil, mqtt.V311},
		{"3.1, forced", 3, nil, mqtt.V31},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := startBroker(t)
			b.connack = func(_ int, p *mqtt.Connect) mqtt.ReasonCode {
				if slices.Contains(c.refused, p.Version) {
					return mqtt.UnsupportedProtocolVersion
				}
				return mqtt.Success
			}
			connect(t, serve(t).client(), b.endpoint(), ConnectOptions{Protocol: c.protocol})
			assert.Equal(t, c.spoken, b.next().connect.Version)
		})
	}
}

// The TTL that Kii gives overflows no timer.
func TestConnectToAnEndpointThatHardlyExpires(t *testing.T) {
	b := startBroker(t)
	s := serve(t)
	e := b.endpoint()
	e.TTL, e.FetchedAt = math.MaxInt32*time.Second, time.Now()
	conn := connect(t, s.client(), e, ConnectOptions{})
	b.next()
	require.NoError(t, conn.Publish(context.Background(), Message{QoS: 1}))
	assert.Equal(t, StateOnline, conn.State().State)
	assert.Empty(t, s.seen())
}

func TestConnectCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	b := startBroker(t)
	b.connack = func(int, *mqtt.Connect) mqtt.ReasonCode { cancel(); return mqtt.ServerUnavailable }
	client := serve(t).client()
	before := goleak.IgnoreCurrent()
	_, err := client.Connect(ctx, b.endpoint(), ConnectOptions{Transport: TransportTCP})
	fails(t, err, CodeAborted, "not ready")
	assert.ErrorIs(t, err, context.Canceled)
	b.stop()
	goleak.VerifyNone(t, before)
}
