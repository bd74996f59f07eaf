package mqtt

func ptr[T any](v T) *T { return &v }

// validCase is a packet and its bytes.
type validCase struct {
	name       string
	from       Side
	bytes      string // in the notation of raw
	want       Packet
	decodeOnly bool // correct, but not the form that we send
}

var valid5 = []validCase{
	{"CONNECT, the least", FromClient, "10 | <MQTT> 05 00 003C { } <>", &Connect{Version: V5, KeepAlive: 60}, false},
	{"CONNECT as this client sends it", FromClient,
		"10 | <MQTT> 05 C0 003C { 21 0014 27 00100000 11 00000E10 } <topic-1> <user> <secret>",
		&Connect{
			Version: V5, ClientID: "topic-1", HasUsername: true, Username: "user", HasPassword: true, Password: []byte("secret"), KeepAlive: 60,
			Properties: Properties{ReceiveMaximum: ptr(uint16(20)), MaximumPacketSize: ptr(uint32(1 << 20)), SessionExpiry: ptr(uint32(3600))},
		}, false},
	{"CONNECT with every property", FromClient,
		"10 | <MQTT> 05 02 0000 { 21 FFFF 22 000A 27 FFFFFFFF 17 00 19 01 11 FFFFFFFF 15 <SCRAM> 16 0002 0001 26 <a> <1> 26 <a> <2> } <c>",
		&Connect{Version: V5, ClientID: "c", CleanStart: true, Properties: Properties{
			ReceiveMaximum: ptr(uint16(65535)), TopicAliasMaximum: ptr(uint16(10)), MaximumPacketSize: ptr(uint32(0xFFFFFFFF)),
			RequestProblemInfo: ptr(byte(0)), RequestResponseInfo: ptr(byte(1)), SessionExpiry: ptr(uint32(0xFFFFFFFF)),
			AuthMethod: "SCRAM", AuthData: []byte{0, 1}, User: []UserProperty{{"a", "1"}, {"a", "2"}},
		}}, false},
	{"CONNECT with a will that is not to be retained", FromClient, "10 | <MQTT> 05 0C 0000 { } <c> { } <w> <gone>",
		&Connect{Version: V5, ClientID: "c", Will: &Will{Topic: "w", Payload: []byte("gone"), QoS: 1}}, false},
	{"CONNECT with a will and all its properties", FromClient,
		"10 | <MQTT> 05 2C 0000 { } <c> { 18 00000005 01 01 02 0000000A 03 <text> 08 <r/t> 09 0001 FF 26 <k> <v> } <w/t> <gone>",
		&Connect{Version: V5, ClientID: "c", Will: &Will{
			Topic: "w/t", Payload: []byte("gone"), QoS: 1, Retain: true, Properties: Properties{
				WillDelay: ptr(uint32(5)), PayloadFormat: ptr(byte(1)), MessageExpiry: ptr(uint32(10)), ContentType: "text",
				ResponseTopic: "r/t", CorrelationData: []byte{0xFF}, User: []UserProperty{{"k", "v"}},
			}}}, false},
	{"CONNECT with a password alone", FromClient, "10 | <MQTT> 05 40 0000 { } <c> <p>",
		&Connect{Version: V5, ClientID: "c", HasPassword: true, Password: []byte("p")}, false},
	{"CONNECT with empty user name and password", FromClient, "10 | <MQTT> 05 C0 0000 { } <c> <> <>",
		&Connect{Version: V5, ClientID: "c", HasUsername: true, HasPassword: true}, false},

	{"CONNACK, accepted", FromServer, "20 | 01 00 { }", &Connack{SessionPresent: true}, false},
	{"CONNACK, refused", FromServer, "20 | 00 87 { }", &Connack{ReasonCode: NotAuthorized}, false},
	{"CONNACK, version not supported", FromServer, "20 | 00 84 { }", &Connack{ReasonCode: UnsupportedProtocolVersion}, false},
	{"CONNACK with every property", FromServer,
		"20 | 00 00 { 21 0001 22 0000 27 00000001 24 01 12 <id> 13 001E 28 01 29 00 2A 01 25 00 1A <info> 11 00000000 15 <m> 16 0001 09 1C <other> 1F <why> 26 <k> <v> }",
		&Connack{Properties: Properties{
			ReceiveMaximum: ptr(uint16(1)), TopicAliasMaximum: ptr(uint16(0)), MaximumPacketSize: ptr(uint32(1)), MaximumQoS: ptr(byte(1)),
			AssignedClientID: "id", ServerKeepAlive: ptr(uint16(30)), WildcardSubAvailable: ptr(byte(1)), SubIDAvailable: ptr(byte(0)),
			SharedSubAvailable: ptr(byte(1)), RetainAvailable: ptr(byte(0)), ResponseInfo: "info", SessionExpiry: ptr(uint32(0)),
			AuthMethod: "m", AuthData: []byte{9}, ServerReference: "other", ReasonString: "why", User: []UserProperty{{"k", "v"}},
		}}, false},

	{"PUBLISH at QoS 0", FromServer, "30 | <topic> { } 'hello'", &Publish{Topic: "topic", Payload: []byte("hello")}, false},
	{"PUBLISH at QoS 0, retained, empty", FromClient, "31 | <t> { }", &Publish{Topic: "t", Retain: true}, false},
	{"PUBLISH at QoS 1", FromServer, "32 | <t> FFFF { } 'x'", &Publish{Topic: "t", QoS: 1, PacketID: 65535, Payload: []byte("x")}, false},
	{"PUBLISH at QoS 2, sent again", FromServer, "3D | <t> 0001 { } 'x'", &Publish{Topic: "t", QoS: 2, Dup: true, Retain: true, PacketID: 1, Payload: []byte("x")}, false},
	{"PUBLISH with a content type that would be no topic", FromServer, "30 | <t> { 03 <application/cloudevents+json> } 'x'",
		&Publish{Topic: "t", Payload: []byte("x"), Properties: Properties{ContentType: "application/cloudevents+json"}}, false},
	{"PUBLISH with every property", FromServer,
		"32 | <t> 0001 { 01 00 02 00000E10 03 <application/json> 08 <answers> 09 0002 00FF 23 0007 0B 01 0B FFFFFF7F 26 <pushMessageID> <42> } '{'",
		&Publish{Topic: "t", QoS: 1, PacketID: 1, Payload: []byte("{"), Properties: Properties{
			PayloadFormat: ptr(byte(0)), MessageExpiry: ptr(uint32(3600)), ContentType: "application/json", ResponseTopic: "answers",
			CorrelationData: []byte{0, 0xFF}, TopicAlias: ptr(uint16(7)), SubscriptionID: []uint32{1, MaxRemaining}, User: []UserProperty{{"pushMessageID", "42"}},
		}}, false},
	{"PUBLISH with every property, those that repeat apart", FromServer,
		"32 | <t> 0001 { 01 00 02 00000E10 03 <application/json> 08 <answers> 09 0002 00FF 23 0007 0B 01 26 <pushMessageID> <42> 0B FFFFFF7F } '{'",
		&Publish{Topic: "t", QoS: 1, PacketID: 1, Payload: []byte("{"), Properties: Properties{
			PayloadFormat: ptr(byte(0)), MessageExpiry: ptr(uint32(3600)), ContentType: "application/json", ResponseTopic: "answers",
			CorrelationData: []byte{0, 0xFF}, TopicAlias: ptr(uint16(7)), SubscriptionID: []uint32{1, MaxRemaining}, User: []UserProperty{{"pushMessageID", "42"}},
		}}, true},
	{"PUBLISH with an alias instead of a topic", FromClient, "30 | <> { 23 0001 }", &Publish{Properties: Properties{TopicAlias: ptr(uint16(1))}}, false},
	{"PUBLISH to a topic of many bytes", FromClient, "30 | <日本/語 €> { }", &Publish{Topic: "日本/語 €"}, false},
	{"PUBLISH with properties that are empty", FromClient, "30 | <t> { 03 <> 09 0000 26 <> <> }", &Publish{Topic: "t", Properties: Properties{User: []UserProperty{{"", ""}}}}, true},

	{"PUBACK", FromClient, "40 | 0001", &Ack{Kind: PUBACK, PacketID: 1}, false},
	{"PUBACK with a code and no properties", FromServer, "40 | 0001 10", &Ack{Kind: PUBACK, PacketID: 1, ReasonCode: NoMatchingSubscribers}, true},
	{"PUBACK with a code and empty properties", FromServer, "40 | 0001 10 { }", &Ack{Kind: PUBACK, PacketID: 1, ReasonCode: NoMatchingSubscribers}, false},
	{"PUBACK with everything", FromClient, "40 | 0001 97 { 1F <full> 26 <k> <v> }",
		&Ack{Kind: PUBACK, PacketID: 1, ReasonCode: QuotaExceeded, Properties: Properties{ReasonString: "full", User: []UserProperty{{"k", "v"}}}}, false},
	{"PUBACK, success at length", FromClient, "40 | 0001 00 { }", &Ack{Kind: PUBACK, PacketID: 1}, true},
	{"PUBREC", FromServer, "50 | 0102", &Ack{Kind: PUBREC, PacketID: 258}, false},
	{"PUBREC with a code and no properties", FromServer, "50 | 0102 83", &Ack{Kind: PUBREC, PacketID: 258, ReasonCode: ImplementationSpecificError}, true},
	{"PUBREC with a code and empty properties", FromServer, "50 | 0102 83 { }", &Ack{Kind: PUBREC, PacketID: 258, ReasonCode: ImplementationSpecificError}, false},
	{"PUBREL", FromClient, "62 | 0001", &Ack{Kind: PUBREL, PacketID: 1}, false},
	{"PUBREL with a code and a property", FromClient, "62 | 0001 92 { 1F <lost> }",
		&Ack{Kind: PUBREL, PacketID: 1, ReasonCode: PacketIdentifierNotFound, Properties: Properties{ReasonString: "lost"}}, false},
	{"PUBCOMP", FromServer, "70 | 0001", &Ack{Kind: PUBCOMP, PacketID: 1}, false},
	{"PUBCOMP with a code and no properties", FromServer, "70 | 0001 92", &Ack{Kind: PUBCOMP, PacketID: 1, ReasonCode: PacketIdentifierNotFound}, true},
	{"PUBCOMP with a code and empty properties", FromServer, "70 | 0001 92 { }", &Ack{Kind: PUBCOMP, PacketID: 1, ReasonCode: PacketIdentifierNotFound}, false},
	{"PUBCOMP with a property", FromServer, "70 | 0001 00 { 26 <k> <v> }",
		&Ack{Kind: PUBCOMP, PacketID: 1, Properties: Properties{User: []UserProperty{{"k", "v"}}}}, false},

	{"SUBSCRIBE", FromClient, "82 | 0001 { } <topic-1> 01", &Subscribe{PacketID: 1, Subscriptions: []Subscription{{Filter: "topic-1", QoS: 1}}}, false},
	{"SUBSCRIBE with everything", FromClient, "82 | 0002 { 0B 80 01 26 <k> <v> } <a/+/#> 2E <$share/g/a> 10 <#> 00",
		&Subscribe{PacketID: 2, Subscriptions: []Subscription{
			{Filter: "a/+/#", QoS: 2, NoLocal: true, RetainAsPublished: true, RetainHandling: 2}, {Filter: "$share/g/a", RetainHandling: 1}, {Filter: "#"},
		}, Properties: Properties{SubscriptionID: []uint32{128}, User: []UserProperty{{"k", "v"}}}}, false},
	{"SUBACK", FromServer, "90 | 0001 { } 01", &Suback{PacketID: 1, ReasonCodes: []ReasonCode{GrantedQoS1}}, false},
	{"SUBACK with everything", FromServer, "90 | 0001 { 1F <why> 26 <k> <v> } 00 02 80 A2",
		&Suback{PacketID: 1, ReasonCodes: []ReasonCode{Success, GrantedQoS2, UnspecifiedError, WildcardSubscriptionsNotSupported},
			Properties: Properties{ReasonString: "why", User: []UserProperty{{"k", "v"}}}}, false},
	{"UNSUBSCRIBE", FromClient, "A2 | 0001 { } <a> <+/b>", &Unsubscribe{PacketID: 1, Filters: []string{"a", "+/b"}}, false},
	{"UNSUBSCRIBE with a property", FromClient, "A2 | 0001 { 26 <k> <v> } <a>",
		&Unsubscribe{PacketID: 1, Filters: []string{"a"}, Properties: Properties{User: []UserProperty{{"k", "v"}}}}, false},
	{"UNSUBACK", FromServer, "B0 | 0001 { 1F <why> } 00 11 87",
		&Unsuback{PacketID: 1, ReasonCodes: []ReasonCode{Success, NoSubscriptionExisted, NotAuthorized}, Properties: Properties{ReasonString: "why"}}, false},

	{"PINGREQ", FromClient, "C0 |", &Pingreq{}, false},
	{"PINGRESP", FromServer, "D0 |", &Pingresp{}, false},
	{"DISCONNECT", FromClient, "E0 |", &Disconnect{}, false},
	{"DISCONNECT with a code alone", FromServer, "E0 | 8E", &Disconnect{ReasonCode: SessionTakenOver}, true},
	{"DISCONNECT with a code", FromServer, "E0 | 8E { }", &Disconnect{ReasonCode: SessionTakenOver}, false},
	{"DISCONNECT by the client with everything", FromClient, "E0 | 04 { 11 00000001 1F <bye> 26 <k> <v> }",
		&Disconnect{ReasonCode: DisconnectWithWillMessage, Properties: Properties{SessionExpiry: ptr(uint32(1)), ReasonString: "bye", User: []UserProperty{{"k", "v"}}}}, false},
	{"DISCONNECT by the server with everything", FromServer, "E0 | 9C { 1C <other> 1F <moved> 26 <k> <v> }",
		&Disconnect{ReasonCode: UseAnotherServer, Properties: Properties{ServerReference: "other", ReasonString: "moved", User: []UserProperty{{"k", "v"}}}}, false},
	{"AUTH, empty", FromServer, "F0 |", &Auth{}, false},
	{"AUTH with everything", FromClient, "F0 | 19 { 15 <m> 16 0001 01 1F <why> 26 <k> <v> }",
		&Auth{ReasonCode: ReAuthenticate, Properties: Properties{AuthMethod: "m", AuthData: []byte{1}, ReasonString: "why", User: []UserProperty{{"k", "v"}}}}, false},
}
