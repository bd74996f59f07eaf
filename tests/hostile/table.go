package hostile

import (
	"slices"

	"github.com/kiiweb/kiiweb/internal/fault"
	"github.com/kiiweb/kiiweb/internal/mqtt"
)

var (
	only5   = []mqtt.Version{mqtt.V5}
	both3   = []mqtt.Version{mqtt.V311, mqtt.V31}
	not31   = []mqtt.Version{mqtt.V5, mqtt.V311}
	only311 = []mqtt.Version{mqtt.V311}
)

// Table is all rows.
func Table() []Case { return slices.Concat(frames, publishes, answers, properties, states, kept, ends) }

// frames break the rules of a packet as a whole (MQTT 5, 2.1).
var frames = []Case{
	{Name: "packet type 0", Bytes: "00 |", Reason: mqtt.MalformedPacket},
	{Name: "packet type 0 at once", At: Greeting, Bytes: "00 |", Reason: mqtt.MalformedPacket},
	{Name: "packet type 15", In: both3, Bytes: "F0 |", Reason: mqtt.MalformedPacket},
	{Name: "flags of CONNACK", At: Greeting, Bytes: "21 | 00 00 { }", Reason: mqtt.MalformedPacket},
	{Name: "flags of PUBACK", Bytes: "41 | @", Reason: mqtt.MalformedPacket},
	{Name: "flags of PUBREC", Bytes: "52 | @", Reason: mqtt.MalformedPacket},
	{Name: "flags of PUBREL", Bytes: "60 | @", Reason: mqtt.MalformedPacket},
	{Name: "flags of a repeated PUBREL", In: not31, Bytes: "6A | @", Reason: mqtt.MalformedPacket},
	{Name: "flags of PUBCOMP", Bytes: "74 | @", Reason: mqtt.MalformedPacket},
	{Name: "flags of SUBACK", At: Subscribing, Bytes: "91 | @ { } 01", Reason: mqtt.MalformedPacket},
	{Name: "flags of UNSUBACK", Bytes: "B1 | @ { }", Reason: mqtt.MalformedPacket},
	{Name: "flags of PINGRESP", Bytes: "D1 |", Reason: mqtt.MalformedPacket},
	{Name: "flags of DISCONNECT", Bytes: "E1 |", Reason: mqtt.MalformedPacket},
	{Name: "flags of AUTH", In: only5, Bytes: "F1 |", Reason: mqtt.MalformedPacket},
	{Name: "remaining length of five bytes", Bytes: "30 80 80 80 80 01", Reason: mqtt.MalformedPacket},
	{Name: "remaining length not in its shortest form", Bytes: "D0 80 00", Reason: mqtt.MalformedPacket},
	{Name: "remaining length of 256 MB", Bytes: "30 FF FF FF 7F", Reason: mqtt.PacketTooLarge, Code: fault.PacketTooLarge},
	{Name: "remaining length of 256 MB at once", At: Greeting, Bytes: "20 FF FF FF 7F", Reason: mqtt.PacketTooLarge, Code: fault.PacketTooLarge},
	{Name: "a packet one byte above 1 MiB and 64 KiB", In: only5, Bytes: "30 FD FF 43", Reason: mqtt.PacketTooLarge, Code: fault.PacketTooLarge},
	{Name: "CONNACK without a body", At: Greeting, Bytes: "20 |", Reason: mqtt.MalformedPacket},
	{Name: "CONNACK of one byte", At: Greeting, Bytes: "20 | 00", Reason: mqtt.MalformedPacket},
	{Name: "CONNACK with a byte left over", At: Greeting, Bytes: "20 | 00 00 { } 00", Reason: mqtt.MalformedPacket},
	{Name: "SUBACK of one byte", At: Subscribing, Bytes: "90 | 00", Reason: mqtt.MalformedPacket},
	{Name: "PUBACK of one byte", Bytes: "40 | 00", Reason: mqtt.MalformedPacket},
	{Name: "PUBACK with a byte left over", Bytes: "40 | @ 00 { } 00", Reason: mqtt.MalformedPacket},
	{Name: "PINGRESP with a body", Bytes: "D0 | 00", Reason: mqtt.MalformedPacket},
	{Name: "UNSUBACK with a body", In: both3, Bytes: "B0 | @ 00", Reason: mqtt.MalformedPacket},
	{Name: "half a packet and the end", Bytes: "30 20 <t>", Cut: true, Mute: true, Code: fault.Network},
	{Name: "a little of 1 MiB and 64 KiB and the end", Bytes: "30 FC FF 43 <t>", Cut: true, Mute: true, Code: fault.Network},
	{Name: "half a fixed header and the end", Bytes: "30 80", Cut: true, Mute: true, Code: fault.Network},
	{Name: "half a CONNACK and the end", At: Greeting, Bytes: "20 02 00", Cut: true, Mute: true, Code: fault.Network},
	{Name: "text", Bytes: "'hello'", Text: true, Mute: true},
	{Name: "a WebSocket frame of 256 MB", Bytes: "82 7F 0000000010000000", Raw: true, Native: true, Mute: true, Code: fault.PacketTooLarge},
	{Name: "a WebSocket frame with reserved bits", Bytes: "F2 01 00", Raw: true, Mute: true, Code: fault.Network},
}

