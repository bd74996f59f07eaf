package guard

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/mqtt"
	"github.com/kiiweb/kiiweb/pkg/kiicloud/guard/guardtest"
)

var versions = []mqtt.Version{mqtt.V31, mqtt.V311, mqtt.V5}

func with(change func(*guardtest.Hello)) guardtest.Hello {
	h := hello
	change(&h)
	return h
}

func TestRefusedConnects(t *testing.T) {
	const none = 0xFF // no CONNACK: the connection is closed
	cases := []struct {
		name  string
		hello guardtest.Hello
		codes map[mqtt.Version]mqtt.ReasonCode
	}{
		{"bad password", with(func(h *guardtest.Hello) { h.Password = "bad" }),
			map[mqtt.Version]mqtt.ReasonCode{mqtt.V31: 4, mqtt.V311: 4, mqtt.V5: mqtt.BadUserNameOrPassword}},
		{"empty client identifier", with(func(h *guardtest.Hello) { h.ClientID = "" }),
			map[mqtt.Version]mqtt.ReasonCode{mqtt.V31: 2, mqtt.V311: 2, mqtt.V5: mqtt.ClientIdentifierNotValid}},
		{"empty client identifier with a session", with(func(h *guardtest.Hello) { h.ClientID, h.Session = "", true }),
			map[mqtt.Version]mqtt.ReasonCode{mqtt.V31: 2, mqtt.V311: 2, mqtt.V5: mqtt.ClientIdentifierNotValid}},
		{"will", with(func(h *guardtest.Hello) { h.WillTopic = "me" }),
			map[mqtt.Version]mqtt.ReasonCode{mqtt.V31: 5, mqtt.V311: 5, mqtt.V5: mqtt.ImplementationSpecificError}},
		{"retained will", with(func(h *guardtest.Hello) { h.WillTopic, h.WillFlags = "me", 0x20 }),
			map[mqtt.Version]mqtt.ReasonCode{mqtt.V31: 5, mqtt.V311: 5, mqtt.V5: mqtt.RetainNotSupported}},
		{"will at QoS 2", with(func(h *guardtest.Hello) { h.WillTopic, h.WillFlags = "me", 0x10 }),
			map[mqtt.Version]mqtt.ReasonCode{mqtt.V31: 5, mqtt.V311: 5, mqtt.V5: mqtt.QoSNotSupported}},
		{"broken will QoS", with(func(h *guardtest.Hello) { h.WillTopic, h.WillFlags = "me", 0x18 }),
			map[mqtt.Version]mqtt.ReasonCode{mqtt.V31: none, mqtt.V311: none, mqtt.V5: mqtt.MalformedPacket}},
		{"authentication method", with(func(h *guardtest.Hello) { h.Properties = []byte{0x15, 0, 1, 'x'} }),
			map[mqtt.Version]mqtt.ReasonCode{mqtt.V5: mqtt.BadAuthenticationMethod}},
		{"double property", with(func(h *guardtest.Hello) { h.Properties = []byte{0x21, 0, 1, 0x21, 0, 1} }),
			map[mqtt.Version]mqtt.ReasonCode{mqtt.V5: mqtt.ProtocolError}},
	}
	for _, tc := range cases {
		for v, code := range tc.codes {
			t.Run(tc.name+" v"+string('0'+rune(v)), func(t *testing.T) {
				client, e := open(t, v, Limits{})
				client.Send(guardtest.Connect(v, tc.hello))
				if code != none {
					ack := client.Expect(mqtt.CONNACK)
					require.Equal(t, code, ack.Code())
					if v == mqtt.V5 {
						require.NotEmpty(t, ack.Properties().ReasonString)
					}
				}
				client.ExpectClosed()
				require.Empty(t, e.packets(), "the broker saw nothing")
			})
		}
	}
}

func TestFirstPacketMustBeAConnectOfAKnownVersion(t *testing.T) {
	unknown := guardtest.Connect(mqtt.V311, hello)
	unknown[8] = 6
	cases := []struct {
		name    string
		pkt     []byte
		connack bool
	}{
		{"PINGREQ", guardtest.Pingreq, false},
		{"PUBLISH", guardtest.Publish(mqtt.V311, 0, 0, "me", nil, "x"), false},
		{"an HTTP request", []byte("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"), false},
		{"type 0", []byte{0, 0}, false},
		{"too large", guardtest.Frame(0x10, make([]byte, 9000)), false},
		{"level 6", unknown, true},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			client, e := open(t, mqtt.V311, Limits{})
			client.Send(tc.pkt)
			if tc.connack {
				require.Equal(t, mqtt.ReasonCode(1), client.Expect(mqtt.CONNACK).Code())
			}
			client.ExpectClosed()
			require.Empty(t, e.packets())
		})
	}
}

