//go:build !js

package kiiweb

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/mqtt"
)

// ended waits for the end of a connection.
func ended(t *testing.T, conn *Connection) Change {
	t.Helper()
	select {
	case <-conn.Done():
	case <-time.After(waitLong):
		require.Fail(t, "the connection has not ended")
	}
	return conn.State()
}

func becomes(t *testing.T, conn *Connection, s State) {
	t.Helper()
	require.Eventually(t, func() bool { return conn.State().State == s }, waitLong, time.Millisecond, "state %s", s)
}

func TestOnMessages(t *testing.T) {
	b := startBroker(t)
	got := make(chan Message, 16)
	release := make(chan struct{})
	connect(t, serve(t).client(), b.endpoint(), ConnectOptions{OnMessages: func(batch []Message) {
		for _, m := range batch {
			got <- m
		}
		<-release
	}})
	l := b.next()
	l.push(1, `{"n":1}`, `{"n":2}`, `{"n":3}`)
	for n := 1; n <= 3; n++ {
		m := <-got
		assert.Equal(t, "topic-1", m.Topic)
		assert.Equal(t, byte(1), m.QoS)
		assert.Equal(t, uint16(n), m.PacketID)
		object, err := m.JSON()
		require.NoError(t, err)
		assert.Equal(t, map[string]any{"n": float64(n)}, object)
		p, err := m.Properties()
		require.NoError(t, err)
		assert.Equal(t, []UserProperty{{Key: "pushMessageID", Value: "p" + string(m.Payload)}}, p.User)
		assert.NotEmpty(t, m.RawProperties())
	}
	assert.Zero(t, b.seen(mqtt.PUBACK), "nothing is acknowledged before the handler has returned")
	close(release)
	for n := 1; n <= 3; n++ {
		assert.Equal(t, uint16(n), l.got().(*mqtt.Ack).PacketID)
	}
}

func TestMessageThatIsNoJSON(t *testing.T) {
	_, err := Message{Payload: []byte("hello")}.JSON()
	fails(t, err, CodeBadResponse, "no JSON object")
}

func TestMessages(t *testing.T) {
	b := startBroker(t)
	conn := connect(t, serve(t).client(), b.endpoint(), ConnectOptions{})
	l := b.next()
	l.push(1, "1", "2", "3")
	ctx := context.Background()
	for m := range conn.Messages(ctx) {
		assert.Equal(t, "1", string(m.Payload))
		break
	}
	var rest []string
	for m := range conn.Messages(ctx) {
		rest = append(rest, string(m.Payload))
		if len(rest) == 2 {
			assert.Zero(t, b.seen(mqtt.PUBACK), "the last one is still being handled")
			break
		}
	}
	assert.Equal(t, []string{"2", "3"}, rest, "a second loop goes on where the first was left")
	for n := 1; n <= 3; n++ {
		assert.Equal(t, uint16(n), l.got().(*mqtt.Ack).PacketID)
	}
}

func TestMessagesEnd(t *testing.T) {
	t.Run("with the context", func(t *testing.T) {
		b := startBroker(t)
		conn := connect(t, serve(t).client(), b.endpoint(), ConnectOptions{})
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
		defer cancel()
		for range conn.Messages(ctx) {
			assert.Fail(t, "nothing was sent")
		}
		assert.Equal(t, StateOnline, conn.State().State)
	})
	t.Run("with Close, which drops", func(t *testing.T) {
		b := startBroker(t)
		conn := connect(t, serve(t).client(), b.endpoint(), ConnectOptions{})
		l := b.next()
		l.push(1, "1", "2")
		for m := range conn.Messages(context.Background()) {
			assert.Equal(t, "1", string(m.Payload), "nothing comes after Close")
			require.NoError(t, conn.Close(context.Background()))
		}
		assert.Equal(t, mqtt.DISCONNECT, l.got().PacketType(), "what was dropped is not acknowledged")
	})
	t.Run("with Close, which acknowledges what was handled before", func(t *testing.T) {
		b := startBroker(t)
		conn := connect(t, serve(t).client(), b.endpoint(), ConnectOptions{})
		l := b.next()
		l.push(1, "1", "2", "3", "4")
		for m := range conn.Messages(context.Background()) {
			if string(m.Payload) == "3" {
				require.NoError(t, conn.Close(context.Background()))
			}
		}
		for id := range uint16(2) {
			assert.Equal(t, id+1, l.got().(*mqtt.Ack).PacketID)
		}
		assert.Equal(t, mqtt.DISCONNECT, l.got().PacketType())
	})
	t.Run("after the last message when the broker ends it", func(t *testing.T) {
		b := startBroker(t)
		conn := connect(t, serve(t).client(), b.endpoint(), ConnectOptions{})
		l := b.next()
		l.send(&mqtt.Publish{Topic: "topic-1", Payload: []byte("1")}, &mqtt.Publish{Topic: "topic-1", Payload: []byte("2")},
			&mqtt.Disconnect{ReasonCode: mqtt.AdministrativeAction})
		assert.Equal(t, CodeRevoked, ended(t, conn).Code)
		var got []string
		for m := range conn.Messages(context.Background()) {
			got = append(got, string(m.Payload))
		}
		assert.Equal(t, []string{"1", "2"}, got)
	})
}

