package mqtt

// Property identifiers (MQTT 5, 2.2.2.2).
const (
	propPayloadFormat        = 0x01
	propMessageExpiry        = 0x02
	propContentType          = 0x03
	propResponseTopic        = 0x08
	propCorrelationData      = 0x09
	propSubscriptionID       = 0x0B
	propSessionExpiry        = 0x11
	propAssignedClientID     = 0x12
	propServerKeepAlive      = 0x13
	propAuthMethod           = 0x15
	propAuthData             = 0x16
	propRequestProblemInfo   = 0x17
	propWillDelay            = 0x18
	propRequestResponseInfo  = 0x19
	propResponseInfo         = 0x1A
	propServerReference      = 0x1C
	propReasonString         = 0x1F
	propReceiveMaximum       = 0x21
	propTopicAliasMaximum    = 0x22
	propTopicAlias           = 0x23
	propMaximumQoS           = 0x24
	propRetainAvailable      = 0x25
	propUser                 = 0x26
	propMaximumPacketSize    = 0x27
	propWildcardSubAvailable = 0x28
	propSubIDAvailable       = 0x29
	propSharedSubAvailable   = 0x2A
)

// kind is the data type of a property.
type kind byte

const (
	kindFlag   kind = iota + 1 // one byte, 0 or 1
	kindUint16                 // two byte integer
	kindUint32                 // four byte integer
	kindVarint                 // variable byte integer
	kindText                   // UTF-8 encoded string
	kindBinary                 // binary data
	kindPair                   // UTF-8 string pair
)

// propertyDef describes one property.
type propertyDef struct {
	kind    kind
	in      place // where it may stand
	many    place // where it may stand more than once
	zero    *rule // broken by the value 0, or by an empty string
	wild    *rule // broken by a wildcard
	byOther *rule // broken where only the packet's other side may send it; nil: rulePropertyPlace
}

const (
	inMessage    = both<<PUBLISH | inWill
	inHandshake  = client<<CONNECT | server<<CONNACK
	inAnswer     = server<<CONNACK | server<<SUBACK | server<<UNSUBACK | both<<PUBACK | both<<PUBREC | both<<PUBREL | both<<PUBCOMP | both<<DISCONNECT | both<<AUTH
	inEverywhere = inMessage | inAnswer | client<<CONNECT | client<<SUBSCRIBE | client<<UNSUBSCRIBE
)

// propertyTable is table 2-4 of MQTT 5, with the senders of the packets' own sections.
var propertyTable = [...]propertyDef{
	propPayloadFormat:        {kind: kindFlag, in: inMessage},
	propMessageExpiry:        {kind: kindUint32, in: inMessage},
	propContentType:          {kind: kindText, in: inMessage},
	propResponseTopic:        {kind: kindText, in: inMessage, wild: &ruleResponseWild},
	propCorrelationData:      {kind: kindBinary, in: inMessage},
	propSubscriptionID:       {kind: kindVarint, in: server<<PUBLISH | client<<SUBSCRIBE, many: server << PUBLISH, zero: &rulePropertyZero, byOther: &ruleSubIDFromClient},
	propSessionExpiry:        {kind: kindUint32, in: inHandshake | client<<DISCONNECT, byOther: &ruleExpiryByServer},
	propAssignedClientID:     {kind: kindText, in: server << CONNACK},
	propServerKeepAlive:      {kind: kindUint16, in: server << CONNACK},
	propAuthMethod:           {kind: kindText, in: inHandshake | both<<AUTH, zero: &rulePropertyEmpty},
	propAuthData:             {kind: kindBinary, in: inHandshake | both<<AUTH},
	propRequestProblemInfo:   {kind: kindFlag, in: client << CONNECT},
	propWillDelay:            {kind: kindUint32, in: inWill},
	propRequestResponseInfo:  {kind: kindFlag, in: client << CONNECT},
	propResponseInfo:         {kind: kindText, in: server << CONNACK},
	propServerReference:      {kind: kindText, in: server<<CONNACK | server<<DISCONNECT, byOther: &ruleReferByClient},
	propReasonString:         {kind: kindText, in: inAnswer},
	propReceiveMaximum:       {kind: kindUint16, in: inHandshake, zero: &rulePropertyZero},
	propTopicAliasMaximum:    {kind: kindUint16, in: inHandshake},
	propTopicAlias:           {kind: kindUint16, in: both << PUBLISH, zero: &ruleTopicAlias},
	propMaximumQoS:           {kind: kindFlag, in: server << CONNACK},
	propRetainAvailable:      {kind: kindFlag, in: server << CONNACK},
	propUser:                 {kind: kindPair, in: inEverywhere, many: inEverywhere},
	propMaximumPacketSize:    {kind: kindUint32, in: inHandshake, zero: &rulePropertyZero},
	propWildcardSubAvailable: {kind: kindFlag, in: server << CONNACK},
	propSubIDAvailable:       {kind: kindFlag, in: server << CONNACK},
	propSharedSubAvailable:   {kind: kindFlag, in: server << CONNACK},
}