func TestPacketsThatEndTheConnection(t *testing.T) {
	big := strings.Repeat("x", 4097)
	cases := []struct {
		name string
		pkt  func(v mqtt.Version) []byte
		code mqtt.ReasonCode // on MQTT 5
		only mqtt.Version    // 0: all
	}{
		{"second CONNECT", func(v mqtt.Version) []byte { return guardtest.Connect(v, hello) }, mqtt.ProtocolError, 0},
		{"AUTH", func(mqtt.Version) []byte { return []byte{0xF0, 0} }, mqtt.ProtocolError, mqtt.V5},
		{"AUTH with a method", func(mqtt.Version) []byte {
			return guardtest.Frame(0xF0, []byte{0x18, 8, 0x15}, guardtest.Text("SCRAM"))
		}, mqtt.ProtocolError, mqtt.V5},
		{"type 15", func(mqtt.Version) []byte { return []byte{0xF0, 0} }, 0, mqtt.V311},
		{"QoS 2", func(v mqtt.Version) []byte { return guardtest.Publish(v, 0x04, 1, "me", nil, "x") }, mqtt.QoSNotSupported, 0},
		{"QoS 3", func(v mqtt.Version) []byte { return guardtest.Publish(v, 0x06, 1, "me", nil, "x") }, mqtt.MalformedPacket, 0},
		{"retained", func(v mqtt.Version) []byte { return guardtest.Publish(v, 0x03, 1, "me", nil, "x") }, mqtt.RetainNotSupported, 0},
		{"foreign topic at QoS 0", func(v mqtt.Version) []byte { return guardtest.Publish(v, 0, 0, "you", nil, "x") }, mqtt.NotAuthorized, 0},
		{"large payload at QoS 0", func(v mqtt.Version) []byte { return guardtest.Publish(v, 0, 0, "me", nil, big) }, mqtt.QuotaExceeded, 0},
		{"topic alias", func(v mqtt.Version) []byte { return guardtest.Publish(v, 0x02, 1, "me", []byte{0x23, 0, 1}, "x") }, mqtt.TopicAliasInvalid, mqtt.V5},
		{"topic alias alone", func(v mqtt.Version) []byte { return guardtest.Publish(v, 0x02, 1, "", []byte{0x23, 0, 1}, "x") }, mqtt.TopicAliasInvalid, mqtt.V5},
		{"PUBREL", func(mqtt.Version) []byte { return []byte{0x62, 2, 0, 1} }, mqtt.ProtocolError, 0},
		{"PUBREC", func(mqtt.Version) []byte { return []byte{0x50, 2, 0, 1} }, mqtt.ProtocolError, 0},
		{"CONNACK", func(mqtt.Version) []byte { return []byte{0x20, 3, 0, 0, 0} }, mqtt.ProtocolError, mqtt.V5},
		{"packet identifier 0", func(v mqtt.Version) []byte { return guardtest.Subscribe(v, 0, nil, guardtest.Filter{Topic: "me"}) }, mqtt.ProtocolError, 0},
		{"SUBSCRIBE that stops short", func(mqtt.Version) []byte { return []byte{0x82, 0x05, 0, 1, 0, 0, 0} }, mqtt.ProtocolError, mqtt.V5},
		{"wrong flags", func(mqtt.Version) []byte { return []byte{0xC1, 0} }, mqtt.MalformedPacket, 0},
		{"too large", func(mqtt.Version) []byte { return []byte{0x30, 0xFF, 0xFF, 0x03} }, mqtt.PacketTooLarge, 0},
		{"bad UTF-8", func(v mqtt.Version) []byte { return guardtest.Publish(v, 0, 0, "\xC0\x80", nil, "x") }, mqtt.MalformedPacket, 0},
	}
	for _, tc := range cases {
		for _, v := range versions {
			if tc.only != 0 && tc.only != v {
				continue
			}
			t.Run(tc.name+" v"+string('0'+rune(v)), func(t *testing.T) {
				client, e := openIn(t, v)
				client.Send(tc.pkt(v))
				if v == mqtt.V5 {
					p := client.Expect(mqtt.DISCONNECT)
					require.Equal(t, tc.code.String(), p.Code().String())
					require.NotEmpty(t, p.Properties().ReasonString)
				}
				client.ExpectClosed()
				require.Equal(t, []mqtt.Type{mqtt.CONNECT}, e.types(), "the broker saw no more")
				require.Empty(t, e.h.published)
			})
		}
	}
}

