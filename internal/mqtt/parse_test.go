package mqtt

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// parse gives what the Parse function for a packet's type makes of it; ok is false where
// there is none.
func parse(v Version, from Side, pkt []byte) (p Packet, ok bool, err error) {
	switch t := PacketTypeOf(pkt); t {
	case CONNECT:
		p, err = ParseConnect(pkt)
	case PUBLISH:
		p, err = parsePublish(v, from, pkt)
	case PUBACK, PUBREC, PUBREL, PUBCOMP:
		var ack Ack
		ack, err = ParseAck(v, pkt)
		p = &ack
	case SUBSCRIBE:
		p, err = ParseSubscribe(v, pkt)
	case UNSUBSCRIBE:
		p, err = ParseUnsubscribe(v, pkt)
	default:
		return nil, false, nil
	}
	return p, true, err
}

// parsePublish makes a Publish of the view.
func parsePublish(v Version, from Side, pkt []byte) (*Publish, error) {
	view, err := ParsePublish(v, from, pkt)
	if err != nil {
		return nil, err
	}
	props, err := DecodeProperties(view.Properties)
	return &Publish{
		Dup: view.Dup(), QoS: view.QoS(), Retain: view.Retain(), Topic: string(view.Topic), PacketID: view.PacketID,
		Payload: append([]byte(nil), view.Payload...), Properties: props,
	}, err
}

func TestParse(t *testing.T) {
	for _, c := range valid5 {
		t.Run(c.name, func(t *testing.T) {
			got, ok, err := parse(V5, c.from, raw(t, c.bytes))
			require.NoError(t, err)
			if ok {
				require.Equal(t, c.want, got)
			}
		})
	}
	for _, c := range valid3 {
		for _, v := range c.versions {
			t.Run(c.name+", "+versionName(v), func(t *testing.T) {
				got, ok, err := parse(v, c.from, raw(t, c.bytes))
				require.NoError(t, err)
				if ok {
					require.Equal(t, c.want, got)
				}
			})
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, c := range malformed {
		for _, v := range c.versions {
			t.Run(c.name+", "+versionName(v), func(t *testing.T) {
				pkt := raw(t, c.bytes)
				_, ok, err := parse(v, c.from, pkt)
				if !ok || refusedForTheSide(c) {
					return
				}
				var e *Error
				require.ErrorAs(t, err, &e)
				if PacketTypeOf(pkt) != CONNECT { // ParseConnect takes the version from the packet
					assert.Equal(t, c.reason, e.Reason)
				}
			})
		}
	}
}

// refusedForTheSide tells whether a case is legal from the other side, or on the version
// that the packet itself names: parsers that are not told accept it.
func refusedForTheSide(c malformedCase) bool {
	switch c.name {
	case "CONNECT from the server", "SUBSCRIBE from the server", "UNSUBSCRIBE from the server",
		"PUBACK with a code of the server's", "another version than spoken":
		return true
	}
	return false
}

func TestParseRefusesOtherTypes(t *testing.T) {
	ping := raw(t, "C0 |")
	_, err := ParseConnect(ping)
	assert.ErrorContains(t, err, "another type")
	_, err = ConnectVersion(ping)
	assert.ErrorContains(t, err, "another type")
	_, err = ParsePublish(V5, FromClient, ping)
	assert.ErrorContains(t, err, "another type")
	_, err = ParseAck(V5, ping)
	assert.ErrorContains(t, err, "another type")
	_, err = ParseSubscribe(V5, ping)
	assert.ErrorContains(t, err, "another type")
	_, err = ParseUnsubscribe(V5, ping)
	assert.ErrorContains(t, err, "another type")
}

func TestConnectVersion(t *testing.T) {
	cases := []struct {
		name  string
		bytes string
		want  Version
	}{
		{"5", "10 | <MQTT> 05 02 0000 { } <c>", V5},
		{"3.1.1", "10 | <MQTT> 04 02 0000 <c>", V311},
		{"3.1", "10 | <MQIsdp> 03 02 0000 <c>", V31},
		{"whatever follows", "10 | <MQTT> 05", V5},
		{"level 6", "10 | <MQTT> 06 02 0000 { } <c>", 0},
		{"level of a bridge", "10 | <MQTT> 84 02 0000 <c>", 0},
		{"another name", "10 | <AMQP> 05 02 0000 { } <c>", 0},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			v, err := ConnectVersion(raw(t, c.bytes))
			assert.Equal(t, c.want, v)
			if c.want == 0 {
				var e *Error
				require.ErrorAs(t, err, &e)
				assert.Equal(t, UnsupportedProtocolVersion, e.Reason)
			} else {
				assert.NoError(t, err)
			}
		})
	}
}

