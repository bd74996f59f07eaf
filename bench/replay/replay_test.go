package replay

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/kiiweb/kiiweb/internal/mqtt"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds waits for what is on its way.
const patience = time.Minute

// client is a client of few words.
type client struct {
	t     *testing.T
	ws    *websocket.Conn
	codec mqtt.Codec
	split *mqtt.Splitter
	sizes []int // of the frames received
}

func start(t *testing.T) *Server {
	s, err := Start()
	require.NoError(t, err)
	t.Cleanup(s.Close)
	return s
}

func dial(t *testing.T, s *Server, v mqtt.Version, id string, p mqtt.Properties) *client {
	d := websocket.Dialer{Subprotocols: []string{"mqtt"}}
	ws, _, err := d.Dial("ws://127.0.0.1:"+strconv.Itoa(s.Port())+Path, nil)
	require.NoError(t, err)
	t.Cleanup(func() { _ = ws.Close() })
	codec, err := mqtt.NewCodec(v)
	require.NoError(t, err)
	c := &client{t: t, ws: ws, codec: codec, split: mqtt.NewSplitter(0)}
	c.send(&mqtt.Connect{Version: v, ClientID: id, CleanStart: true, Properties: p})
	return c
}

func (c *client) send(packets ...mqtt.Packet) {
	var b []byte
	for _, p := range packets {
		var err error
		b, err = c.codec.Append(b, p)
		require.NoError(c.t, err)
	}
	require.NoError(c.t, c.ws.WriteMessage(websocket.BinaryMessage, b))
}

func (c *client) receive() mqtt.Packet {
	for {
		packet, err := c.split.Next()
		require.NoError(c.t, err)
		if packet != nil {
			p, err := c.codec.Decode(packet, mqtt.FromServer)
			require.NoError(c.t, err)
			return p
		}
		_, b, err := c.ws.ReadMessage()
		require.NoError(c.t, err)
		c.sizes = append(c.sizes, len(b))
		c.split.Feed(b)
	}
}

// online connects and subscribes.
func online(t *testing.T, s *Server, v mqtt.Version, p mqtt.Properties) (*client, *Session, context.Context) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	session := s.Expect("c")
	c := dial(t, s, v, "c", p)
	assert.Equal(t, &mqtt.Connack{}, c.receive())
	c.send(&mqtt.Subscribe{PacketID: 7, Subscriptions: []mqtt.Subscription{{Filter: "#", QoS: 2}}})
	assert.Equal(t, &mqtt.Suback{PacketID: 7, ReasonCodes: []mqtt.ReasonCode{1}}, c.receive())
	require.NoError(t, session.Subscribed(ctx))
	assert.Equal(t, v, session.Version())
	c.sizes = nil
	return c, session, ctx
}

func TestReplay(t *testing.T) {
	for name, shape := range map[string]Shape{
		"one packet per frame": {Payload: 64, Topics: 3},
		"small frames":         {Payload: 64, Frames: Small},
		"large frames":         {Payload: 1024, Frames: Large},
		"cut packets":          {Payload: 64, Frames: Coalescing{Bytes: 100, Cut: true}},
		"QoS 1":                {Payload: 64, Frames: Small, QoS: 1},
	} {
		for _, v := range []mqtt.Version{mqtt.V311, mqtt.V5} {
			t.Run(fmt.Sprint(name, ", version ", v), func(t *testing.T) {
				c, session, ctx := online(t, start(t), v, mqtt.Properties{})
				stream, err := NewStream(v, shape)
				require.NoError(t, err)
				const n = Period + 100 // so that it begins again
				plan := stream.Plan(n)
				require.GreaterOrEqual(t, plan.Messages, n)
				result := make(chan Result, 1)
				go func() {
					r, err := session.Replay(ctx, stream, n)
					assert.NoError(t, err)
					result <- r
				}()
				for i := range plan.Messages {
					p := c.receive().(*mqtt.Publish)
					number := binary.LittleEndian.Uint32(p.Payload)
					if int(number) != i%Period || len(p.Payload) != shape.Payload || len(p.Topic) != TopicLength {
						require.Failf(t, "wrong message", "%d is %v", i, p)
					}
					if shape.QoS > 0 {
						require.Equal(t, uint16(i%Period+1), p.PacketID)
						c.send(&mqtt.Ack{Kind: mqtt.PUBACK, PacketID: p.PacketID})
					}
				}
				r := <-result
				assert.Equal(t, plan, r.Plan)
				assert.Len(t, c.sizes, plan.Frames)
				if shape.QoS > 0 {
					assert.Equal(t, plan.Messages, r.Acks)
					assert.Equal(t, plan.Messages, r.AckFrames)
					assert.Zero(t, r.Wrong)
				}
			})
		}
	}
}

func TestFramesAreAsNamed(t *testing.T) {
	sizes := func(s Shape) []int {
		stream, err := NewStream(mqtt.V311, s)
		require.NoError(t, err)
		c, session, ctx := online(t, start(t), mqtt.V311, mqtt.Properties{})
		_, err = session.Replay(ctx, stream, 200)
		require.NoError(t, err)
		for range stream.Plan(200).Messages {
			c.receive()
		}
		return c.sizes[:1]
	}
	packet := 2 + 2 + TopicLength + 64
	assert.Equal(t, []int{packet}, sizes(Shape{Payload: 64}))
	assert.Equal(t, []int{(2048/packet + 1) * packet}, sizes(Shape{Payload: 64, Frames: Small}))
	assert.Equal(t, []int{777}, sizes(Shape{Payload: 64, Frames: Coalescing{Bytes: 777, Cut: true}}))
	assert.Equal(t, "1 packet per frame", OnePacket.String())
	assert.Equal(t, "16 KiB frames", Large.String())
}

