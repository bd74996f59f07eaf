package mqtt

// properties writes a property length and the properties behind it, which stand in the
// places in. Versions before 5 have neither.
func (w *writer) properties(in place, p *Properties) {
	start := len(w.b)
	if w.in = in; w.v != V5 {
		w.in = 0
	}
	w.messageProperties(p)
	w.handshakeProperties(p)
	w.string(propAuthMethod, p.AuthMethod)
	w.data(propAuthData, p.AuthData)
	w.string(propServerReference, p.ServerReference)
	w.string(propReasonString, p.ReasonString)
	for _, u := range p.User {
		w.property(propUser)
		w.text(u.Key)
		w.text(u.Value)
	}
	if w.v == V5 {
		w.measure(start, 0)
	}
}

// messageProperties writes what PUBLISH, a will or SUBSCRIBE may have.
func (w *writer) messageProperties(p *Properties) {
	w.number32(propWillDelay, p.WillDelay)
	w.flag(propPayloadFormat, p.PayloadFormat)
	w.number32(propMessageExpiry, p.MessageExpiry)
	w.string(propContentType, p.ContentType)
	w.string(propResponseTopic, p.ResponseTopic)
	w.data(propCorrelationData, p.CorrelationData)
	w.number16(propTopicAlias, p.TopicAlias)
	for _, id := range p.SubscriptionID {
		w.property(propSubscriptionID)
		w.b = appendVarint(w.b, int(id))
	}
}

// handshakeProperties writes what CONNECT, CONNACK or DISCONNECT may have.
func (w *writer) handshakeProperties(p *Properties) {
	w.number16(propReceiveMaximum, p.ReceiveMaximum)
	w.number16(propTopicAliasMaximum, p.TopicAliasMaximum)
	w.number32(propMaximumPacketSize, p.MaximumPacketSize)
	w.flag(propMaximumQoS, p.MaximumQoS)
	w.string(propAssignedClientID, p.AssignedClientID)
	w.number16(propServerKeepAlive, p.ServerKeepAlive)
	w.flag(propWildcardSubAvailable, p.WildcardSubAvailable)
	w.flag(propSubIDAvailable, p.SubIDAvailable)
	w.flag(propSharedSubAvailable, p.SharedSubAvailable)
	w.flag(propRetainAvailable, p.RetainAvailable)
	w.string(propResponseInfo, p.ResponseInfo)
	w.flag(propRequestProblemInfo, p.RequestProblemInfo)
	w.flag(propRequestResponseInfo, p.RequestResponseInfo)
	w.number32(propSessionExpiry, p.SessionExpiry)
}

// property writes the identifier of a property that is there.
//
//go:noinline
func (w *writer) property(id byte) {
	w.demand(propertyTable[id].in&w.in != 0, &rulePropertyPlace)
	w.byte(id)
}

//go:noinline
func (w *writer) flag(id byte, v *byte) {
	if v != nil {
		w.property(id)
		w.byte(*v)
	}
}

//go:noinline
func (w *writer) number16(id byte, v *uint16) {
	if v != nil {
		w.property(id)
		w.uint16(*v)
	}
}

//go:noinline
func (w *writer) number32(id byte, v *uint32) {
	if v != nil {
		w.property(id)
		w.uint32(*v)
	}
}

//go:noinline
func (w *writer) string(id byte, s string) {
	if s != "" {
		w.property(id)
		w.text(s)
	}
}

//go:noinline
func (w *writer) data(id byte, b []byte) {
	if len(b) > 0 {
		w.property(id)
		w.binary(b)
	}
}