// publishes break the rules of PUBLISH (3.3, 4.7).
var publishes = []Case{
	{Name: "QoS 3", Bytes: "36 | <t> 0001 { }", Reason: mqtt.MalformedPacket},
	{Name: "DUP at QoS 0", Bytes: "38 | <t> { }", Reason: mqtt.MalformedPacket},
	{Name: "packet identifier 0 at QoS 1", Bytes: "32 | <t> 0000 { } 'x'", Reason: mqtt.ProtocolError},
	{Name: "packet identifier 0 at QoS 2", Bytes: "34 | <t> 0000 { } 'x'", Reason: mqtt.ProtocolError},
	{Name: "no packet identifier", Bytes: "32 | <t> 00", Reason: mqtt.MalformedPacket},
	{Name: "no topic at all", Bytes: "30 |", Reason: mqtt.MalformedPacket},
	{Name: "topic longer than the packet", Bytes: "30 | 0009 6100", Reason: mqtt.MalformedPacket},
	{Name: "topic with #", Bytes: "30 | <#> { }", Reason: mqtt.TopicNameInvalid},
	{Name: "topic with +", Bytes: "30 | <a/+/b> { } 'x'", Reason: mqtt.TopicNameInvalid},
	{Name: "topic with a null", Bytes: "30 | 0002 6100 { }", Reason: mqtt.MalformedPacket},
	{Name: "topic that is not UTF-8", Bytes: "30 | 0001 FF { }", Reason: mqtt.MalformedPacket},
	{Name: "topic with a surrogate", Bytes: "30 | 0003 EDA080 { }", Reason: mqtt.MalformedPacket},
	{Name: "topic in overlong UTF-8", Bytes: "30 | 0002 C0AF { }", Reason: mqtt.MalformedPacket},
	{Name: "empty topic", In: both3, Bytes: "30 | <> 'x'", Reason: mqtt.ProtocolError},
	{Name: "empty topic without an alias", In: only5, Bytes: "30 | <> { } 'x'", Reason: mqtt.ProtocolError},
	{Name: "empty topic with an alias that was not allowed", In: only5, Bytes: "30 | <> { 23 0001 } 'x'", Reason: mqtt.TopicAliasInvalid},
	{Name: "an alias that was not allowed", In: only5, Bytes: "30 | <t> { 23 0001 } 'x'", Reason: mqtt.TopicAliasInvalid},
	{Name: "alias 0", In: only5, Bytes: "30 | <t> { 23 0000 } 'x'", Reason: mqtt.TopicAliasInvalid},
	{Name: "no property length", In: only5, Bytes: "30 | <t>", Reason: mqtt.MalformedPacket},
	{Name: "more in flight than four times the receive maximum", In: only5, Bytes: "34 | <t> @ { } 'x'", Times: 4*announced + 1, Reason: mqtt.ReceiveMaximumExceeded},
}

