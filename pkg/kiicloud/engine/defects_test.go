package engine

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/mqtt"
	"github.com/kiiweb/kiiweb/pkg/kiicloud/guard/guardtest"
)

// Each test here is for something that embedded brokers have got wrong. Those about the handshake of WebSockets are in package guard.

func TestSubscribeThatEndsBeforeItsOptionsEndsOneConnectionOnly(t *testing.T) {
	for _, w := range []way{tcp5, ws5} {
		t.Run(w.String(), func(t *testing.T) {
			c := start(t, newMemory(), nil)
			inst, other := c.q.install(t, installationFor(1)), c.q.install(t, installationFor(2))
			bystander := c.subscribe(w, other, qos1)
			client := c.connect(w, inst)
			client.Send([]byte{0x82, 0x05, 0x00, 0x01, 0x00, 0x00, 0x00})
			p := client.Expect(mqtt.DISCONNECT)
			require.Contains(t, []mqtt.ReasonCode{mqtt.MalformedPacket, mqtt.ProtocolError}, p.Code())
			client.ExpectClosed()
			bystander.ExpectAlive()
			c.subscribe(w, inst, qos1).ExpectAlive()
		})
	}
}

func TestWillsAreRefusedAndNeverPublished(t *testing.T) {
	onEachWay(t, func(t *testing.T, w way) {
		c := start(t, newMemory(), nil)
		inst, victim := c.q.install(t, installationFor(1)), c.q.install(t, installationFor(2))
		watching := c.subscribe(w, victim, qos1)
		hello := c.hello(inst)
		hello.WillTopic, hello.WillPayload = victim.Topic, "forged"
		client := c.dial(w)
		client.Send(guardtest.Connect(w.version, hello))
		expectRefused(t, w, client, mqtt.ImplementationSpecificError, 5)
		client.HangUp()
		watching.ExpectAlive()
		require.Zero(t, c.pending(victim))
	})
}

func TestKeepAliveAbove43690DoesNotOverflow(t *testing.T) {
	onEachWay(t, func(t *testing.T, w way) {
		c := start(t, newMemory(), nil)
		var clients []*guardtest.Client
		for i, keepAlive := range []uint16{43690, 43691, 43692, 65535, 0} {
			inst := c.q.install(t, installationFor(i))
			clients = append(clients, c.connect(w, inst, func(h *guardtest.Hello) { h.KeepAlive = keepAlive }))
		}
		clients[0].ExpectSilence(50 * time.Millisecond)
		for _, client := range clients {
			client.ExpectAlive()
		}
	})
}

func TestClientsOf3xGetNoDisconnectPacket(t *testing.T) {
	for _, w := range ways {
		if w.version == mqtt.V5 {
			continue
		}
		t.Run(w.String(), func(t *testing.T) {
			c := start(t, newMemory(), nil)
			inst := c.q.install(t, installationFor(1))
			older := c.connect(w, inst)
			newer := c.connect(w, inst)
			older.ExpectClosed()
			newer.Send(guardtest.Subscribe(w.version, 0, nil, guardtest.Filter{Topic: inst.Topic})) // packet identifier 0
			newer.ExpectClosed()
		})
	}
}

func TestSysTopicsAreOutOfReach(t *testing.T) {
	onEachWay(t, func(t *testing.T, w way) {
		c := start(t, newMemory(), nil)
		inst := c.q.install(t, installationFor(1))
		client := c.connect(w, inst)
		client.Send(guardtest.Subscribe(w.version, 1, nil, guardtest.Filter{Topic: "$SYS/#"}, guardtest.Filter{Topic: "$SYS/broker/version"}))
		ack := client.Expect(mqtt.SUBACK)
		if w.version == mqtt.V5 {
			require.Equal(t, []byte{0xA2, 0x87}, ack.Codes(2))
		} else {
			require.Equal(t, []byte{0x80, 0x80}, ack.Codes(2))
		}
		client.ExpectAlive()
	})
}

