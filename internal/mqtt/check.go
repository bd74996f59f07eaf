package mqtt

// Check walks pkt, which must be one whole packet that from sent, strictly by the
// standard of version v: flags, packet identifiers, UTF-8, properties and reason codes
// that belong there, value ranges, topic names and filters, and nothing left over. What
// depends on the session is not checked. On success it allocates nothing; the error is
// an *Error.
func Check(v Version, from Side, pkt []byte) error {
	var r reader
	switch t, in := r.start(v, from, pkt); t {
	case CONNECT:
		r.connect()
	case CONNACK:
		r.connack()
	case PUBLISH:
		r.publish(pkt[0]&0x0F, in)
	case PUBACK, PUBREC, PUBREL, PUBCOMP:
		r.ack(t, in)
	case SUBSCRIBE:
		r.subscribe(nil)
	case SUBACK:
		r.suback(nil)
	case UNSUBSCRIBE:
		r.unsubscribe(nil)
	case UNSUBACK:
		r.unsuback(nil)
	case DISCONNECT:
		r.disconnect(from)
	case AUTH:
		r.auth(in)
	}
	return r.end()
}

// start is open for a packet that from sent. It gives the type, 0 when there is nothing
// to walk, and the place that its properties and reason codes stand in.
func (r *reader) start(v Version, from Side, pkt []byte) (t Type, in place) {
	if r.open(v, pkt); r.err != nil {
		return 0, 0
	}
	t = PacketTypeOf(pkt)
	in = sent(from, t)
	if senders&in == 0 {
		r.breaks(&ruleSide)
		return 0, 0
	}
	return t, in
}

// connack walks CONNACK (3.2).
func (r *reader) connack() (sessionPresent bool, code ReasonCode, properties []byte) {
	if r.v == V5 && len(r.b) == 2 {
		r.breaks(&ruleOldConnack)
		return false, 0, nil
	}
	flags := r.byte()
	if flags&^connackSession != 0 {
		r.breaks(&ruleConnackFlags)
	}
	if r.v == V5 {
		code = r.reasonCode(server<<CONNACK, &ruleConnackCode)
	} else if code = ReasonCode(r.byte()); code == UnsupportedProtocolVersion {
		r.breaks(&ruleNewConnack)
	} else if code > 5 {
		r.breaks(&ruleConnackCode)
	}
	if code != Success && flags != 0 {
		r.breaks(&ruleSessionPresent)
	}
	properties, _ = r.properties(server << CONNACK)
	return flags != 0, code, properties
}

// suback walks SUBACK (3.9) and appends the codes, which may be nil.
func (r *reader) suback(codes *[]ReasonCode) (id uint16, properties []byte) {
	id = r.packetID(&ruleSubPacketID)
	properties, _ = r.properties(server << SUBACK)
	if r.err == nil && len(r.b) == 0 {
		r.breaks(&ruleSubackNone)
	}
	for len(r.b) > 0 {
		code := r.reasonCode(server<<SUBACK, &ruleSubackCode)
		if r.v != V5 && code > GrantedQoS2 && code != UnspecifiedError {
			r.breaks(&ruleSubackCode)
		}
		if codes != nil {
			*codes = append(*codes, code)
		}
	}
	return id, properties
}

// unsuback walks UNSUBACK (3.11) and appends the codes, which may be nil. There are some
// on version 5 only.
func (r *reader) unsuback(codes *[]ReasonCode) (id uint16, properties []byte) {
	id = r.packetID(&ruleSubPacketID)
	if r.v != V5 {
		return id, nil
	}
	properties, _ = r.properties(server << UNSUBACK)
	if r.err == nil && len(r.b) == 0 {
		r.breaks(&ruleUnsubackNone)
	}
	for len(r.b) > 0 {
		code := r.reasonCode(server<<UNSUBACK, &ruleUnsubackCode)
		if codes != nil {
			*codes = append(*codes, code)
		}
	}
	return id, properties
}

// disconnect walks DISCONNECT (3.14). Before version 5 it is empty and the client's
// alone.
func (r *reader) disconnect(from Side) (code ReasonCode, properties []byte) {
	if r.v != V5 && from == FromServer {
		r.breaks(&ruleSide)
	}
	return r.outcome(sent(from, DISCONNECT), &ruleDisconnectCode)
}

// auth walks AUTH (3.15). Empty, it stands for success without properties.
func (r *reader) auth(in place) (code ReasonCode, properties []byte) {
	if len(r.b) == 0 {
		if reasons[Success].in&in == 0 {
			r.breaks(&ruleAuthCode)
		}
		return Success, nil
	}
	code = r.reasonCode(in, &ruleAuthCode)
	properties, ids := r.properties(in)
	r.authMethod(ids, true)
	return code, properties
}

// outcome reads the reason code and the properties with which a packet ends. They may be
// left out where they say nothing; versions before 5 have neither. broken is the rule
// that a wrong reason code breaks.
func (r *reader) outcome(in place, broken *rule) (code ReasonCode, properties []byte) {
	if r.v != V5 || len(r.b) == 0 {
		return Success, nil
	}
	code = r.reasonCode(in, broken)
	if len(r.b) > 0 {
		properties, _ = r.properties(in)
	}
	return code, properties
}

// authMethod demands that a set of properties with authentication data, or any set
// where always is true, names an authentication method.
func (r *reader) authMethod(ids uint64, always bool) {
	switch {
	case r.err != nil || ids&(1<<propAuthMethod) != 0:
	case always:
		r.breaks(&ruleAuthMethod)
	case ids&(1<<propAuthData) != 0:
		r.breaks(&ruleAuthData)
	}
}