// announced is the receive maximum that the client sends in CONNECT unless it is told another.
const announced = 1024

// answers break the rules of acknowledgements, of DISCONNECT and of AUTH by their reason
// codes and packet identifiers.
var answers = []Case{
	{Name: "CONNACK with a code of DISCONNECT", In: only5, At: Greeting, Bytes: "20 | 00 8E { }", Reason: mqtt.ProtocolError},
	{Name: "CONNACK with return code 6", In: both3, At: Greeting, Bytes: "20 | 00 06", Reason: mqtt.ProtocolError},
	{Name: "CONNACK with reserved flags", At: Greeting, Bytes: "20 | 02 00 { }", Reason: mqtt.MalformedPacket},
	{Name: "CONNACK, refused with a session", In: only5, At: Greeting, Bytes: "20 | 01 87 { }", Reason: mqtt.ProtocolError},
	{Name: "CONNACK, refused with a session", In: both3, At: Greeting, Bytes: "20 | 01 05", Reason: mqtt.ProtocolError},
	{Name: "SUBACK with an unknown code", At: Subscribing, Bytes: "90 | @ { } 03", Reason: mqtt.ProtocolError},
	{Name: "SUBACK with a code of MQTT 5", In: both3, At: Subscribing, Bytes: "90 | @ 87", Reason: mqtt.ProtocolError},
	{Name: "SUBACK without a code", At: Subscribing, Bytes: "90 | @ { }", Reason: mqtt.ProtocolError},
	{Name: "SUBACK with two codes", At: Subscribing, Bytes: "90 | @ { } 01 01", Reason: mqtt.ProtocolError},
	{Name: "SUBACK that grants more than was asked for", At: Subscribing, Bytes: "90 | @ { } 02", Reason: mqtt.ProtocolError},
	{Name: "SUBACK with packet identifier 0", At: Subscribing, Bytes: "90 | 0000 { } 01", Reason: mqtt.ProtocolError},
	{Name: "SUBACK for another packet", At: Subscribing, Bytes: "90 | 7FFF { } 01", Reason: mqtt.ProtocolError},
	{Name: "UNSUBACK with a code of SUBACK", In: only5, Bytes: "B0 | @ { } 01", Reason: mqtt.ProtocolError},
	{Name: "PUBACK with packet identifier 0", Bytes: "40 | 0000", Reason: mqtt.ProtocolError},
	{Name: "PUBACK with a code of another packet", In: only5, Bytes: "40 | @ 92", Reason: mqtt.ProtocolError},
	{Name: "PUBACK with a code before MQTT 5", In: both3, Bytes: "40 | @ 00", Reason: mqtt.MalformedPacket},
	{Name: "PUBREC with an unknown code", In: only5, Bytes: "50 | @ 01", Reason: mqtt.ProtocolError},
	{Name: "PUBREC for a message at QoS 1", Bytes: "50 | @", Reason: mqtt.ProtocolError},
	{Name: "PUBREL with packet identifier 0", Bytes: "62 | 0000", Reason: mqtt.ProtocolError},
	{Name: "PUBREL with a code of another packet", In: only5, Bytes: "62 | @ 80", Reason: mqtt.ProtocolError},
	{Name: "PUBCOMP with a code of another packet", In: only5, Bytes: "70 | @ 10", Reason: mqtt.ProtocolError},
	{Name: "PUBCOMP for a message at QoS 1", Bytes: "70 | @", Reason: mqtt.ProtocolError},
	{Name: "DISCONNECT with a code of the client's", In: only5, Bytes: "E0 | 04", Reason: mqtt.ProtocolError},
	{Name: "DISCONNECT with an unknown code", In: only5, Bytes: "E0 | 55", Reason: mqtt.ProtocolError},
	{Name: "DISCONNECT with a session expiry", In: only5, Bytes: "E0 | 8B { 11 00000001 }", Reason: mqtt.ProtocolError},
	{Name: "AUTH without a method", In: only5, Bytes: "F0 | 18 { }", Reason: mqtt.ProtocolError},
	{Name: "AUTH with a code of the client's", In: only5, Bytes: "F0 | 19 { 15 <m> }", Reason: mqtt.ProtocolError},
}

