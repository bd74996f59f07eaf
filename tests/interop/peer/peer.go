// Package peer is the other end of the interop tests' conversations: a client of
// MQTT 3.1.1 that was not written here (paho.mqtt.golang), and what has reached it.
package peer

import (
	"fmt"
	"sync"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/tests/interop/brokers"
)

// patience bounds every wait of a peer.
const patience = 2 * time.Minute

// quiesce is how long a peer may take for its goodbye, in milliseconds.
const quiesce = 250

// Message is one that has reached a peer.
type Message struct {
	Topic   string
	Payload string
	QoS     byte
	Retain  bool
}

// Peer is one connection to a broker.
type Peer struct {
	t      testing.TB
	client mqtt.Client

	mu  sync.Mutex
	got []Message
}

// Connect opens a connection to a broker over TCP until t ends.
func Connect(t testing.TB, b *brokers.Broker, clientID string) *Peer {
	t.Helper()
	p := &Peer{t: t}
	o := mqtt.NewClientOptions().
		AddBroker("tcp://" + brokers.Loopback(b.TCP)).
		SetClientID(clientID).SetUsername(b.Username).SetPassword(b.Password).
		SetProtocolVersion(4).SetAutoReconnect(false).SetConnectTimeout(patience).
		SetDefaultPublishHandler(p.take)
	p.client = mqtt.NewClient(o)
	p.await(p.client.Connect(), "CONNECT")
	t.Cleanup(func() { p.client.Disconnect(quiesce) })
	return p
}

func (p *Peer) take(_ mqtt.Client, m mqtt.Message) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.got = append(p.got, Message{m.Topic(), string(m.Payload()), m.Qos(), m.Retained()})
}

// Messages gives what has come so far.
func (p *Peer) Messages() []Message {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.got[:len(p.got):len(p.got)]
}

// Subscribe subscribes, and returns when the broker has said that it did.
func (p *Peer) Subscribe(filter string, qos byte) {
	p.t.Helper()
	p.await(p.client.Subscribe(filter, qos, nil), "SUBSCRIBE")
}

// Publish publishes, and returns when the broker has acknowledged all, at QoS 0 when all
// is written.
func (p *Peer) Publish(qos byte, retain bool, topic string, payloads ...string) {
	p.t.Helper()
	var tokens []mqtt.Token
	for _, payload := range payloads {
		tokens = append(tokens, p.client.Publish(topic, qos, retain, payload))
	}
	for i, token := range tokens {
		p.await(token, fmt.Sprintf("message %d of %d", i+1, len(tokens)))
	}
}

func (p *Peer) await(token mqtt.Token, what string) {
	p.t.Helper()
	require.True(p.t, token.WaitTimeout(patience), "the peer's %s took too long", what)
	require.NoError(p.t, token.Error(), "the peer's %s", what)
}
