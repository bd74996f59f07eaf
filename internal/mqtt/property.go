package mqtt

// property is one property as its packet holds it.
type property struct {
	id     byte
	number uint32 // value of the integer kinds
	text   []byte // value of the string and binary kinds; the name of a pair
	value  []byte // value of a pair
}

// bit is the property's bit in a set of property identifiers.
func (p *property) bit() uint64 { return 1 << p.id }

// property reads one property, whatever packet it is in.
func (r *reader) property() (p property) {
	id := r.varint()
	if id >= uint32(len(propertyTable)) || propertyTable[id].kind == 0 {
		r.breaks(&rulePropertyUnknown)
		return p
	}
	p.id = byte(id)
	def := &propertyTable[id]
	switch def.kind {
	case kindFlag:
		if p.number = uint32(r.byte()); p.number > 1 {
			r.breaks(&rulePropertyFlag)
		}
		return p
	case kindUint16:
		p.number = uint32(r.uint16())
	case kindUint32:
		p.number = r.uint32()
	case kindVarint:
		p.number = r.varint()
	case kindBinary:
		p.text = r.binary()
	case kindText:
		p.text = r.text()
		if def.wild != nil && hasWildcard(p.text) {
			r.breaks(def.wild)
		}
	case kindPair:
		p.text, p.value = r.text(), r.text()
	}
	if def.zero != nil && p.number == 0 && len(p.text) == 0 {
		r.breaks(def.zero)
	}
	return p
}

// properties reads a property length and the properties behind it, which stand in the
// places in. It gives them raw, and the set of their identifiers. Versions before 5
// have none.
func (r *reader) properties(in place) (raw []byte, ids uint64) {
	if r.v != V5 {
		return nil, 0
	}
	raw = r.take(int(r.varint()))
	props := reader{b: raw, v: r.v, err: r.err}
	for len(props.b) > 0 {
		p := props.property()
		if props.err != nil {
			break
		}
		props.placed(&p, in, ids)
		ids |= p.bit()
	}
	if props.err != nil {
		r.err, r.b = props.err, nil
		return nil, 0
	}
	return raw, ids
}

// placed demands that p may stand in the places in, and if it is in ids already, more
// than once.
func (r *reader) placed(p *property, in place, ids uint64) {
	def := &propertyTable[p.id]
	switch {
	case def.in&in == 0 && def.byOther != nil && def.in&in.eitherSide() != 0:
		r.breaks(def.byOther)
	case def.in&in == 0:
		r.breaks(&rulePropertyPlace)
	case ids&p.bit() != 0 && def.many&in == 0:
		r.breaks(&rulePropertyTwice)
	}
}

// FindUserProperty gives the value of the first user property named key in raw, the
// properties of a packet without their length, as PublishView has them. The value is a
// part of raw.
func FindUserProperty(raw []byte, key string) (value []byte, ok bool) {
	r := reader{b: raw, v: V5}
	for len(r.b) > 0 {
		p := r.property()
		if r.err != nil {
			return nil, false
		}
		if p.id == propUser && string(p.text) == key {
			return p.value, true
		}
	}
	return nil, false
}

// DecodeProperties decodes raw, the properties of a packet without their length, as
// PublishView has them. The result does not alias raw. The error is an *Error; there is
// none when raw is part of a packet that was checked.
func DecodeProperties(raw []byte) (Properties, error) {
	var props Properties
	var ids uint64
	r := reader{b: raw, v: V5}
	for len(r.b) > 0 {
		p := r.property()
		if r.err == nil && ids&p.bit() != 0 && propertyTable[p.id].many == 0 {
			r.breaks(&rulePropertyTwice)
		}
		if r.err != nil {
			return Properties{}, r.err
		}
		ids |= p.bit()
		props.set(&p)
	}
	return props, r.end()
}

// set stores p in the field that holds it.
func (props *Properties) set(p *property) {
	switch p.id {
	case propPayloadFormat:
		props.PayloadFormat = flag(p)
	case propMessageExpiry:
		props.MessageExpiry = number32(p)
	case propContentType:
		props.ContentType = string(p.text)
	case propResponseTopic:
		props.ResponseTopic = string(p.text)
	case propCorrelationData:
		props.CorrelationData = binary(p)
	case propSubscriptionID:
		props.SubscriptionID = append(props.SubscriptionID, p.number)
	case propUser:
		props.User = append(props.User, UserProperty{string(p.text), string(p.value)})
	case propTopicAlias:
		props.TopicAlias = number16(p)
	case propReasonString:
		props.ReasonString = string(p.text)
	case propAuthMethod:
		props.AuthMethod = string(p.text)
	case propAuthData:
		props.AuthData = binary(p)
	case propSessionExpiry:
		props.SessionExpiry = number32(p)
	case propServerReference:
		props.ServerReference = string(p.text)
	default:
		props.setHandshake(p)
	}
}

// setHandshake stores p where CONNECT, its will or CONNACK alone may hold it.
func (props *Properties) setHandshake(p *property) {
	switch p.id {
	case propAssignedClientID:
		props.AssignedClientID = string(p.text)
	case propServerKeepAlive:
		props.ServerKeepAlive = number16(p)
	case propRequestProblemInfo:
		props.RequestProblemInfo = flag(p)
	case propWillDelay:
		props.WillDelay = number32(p)
	case propRequestResponseInfo:
		props.RequestResponseInfo = flag(p)
	case propResponseInfo:
		props.ResponseInfo = string(p.text)
	case propReceiveMaximum:
		props.ReceiveMaximum = number16(p)
	case propTopicAliasMaximum:
		props.TopicAliasMaximum = number16(p)
	case propMaximumQoS:
		props.MaximumQoS = flag(p)
	case propRetainAvailable:
		props.RetainAvailable = flag(p)
	case propMaximumPacketSize:
		props.MaximumPacketSize = number32(p)
	case propWildcardSubAvailable:
		props.WildcardSubAvailable = flag(p)
	case propSubIDAvailable:
		props.SubIDAvailable = flag(p)
	case propSharedSubAvailable:
		props.SharedSubAvailable = flag(p)
	}
}

func flag(p *property) *byte       { v := byte(p.number); return &v }
func number16(p *property) *uint16 { v := uint16(p.number); return &v }
func number32(p *property) *uint32 { v := p.number; return &v }
func binary(p *property) []byte    { return append([]byte(nil), p.text...) }