func TestOnlyTheOwnTopicIsGranted(t *testing.T) {
	c := start(t, newMemory(), nil)
	inst, other := c.q.install(t, installationFor(1)), c.q.install(t, installationFor(2))
	c.push(inst, 0, 1)
	c.push(other, 1, 2)
	client := c.connect(tcp5, inst)
	filters := []guardtest.Filter{{Topic: other.Topic, Options: 1}, {Topic: "#"}, {Topic: "+"}, {Topic: "$share/g/" + inst.Topic},
		{Topic: inst.Topic, Options: 2}, {Topic: inst.Topic + "/#"}}
	client.Send(guardtest.Subscribe(mqtt.V5, 9, []byte{0x26, 0, 1, 'a', 0, 1, 'b'}, filters...))
	ack := client.Expect(mqtt.SUBACK)
	require.Equal(t, uint16(9), ack.PacketID())
	require.Equal(t, []byte{0x87, 0xA2, 0xA2, 0x9E, 0x01, 0xA2}, ack.Codes(6))
	require.Empty(t, ack.Properties().User, "a client's user properties are not echoed")
	receive(t, client, inst, 0)
	client.ExpectAlive()
}

func TestConnackTellsWhatIsNotSupported(t *testing.T) {
	c := start(t, newMemory(), nil)
	inst := c.q.install(t, installationFor(1))
	hello := c.hello(inst)
	hello.Session = true
	hello.Properties = []byte{0x11, 0, 0, 14, 16} // Session Expiry Interval 3600
	client := c.dial(tcp5)
	client.Send(guardtest.Connect(mqtt.V5, hello))
	ack := client.Expect(mqtt.CONNACK)
	require.Equal(t, []byte{0, 0}, ack.Bytes[2:4], "no session, success")
	p := ack.Properties()
	require.Equal(t, []uint32{0, 8192}, []uint32{*p.SessionExpiry, *p.MaximumPacketSize})
	require.Equal(t, []byte{1, 0, 0, 0}, []byte{*p.MaximumQoS, *p.RetainAvailable, *p.WildcardSubAvailable, *p.SharedSubAvailable})
	require.Nil(t, p.TopicAliasMaximum)
	require.Empty(t, p.ReasonString)
	client.Send(guardtest.Frame(0xE0, []byte{0, 5, 0x11, 0, 0, 14, 16})) // DISCONNECT with the expiry of CONNECT
	client.ExpectClosed()
}

func TestAClientThatCannotTakeAnAnswerInIsEnded(t *testing.T) {
	c := start(t, newMemory(), nil)
	inst := c.q.install(t, installationFor(1))
	for n, size := range []byte{10, 5, 4, 1} {
		hello := c.hello(inst)
		hello.Properties = []byte{0x27, 0, 0, 0, size} // Maximum Packet Size
		client := c.dial(tcp5)
		client.Send(guardtest.Connect(mqtt.V5, hello))
		if size >= 5 { // there is room for a CONNACK that says why
			require.Equal(t, mqtt.PacketTooLarge, client.Expect(mqtt.CONNACK).Code())
		}
		client.ExpectClosed()
		require.Eventually(t, func() bool { return c.e.Stats().Ended[mqtt.PacketTooLarge] == int64(n+1) }, guardtest.Patience, time.Millisecond)
	}
}

func TestSessionPresentIsAlwaysZero(t *testing.T) {
	onEachWay(t, func(t *testing.T, w way) {
		c := start(t, newMemory(), nil)
		inst := c.q.install(t, installationFor(1))
		for range 3 {
			hello := c.hello(inst)
			hello.Session = true
			client := c.dial(w)
			client.Send(guardtest.Connect(w.version, hello), guardtest.Subscribe(w.version, 1, nil, guardtest.Filter{Topic: inst.Topic, Options: 1}))
			require.Zero(t, client.Expect(mqtt.CONNACK).Bytes[2])
			client.Expect(mqtt.SUBACK)
		}
	})
}