func TestParsePublishGivesPartsOfThePacket(t *testing.T) {
	pkt := raw(t, "3B | <topic> 0007 { 26 <k> <v> } 'payload'")
	p, err := ParsePublish(V5, FromServer, pkt)
	require.NoError(t, err)
	assert.Equal(t, byte(0x0B), p.Flags)
	assert.Equal(t, byte(1), p.QoS())
	assert.True(t, p.Dup())
	assert.True(t, p.Retain())
	assert.Equal(t, uint16(7), p.PacketID)
	assert.Equal(t, "topic", string(p.Topic))
	assert.Equal(t, raw(t, "26 <k> <v>"), p.Properties)
	assert.Equal(t, "payload", string(p.Payload))
	assert.Same(t, &pkt[len(pkt)-1], &p.Payload[len(p.Payload)-1])
	assert.Equal(t, len(p.Topic), cap(p.Topic), "an append to a part leaves the packet alone")
}

func TestParsePublishAllocatesNothing(t *testing.T) {
	pkt := raw(t, "32 | <topic> 0007 { 01 01 26 <pushMessageID> <42> } 'payload'")
	allocs := testing.AllocsPerRun(100, func() {
		p, err := ParsePublish(V5, FromServer, pkt)
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := FindUserProperty(p.Properties, "pushMessageID"); !ok {
			t.Fatal("not found")
		}
	})
	assert.Zero(t, allocs)
}

func TestFindUserProperty(t *testing.T) {
	props := raw(t, "01 01 26 <a> <1> 03 <text> 26 <b> <2> 26 <b> <3> 0B 01 26 <> <4>")
	cases := []struct {
		key, want string
		ok        bool
	}{{"a", "1", true}, {"b", "2", true}, {"", "4", true}, {"c", "", false}, {"text", "", false}}
	for _, c := range cases {
		value, ok := FindUserProperty(props, c.key)
		assert.Equal(t, c.ok, ok, c.key)
		assert.Equal(t, c.want, string(value), c.key)
	}
	_, ok := FindUserProperty(nil, "a")
	assert.False(t, ok)
	_, ok = FindUserProperty(raw(t, "26 <k> 00"), "k")
	assert.False(t, ok, "what is malformed is not there")
	for n := range props { // nothing is read beyond the end
		_, ok = FindUserProperty(props[:n:n], "none")
		assert.False(t, ok)
	}
	for _, malformed := range []string{"2B 00", "FF 00", "26", "26 00", "00 26 <k> <v>", "26 <k> 00", "26 <k> 0002 61"} {
		_, ok = FindUserProperty(raw(t, malformed), "k")
		assert.False(t, ok, malformed)
	}
}

func TestDecodePropertiesOfTheHandshake(t *testing.T) {
	for _, c := range valid5 {
		connack, ok := c.want.(*Connack)
		if !ok {
			continue
		}
		pkt := raw(t, c.bytes)
		var r reader
		r.open(V5, pkt)
		r.take(2)
		r.varint()
		got, err := DecodeProperties(r.rest())
		require.NoError(t, err, c.name)
		assert.Equal(t, connack.Properties, got, c.name)
	}
}