// properties break the rules of properties (2.2.2), which only MQTT 5 has.
var properties = []Case{
	{Name: "an unknown property", In: only5, Bytes: "30 | <t> { 04 00 } 'x'", Reason: mqtt.MalformedPacket},
	{Name: "property 0", In: only5, Bytes: "30 | <t> { 00 }", Reason: mqtt.MalformedPacket},
	{Name: "an unknown property in CONNACK", In: only5, At: Greeting, Bytes: "20 | 00 00 { 7F 00 }", Reason: mqtt.MalformedPacket},
	{Name: "a property of another packet", In: only5, Bytes: "30 | <t> { 21 0001 }", Reason: mqtt.MalformedPacket},
	{Name: "a property twice", In: only5, Bytes: "30 | <t> { 01 00 01 00 }", Reason: mqtt.ProtocolError},
	{Name: "a property of CONNACK twice", In: only5, At: Greeting, Bytes: "20 | 00 00 { 21 0001 21 0001 }", Reason: mqtt.ProtocolError},
	{Name: "a property of PUBACK twice", In: only5, Bytes: "40 | @ 00 { 1F <a> 1F <b> }", Reason: mqtt.ProtocolError},
	{Name: "a property of SUBACK twice", In: only5, At: Subscribing, Bytes: "90 | @ { 1F <a> 1F <b> } 01", Reason: mqtt.ProtocolError},
	{Name: "receive maximum 0", In: only5, At: Greeting, Bytes: "20 | 00 00 { 21 0000 }", Reason: mqtt.ProtocolError},
	{Name: "maximum packet size 0", In: only5, At: Greeting, Bytes: "20 | 00 00 { 27 00000000 }", Reason: mqtt.ProtocolError},
	{Name: "maximum QoS 2", In: only5, At: Greeting, Bytes: "20 | 00 00 { 24 02 }", Reason: mqtt.ProtocolError},
	{Name: "retain available 2", In: only5, At: Greeting, Bytes: "20 | 00 00 { 25 02 }", Reason: mqtt.ProtocolError},
	{Name: "payload format 2", In: only5, Bytes: "30 | <t> { 01 02 }", Reason: mqtt.ProtocolError},
	{Name: "subscription identifier 0", In: only5, Bytes: "30 | <t> { 0B 00 }", Reason: mqtt.ProtocolError},
	{Name: "response topic with a wildcard", In: only5, Bytes: "30 | <t> { 08 <a/#> }", Reason: mqtt.TopicNameInvalid},
	{Name: "property length of 256 MB", In: only5, Bytes: "30 | <t> FF FF FF 7F", Reason: mqtt.MalformedPacket},
	{Name: "property length of five bytes", In: only5, Bytes: "30 | <t> 80 80 80 80 01", Reason: mqtt.MalformedPacket},
	{Name: "property length that cuts a property", In: only5, Bytes: "30 | <t> 03 02 0000 0001", Reason: mqtt.MalformedPacket},
	{Name: "user property that is not UTF-8", In: only5, Bytes: "30 | <t> { 26 0001 80 <v> }", Reason: mqtt.MalformedPacket},
	{Name: "reason string with a null", In: only5, Bytes: "E0 | 89 { 1F 0001 00 }", Reason: mqtt.MalformedPacket},
}
