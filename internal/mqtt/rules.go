package mqtt

// rule is one thing that the standard demands, with what a peer that breaks it is told.
type rule struct {
	reason ReasonCode
	v5     string // normative statement of MQTT 5, "" where the text has no number
	v3     string // the same in MQTT 3.1.1; used for 3.1 as well, whose text has no numbers
	msg    string
}

// broken makes the Error for a packet of version v.
func (r *rule) broken(v Version) *Error {
	clause := r.v5
	if v == V31 || v == V311 {
		clause = r.v3
	}
	return &Error{Reason: r.reason, Clause: clause, Msg: r.msg}
}

// Rules of the packet as a whole (2.1, 1.5).
var (
	ruleType         = rule{MalformedPacket, "", "", "the packet type is reserved"}
	ruleFlags        = rule{MalformedPacket, "MQTT-2.1.3-1", "MQTT-2.2.2-2", "the fixed header has wrong flags for its packet type"}
	ruleLength       = rule{MalformedPacket, "", "", "the remaining length has more than four bytes"}
	ruleShortest     = rule{MalformedPacket, "MQTT-1.5.5-1", "", "an integer is not in its shortest form"}
	ruleOnePacket    = rule{MalformedPacket, "", "", "the bytes are not exactly one packet"}
	ruleTooLarge     = rule{PacketTooLarge, "", "", "the packet is larger than the limit"}
	ruleTruncated    = rule{MalformedPacket, "", "", "the packet ends inside a field"}
	ruleLeftOver     = rule{MalformedPacket, "", "", "bytes are left over behind the last field"}
	ruleUTF8         = rule{MalformedPacket, "MQTT-1.5.4-1", "MQTT-1.5.3-1", "a string is not well-formed UTF-8"}
	ruleNull         = rule{MalformedPacket, "MQTT-1.5.4-2", "MQTT-1.5.3-2", "a string contains the null character"}
	ruleVersion      = rule{UnsupportedProtocolVersion, "MQTT-3.1.2-2", "MQTT-3.1.2-2", "the protocol version is not supported"}
	ruleSide         = rule{ProtocolError, "", "", "this side may not send this packet type"}
	ruleUnexpected   = rule{ProtocolError, "", "", "the packet is of another type than asked for"}
	ruleServerPackID = rule{ProtocolError, "MQTT-2.2.1-4", "MQTT-2.3.1-1", "the packet identifier is 0"}
	rulePacketID     = rule{ProtocolError, "MQTT-2.2.1-3", "MQTT-2.3.1-1", "the packet identifier is 0"}
	ruleAckPacketID  = rule{ProtocolError, "MQTT-2.2.1-5", "MQTT-2.3.1-6", "the acknowledged packet identifier is 0"}
	ruleSubPacketID  = rule{ProtocolError, "MQTT-2.2.1-6", "MQTT-2.3.1-7", "the acknowledged packet identifier is 0"}
)

// Rules of CONNECT and CONNACK (3.1, 3.2).
var (
	ruleProtocolName    = rule{UnsupportedProtocolVersion, "MQTT-3.1.2-1", "MQTT-3.1.2-1", "the protocol name is not that of MQTT"}
	ruleConnectReserved = rule{MalformedPacket, "MQTT-3.1.2-3", "MQTT-3.1.2-3", "the reserved connect flag is set"}
	ruleWillQoSUnused   = rule{MalformedPacket, "MQTT-3.1.2-11", "MQTT-3.1.2-13", "the will QoS is set without a will"}
	ruleWillQoS         = rule{MalformedPacket, "MQTT-3.1.2-12", "MQTT-3.1.2-14", "the will QoS is 3"}
	ruleWillRetain      = rule{MalformedPacket, "MQTT-3.1.2-13", "MQTT-3.1.2-15", "the will retain flag is set without a will"}
	rulePasswordOnly    = rule{MalformedPacket, "", "MQTT-3.1.2-22", "there is a password without a user name"}
	ruleClientID        = rule{ClientIdentifierNotValid, "", "MQTT-3.1.3-8", "the client identifier is empty"}
	ruleConnackFlags    = rule{MalformedPacket, "MQTT-3.2.2-1", "", "the reserved connect acknowledge flags are set"}
	ruleSessionPresent  = rule{ProtocolError, "MQTT-3.2.2-6", "MQTT-3.2.2-4", "session present is set although the connection is refused"}
	ruleOldConnack      = rule{UnsupportedProtocolVersion, "MQTT-3.1.2-2", "", "the server answered with the CONNACK of an older protocol version"}
	ruleNewConnack      = rule{UnsupportedProtocolVersion, "", "MQTT-3.1.2-2", "the server answered with the CONNACK of MQTT 5"}
	ruleConnackCode     = rule{ProtocolError, "MQTT-3.2.2-8", "MQTT-3.2.2-6", "the connect reason code is not a valid one"}
)

