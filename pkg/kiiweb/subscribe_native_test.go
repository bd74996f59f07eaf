//go:build !js

package kiiweb

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/mqtt"
)

func TestSubscribe(t *testing.T) {
	b := startBroker(t)
	b.suback = func(_ int, s *mqtt.Subscribe) mqtt.ReasonCode {
		if s.Subscriptions[0].Filter == "secret" {
			return mqtt.NotAuthorized
		}
		return mqtt.GrantedQoS1
	}
	conn := connect(t, serve(t).client(), b.endpoint(), ConnectOptions{})
	l := b.next()
	ctx := context.Background()
	granted, err := conn.Subscribe(ctx, "news/#", 2)
	require.NoError(t, err)
	assert.Equal(t, byte(1), granted)
	assert.Equal(t, "news/#", b.next().subscribe.Subscriptions[0].Filter)
	_, err = conn.Subscribe(ctx, "secret", 1)
	fails(t, err, CodeForbidden, "Not authorized")
	require.NoError(t, conn.Unsubscribe(ctx, "news/#"))
	assert.Equal(t, []string{"news/#"}, l.got().(*mqtt.Unsubscribe).Filters)
	fails(t, conn.Unsubscribe(ctx, "topic-1"), CodeInvalidArgument, "own topic")
	require.NoError(t, conn.Close(ctx))
	_, err = conn.Subscribe(ctx, "news/#", 2)
	fails(t, err, CodeClosed, "")
}

func TestSessionOptions(t *testing.T) {
	for _, c := range []struct {
		name    string
		options ConnectOptions
		clean   bool
		expiry  uint32
		receive uint16
		packet  uint32
	}{
		{"defaults", ConnectOptions{}, false, 1<<32 - 1, 1024, 1<<20 + 1<<16},
		{"own", ConnectOptions{SessionExpiry: 1500 * time.Millisecond, ReceiveMaximum: 7, MaxPacket: 5000}, false, 2, 7, 5000},
		{"for ever", ConnectOptions{SessionExpiry: 1 << 62}, false, 1<<32 - 1, 1024, 1<<20 + 1<<16},
		{"clean", ConnectOptions{CleanStart: true, SessionExpiry: time.Hour}, true, 0, 1024, 1<<20 + 1<<16},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := startBroker(t)
			connect(t, serve(t).client(), b.endpoint(), c.options)
			p := b.next().connect
			assert.Equal(t, c.clean, p.CleanStart)
			if c.clean {
				assert.Nil(t, p.Properties.SessionExpiry)
			} else {
				assert.Equal(t, c.expiry, *p.Properties.SessionExpiry)
			}
			assert.Equal(t, c.receive, *p.Properties.ReceiveMaximum)
			assert.Equal(t, c.packet, *p.Properties.MaximumPacketSize)
		})
	}
}

// What is published has a place in a line, and a time.
func TestPublishQueue(t *testing.T) {
	b := startBroker(t)
	conn := connect(t, serve(t).client(), b.endpoint(), ConnectOptions{MaxQueue: 1, QueueAge: time.Millisecond, KeepAlive: 600})
	l := b.next()
	b.stop()
	require.Eventually(t, func() bool { return conn.State().State != StateOnline }, waitLong, time.Millisecond)
	_, open := <-l.packets
	require.False(t, open)
	fails(t, conn.Publish(context.Background(), Message{Payload: []byte("a"), QoS: 1}), CodeTimeout, "too long")
}
