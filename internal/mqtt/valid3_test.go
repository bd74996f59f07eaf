package mqtt

// valid3Case is a packet of MQTT 3.1, 3.1.1 or both.
type valid3Case struct {
	name       string
	versions   []Version
	from       Side
	bytes      string
	want       Packet
	decodeOnly bool // correct, but not the form that we send
}

var both3 = []Version{V31, V311}

var valid3 = []valid3Case{
	{"CONNECT of 3.1", []Version{V31}, FromClient, "10 | <MQIsdp> 03 02 000A <c>", &Connect{Version: V31, ClientID: "c", CleanStart: true, KeepAlive: 10}, false},
	{"CONNECT of 3.1 with a long client identifier", []Version{V31}, FromClient, "10 | <MQIsdp> 03 02 000A <a-client-identifier-longer-than-23>",
		&Connect{Version: V31, ClientID: "a-client-identifier-longer-than-23", CleanStart: true, KeepAlive: 10}, false},
	{"CONNECT of 3.1.1 without client identifier", []Version{V311}, FromClient, "10 | <MQTT> 04 02 000A <>", &Connect{Version: V311, CleanStart: true, KeepAlive: 10}, false},
	{"CONNECT of 3.1.1 with everything", []Version{V311}, FromClient, "10 | <MQTT> 04 F4 000A <c> <w> <gone> <user> <secret>",
		&Connect{Version: V311, ClientID: "c", KeepAlive: 10, HasUsername: true, Username: "user", HasPassword: true, Password: []byte("secret"),
			Will: &Will{Topic: "w", Payload: []byte("gone"), QoS: 2, Retain: true}}, false},
	{"CONNACK, accepted", both3, FromServer, "20 | 01 00", &Connack{SessionPresent: true}, false},
	{"CONNACK, refused", both3, FromServer, "20 | 00 05", &Connack{ReasonCode: 5}, false},
	{"PUBLISH at QoS 0", both3, FromServer, "31 | <t> 'x'", &Publish{Topic: "t", Retain: true, Payload: []byte("x")}, false},
	{"PUBLISH at QoS 1", both3, FromClient, "3A | <t> 0001", &Publish{Topic: "t", QoS: 1, Dup: true, PacketID: 1}, false},
	{"PUBACK", both3, FromClient, "40 | 0001", &Ack{Kind: PUBACK, PacketID: 1}, false},
	{"PUBREC", both3, FromServer, "50 | 0001", &Ack{Kind: PUBREC, PacketID: 1}, false},
	{"PUBREL", both3, FromClient, "62 | 0001", &Ack{Kind: PUBREL, PacketID: 1}, false},
	{"PUBREL sent again", []Version{V31}, FromClient, "6A | 0001", &Ack{Kind: PUBREL, PacketID: 1}, true},
	{"PUBCOMP", both3, FromServer, "70 | 0001", &Ack{Kind: PUBCOMP, PacketID: 1}, false},
	{"SUBSCRIBE", both3, FromClient, "82 | 0001 <a> 01 <$share/+/b> 00",
		&Subscribe{PacketID: 1, Subscriptions: []Subscription{{Filter: "a", QoS: 1}, {Filter: "$share/+/b"}}}, false},
	{"SUBSCRIBE sent again", []Version{V31}, FromClient, "8A | 0001 <a> 02", &Subscribe{PacketID: 1, Subscriptions: []Subscription{{Filter: "a", QoS: 2}}}, true},
	{"SUBACK", both3, FromServer, "90 | 0001 00 01 02 80", &Suback{PacketID: 1, ReasonCodes: []ReasonCode{Success, GrantedQoS1, GrantedQoS2, UnspecifiedError}}, false},
	{"UNSUBSCRIBE", both3, FromClient, "A2 | 0001 <a> <#>", &Unsubscribe{PacketID: 1, Filters: []string{"a", "#"}}, false},
	{"UNSUBACK", both3, FromServer, "B0 | 0001", &Unsuback{PacketID: 1}, false},
	{"PINGREQ", both3, FromClient, "C0 |", &Pingreq{}, false},
	{"PINGRESP", both3, FromServer, "D0 |", &Pingresp{}, false},
	{"DISCONNECT", both3, FromClient, "E0 |", &Disconnect{}, false},
}