func TestPublish(t *testing.T) {
	b := startBroker(t)
	conn := connect(t, serve(t).client(), b.endpoint(), ConnectOptions{})
	l := b.next()
	ctx := context.Background()
	require.NoError(t, conn.Publish(ctx, Message{Payload: []byte("a"), QoS: 1}))
	require.NoError(t, conn.Publish(ctx, Message{Topic: "other", Payload: []byte("b")}))
	first, second := l.got().(*mqtt.Publish), l.got().(*mqtt.Publish)
	assert.Equal(t, []string{"topic-1", "a", "other", "b"},
		[]string{first.Topic, string(first.Payload), second.Topic, string(second.Payload)})
	require.NoError(t, conn.Publish(ctx, Message{Payload: []byte("c"), QoS: 2}))
	assert.Equal(t, byte(2), l.got().(*mqtt.Publish).QoS)
	assert.Equal(t, mqtt.PUBREL, l.got().PacketType())
	fails(t, conn.Publish(ctx, Message{QoS: 3}), CodeInvalidArgument, "qos")
	require.NoError(t, conn.Close(ctx))
	fails(t, conn.Publish(ctx, Message{Payload: []byte("c")}), CodeClosed, "")
}

func TestClose(t *testing.T) {
	b := startBroker(t)
	seen := &recorder{}
	c := serve(t).client()
	conn := connect(t, c, b.endpoint(), ConnectOptions{OnState: seen.add})
	l := b.next()
	require.NoError(t, conn.Close(context.Background()))
	assert.Equal(t, mqtt.Success, l.got().(*mqtt.Disconnect).ReasonCode)
	assert.Equal(t, StateClosed, ended(t, conn).State)
	require.NoError(t, conn.Close(context.Background()))
	require.Eventually(t, func() bool { return len(seen.states()) == 3 }, waitLong, time.Millisecond)
	assert.Equal(t, []State{StateConnecting, StateOnline, StateClosed}, seen.states())
	assert.Empty(t, c.connections)
}

func TestDisplacedAndTakenBack(t *testing.T) {
	b := startBroker(t)
	conn := connect(t, serve(t).client(), b.endpoint(), ConnectOptions{})
	b.next().send(&mqtt.Disconnect{ReasonCode: mqtt.SessionTakenOver})
	becomes(t, conn, StateDisplaced)
	assert.Equal(t, CodeDisplaced, conn.State().Code)
	assert.Equal(t, 0x8E, conn.State().ReasonCode)
	assert.Equal(t, 1, b.seen(mqtt.CONNECT), "no fighting")
	require.NoError(t, conn.TakeBack())
	b.next()
	becomes(t, conn, StateOnline)
}

// DISPLACED while connecting is one of the causes that no retry mends.
func TestDisplacedWhileConnecting(t *testing.T) {
	b := startBroker(t)
	var l *link
	b.suback = func(int, *mqtt.Subscribe) mqtt.ReasonCode {
		b.mu.Lock()
		l = b.links[0]
		b.mu.Unlock()
		l.send(&mqtt.Disconnect{ReasonCode: mqtt.SessionTakenOver})
		return mqtt.GrantedQoS1
	}
	_, err := serve(t).client().Connect(context.Background(), b.endpoint(), ConnectOptions{Transport: TransportTCP})
	fails(t, err, CodeDisplaced, "")
}

func TestWakeAfterALoss(t *testing.T) {
	b := startBroker(t)
	conn := connect(t, serve(t).client(), b.endpoint(), ConnectOptions{})
	require.NoError(t, b.next().conn.Close())
	b.next()
	becomes(t, conn, StateOnline)
	conn.Wake("online")
	require.Eventually(t, func() bool { return b.seen(mqtt.PINGREQ) > 0 }, waitLong, time.Millisecond)
}

