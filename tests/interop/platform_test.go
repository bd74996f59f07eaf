package interop

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/pkg/kiiweb"
	"github.com/kiiweb/kiiweb/tests/interop/peer"
)

// options are what a scenario may ask of our client.
type options struct {
	protocol  int // 0: negotiate
	transport kiiweb.Transport
	path      string
	qos       byte
	keepAlive uint16        // seconds
	unwatched bool          // displacement: "off"
	limit     time.Duration // of connect, and of each publish
}

// platform is where our client runs.
type platform interface {
	about() (name, version string)
	// connect opens a connection. The code is "" when it stands.
	connect(t testing.TB, e kiiweb.Endpoint, o options) (client, kiiweb.Code)
}

// client is one connection of ours. The codes are "" where nothing went wrong.
type client interface {
	publish(qos byte, retain bool, topic string, payloads ...string) kiiweb.Code
	subscribe(filter string, qos byte) (granted byte, code kiiweb.Code)
	unsubscribe(filter string) kiiweb.Code
	messages() []peer.Message // what came, in order
	states() []kiiweb.State   // each that was entered, in order
	wake()                    // as the browser does when the network is back
	close()
}

// native is pkg/kiiweb in a Go program.
type native struct{}

func (native) about() (name, version string) { return "our client", kiiweb.Version }

func (native) connect(t testing.TB, e kiiweb.Endpoint, o options) (client, kiiweb.Code) {
	t.Helper()
	ours, err := kiiweb.New(kiiweb.Config{AppID: "interop", AppKey: "interop", BaseURL: "http://127.0.0.1:1/api"})
	require.NoError(t, err)
	n := &nativeClient{t: t, limit: o.limit}
	displacement := ""
	if o.unwatched {
		displacement = "off"
	}
	n.conn, err = ours.Connect(context.Background(), e, kiiweb.ConnectOptions{
		Protocol: o.protocol, Transport: o.transport, Path: o.path, QoS: &o.qos, KeepAlive: o.keepAlive,
		Displacement: displacement,
		OnMessages:   n.take, OnState: n.note, Timeout: o.limit,
	})
	if err != nil {
		t.Logf("connect: %v", err)
		return nil, kiiweb.CodeOf(err)
	}
	t.Cleanup(n.close)
	return n, ""
}

type nativeClient struct {
	t     testing.TB
	conn  *kiiweb.Connection
	limit time.Duration

	mu      sync.Mutex
	got     []peer.Message
	changes []kiiweb.State
}

func (n *nativeClient) take(batch []kiiweb.Message) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, m := range batch {
		n.got = append(n.got, peer.Message{Topic: m.Topic, Payload: string(m.Payload), QoS: m.QoS, Retain: m.Retain})
	}
}

func (n *nativeClient) note(ch kiiweb.Change) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.changes = append(n.changes, ch.State)
	n.t.Logf("%s %s %s %v", ch.State, ch.Code, ch.Reason, ch.Err)
}

func (n *nativeClient) publish(qos byte, retain bool, topic string, payloads ...string) kiiweb.Code {
	for _, payload := range payloads {
		ctx, cancel := context.WithTimeout(context.Background(), n.limit)
		err := n.conn.Publish(ctx, kiiweb.Message{Topic: topic, Payload: []byte(payload), QoS: qos, Retain: retain})
		cancel()
		if err != nil {
			n.t.Logf("publish: %v", err)
			return kiiweb.CodeOf(err)
		}
	}
	return ""
}

func (n *nativeClient) subscribe(filter string, qos byte) (granted byte, code kiiweb.Code) {
	ctx, cancel := context.WithTimeout(context.Background(), soon)
	defer cancel()
	granted, err := n.conn.Subscribe(ctx, filter, qos)
	if err != nil {
		n.t.Logf("subscribe: %v", err)
	}
	return granted, kiiweb.CodeOf(err)
}

func (n *nativeClient) unsubscribe(filter string) kiiweb.Code {
	ctx, cancel := context.WithTimeout(context.Background(), soon)
	defer cancel()
	return kiiweb.CodeOf(n.conn.Unsubscribe(ctx, filter))
}

func (n *nativeClient) messages() []peer.Message {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.got[:len(n.got):len(n.got)]
}

func (n *nativeClient) states() []kiiweb.State {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.changes[:len(n.changes):len(n.changes)]
}

func (n *nativeClient) wake() { n.conn.Wake("the test says so") }

func (n *nativeClient) close() {
	ctx, cancel := context.WithTimeout(context.Background(), soon)
	defer cancel()
	require.NoError(n.t, n.conn.Close(ctx))
}