// Rules of PUBLISH and its acknowledgements (3.3 to 3.7, 4.7).
var (
	ruleQoS          = rule{MalformedPacket, "MQTT-3.3.1-4", "MQTT-3.3.1-4", "the QoS is 3"}
	ruleDup          = rule{MalformedPacket, "MQTT-3.3.1-2", "MQTT-3.3.1-2", "DUP is set at QoS 0"}
	ruleSurplusID    = rule{ProtocolError, "MQTT-2.2.1-2", "MQTT-2.3.1-5", "there is a packet identifier at QoS 0"}
	ruleTopicEmpty   = rule{ProtocolError, "MQTT-4.7.3-1", "MQTT-4.7.3-1", "the topic name is empty"}
	ruleTopicWild    = rule{TopicNameInvalid, "MQTT-3.3.2-2", "MQTT-3.3.2-2", "the topic name contains a wildcard"}
	ruleWillWild     = rule{TopicNameInvalid, "MQTT-4.7.0-1", "MQTT-4.7.1-1", "the will topic contains a wildcard"}
	ruleResponseWild = rule{TopicNameInvalid, "MQTT-3.3.2-14", "", "the response topic contains a wildcard"}
	rulePubackCode   = rule{ProtocolError, "MQTT-3.4.2-1", "", "the PUBACK reason code is not a valid one"}
	rulePubrecCode   = rule{ProtocolError, "MQTT-3.5.2-1", "", "the PUBREC reason code is not a valid one"}
	rulePubrelCode   = rule{ProtocolError, "MQTT-3.6.2-1", "", "the PUBREL reason code is not a valid one"}
	rulePubcompCode  = rule{ProtocolError, "MQTT-3.7.2-1", "", "the PUBCOMP reason code is not a valid one"}
)

// Rules of SUBSCRIBE and UNSUBSCRIBE with their acknowledgements (3.8 to 3.11, 4.7, 4.8).
var (
	ruleNoFilters      = rule{ProtocolError, "MQTT-3.8.3-2", "MQTT-3.8.3-3", "SUBSCRIBE has no topic filter"}
	ruleNoUnfilters    = rule{ProtocolError, "MQTT-3.10.3-2", "MQTT-3.10.3-2", "UNSUBSCRIBE has no topic filter"}
	ruleFilterEmpty    = rule{ProtocolError, "MQTT-4.7.3-1", "MQTT-4.7.3-1", "the topic filter is empty"}
	ruleMultiLevel     = rule{TopicFilterInvalid, "MQTT-4.7.1-1", "MQTT-4.7.1-2", "the wildcard # is not alone in the filter's last level"}
	ruleSingleLevel    = rule{TopicFilterInvalid, "MQTT-4.7.1-2", "MQTT-4.7.1-3", "the wildcard + is not alone in its level"}
	ruleShareName      = rule{TopicFilterInvalid, "MQTT-4.8.2-1", "", "the share name of a shared subscription is empty"}
	ruleShareFilter    = rule{TopicFilterInvalid, "MQTT-4.8.2-2", "", "the share name has a wildcard, or no topic filter behind it"}
	ruleOptionBits     = rule{MalformedPacket, "MQTT-3.8.3-5", "MQTT-3.8.3-4", "the reserved subscription option bits are set"}
	ruleMaximumQoS     = rule{ProtocolError, "", "MQTT-3.8.3-4", "the requested QoS is 3"}
	ruleRetainHandling = rule{ProtocolError, "", "", "retain handling is 3"}
	ruleNoLocalShared  = rule{ProtocolError, "MQTT-3.8.3-4", "", "no local is set on a shared subscription"}
	ruleSubackCode     = rule{ProtocolError, "MQTT-3.9.3-2", "MQTT-3.9.3-2", "a SUBACK reason code is not a valid one"}
	ruleSubackNone     = rule{ProtocolError, "MQTT-3.8.4-6", "MQTT-3.8.4-5", "SUBACK has no reason code"}
	ruleUnsubackCode   = rule{ProtocolError, "MQTT-3.11.3-2", "", "an UNSUBACK reason code is not a valid one"}
	ruleUnsubackNone   = rule{ProtocolError, "MQTT-3.11.3-2", "", "UNSUBACK has no reason code"}
)

// Rules of DISCONNECT and AUTH (3.14, 3.15).
var (
	ruleDisconnectCode = rule{ProtocolError, "MQTT-3.14.2-1", "", "the DISCONNECT reason code is not a valid one from this side"}
	ruleAuthCode       = rule{ProtocolError, "MQTT-3.15.2-1", "", "the AUTH reason code is not a valid one from this side"}
	ruleAuthMethod     = rule{ProtocolError, "", "", "AUTH names no authentication method"}
	ruleAuthData       = rule{ProtocolError, "", "", "there is authentication data without an authentication method"}
)

// ruleCode is broken by a packet to be sent that has no room for its reason code.
var ruleCode = rule{MalformedPacket, "", "", "the packet has a reason code, which versions before 5 do not"}

// Rules of properties (2.2.2).
var (
	rulePropertyUnknown = rule{MalformedPacket, "", "", "the property identifier is unknown"}
	rulePropertyPlace   = rule{MalformedPacket, "", "", "the property does not belong in this packet"}
	rulePropertyTwice   = rule{ProtocolError, "", "", "the property is there twice"}
	rulePropertyFlag    = rule{ProtocolError, "", "", "the property must be 0 or 1"}
	rulePropertyZero    = rule{ProtocolError, "", "", "the property must not be 0"}
	rulePropertyEmpty   = rule{ProtocolError, "", "", "the authentication method is empty"}
	ruleTopicAlias      = rule{TopicAliasInvalid, "MQTT-3.3.2-8", "", "the topic alias is 0"}
	ruleSubIDFromClient = rule{ProtocolError, "MQTT-3.3.4-6", "", "a client's PUBLISH carries a subscription identifier"}
	ruleExpiryByServer  = rule{ProtocolError, "MQTT-3.14.2-2", "", "a server's DISCONNECT carries a session expiry interval"}
	ruleReferByClient   = rule{ProtocolError, "", "", "a client's DISCONNECT carries a server reference"}
	ruleTooLong         = rule{MalformedPacket, "", "", "a field is longer than 65535 bytes"}
)
