package engine

import (
	"net"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/paho"
	"github.com/stretchr/testify/require"
)

// TestAClientThatWeDidNotWrite is the journey with Eclipse Paho's MQTT 5 client.
func TestAClientThatWeDidNotWrite(t *testing.T) {
	c := start(t, newMemory(), nil)
	inst := c.q.install(t, installationFor(1))
	ctx := t.Context()
	conn, err := net.Dial("tcp", c.tcp)
	require.NoError(t, err)
	received := make(chan *paho.Publish, 10)
	serverEnd := make(chan *paho.Disconnect, 1)
	client := paho.NewClient(paho.ClientConfig{
		Conn: conn,
		OnPublishReceived: []func(paho.PublishReceived) (bool, error){func(p paho.PublishReceived) (bool, error) {
			received <- p.Packet
			return true, nil
		}},
		OnServerDisconnect: func(d *paho.Disconnect) { serverEnd <- d },
	})
	hello := c.hello(inst)
	ack, err := client.Connect(ctx, &paho.Connect{ClientID: hello.ClientID, Username: hello.Username, Password: []byte(hello.Password),
		UsernameFlag: true, PasswordFlag: true, KeepAlive: 30})
	require.NoError(t, err)
	require.False(t, ack.SessionPresent)
	require.Equal(t, byte(1), *ack.Properties.MaximumQoS)
	require.False(t, ack.Properties.RetainAvailable)

	granted, err := client.Subscribe(ctx, &paho.Subscribe{Subscriptions: []paho.SubscribeOptions{{Topic: inst.Topic, QoS: 2}}})
	require.NoError(t, err)
	require.Equal(t, []byte{1}, granted.Reasons)
	c.push(inst, 0, 1)
	p := <-received
	require.Equal(t, "id-0", p.Properties.User.Get("pushMessageID"))
	require.Equal(t, `{"n":0}`, string(p.Payload))

	_, err = client.Publish(ctx, &paho.Publish{Topic: inst.Topic, QoS: 1, Payload: []byte("mine")})
	require.NoError(t, err)
	require.Equal(t, "mine", string((<-received).Payload))
	res, err := client.Publish(ctx, &paho.Publish{Topic: "elsewhere", QoS: 1, Payload: []byte("x")})
	require.Error(t, err)
	require.Equal(t, byte(0x87), res.ReasonCode)
	c.eventuallyPending(inst, 0)

	c.connect(ws5, inst) // takes over
	select {
	case d := <-serverEnd:
		require.Equal(t, byte(0x8E), d.ReasonCode)
	case <-time.After(time.Minute):
		require.Fail(t, "no DISCONNECT")
	}
	<-client.Done()
}