func TestRefusedMessagesAtQoS1(t *testing.T) {
	cases := []struct {
		name  string
		topic string
		props []byte
		size  int
		code  mqtt.ReasonCode
	}{
		{"foreign topic", "you", nil, 1, mqtt.NotAuthorized},
		{"too large", "me", nil, 4097, mqtt.QuotaExceeded},
		{"content type", "me", []byte{0x03, 0, 1, 'x'}, 1, mqtt.ImplementationSpecificError},
		{"user property", "me", []byte{0x26, 0, 1, 'x', 0, 1, 'y'}, 1, mqtt.ImplementationSpecificError},
		{"response topic", "me", []byte{0x08, 0, 1, 'x'}, 1, mqtt.ImplementationSpecificError},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			client, e := openIn(t, mqtt.V5)
			payload := strings.Repeat("x", tc.size)
			client.Send(guardtest.Publish(mqtt.V5, 0x02, 7, tc.topic, tc.props, payload))
			ack := client.Expect(mqtt.PUBACK)
			require.Equal(t, uint16(7), ack.PacketID())
			require.Equal(t, tc.code, ack.Code())
			require.NotEmpty(t, ack.Properties().ReasonString)
			client.ExpectAlive()
			require.Empty(t, e.h.published)

			if tc.props == nil {
				client, e = openIn(t, mqtt.V311)
				client.Send(guardtest.Publish(mqtt.V311, 0x02, 7, tc.topic, nil, payload))
				client.ExpectClosed()
				require.Empty(t, e.h.published)
			}
		})
	}
}

func TestMessagesThatTheHandlerCannotKeep(t *testing.T) {
	client, e := openIn(t, mqtt.V5)
	e.h.mu.Lock()
	e.h.refuse = &Refusal{mqtt.UnspecifiedError, "the store is full"}
	e.h.mu.Unlock()
	client.Send(guardtest.Publish(mqtt.V5, 0x02, 7, "me", nil, "x"))
	require.Equal(t, mqtt.UnspecifiedError, client.Expect(mqtt.PUBACK).Code())

	client, e = openIn(t, mqtt.V311)
	e.h.mu.Lock()
	e.h.refuse = &Refusal{mqtt.UnspecifiedError, "the store is full"}
	e.h.mu.Unlock()
	client.Send(guardtest.Publish(mqtt.V311, 0x02, 7, "me", nil, "x"))
	client.ExpectClosed() // no PUBACK for what is not kept
}

func TestWhatIsAllowed(t *testing.T) {
	for _, v := range versions {
		client, e := openIn(t, v)
		client.Send(
			guardtest.Publish(v, 0, 0, "me", nil, "zero"),
			guardtest.Publish(v, 0x02, 5, "me", nil, strings.Repeat("x", 4096)),
			guardtest.Puback(9), guardtest.Puback(10),
			guardtest.Subscribe(v, 1, nil, guardtest.Filter{Topic: "me"}),
			guardtest.Unsubscribe(v, 2, "me"),
			guardtest.Pingreq)
		ack := client.Expect(mqtt.PUBACK)
		require.Equal(t, uint16(5), ack.PacketID())
		require.Equal(t, mqtt.Success, ack.Code())
		client.Expect(mqtt.PINGRESP)
		require.Equal(t, []mqtt.Type{mqtt.CONNECT, mqtt.SUBSCRIBE, mqtt.UNSUBSCRIBE, mqtt.PINGREQ}, e.types())
		require.Equal(t, []string{"zero", strings.Repeat("x", 4096)}, e.h.published)
		require.Equal(t, []uint16{9, 10}, e.h.acked)

		client.Send(guardtest.Disconnect)
		client.ExpectClosed()
		require.Equal(t, mqtt.Success, e.conn.Cause().Code)
	}
}

func TestReasonStringsAreLeftOutWhereTheClientSaysSo(t *testing.T) {
	small := with(func(h *guardtest.Hello) { h.Properties = []byte{0x27, 0, 0, 0, 20} }) // Maximum Packet Size 20
	client, _ := open(t, mqtt.V5, Limits{})
	client.Send(guardtest.Connect(mqtt.V5, small))
	client.Expect(mqtt.CONNACK)
	client.Send(guardtest.Publish(mqtt.V5, 0x02, 7, "you", nil, "x"))
	require.Empty(t, client.Expect(mqtt.PUBACK).Properties().ReasonString)
	client.Send([]byte{0xF0, 0})
	require.Empty(t, client.Expect(mqtt.DISCONNECT).Properties().ReasonString)

	quiet := with(func(h *guardtest.Hello) { h.Properties = []byte{0x17, 0} }) // Request Problem Information 0
	client, _ = open(t, mqtt.V5, Limits{})
	client.Send(guardtest.Connect(mqtt.V5, quiet))
	client.Expect(mqtt.CONNACK)
	client.Send(guardtest.Publish(mqtt.V5, 0x02, 7, "you", nil, "x"))
	require.Empty(t, client.Expect(mqtt.PUBACK).Properties().ReasonString)
}
