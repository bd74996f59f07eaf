package mqtt

import (
	"bytes"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestNewCodecWithoutOne(t *testing.T) {
	_, err := NewCodec(7)
	var e *Error
	require.ErrorAs(t, err, &e)
	assert.Equal(t, UnsupportedProtocolVersion, e.Reason)
}

func TestCodec5BothWays(t *testing.T) {
	codec := newCodec(t, V5)
	types := map[Type]bool{}
	for _, c := range valid5 {
		t.Run(c.name, func(t *testing.T) {
			pkt := raw(t, c.bytes)
			got, err := codec.Decode(pkt, c.from)
			require.NoError(t, err)
			require.Equal(t, c.want, got)
			require.Equal(t, PacketTypeOf(pkt), got.PacketType())
			types[got.PacketType()] = true

			out, err := codec.Append([]byte("before"), c.want)
			require.NoError(t, err)
			require.Equal(t, "before", string(out[:6]))
			if !c.decodeOnly {
				require.Equal(t, pkt, out[6:])
			}
			again, err := codec.Decode(out[6:], c.from)
			require.NoError(t, err)
			require.Equal(t, c.want, again)
		})
	}
	assert.Len(t, types, 15, "the table has every packet type")
}

func TestCodec5DecodesACopy(t *testing.T) {
	codec := newCodec(t, V5)
	for _, c := range valid5 {
		pkt := raw(t, c.bytes)
		got, err := codec.Decode(pkt, c.from)
		require.NoError(t, err)
		for i := range pkt {
			pkt[i] = 0xEE
		}
		require.Equal(t, c.want, got, c.name)
	}
}

func TestCodec5RefusesMalformed(t *testing.T) {
	codec := newCodec(t, V5)
	for _, c := range malformed {
		if !bytes.Contains([]byte{byte(c.versions[0]), byte(c.versions[len(c.versions)-1])}, []byte{byte(V5)}) {
			continue
		}
		_, err := codec.Decode(raw(t, c.bytes), c.from)
		var e *Error
		require.ErrorAs(t, err, &e, c.name)
		assert.Equal(t, c.reason, e.Reason, c.name)
	}
}

func TestCodec5RecognisesAnOlderConnack(t *testing.T) {
	_, err := newCodec(t, V5).Decode(raw(t, "20 | 00 01"), FromServer)
	var e *Error
	require.ErrorAs(t, err, &e)
	assert.Equal(t, UnsupportedProtocolVersion, e.Reason)
}

func TestCodec5AllocatesNothingBigForAHugeLength(t *testing.T) {
	codec := newCodec(t, V5)
	six := raw(t, "30 FF FF FF 7F 00")
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := codec.Decode(six, FromServer)
	runtime.ReadMemStats(&after)
	require.Error(t, err)
	assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(1<<16))
}