func TestNoPasswordAndNoPayloadIsLogged(t *testing.T) {
	c := start(t, newMemory(), nil)
	const mark = "SECRET-PAYLOAD"
	inst := c.q.install(t, installationFor(1))
	hello := c.hello(inst)
	for _, w := range ways {
		client := c.connect(w, inst, func(h *guardtest.Hello) { *h = hello })
		_ = client.TrySend(guardtest.Connect(w.version, hello)) // a second CONNECT
		<-client.Gone()
		client = c.connect(w, inst, func(h *guardtest.Hello) { *h = hello })
		_ = client.TrySend(guardtest.Publish(w.version, 0x02, 1, "elsewhere", nil, mark), guardtest.Publish(w.version, 0, 0, inst.Topic, nil, mark),
			guardtest.Publish(w.version, 0x01, 0, inst.Topic, nil, mark)) // retained
		<-client.Gone()
		wrong := hello
		wrong.Username, wrong.WillTopic, wrong.WillPayload = "nobody", "x", mark
		client = c.dial(w)
		_ = client.TrySend(guardtest.Connect(w.version, wrong))
		<-client.Gone()
	}
	c.close()
	logs := c.logs.String()
	require.Contains(t, logs, "connection ended", "the log is there")
	require.NotContains(t, logs, hello.Password)
	require.NotContains(t, logs, mark)
	require.NotContains(t, logs, "level=WARN")
	require.NotContains(t, logs, "level=ERROR")
}

// TestRandomPackets sends broken and random packets and sees that nothing else suffers.
func TestRandomPackets(t *testing.T) {
	c := start(t, newMemory(), nil)
	inst, other := c.q.install(t, installationFor(1)), c.q.install(t, installationFor(2))
	bystander := c.subscribe(tcp5, other, qos1)
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range 2000 {
		w := ways[rng.IntN(len(ways))]
		client := c.dial(w)
		good := [][]byte{
			guardtest.Connect(w.version, c.hello(inst)),
			guardtest.Subscribe(w.version, 1, nil, guardtest.Filter{Topic: inst.Topic, Options: 1}),
			guardtest.Publish(w.version, 0x02, 7, inst.Topic, nil, "x"),
			guardtest.Unsubscribe(w.version, 2, inst.Topic),
			guardtest.Puback(1), guardtest.Pingreq,
		}
		first := i % len(good) // this one and what follows it is damaged
		for n := first; n < len(good); n++ {
			good[n] = damage(rng, good[n])
		}
		_ = client.TrySend(good...)
		_ = client.TrySend(guardtest.Disconnect)
		client.HangUp()
	}
	bystander.ExpectAlive()
	require.Eventually(t, func() bool { return c.e.Stats().Connections == 1 }, guardtest.Patience, 5*time.Millisecond)
	require.NotContains(t, c.logs.String(), "panic")
}

// damage changes, cuts or replaces a packet, mostly so that it is still framed.
func damage(rng *rand.Rand, pkt []byte) []byte {
	pkt = append([]byte(nil), pkt...)
	switch rng.IntN(4) {
	case 0:
		pkt[rng.IntN(len(pkt))] = byte(rng.Uint32())
	case 1: // cut, with a fitting length
		body := pkt[2:]
		return guardtest.Frame(pkt[0], body[:rng.IntN(len(body)+1)])
	case 2: // random content
		body := make([]byte, rng.IntN(40))
		for i := range body {
			body[i] = byte(rng.Uint32())
		}
		return guardtest.Frame(pkt[0], body)
	default:
		body := append([]byte(nil), pkt[2:]...)
		if len(body) > 0 {
			body[rng.IntN(len(body))] ^= 1 << rng.IntN(8)
		}
		return guardtest.Frame(byte(rng.IntN(16))<<4|pkt[0]&0x0F, body)
	}
	return pkt
}

func TestFloodOfConnectionsLeavesNothingBehind(t *testing.T) {
	c := start(t, newMemory(), nil)
	for i := range 200 {
		inst := c.q.install(t, installationFor(i))
		c.subscribe(ways[i%len(ways)], inst, qos1).HangUp()
	}
	require.Eventually(t, func() bool { return c.e.Stats().Connections == 0 }, guardtest.Patience, 5*time.Millisecond)
	require.Empty(t, c.e.sessions.byTopic)
}
