// Package mqtt turns bytes into MQTT control packets and back, strictly and without
// I/O or a clock. Its packets are the same for every protocol version; a Codec
// puts one version's bytes behind them.
package mqtt

// Version is an MQTT protocol level, as CONNECT carries it [MQTT-3.1.2-2].
type Version byte

// The protocol levels.
const (
	V31  Version = 3
	V311 Version = 4
	V5   Version = 5
)

// Type is a control packet type (MQTT 5, 2.1.2).
type Type byte

// The control packet types.
const (
	CONNECT     Type = 1
	CONNACK     Type = 2
	PUBLISH     Type = 3
	PUBACK      Type = 4
	PUBREC      Type = 5
	PUBREL      Type = 6
	PUBCOMP     Type = 7
	SUBSCRIBE   Type = 8
	SUBACK      Type = 9
	UNSUBSCRIBE Type = 10
	UNSUBACK    Type = 11
	PINGREQ     Type = 12
	PINGRESP    Type = 13
	DISCONNECT  Type = 14
	AUTH        Type = 15
)

// Side says who sent a packet: some are legal from one side only.
type Side byte

// The two ends of a connection.
const (
	FromClient Side = iota
	FromServer
)

// Packet is one of the structs below.
type Packet interface{ PacketType() Type }

// Connect is CONNECT.
type Connect struct {
	Version     Version
	ClientID    string
	HasUsername bool
	Username    string
	HasPassword bool
	Password    []byte
	KeepAlive   uint16 // seconds, 0 = off
	CleanStart  bool   // clean session on 3.x
	Will        *Will
	Properties  Properties
}

// Will is the message that the broker publishes when a connection is lost.
type Will struct {
	Topic      string
	Payload    []byte
	QoS        byte
	Retain     bool
	Properties Properties
}

// Connack is CONNACK. On 3.x ReasonCode holds the return code (0 to 5).
type Connack struct {
	SessionPresent bool
	ReasonCode     ReasonCode
	Properties     Properties
}

// Publish is PUBLISH.
type Publish struct {
	Dup        bool
	QoS        byte
	Retain     bool
	Topic      string
	PacketID   uint16 // 0 at QoS 0
	Payload    []byte
	Properties Properties
}

// Ack is PUBACK, PUBREC, PUBREL or PUBCOMP.
type Ack struct {
	Kind       Type
	PacketID   uint16
	ReasonCode ReasonCode
	Properties Properties
}

// Subscription is one topic filter of SUBSCRIBE with its options.
type Subscription struct {
	Filter            string
	QoS               byte
	NoLocal           bool
	RetainAsPublished bool
	RetainHandling    byte
}

// Subscribe is SUBSCRIBE.
type Subscribe struct {
	PacketID      uint16
	Subscriptions []Subscription
	Properties    Properties
}

// Suback is SUBACK. On 3.x the codes are 0, 1, 2 or 0x80.
type Suback struct {
	PacketID    uint16
	ReasonCodes []ReasonCode
	Properties  Properties
}

// Unsubscribe is UNSUBSCRIBE.
type Unsubscribe struct {
	PacketID   uint16
	Filters    []string
	Properties Properties
}

// Unsuback is UNSUBACK. On 3.x it has no codes.
type Unsuback struct {
	PacketID    uint16
	ReasonCodes []ReasonCode
	Properties  Properties
}

// Pingreq is PINGREQ.
type Pingreq struct{}

// Pingresp is PINGRESP.
type Pingresp struct{}

// Disconnect is DISCONNECT.
type Disconnect struct {
	ReasonCode ReasonCode
	Properties Properties
}

// Auth is AUTH, MQTT 5 only.
type Auth struct {
	ReasonCode ReasonCode
	Properties Properties
}

// UserProperty is one name-value pair; names may repeat and order counts.
type UserProperty struct{ Key, Value string }

// Properties are the MQTT 5 properties (2.2.2) of a packet. A nil pointer, an empty
// string or a nil slice means that the property is absent. 3.x packets have none.
type Properties struct {
	PayloadFormat        *byte
	MessageExpiry        *uint32 // seconds
	ContentType          string
	ResponseTopic        string
	CorrelationData      []byte
	SubscriptionID       []uint32
	SessionExpiry        *uint32 // seconds
	AssignedClientID     string
	ServerKeepAlive      *uint16 // seconds
	AuthMethod           string
	AuthData             []byte
	RequestProblemInfo   *byte
	WillDelay            *uint32 // seconds
	RequestResponseInfo  *byte
	ResponseInfo         string
	ServerReference      string
	ReasonString         string
	ReceiveMaximum       *uint16
	TopicAliasMaximum    *uint16
	TopicAlias           *uint16
	MaximumQoS           *byte
	RetainAvailable      *byte
	User                 []UserProperty
	MaximumPacketSize    *uint32 // bytes
	WildcardSubAvailable *byte
	SubIDAvailable       *byte
	SharedSubAvailable   *byte
}

// PacketType gives the control packet type.
func (*Connect) PacketType() Type     { return CONNECT }
func (*Connack) PacketType() Type     { return CONNACK }
func (*Publish) PacketType() Type     { return PUBLISH }
func (a *Ack) PacketType() Type       { return a.Kind }
func (*Subscribe) PacketType() Type   { return SUBSCRIBE }
func (*Suback) PacketType() Type      { return SUBACK }
func (*Unsubscribe) PacketType() Type { return UNSUBSCRIBE }
func (*Unsuback) PacketType() Type    { return UNSUBACK }
func (*Pingreq) PacketType() Type     { return PINGREQ }
func (*Pingresp) PacketType() Type    { return PINGRESP }
func (*Disconnect) PacketType() Type  { return DISCONNECT }
func (*Auth) PacketType() Type        { return AUTH }