func TestPushesHaveTheCloudsProperties(t *testing.T) {
	for _, v := range []mqtt.Version{mqtt.V5, mqtt.V311} {
		stream, err := NewStream(v, Shape{Payload: 64, Push: true})
		require.NoError(t, err)
		c, session, ctx := online(t, start(t), v, mqtt.Properties{})
		_, err = session.Replay(ctx, stream, 2)
		require.NoError(t, err)
		for n := range 2 {
			p := c.receive().(*mqtt.Publish).Properties
			if v != mqtt.V5 {
				assert.Empty(t, p)
				continue
			}
			assert.EqualValues(t, 86400, *p.MessageExpiry)
			assert.Equal(t, []mqtt.UserProperty{{Key: "pushMessageID", Value: fmt.Sprintf("%022d", n)}}, p.User)
		}
	}
}

func TestWindowHolds(t *testing.T) {
	maximum := uint16(10)
	c, session, ctx := online(t, start(t), mqtt.V5, mqtt.Properties{ReceiveMaximum: &maximum})
	stream, err := NewStream(mqtt.V5, Shape{QoS: 1, Payload: 64})
	require.NoError(t, err)
	done := make(chan Result, 1)
	go func() {
		r, err := session.Replay(ctx, stream, 30)
		assert.NoError(t, err)
		done <- r
	}()
	for range maximum {
		c.receive()
	}
	// Nothing more comes, however long one waits: the next packet to arrive is the answer to this.
	c.send(&mqtt.Pingreq{})
	assert.IsType(t, &mqtt.Pingresp{}, c.receive())
	c.send(&mqtt.Ack{Kind: mqtt.PUBACK, PacketID: 2}, &mqtt.Ack{Kind: mqtt.PUBACK, PacketID: 1})
	for id := uint16(3); id <= maximum; id++ {
		c.send(&mqtt.Ack{Kind: mqtt.PUBACK, PacketID: id})
	}
	for range 20 {
		c.send(&mqtt.Ack{Kind: mqtt.PUBACK, PacketID: c.receive().(*mqtt.Publish).PacketID})
	}
	r := <-done
	assert.Equal(t, 30, r.Acks)
	assert.Equal(t, 2, r.Wrong)
	assert.Equal(t, 29, r.AckFrames)
}

func TestAFrameFitsTheWindow(t *testing.T) {
	maximum := uint16(10)
	_, session, ctx := online(t, start(t), mqtt.V5, mqtt.Properties{ReceiveMaximum: &maximum})
	stream, err := NewStream(mqtt.V5, Shape{QoS: 1, Payload: 64, Frames: Small})
	require.NoError(t, err)
	_, err = session.Replay(ctx, stream, 30)
	require.ErrorContains(t, err, "half of the window is 5")
}

func TestPublishedIsCountedAndEchoed(t *testing.T) {
	c, session, ctx := online(t, start(t), mqtt.V311, mqtt.Properties{})
	c.send(&mqtt.Publish{Topic: "t", Payload: []byte("x")}, &mqtt.Publish{Topic: "t", QoS: 1, PacketID: 9})
	assert.Equal(t, &mqtt.Ack{Kind: mqtt.PUBACK, PacketID: 9}, c.receive())
	require.NoError(t, session.Published(ctx, 2))
	c.send(&mqtt.Publish{Topic: Echo, Payload: []byte("back")})
	assert.Equal(t, &mqtt.Publish{Topic: Echo, Payload: []byte("back")}, c.receive())
	require.Error(t, session.Published(ctx, 1))
}

func TestAPacketMayGoOnInTheNextFrame(t *testing.T) {
	c, session, ctx := online(t, start(t), mqtt.V311, mqtt.Properties{})
	b, err := c.codec.Append(nil, &mqtt.Publish{Topic: Echo, Payload: bytes.Repeat([]byte("abc"), 100)})
	require.NoError(t, err)
	for len(b) > 0 {
		n := min(7, len(b))
		require.NoError(t, c.ws.WriteMessage(websocket.BinaryMessage, b[:n]))
		b = b[n:]
	}
	assert.Equal(t, bytes.Repeat([]byte("abc"), 100), c.receive().(*mqtt.Publish).Payload)
	c.send(&mqtt.Disconnect{})
	require.ErrorIs(t, session.Published(ctx, 1), errClosed)
}

func TestStrangersAreTurnedAway(t *testing.T) {
	s := start(t)
	c := dial(t, s, mqtt.V5, "stranger", mqtt.Properties{})
	_, _, err := c.ws.ReadMessage()
	require.Error(t, err)

	_, session, ctx := online(t, s, mqtt.V5, mqtt.Properties{})
	again := dial(t, s, mqtt.V5, "c", mqtt.Properties{})
	_, _, err = again.ws.ReadMessage()
	require.Error(t, err)
	s.Forget(session)
	require.ErrorContains(t, session.Published(ctx, 1), "over")
}
