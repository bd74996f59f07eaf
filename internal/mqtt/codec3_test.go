package mqtt

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func newCodec(t testing.TB, v Version) Codec {
	t.Helper()
	codec, err := NewCodec(v)
	require.NoError(t, err)
	require.Equal(t, v, codec.Version())
	return codec
}

func TestCodec3BothWays(t *testing.T) {
	types := map[Version]map[Type]bool{V31: {}, V311: {}}
	for _, c := range valid3 {
		for _, v := range c.versions {
			t.Run(c.name+", "+versionName(v), func(t *testing.T) {
				codec := newCodec(t, v)
				pkt := raw(t, c.bytes)
				got, err := codec.Decode(pkt, c.from)
				require.NoError(t, err)
				require.Equal(t, c.want, got)
				types[v][got.PacketType()] = true

				out, err := codec.Append([]byte("before"), c.want)
				require.NoError(t, err)
				require.Equal(t, "before", string(out[:6]))
				if !c.decodeOnly {
					require.Equal(t, pkt, out[6:])
				}
				again, err := codec.Decode(out[6:], c.from)
				require.NoError(t, err)
				require.Equal(t, c.want, again)

				for i := range pkt {
					pkt[i] = 0xEE
				}
				require.Equal(t, c.want, got, "a copy")
			})
		}
	}
	assert.Len(t, types[V31], 14, "the table has every packet type of 3.1")
	assert.Len(t, types[V311], 14, "the table has every packet type of 3.1.1")
}

func TestCodec3RefusesMalformed(t *testing.T) {
	for _, v := range both3 {
		codec := newCodec(t, v)
		for _, c := range malformed {
			if !slices.Contains(c.versions, v) {
				continue
			}
			p, err := codec.Decode(raw(t, c.bytes), c.from)
			var e *Error
			require.ErrorAs(t, err, &e, c.name)
			assert.Equal(t, c.reason, e.Reason, c.name)
			assert.Nil(t, p, c.name)
		}
	}
}

// What only version 5 has is refused, not left out.
func TestCodec3AppendRefuses(t *testing.T) {
	some := Properties{User: []UserProperty{{"k", "v"}}}
	cases := []struct {
		name   string
		packet Packet
		reason ReasonCode
	}{
		{"nothing", nil, MalformedPacket},
		{"a CONNECT of version 5", &Connect{Version: V5, ClientID: "c"}, UnsupportedProtocolVersion},
		{"no client identifier for a session that lasts", &Connect{ClientID: ""}, ClientIdentifierNotValid},
		{"a password without a user name", &Connect{ClientID: "c", HasPassword: true}, MalformedPacket},
		{"a CONNECT with properties", &Connect{ClientID: "c", Properties: some}, MalformedPacket},
		{"a will with properties", &Connect{ClientID: "c", Will: &Will{Topic: "w", Properties: some}}, MalformedPacket},
		{"a CONNACK with properties", &Connack{Properties: some}, MalformedPacket},
		{"a CONNACK with a code of version 5", &Connack{ReasonCode: NotAuthorized}, ProtocolError},
		{"a PUBLISH with properties", &Publish{Topic: "t", Properties: some}, MalformedPacket},
		{"a PUBLISH with an alias alone", &Publish{Properties: Properties{TopicAlias: ptr(uint16(1))}}, MalformedPacket},
		{"no topic", &Publish{}, ProtocolError},
		{"a QoS that is none", &Publish{Topic: "t", QoS: 3, PacketID: 1}, MalformedPacket},
		{"an acknowledgement with a code", &Ack{Kind: PUBACK, PacketID: 1, ReasonCode: QuotaExceeded}, MalformedPacket},
		{"an acknowledgement with properties", &Ack{Kind: PUBREC, PacketID: 1, Properties: some}, MalformedPacket},
		{"an acknowledgement of packet identifier 0", &Ack{Kind: PUBREL}, ProtocolError},
		{"a SUBSCRIBE with properties", &Subscribe{PacketID: 1, Subscriptions: []Subscription{{Filter: "a"}}, Properties: some}, MalformedPacket},
		{"no local", &Subscribe{PacketID: 1, Subscriptions: []Subscription{{Filter: "a", NoLocal: true}}}, MalformedPacket},
		{"retain as published", &Subscribe{PacketID: 1, Subscriptions: []Subscription{{Filter: "a", RetainAsPublished: true}}}, MalformedPacket},
		{"retain handling", &Subscribe{PacketID: 1, Subscriptions: []Subscription{{Filter: "a", RetainHandling: 1}}}, MalformedPacket},
		{"a SUBACK with a code of version 5", &Suback{PacketID: 1, ReasonCodes: []ReasonCode{NotAuthorized}}, ProtocolError},
		{"a SUBACK with properties", &Suback{PacketID: 1, ReasonCodes: []ReasonCode{Success}, Properties: some}, MalformedPacket},
		{"an UNSUBSCRIBE with properties", &Unsubscribe{PacketID: 1, Filters: []string{"a"}, Properties: some}, MalformedPacket},
		{"an UNSUBACK with a code", &Unsuback{PacketID: 1, ReasonCodes: []ReasonCode{Success}}, MalformedPacket},
		{"an UNSUBACK with properties", &Unsuback{PacketID: 1, Properties: some}, MalformedPacket},
		{"a DISCONNECT with a code", &Disconnect{ReasonCode: DisconnectWithWillMessage}, MalformedPacket},
		{"a DISCONNECT with properties", &Disconnect{Properties: some}, MalformedPacket},
		{"AUTH", &Auth{}, MalformedPacket},
	}
	for _, c := range cases {
		for _, v := range both3 {
			t.Run(c.name+", "+versionName(v), func(t *testing.T) {
				if p, ok := c.packet.(*Connect); ok && p.Version != V5 {
					p.Version = v
				}
				out, err := newCodec(t, v).Append([]byte("before"), c.packet)
				var e *Error
				require.ErrorAs(t, err, &e)
				assert.Equal(t, c.reason, e.Reason, e.Msg)
				assert.Equal(t, "before", string(out), "what was there stays")
			})
		}
	}
}
