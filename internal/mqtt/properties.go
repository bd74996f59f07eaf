package mqtt

// DecodeProperties decodes raw, the properties of a packet without their length, as
// PublishView has them. The result does not alias raw. The error is an *Error; there is
// none when raw is part of a packet that was checked.
func DecodeProperties(raw []byte) (Properties, error) {
	r := reader{v: V5}
	var props Properties
	r.decodeProperties(raw, &props)
	if r.err != nil {
		return Properties{}, r.err
	}
	return props, nil
}

// EncodeProperties writes what PUBLISH may have of p, as it stands on the wire without the
// length in front: what DecodeProperties reads. The error is an *Error.
func EncodeProperties(p *Properties) ([]byte, error) {
	w := writer{v: V5}
	w.properties(both<<PUBLISH, p)
	if w.broken != nil {
		return nil, w.broken.broken(V5)
	}
	_, size, _ := varint(w.b)
	if _, err := DecodeProperties(w.b[size:]); err != nil {
		return nil, err
	}
	return w.b[size:], nil
}

// decodeProperties decodes raw into props, which must be empty, unless the walk of the
// packet has failed.
func (r *reader) decodeProperties(raw []byte, props *Properties) {
	var ids uint64
	walk := reader{b: raw, v: V5, err: r.err}
	for walk.err == nil && len(walk.b) > 0 {
		p := walk.property()
		if ids&p.bit() != 0 && propertyTable[p.id].many == 0 {
			walk.breaks(&rulePropertyTwice)
		}
		ids |= p.bit()
		props.set(&p)
	}
	r.err = walk.err
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
		props.CorrelationData = bytesOf(p)
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
		props.AuthData = bytesOf(p)
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

//go:noinline
func flag(p *property) *byte { v := byte(p.number); return &v }

//go:noinline
func number16(p *property) *uint16 { v := uint16(p.number); return &v }

//go:noinline
func number32(p *property) *uint32 { v := p.number; return &v }

//go:noinline
func bytesOf(p *property) []byte { return append([]byte(nil), p.text...) }