// The broker says nothing about the removal here.
func TestUninstallEndsTheConnection(t *testing.T) {
	ctx := context.Background()
	read := reply{status: 200, body: `{"installationID":"inst-1","installationRegistrationID":"reg-1","deviceType":"MQTT"}`}
	for _, c := range []struct {
		name      string
		replies   []reply
		uninstall func(c *Client) error
	}{
		{"by id", []reply{{status: 204}}, func(c *Client) error { return c.UninstallByInstallationID(ctx, "inst-1") }},
		{"by id, removed before", []reply{{status: 404, body: `{"errorCode":"INSTALLATION_NOT_FOUND"}`}}, func(c *Client) error {
			if err := c.UninstallByInstallationID(ctx, "inst-1"); CodeOf(err) != CodeNotFound {
				return errors.New("NOT_FOUND was expected")
			}
			return nil
		}},
		{"by a registration id that is asked for", []reply{read, {status: 204}}, func(c *Client) error { return c.Uninstall(ctx, "reg-1", "MQTT") }},
		{"by the registration id of an install", []reply{{status: 201, body: installed}, {status: 204}}, func(c *Client) error {
			if _, err := c.InstallMQTT(ctx, false); err != nil {
				return err
			}
			return c.Uninstall(ctx, "reg-1", "MQTT")
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := startBroker(t)
			client := serve(t, c.replies...).client()
			seen := &recorder{}
			conn := connect(t, client, b.endpoint(), ConnectOptions{OnState: seen.add})
			require.NoError(t, c.uninstall(client))
			for _, ch := range []Change{ended(t, conn), conn.State()} {
				assert.Equal(t, StateClosed, ch.State)
				assert.Equal(t, CodeRevoked, ch.Code)
				require.NotNil(t, ch.Err)
				assert.Contains(t, ch.Err.Remedy, "installMqtt")
			}
			require.Eventually(t, func() bool { return seen.last().State == StateClosed }, waitLong, time.Millisecond)
			assert.Equal(t, CodeRevoked, seen.last().Code)
			assert.Empty(t, client.connections)
		})
	}
}

// A handler that takes long keeps the last change waiting; the reason is settled all the same.
func TestUninstallAfterCloseKeepsTheReason(t *testing.T) {
	b := startBroker(t)
	client := serve(t, reply{status: 204}).client()
	handling, release := make(chan struct{}), make(chan struct{})
	conn := connect(t, client, b.endpoint(), ConnectOptions{OnMessages: func([]Message) {
		close(handling)
		<-release
	}})
	b.next().push(1, "{}")
	<-handling
	require.NoError(t, conn.Close(context.Background()))
	require.NoError(t, client.UninstallByInstallationID(context.Background(), "inst-1"))
	assert.Equal(t, CodeClosed, conn.State().Code)
	close(release)
}

func TestUninstallLeavesOthersAlone(t *testing.T) {
	b := startBroker(t)
	c := serve(t, reply{status: 204}, reply{status: 404}, reply{status: 500}).client()
	conn := connect(t, c, b.endpoint(), ConnectOptions{})
	require.NoError(t, c.UninstallByInstallationID(context.Background(), "inst-2"))
	fails(t, c.UninstallByInstallationID(context.Background(), "inst-1"), CodeNotFound, "")
	fails(t, c.Uninstall(context.Background(), "reg-1", "MQTT"), CodeServerError, "")
	assert.Equal(t, StateOnline, conn.State().State)
}

func TestPublishProperties(t *testing.T) {
	b := startBroker(t)
	got := make(chan Message, 1)
	conn := connect(t, serve(t).client(), b.endpoint(), ConnectOptions{OnMessages: func(batch []Message) { got <- batch[0] }})
	l := b.next()
	expiry := uint32(60)
	want := Properties{MessageExpiry: &expiry, ContentType: "text/plain", ResponseTopic: "answers", CorrelationData: []byte{1, 2},
		User: []UserProperty{{Key: "k", Value: "v"}}}
	m, err := Message{QoS: 1, Payload: []byte("x")}.WithProperties(want)
	require.NoError(t, err)
	require.NoError(t, conn.Publish(context.Background(), m))
	assert.Equal(t, want, l.got().(*mqtt.Publish).Properties)

	_, err = Message{}.WithProperties(Properties{ReasonString: "not a message's"})
	fails(t, err, CodeInvalidArgument, "properties")
	alias := uint16(1)
	m, err = Message{}.WithProperties(Properties{TopicAlias: &alias})
	require.NoError(t, err)
	fails(t, conn.Publish(context.Background(), m), CodeInvalidArgument, "topic alias")

	l.push(1, "pushed")
	m = <-got
	require.NotEmpty(t, m.RawProperties())
	assert.IsType(t, &mqtt.Ack{}, l.got())
	require.NoError(t, conn.Publish(context.Background(), m))
	assert.Empty(t, l.got().(*mqtt.Publish).Properties, "what came with a message does not go out with it")
}
