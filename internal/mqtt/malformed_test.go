package mqtt

// malformedCase is a packet that breaks the standard, with what its sender is told.
type malformedCase struct {
	name     string
	versions []Version
	from     Side
	bytes    string // in the notation of raw
	reason   ReasonCode
	clause   string
}

var (
	only5   = []Version{V5}
	only311 = []Version{V311}
	only31  = []Version{V31}
	all     = []Version{V31, V311, V5}
)

var malformed = concat(malformedFrames, malformedConnects, malformedPublishes, malformedSubscribes, malformedRest, malformedProperties)

func concat(tables ...[]malformedCase) (all []malformedCase) {
	for _, t := range tables {
		all = append(all, t...)
	}
	return all
}

var malformedFrames = []malformedCase{
	{"no bytes", all, FromClient, "", MalformedPacket, ""},
	{"one byte", all, FromClient, "C0", MalformedPacket, ""},
	{"packet type 0", all, FromClient, "00 |", MalformedPacket, ""},
	{"version that is none", []Version{0, 1, 6, 255}, FromClient, "C0 |", UnsupportedProtocolVersion, "MQTT-3.1.2-2"},
	{"remaining length too long for the bytes", all, FromClient, "C0 01", MalformedPacket, ""},
	{"remaining length too short for the bytes", all, FromClient, "C0 00 00", MalformedPacket, ""},
	{"two packets", all, FromClient, "C0 00 C0 00", MalformedPacket, ""},
	{"remaining length that does not end", all, FromClient, "C0 80", MalformedPacket, ""},
	{"remaining length of five bytes", all, FromClient, "C0 80 80 80 80 01", MalformedPacket, ""},
	{"remaining length not in its shortest form", only5, FromClient, "C0 80 00", MalformedPacket, "MQTT-1.5.5-1"},
	{"flags of CONNECT", only5, FromClient, "11 | <MQTT> 05 02 0000 { } <c>", MalformedPacket, "MQTT-2.1.3-1"},
	{"flags of CONNECT", only311, FromClient, "11 | <MQTT> 04 02 0000 <c>", MalformedPacket, "MQTT-2.2.2-2"},
	{"flags of CONNACK", only5, FromServer, "21 | 00 00 { }", MalformedPacket, "MQTT-2.1.3-1"},
	{"flags of PUBACK", only5, FromServer, "42 | 0001", MalformedPacket, "MQTT-2.1.3-1"},
	{"flags of PUBREC", only5, FromServer, "51 | 0001", MalformedPacket, "MQTT-2.1.3-1"},
	{"flags of PUBREL", all, FromServer, "60 | 0001", MalformedPacket, "-"},
	{"flags of PUBREL sent again", []Version{V311, V5}, FromServer, "6A | 0001", MalformedPacket, "-"},
	{"flags of PUBCOMP", all, FromServer, "72 | 0001", MalformedPacket, "-"},
	{"flags of SUBSCRIBE", only5, FromClient, "80 | 0001 { } <a> 00", MalformedPacket, "MQTT-2.1.3-1"},
	{"flags of SUBACK", only5, FromServer, "92 | 0001 { } 00", MalformedPacket, "MQTT-2.1.3-1"},
	{"flags of UNSUBSCRIBE", only5, FromClient, "A3 | 0001 { } <a>", MalformedPacket, "MQTT-2.1.3-1"},
	{"flags of UNSUBACK", only5, FromServer, "B2 | 0001 { } 00", MalformedPacket, "MQTT-2.1.3-1"},
	{"flags of PINGREQ", all, FromClient, "C8 |", MalformedPacket, "-"},
	{"flags of PINGRESP", all, FromServer, "D1 |", MalformedPacket, "-"},
	{"flags of DISCONNECT", all, FromClient, "E2 |", MalformedPacket, "-"},
	{"flags of AUTH", only5, FromServer, "F1 |", MalformedPacket, "MQTT-2.1.3-1"},
	{"AUTH before version 5", both3, FromClient, "F0 |", MalformedPacket, ""},
	{"CONNECT from the server", only5, FromServer, "10 | <MQTT> 05 02 0000 { } <c>", ProtocolError, ""},
	{"CONNACK from the client", only5, FromClient, "20 | 00 00 { }", ProtocolError, ""},
	{"SUBSCRIBE from the server", only5, FromServer, "82 | 0001 { } <a> 00", ProtocolError, ""},
	{"SUBACK from the client", only5, FromClient, "90 | 0001 { } 00", ProtocolError, ""},
	{"UNSUBSCRIBE from the server", only5, FromServer, "A2 | 0001 { } <a>", ProtocolError, ""},
	{"UNSUBACK from the client", only5, FromClient, "B0 | 0001 { } 00", ProtocolError, ""},
	{"PINGREQ from the server", all, FromServer, "C0 |", ProtocolError, ""},
	{"PINGRESP from the client", all, FromClient, "D0 |", ProtocolError, ""},
	{"DISCONNECT from the server before version 5", both3, FromServer, "E0 |", ProtocolError, ""},
	{"PINGREQ with a body", all, FromClient, "C0 | 00", MalformedPacket, ""},
	{"PINGRESP with a body", all, FromServer, "D0 | 00", MalformedPacket, ""},
	{"DISCONNECT with a body before version 5", both3, FromClient, "E0 | 00", MalformedPacket, ""},
}