func TestCodec5AppendRefuses(t *testing.T) {
	long := strings.Repeat("x", maxField+1)
	cases := []struct {
		name   string
		packet Packet
		reason ReasonCode
		clause string
	}{
		{"nothing", nil, MalformedPacket, ""},
		{"an acknowledgement of no kind", &Ack{PacketID: 1}, MalformedPacket, ""},
		{"an acknowledgement of another kind", &Ack{Kind: SUBACK, PacketID: 1}, MalformedPacket, ""},
		{"a CONNECT of another version", &Connect{Version: V311, ClientID: "c"}, UnsupportedProtocolVersion, "MQTT-3.1.2-2"},
		{"a CONNECT of no version", &Connect{ClientID: "c"}, UnsupportedProtocolVersion, "MQTT-3.1.2-2"},
		{"a client identifier that is too long", &Connect{Version: V5, ClientID: long}, MalformedPacket, ""},
		{"a password that is too long", &Connect{Version: V5, HasPassword: true, Password: []byte(long)}, MalformedPacket, ""},
		{"a will payload that is too long", &Connect{Version: V5, Will: &Will{Topic: "w", Payload: []byte(long)}}, MalformedPacket, ""},
		{"a will QoS that is none", &Connect{Version: V5, Will: &Will{Topic: "w", QoS: 4}}, MalformedPacket, "MQTT-3.1.2-12"},
		{"a will property outside of the will", &Connect{Version: V5, Properties: Properties{WillDelay: ptr(uint32(1))}}, MalformedPacket, ""},
		{"another property in the will", &Connect{Version: V5, Will: &Will{Topic: "w", Properties: Properties{TopicAlias: ptr(uint16(1))}}}, MalformedPacket, ""},
		{"a QoS that is none", &Publish{Topic: "t", QoS: 3, PacketID: 1}, MalformedPacket, "MQTT-3.3.1-4"},
		{"DUP at QoS 0", &Publish{Topic: "t", Dup: true}, MalformedPacket, "MQTT-3.3.1-2"},
		{"a packet identifier at QoS 0", &Publish{Topic: "t", PacketID: 1}, ProtocolError, "MQTT-2.2.1-2"},
		{"no packet identifier at QoS 1", &Publish{Topic: "t", QoS: 1}, ProtocolError, "MQTT-2.2.1-4"},
		{"a topic that is too long", &Publish{Topic: long}, MalformedPacket, ""},
		{"a topic with a wildcard", &Publish{Topic: "a/#"}, TopicNameInvalid, "MQTT-3.3.2-2"},
		{"a topic that is not UTF-8", &Publish{Topic: "\xff"}, MalformedPacket, "MQTT-1.5.4-1"},
		{"a user property that is too long", &Publish{Topic: "t", Properties: Properties{User: []UserProperty{{"k", long}}}}, MalformedPacket, ""},
		{"a property of another packet", &Publish{Topic: "t", Properties: Properties{ReasonString: "why"}}, MalformedPacket, ""},
		{"a subscription identifier that is too large", &Publish{Topic: "t", Properties: Properties{SubscriptionID: []uint32{1, MaxRemaining + 1}}}, MalformedPacket, ""},
		{"a payload above the protocol's limit", &Publish{Topic: "t", Payload: make([]byte, MaxRemaining+1)}, PacketTooLarge, ""},
		{"a requested QoS that is none", &Subscribe{PacketID: 1, Subscriptions: []Subscription{{Filter: "a", QoS: 4}}}, ProtocolError, ""},
		{"a retain handling that is none", &Subscribe{PacketID: 1, Subscriptions: []Subscription{{Filter: "a", RetainHandling: 4}}}, ProtocolError, ""},
		{"two subscription identifiers", &Subscribe{PacketID: 1, Subscriptions: []Subscription{{Filter: "a"}}, Properties: Properties{SubscriptionID: []uint32{1, 2}}}, ProtocolError, ""},
		{"a filter that is too long", &Subscribe{PacketID: 1, Subscriptions: []Subscription{{Filter: long}}}, MalformedPacket, ""},
		{"no filter", &Subscribe{PacketID: 1}, ProtocolError, "MQTT-3.8.3-2"},
		{"a filter to leave that is too long", &Unsubscribe{PacketID: 1, Filters: []string{long}}, MalformedPacket, ""},
		{"a reason code of another packet", &Disconnect{ReasonCode: GrantedQoS1}, ProtocolError, "MQTT-3.14.2-1"},
		{"a DISCONNECT of neither side", &Disconnect{Properties: Properties{SessionExpiry: ptr(uint32(1)), ServerReference: "x"}}, ProtocolError, "MQTT-3.14.2-2"},
		{"an AUTH without a method", &Auth{ReasonCode: ContinueAuthentication}, ProtocolError, ""},
	}
	codec := newCodec(t, V5)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			out, err := codec.Append([]byte("before"), c.packet)
			var e *Error
			require.ErrorAs(t, err, &e)
			assert.Equal(t, c.reason, e.Reason, e.Msg)
			assert.Equal(t, c.clause, e.Clause, e.Msg)
			assert.Equal(t, "before", string(out), "what was there stays")
		})
	}
}

func TestCodec5AppendsLongFields(t *testing.T) {
	codec := newCodec(t, V5)
	want := &Publish{Topic: strings.Repeat("t", maxField), Payload: bytes.Repeat([]byte("p"), 70000),
		Properties: Properties{User: []UserProperty{{strings.Repeat("k", maxField), strings.Repeat("v", maxField)}}}}
	pkt, err := codec.Append(nil, want)
	require.NoError(t, err)
	got, err := codec.Decode(pkt, FromClient)
	require.NoError(t, err)
	require.Equal(t, want, got)
}

func TestAppendAllocatesNothingWhereThereIsRoom(t *testing.T) {
	room := make([]byte, 0, 1<<10)
	codec := newCodec(t, V5)
	for _, c := range valid5 {
		if c.from != FromClient {
			continue // checked as a client's before it is checked as a server's
		}
		allocs := testing.AllocsPerRun(100, func() {
			if _, err := codec.Append(room, c.want); err != nil {
				t.Fatal(err)
			}
		})
		assert.Zero(t, allocs, c.name)
	}
}
