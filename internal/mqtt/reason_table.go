package mqtt

import "strconv"

// reasonDef describes one reason code: its name in the standard and where it may stand.
type reasonDef struct {
	name string
	in   place
}

// acks are the answers to PUBLISH.
var acks = byBoth(PUBACK, PUBREC)

// reasons is table 2-6 of MQTT 5 with the senders of the packets' own tables.
var reasons = [256]reasonDef{
	Success:                             {"Success", byServer(CONNACK, SUBACK, UNSUBACK, AUTH) | byBoth(PUBACK, PUBREC, PUBREL, PUBCOMP, DISCONNECT)},
	GrantedQoS1:                         {"Granted QoS 1", byServer(SUBACK)},
	GrantedQoS2:                         {"Granted QoS 2", byServer(SUBACK)},
	DisconnectWithWillMessage:           {"Disconnect with Will Message", byClient(DISCONNECT)},
	NoMatchingSubscribers:               {"No matching subscribers", byServer(PUBACK, PUBREC)},
	NoSubscriptionExisted:               {"No subscription existed", byServer(UNSUBACK)},
	ContinueAuthentication:              {"Continue authentication", byBoth(AUTH)},
	ReAuthenticate:                      {"Re-authenticate", byClient(AUTH)},
	UnspecifiedError:                    {"Unspecified error", byServer(CONNACK, SUBACK, UNSUBACK) | acks | byBoth(DISCONNECT)},
	MalformedPacket:                     {"Malformed Packet", byServer(CONNACK) | byBoth(DISCONNECT)},
	ProtocolError:                       {"Protocol Error", byServer(CONNACK) | byBoth(DISCONNECT)},
	ImplementationSpecificError:         {"Implementation specific error", byServer(CONNACK, SUBACK, UNSUBACK) | acks | byBoth(DISCONNECT)},
	UnsupportedProtocolVersion:          {"Unsupported Protocol Version", byServer(CONNACK)},
	ClientIdentifierNotValid:            {"Client Identifier not valid", byServer(CONNACK)},
	BadUserNameOrPassword:               {"Bad User Name or Password", byServer(CONNACK)},
	NotAuthorized:                       {"Not authorized", byServer(CONNACK, SUBACK, UNSUBACK, DISCONNECT) | acks},
	ServerUnavailable:                   {"Server unavailable", byServer(CONNACK)},
	ServerBusy:                          {"Server busy", byServer(CONNACK, DISCONNECT)},
	Banned:                              {"Banned", byServer(CONNACK)},
	ServerShuttingDown:                  {"Server shutting down", byServer(DISCONNECT)},
	BadAuthenticationMethod:             {"Bad authentication method", byServer(CONNACK, DISCONNECT)},
	KeepAliveTimeout:                    {"Keep Alive timeout", byServer(DISCONNECT)},
	SessionTakenOver:                    {"Session taken over", byServer(DISCONNECT)},
	TopicFilterInvalid:                  {"Topic Filter invalid", byServer(SUBACK, UNSUBACK, DISCONNECT)},
	TopicNameInvalid:                    {"Topic Name invalid", byServer(CONNACK) | acks | byBoth(DISCONNECT)},
	PacketIdentifierInUse:               {"Packet Identifier in use", byServer(SUBACK, UNSUBACK) | acks},
	PacketIdentifierNotFound:            {"Packet Identifier not found", byBoth(PUBREL, PUBCOMP)},
	ReceiveMaximumExceeded:              {"Receive Maximum exceeded", byBoth(DISCONNECT)},
	TopicAliasInvalid:                   {"Topic Alias invalid", byBoth(DISCONNECT)},
	PacketTooLarge:                      {"Packet too large", byServer(CONNACK) | byBoth(DISCONNECT)},
	MessageRateTooHigh:                  {"Message rate too high", byBoth(DISCONNECT)},
	QuotaExceeded:                       {"Quota exceeded", byServer(CONNACK, SUBACK) | acks | byBoth(DISCONNECT)},
	AdministrativeAction:                {"Administrative action", byBoth(DISCONNECT)},
	PayloadFormatInvalid:                {"Payload format invalid", byServer(CONNACK) | acks | byBoth(DISCONNECT)},
	RetainNotSupported:                  {"Retain not supported", byServer(CONNACK, DISCONNECT)},
	QoSNotSupported:                     {"QoS not supported", byServer(CONNACK, DISCONNECT)},
	UseAnotherServer:                    {"Use another server", byServer(CONNACK, DISCONNECT)},
	ServerMoved:                         {"Server moved", byServer(CONNACK, DISCONNECT)},
	SharedSubscriptionsNotSupported:     {"Shared Subscriptions not supported", byServer(SUBACK, DISCONNECT)},
	ConnectionRateExceeded:              {"Connection rate exceeded", byServer(CONNACK, DISCONNECT)},
	MaximumConnectTime:                  {"Maximum connect time", byServer(DISCONNECT)},
	SubscriptionIdentifiersNotSupported: {"Subscription Identifiers not supported", byServer(SUBACK, DISCONNECT)},
	WildcardSubscriptionsNotSupported:   {"Wildcard Subscriptions not supported", byServer(SUBACK, DISCONNECT)},
}

// String gives the standard's name of the reason code, or its number where it has none.
func (c ReasonCode) String() string {
	if name := reasons[c].name; name != "" {
		return name
	}
	return "reason code 0x" + strconv.FormatUint(uint64(c), 16)
}

// reasonCode reads a reason code that may stand in one of the places in.
func (r *reader) reasonCode(in place, broken *rule) ReasonCode {
	c := ReasonCode(r.byte())
	if reasons[c].in&in == 0 {
		r.breaks(broken)
	}
	return c
}
