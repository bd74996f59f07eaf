package hostile

import (
	"github.com/kiiweb/kiiweb/internal/fault"
	"github.com/kiiweb/kiiweb/internal/mqtt"
)

// states are sound packets at the wrong time, or from the wrong side.
var states = []Case{
	{Name: "PUBLISH", At: Greeting, Bytes: "30 | <t> { } 'x'", Reason: mqtt.ProtocolError},
	{Name: "PUBLISH at QoS 1", At: Greeting, Bytes: "32 | <t> 0001 { } 'x'", Reason: mqtt.ProtocolError},
	{Name: "PUBACK", At: Greeting, Bytes: "40 | 0001", Reason: mqtt.ProtocolError},
	{Name: "PUBREC", At: Greeting, Bytes: "50 | 0001", Reason: mqtt.ProtocolError},
	{Name: "PUBREL", At: Greeting, Bytes: "62 | 0001", Reason: mqtt.ProtocolError},
	{Name: "PUBCOMP", At: Greeting, Bytes: "70 | 0001", Reason: mqtt.ProtocolError},
	{Name: "SUBACK", At: Greeting, Bytes: "90 | 0001 { } 01", Reason: mqtt.ProtocolError},
	{Name: "UNSUBACK", In: both3, At: Greeting, Bytes: "B0 | 0001", Reason: mqtt.ProtocolError},
	{Name: "UNSUBACK", In: only5, At: Greeting, Bytes: "B0 | 0001 { } 00", Reason: mqtt.ProtocolError},
	{Name: "PINGRESP", At: Greeting, Bytes: "D0 |", Reason: mqtt.ProtocolError},
	{Name: "DISCONNECT", In: only5, At: Greeting, Bytes: "E0 | 89", Reason: mqtt.ProtocolError},
	{Name: "a second CONNACK", At: Subscribing, Bytes: "20 | 00 00 { }", Reason: mqtt.ProtocolError},
	{Name: "a second CONNACK", Bytes: "20 | 00 00 { }", Reason: mqtt.ProtocolError},
	{Name: "a second CONNACK, which refuses", Bytes: "20 | 00 05 { }", In: both3, Reason: mqtt.ProtocolError},
	{Name: "a second SUBACK", Bytes: "90 | 0001 { } 01", Reason: mqtt.ProtocolError},
	{Name: "UNSUBACK for nothing", In: both3, Bytes: "B0 | 0001", Reason: mqtt.ProtocolError},
	{Name: "UNSUBACK for nothing", In: only5, Bytes: "B0 | 0001 { } 00", Reason: mqtt.ProtocolError},
	{Name: "CONNECT", In: only5, Bytes: "10 | <MQTT> 05 02 0000 { } <c>", Reason: mqtt.ProtocolError},
	{Name: "CONNECT", In: only311, Bytes: "10 | <MQTT> 04 02 0000 <c>", Reason: mqtt.ProtocolError},
	{Name: "CONNECT at once", At: Greeting, Bytes: "10 | <MQTT> 05 02 0000 00 <c>", Reason: mqtt.ProtocolError},
	{Name: "SUBSCRIBE", Bytes: "82 | 0001 { } <a> 00", Reason: mqtt.ProtocolError},
	{Name: "UNSUBSCRIBE", Bytes: "A2 | 0001 { } <a>", Reason: mqtt.ProtocolError},
	{Name: "PINGREQ", Bytes: "C0 |", Reason: mqtt.ProtocolError},
}

// kept look strange and are none of the server's faults, or are to be overlooked: what
// they answer may have been settled before, or its message forgotten.
var kept = []Case{
	{Name: "PUBLISH before SUBACK", At: Subscribing, Bytes: "30 | <t> { } 'x'", End: Kept},
	{Name: "PUBACK for nothing", Bytes: "40 | 7FFF", End: Kept},
	{Name: "PUBREC for nothing", Bytes: "50 | 7FFF", End: Kept},
	{Name: "PUBREL for nothing", Bytes: "62 | 7FFF", End: Kept},
	{Name: "PUBREL for nothing, repeated", In: []mqtt.Version{mqtt.V31}, Bytes: "6A | 7FFF", End: Kept},
	{Name: "PUBCOMP for nothing", Bytes: "70 | 7FFF", End: Kept},
	{Name: "PINGRESP for nothing", Bytes: "D0 |", End: Kept},
	{Name: "a message for somebody else", Bytes: "32 | <foreign/topic> 0001 { } 'no JSON'", End: Kept},
	{Name: "a message without a payload", Bytes: "30 | <t> { }", End: Kept},
	{Name: "more in flight than the receive maximum, as a broker that miscounts", In: only5, Bytes: "34 | <t> @ { } 'x'", Times: 2 * announced, End: Kept},
	{Name: "more in flight than 3.1 has a word for", In: both3, Bytes: "34 | <t> @ 'x'", Times: announced + 1, End: Kept},
	{Name: "user properties without end", In: only5, Bytes: "30 | <t> { 26 <a> <b> 26 <a> <b> 26 <> <> 26 <> <> }", End: Kept},
}

// ends are messages that end the connection and are told by another code than
// PROTOCOL_ERROR, or for good.
var ends = []Case{
	{Name: "DISCONNECT before MQTT 5", In: both3, Bytes: "E0 |", Mute: true, Code: fault.Network},
	{Name: "DISCONNECT before MQTT 5", In: both3, At: Greeting, Bytes: "E0 |", Mute: true, Code: fault.Network},
	{Name: "AUTH", In: only5, Bytes: "F0 | 18 { 15 <m> }", End: Failed, Code: fault.Unsupported, Reason: mqtt.BadAuthenticationMethod},
	{Name: "AUTH", In: only5, At: Greeting, Bytes: "F0 | 18 { 15 <m> }", End: Failed, Code: fault.Unsupported, Reason: mqtt.BadAuthenticationMethod},
	{Name: "CONNACK of MQTT 3.1.1", In: only5, At: Greeting, Bytes: "20 | 00 00", End: Failed, Code: fault.ProtocolVersion,
		Reason: mqtt.UnsupportedProtocolVersion, Mute: true},
	{Name: "CONNACK of MQTT 5 that refuses the version", In: both3, At: Greeting, Bytes: "20 | 00 84", End: Failed, Code: fault.ProtocolVersion,
		Reason: mqtt.UnsupportedProtocolVersion, Mute: true},
}
