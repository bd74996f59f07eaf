package mqtt

import "strconv"

// reasonDef describes one reason code: its name in the standard and where it may stand.
type reasonDef struct {
	name string
	in   place
}

// acks are the answers to PUBLISH.
const acks = both<<PUBACK | both<<PUBREC

// reasons is table 2-6 of MQTT 5 with the senders of the packets' own tables.
var reasons = [256]reasonDef{
	Success:                             {"Success", server<<CONNACK | server<<SUBACK | server<<UNSUBACK | server<<AUTH | both<<PUBACK | both<<PUBREC | both<<PUBREL | both<<PUBCOMP | both<<DISCONNECT},
	GrantedQoS1:                         {"Granted QoS 1", server << SUBACK},
	GrantedQoS2:                         {"Granted QoS 2", server << SUBACK},
	DisconnectWithWillMessage:           {"Disconnect with Will Message", client << DISCONNECT},
	NoMatchingSubscribers:               {"No matching subscribers", server<<PUBACK | server<<PUBREC},
	NoSubscriptionExisted:               {"No subscription existed", server << UNSUBACK},
	ContinueAuthentication:              {"Continue authentication", both << AUTH},
	ReAuthenticate:                      {"Re-authenticate", client << AUTH},
	UnspecifiedError:                    {"Unspecified error", server<<CONNACK | server<<SUBACK | server<<UNSUBACK | acks | both<<DISCONNECT},
	MalformedPacket:                     {"Malformed Packet", server<<CONNACK | both<<DISCONNECT},
	ProtocolError:                       {"Protocol Error", server<<CONNACK | both<<DISCONNECT},
	ImplementationSpecificError:         {"Implementation specific error", server<<CONNACK | server<<SUBACK | server<<UNSUBACK | acks | both<<DISCONNECT},
	UnsupportedProtocolVersion:          {"Unsupported Protocol Version", server << CONNACK},
	ClientIdentifierNotValid:            {"Client Identifier not valid", server << CONNACK},
	BadUserNameOrPassword:               {"Bad User Name or Password", server << CONNACK},
	NotAuthorized:                       {"Not authorized", server<<CONNACK | server<<SUBACK | server<<UNSUBACK | server<<DISCONNECT | acks},
	ServerUnavailable:                   {"Server unavailable", server << CONNACK},
	ServerBusy:                          {"Server busy", server<<CONNACK | server<<DISCONNECT},
	Banned:                              {"Banned", server << CONNACK},
	ServerShuttingDown:                  {"Server shutting down", server << DISCONNECT},
	BadAuthenticationMethod:             {"Bad authentication method", server<<CONNACK | server<<DISCONNECT},
	KeepAliveTimeout:                    {"Keep Alive timeout", server << DISCONNECT},
	SessionTakenOver:                    {"Session taken over", server << DISCONNECT},
	TopicFilterInvalid:                  {"Topic Filter invalid", server<<SUBACK | server<<UNSUBACK | server<<DISCONNECT},
	TopicNameInvalid:                    {"Topic Name invalid", server<<CONNACK | acks | both<<DISCONNECT},
	PacketIdentifierInUse:               {"Packet Identifier in use", server<<SUBACK | server<<UNSUBACK | acks},
	PacketIdentifierNotFound:            {"Packet Identifier not found", both<<PUBREL | both<<PUBCOMP},
	ReceiveMaximumExceeded:              {"Receive Maximum exceeded", both << DISCONNECT},
	TopicAliasInvalid:                   {"Topic Alias invalid", both << DISCONNECT},
	PacketTooLarge:                      {"Packet too large", server<<CONNACK | both<<DISCONNECT},
	MessageRateTooHigh:                  {"Message rate too high", both << DISCONNECT},
	QuotaExceeded:                       {"Quota exceeded", server<<CONNACK | server<<SUBACK | acks | both<<DISCONNECT},
	AdministrativeAction:                {"Administrative action", both << DISCONNECT},
	PayloadFormatInvalid:                {"Payload format invalid", server<<CONNACK | acks | both<<DISCONNECT},
	RetainNotSupported:                  {"Retain not supported", server<<CONNACK | server<<DISCONNECT},
	QoSNotSupported:                     {"QoS not supported", server<<CONNACK | server<<DISCONNECT},
	UseAnotherServer:                    {"Use another server", server<<CONNACK | server<<DISCONNECT},
	ServerMoved:                         {"Server moved", server<<CONNACK | server<<DISCONNECT},
	SharedSubscriptionsNotSupported:     {"Shared Subscriptions not supported", server<<SUBACK | server<<DISCONNECT},
	ConnectionRateExceeded:              {"Connection rate exceeded", server<<CONNACK | server<<DISCONNECT},
	MaximumConnectTime:                  {"Maximum connect time", server << DISCONNECT},
	SubscriptionIdentifiersNotSupported: {"Subscription Identifiers not supported", server<<SUBACK | server<<DISCONNECT},
	WildcardSubscriptionsNotSupported:   {"Wildcard Subscriptions not supported", server<<SUBACK | server<<DISCONNECT},
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