func TestDecodePropertiesRefuses(t *testing.T) {
	for _, notation := range []string{"00", "2B 00", "01", "01 02", "01 00 01 00", "26 <k>", "03 0001 00", "23 0000"} {
		_, err := DecodeProperties(raw(t, notation))
		var e *Error
		require.ErrorAs(t, err, &e, notation)
	}
}

func TestTopics(t *testing.T) {
	long := strings.Repeat("x", maxField)
	cases := []struct {
		name             string
		topic            string
		asName, asFilter bool
	}{
		{"plain", "a", true, true},
		{"levels", "a/b/c", true, true},
		{"empty levels", "/a//", true, true},
		{"space", " ", true, true},
		{"many bytes", "日本/é", true, true},
		{"system", "$SYS/x", true, true},
		{"byte order mark", "\ufeffa", true, true},
		{"longest", long, true, true},
		{"too long", long + "x", false, false},
		{"empty", "", false, false},
		{"null", "a\x00", false, false},
		{"not UTF-8", "a\xff", false, false},
		{"surrogate", "\xed\xa0\x80", false, false},
		{"overlong", "\xc0\x80", false, false},
		{"all", "#", false, true},
		{"below", "a/#", false, true},
		{"one level", "+", false, true},
		{"levels of one", "+/+/#", false, true},
		{"middle level", "a/+/b", false, true},
		{"# within", "a/#/b", false, false},
		{"# behind a name", "a#", false, false},
		{"# before a name", "#a", false, false},
		{"two #", "##", false, false},
		{"+ behind a name", "a+", false, false},
		{"+ before a name", "+a/b", false, false},
		{"two +", "a/++", false, false},
		{"shared", "$share/g/a/+", false, true},
		{"shared with a name that is a topic's", "$share/g/a", true, true},
		{"shared, no name", "$share//a", true, false},
		{"shared, no filter", "$share/g/", true, false},
		{"shared, nothing", "$share/", true, false},
		{"shared, wild name", "$share/#/a", false, false},
		{"not quite shared", "$shared/+", false, true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			assert.Equal(t, c.asName, ValidTopicName(c.topic), "as a name")
			assert.Equal(t, c.asFilter, ValidTopicFilter(c.topic), "as a filter")
		})
	}
}

func BenchmarkParsePublish(b *testing.B) {
	for name, notation := range map[string]string{
		"plain":      "30 | <a-topic-of-the-usual-length-0123456789> { } 'a payload'",
		"properties": "32 | <a-topic-of-the-usual-length-0123456789> 0007 { 26 <pushMessageID> <0123456789abcdef> } 'a payload'",
	} {
		b.Run(name, func(b *testing.B) {
			pkt := raw(b, notation)
			b.ReportAllocs()
			b.SetBytes(int64(len(pkt)))
			for b.Loop() {
				if _, err := ParsePublish(V5, FromServer, pkt); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func TestEncodeProperties(t *testing.T) {
	format, expiry := byte(1), uint32(4294967295)
	for name, p := range map[string]Properties{
		"none": {},
		"all that a message may have": {PayloadFormat: &format, MessageExpiry: &expiry, ContentType: "a/b", ResponseTopic: "r",
			CorrelationData: []byte{0, 255}, User: []UserProperty{{"k", "1"}, {"k", "2"}}},
	} {
		t.Run(name, func(t *testing.T) {
			raw, err := EncodeProperties(&p)
			require.NoError(t, err)
			got, err := DecodeProperties(raw)
			require.NoError(t, err)
			assert.Equal(t, p, got)
		})
	}
	two := byte(2)
	for name, p := range map[string]Properties{
		"another packet's": {ReasonString: "r"},
		"a bad format":     {PayloadFormat: &two},
		"bad UTF-8":        {ContentType: "\xff"},
		"a long key":       {User: []UserProperty{{strings.Repeat("k", 65536), ""}}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := EncodeProperties(&p)
			assert.Error(t, err)
		})
	}
}