var malformedConnects = []malformedCase{
	{"protocol name", only5, FromClient, "10 | <MQTX> 05 02 0000 { } <c>", UnsupportedProtocolVersion, "MQTT-3.1.2-1"},
	{"protocol name in lower case", only311, FromClient, "10 | <mqtt> 04 02 0000 <c>", UnsupportedProtocolVersion, "MQTT-3.1.2-1"},
	{"protocol level 6", only5, FromClient, "10 | <MQTT> 06 02 0000 { } <c>", UnsupportedProtocolVersion, "MQTT-3.1.2-2"},
	{"protocol level 3 with the name of later versions", only31, FromClient, "10 | <MQTT> 03 02 0000 <c>", UnsupportedProtocolVersion, "MQTT-3.1.2-2"},
	{"protocol level 4 with the name of 3.1", only311, FromClient, "10 | <MQIsdp> 04 02 0000 <c>", UnsupportedProtocolVersion, "MQTT-3.1.2-2"},
	{"another version than spoken", only5, FromClient, "10 | <MQTT> 04 02 0000 <c>", UnsupportedProtocolVersion, "MQTT-3.1.2-2"},
	{"reserved connect flag", only5, FromClient, "10 | <MQTT> 05 03 0000 { } <c>", MalformedPacket, "MQTT-3.1.2-3"},
	{"reserved connect flag", only311, FromClient, "10 | <MQTT> 04 03 0000 <c>", MalformedPacket, "MQTT-3.1.2-3"},
	{"will QoS without a will", only5, FromClient, "10 | <MQTT> 05 0A 0000 { } <c>", MalformedPacket, "MQTT-3.1.2-11"},
	{"will QoS without a will", only311, FromClient, "10 | <MQTT> 04 0A 0000 <c>", MalformedPacket, "MQTT-3.1.2-13"},
	{"will QoS 3", only5, FromClient, "10 | <MQTT> 05 1C 0000 { } <c> { } <w> <>", MalformedPacket, "MQTT-3.1.2-12"},
	{"will QoS 3", only311, FromClient, "10 | <MQTT> 04 1E 0000 <c> <w> <>", MalformedPacket, "MQTT-3.1.2-14"},
	{"will retain without a will", only5, FromClient, "10 | <MQTT> 05 22 0000 { } <c>", MalformedPacket, "MQTT-3.1.2-13"},
	{"will retain without a will", only311, FromClient, "10 | <MQTT> 04 22 0000 <c>", MalformedPacket, "MQTT-3.1.2-15"},
	{"password without user name", only311, FromClient, "10 | <MQTT> 04 42 0000 <c> <p>", MalformedPacket, "MQTT-3.1.2-22"},
	{"password without user name", only31, FromClient, "10 | <MQIsdp> 03 42 0000 <c> <p>", MalformedPacket, "MQTT-3.1.2-22"},
	{"no client identifier in 3.1", only31, FromClient, "10 | <MQIsdp> 03 02 0000 <>", ClientIdentifierNotValid, "MQTT-3.1.3-8"},
	{"no client identifier for a session that lasts", only311, FromClient, "10 | <MQTT> 04 00 0000 <>", ClientIdentifierNotValid, "MQTT-3.1.3-8"},
	{"client identifier not UTF-8", only5, FromClient, "10 | <MQTT> 05 02 0000 { } 0001 FF", MalformedPacket, "MQTT-1.5.4-1"},
	{"client identifier with a surrogate", only5, FromClient, "10 | <MQTT> 05 02 0000 { } 0003 EDA080", MalformedPacket, "MQTT-1.5.4-1"},
	{"client identifier with a null", only5, FromClient, "10 | <MQTT> 05 02 0000 { } 0001 00", MalformedPacket, "MQTT-1.5.4-2"},
	{"client identifier with a null", only311, FromClient, "10 | <MQTT> 04 02 0000 0001 00", MalformedPacket, "MQTT-1.5.3-2"},
	{"user name not UTF-8", only311, FromClient, "10 | <MQTT> 04 82 0000 <c> 0002 C0AF", MalformedPacket, "MQTT-1.5.3-1"},
	{"user name missing", only5, FromClient, "10 | <MQTT> 05 82 0000 { } <c>", MalformedPacket, ""},
	{"password missing", only5, FromClient, "10 | <MQTT> 05 C2 0000 { } <c> <u>", MalformedPacket, ""},
	{"user name without its flag", only5, FromClient, "10 | <MQTT> 05 02 0000 { } <c> <u>", MalformedPacket, ""},
	{"will topic with a wildcard", only5, FromClient, "10 | <MQTT> 05 06 0000 { } <c> { } <w/#> <>", TopicNameInvalid, "MQTT-4.7.0-1"},
	{"will topic with a wildcard", only311, FromClient, "10 | <MQTT> 04 06 0000 <c> <+> <>", TopicNameInvalid, "MQTT-4.7.1-1"},
	{"will topic empty", only5, FromClient, "10 | <MQTT> 05 06 0000 { } <c> { } <> <>", ProtocolError, "MQTT-4.7.3-1"},
	{"will property that is not the will's", only5, FromClient, "10 | <MQTT> 05 06 0000 { } <c> { 11 00000001 } <w> <>", MalformedPacket, ""},
	{"will's property outside of the will", only5, FromClient, "10 | <MQTT> 05 06 0000 { 18 00000001 } <c> { } <w> <>", MalformedPacket, ""},
	{"topic alias in the will", only5, FromClient, "10 | <MQTT> 05 06 0000 { } <c> { 23 0001 } <w> <>", MalformedPacket, ""},
	{"authentication data without a method", only5, FromClient, "10 | <MQTT> 05 02 0000 { 16 0001 01 } <c>", ProtocolError, ""},
	{"authentication method without a name", only5, FromClient, "10 | <MQTT> 05 02 0000 { 15 <> } <c>", ProtocolError, ""},
	{"CONNECT that ends early", only5, FromClient, "10 | <MQTT> 05 02", MalformedPacket, ""},
	{"CONNACK of an older version", only5, FromServer, "20 | 00 01", UnsupportedProtocolVersion, "MQTT-3.1.2-2"},
	{"CONNACK with reserved flags", only5, FromServer, "20 | 02 00 { }", MalformedPacket, "MQTT-3.2.2-1"},
	{"CONNACK with reserved flags", only311, FromServer, "20 | 80 00", MalformedPacket, ""},
	{"CONNACK, refused with a session", only5, FromServer, "20 | 01 87 { }", ProtocolError, "MQTT-3.2.2-6"},
	{"CONNACK, refused with a session", only311, FromServer, "20 | 01 05", ProtocolError, "MQTT-3.2.2-4"},
	{"CONNACK with a code of another packet", only5, FromServer, "20 | 00 8E { }", ProtocolError, "MQTT-3.2.2-8"},
	{"CONNACK with a reserved code", only311, FromServer, "20 | 00 06", ProtocolError, "MQTT-3.2.2-6"},
	{"CONNACK with MQTT 5's code for the version", only311, FromServer, "20 | 00 84", UnsupportedProtocolVersion, "MQTT-3.1.2-2"},
	{"CONNACK too short", only311, FromServer, "20 | 00", MalformedPacket, ""},
	{"CONNACK too long", only311, FromServer, "20 | 00 00 00", MalformedPacket, ""},
}

var malformedPublishes = []malformedCase{
	{"PUBLISH with QoS 3", all, FromServer, "36 | <t> 0001 { }", MalformedPacket, "MQTT-3.3.1-4"},
	{"PUBLISH with QoS 3, retained", all, FromServer, "37 | <t> 0001 { }", MalformedPacket, "MQTT-3.3.1-4"},
	{"PUBLISH with DUP at QoS 0", all, FromServer, "38 | <t> { }", MalformedPacket, "MQTT-3.3.1-2"},
	{"PUBLISH with DUP at QoS 0, retained", all, FromServer, "39 | <t> { }", MalformedPacket, "MQTT-3.3.1-2"},
	{"PUBLISH with packet identifier 0 from a client", only5, FromClient, "32 | <t> 0000 { }", ProtocolError, "MQTT-2.2.1-3"},
	{"PUBLISH with packet identifier 0 from a server", only5, FromServer, "32 | <t> 0000 { }", ProtocolError, "MQTT-2.2.1-4"},
	{"PUBLISH with packet identifier 0", both3, FromServer, "34 | <t> 0000", ProtocolError, "MQTT-2.3.1-1"},
	{"PUBLISH without a packet identifier", both3, FromServer, "32 | <t> 00", MalformedPacket, ""},
	{"PUBLISH to a wildcard", all, FromClient, "30 | <a/+> { }", TopicNameInvalid, "MQTT-3.3.2-2"},
	{"PUBLISH to a wildcard", all, FromServer, "30 | <#> { }", TopicNameInvalid, "MQTT-3.3.2-2"},
	{"PUBLISH to no topic", only5, FromClient, "30 | <> { } 'x'", ProtocolError, "MQTT-4.7.3-1"},
	{"PUBLISH to no topic", both3, FromClient, "30 | <> 'x'", ProtocolError, "MQTT-4.7.3-1"},
	{"PUBLISH to a topic with a null", only5, FromClient, "30 | 0002 6100 { }", MalformedPacket, "MQTT-1.5.4-2"},
	{"PUBLISH to a topic that is not UTF-8", only5, FromClient, "30 | 0003 EDBFBF { }", MalformedPacket, "MQTT-1.5.4-1"},
	{"PUBLISH to a topic longer than the packet", all, FromClient, "30 | 0009 6100", MalformedPacket, ""},
	{"PUBLISH without property length", only5, FromClient, "30 | <t>", MalformedPacket, ""},
	{"PUBLISH with alias 0", only5, FromClient, "30 | <t> { 23 0000 }", TopicAliasInvalid, "MQTT-3.3.2-8"},
	{"PUBLISH with a subscription identifier from a client", only5, FromClient, "30 | <t> { 0B 01 }", ProtocolError, "MQTT-3.3.4-6"},
	{"PUBLISH with subscription identifier 0", only5, FromServer, "30 | <t> { 0B 00 }", ProtocolError, ""},
	{"PUBLISH with response topic a wildcard", only5, FromServer, "30 | <t> { 08 <a/#> }", TopicNameInvalid, "MQTT-3.3.2-14"},
	{"PUBACK with packet identifier 0", only5, FromClient, "40 | 0000", ProtocolError, "MQTT-2.2.1-5"},
	{"PUBACK with packet identifier 0", both3, FromClient, "40 | 0000", ProtocolError, "MQTT-2.3.1-6"},
	{"PUBACK of one byte", all, FromClient, "40 | 00", MalformedPacket, ""},
	{"PUBACK with a code before version 5", both3, FromClient, "40 | 0001 00", MalformedPacket, ""},
	{"PUBACK with a code of another packet", only5, FromServer, "40 | 0001 92", ProtocolError, "MQTT-3.4.2-1"},
	{"PUBACK with a code of the server's", only5, FromClient, "40 | 0001 10", ProtocolError, "MQTT-3.4.2-1"},
	{"PUBACK with bytes left over", only5, FromClient, "40 | 0001 00 { } 00", MalformedPacket, ""},
	{"PUBREC with an unknown code", only5, FromServer, "50 | 0001 01", ProtocolError, "MQTT-3.5.2-1"},
	{"PUBREL with a code of another packet", only5, FromServer, "62 | 0001 80", ProtocolError, "MQTT-3.6.2-1"},
	{"PUBCOMP with a code of another packet", only5, FromServer, "70 | 0001 10", ProtocolError, "MQTT-3.7.2-1"},
	{"PUBCOMP with packet identifier 0", only5, FromServer, "70 | 0000", ProtocolError, "MQTT-2.2.1-5"},
	{"PUBREL with a property of another packet", only5, FromServer, "62 | 0001 00 { 23 0001 }", MalformedPacket, ""},
}
