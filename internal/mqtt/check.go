package mqtt

// Check walks pkt, which must be one whole packet that from sent, strictly by the
// standard of version v: flags, packet identifiers, UTF-8, properties and reason codes
// that belong there, value ranges, topic names and filters, and nothing left over. What
// depends on the session is not checked. On success it allocates nothing; the error is
// an *Error.
func Check(v Version, from Side, pkt []byte) error {
	var r reader
	r.open(v, pkt)
	if r.err != nil {
		return r.err
	}
	t := PacketTypeOf(pkt)
	in := sent(from, t)
	if senders&in == 0 {
		r.breaks(&ruleSide)
		return r.end()
	}
	switch t {
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
		r.suback()
	case UNSUBSCRIBE:
		r.unsubscribe(nil)
	case UNSUBACK:
		r.unsuback()
	case DISCONNECT:
		r.disconnect(from)
	case AUTH:
		r.auth(in)
	}
	return r.end()
}

// connack walks CONNACK (3.2).
func (r *reader) connack() {
	if r.v == V5 && len(r.b) == 2 {
		r.breaks(&ruleOldConnack)
		return
	}
	flags := r.byte()
	if flags > 1 {
		r.breaks(&ruleConnackFlags)
	}
	var code ReasonCode
	if r.v == V5 {
		code = r.reasonCode(sent(FromServer, CONNACK), &ruleConnackCode)
	} else if code = ReasonCode(r.byte()); code > 5 {
		r.breaks(&ruleConnackCode)
	}
	if code != Success && flags != 0 {
		r.breaks(&ruleSessionPresent)
	}
	r.properties(sent(FromServer, CONNACK))
}

// suback walks SUBACK (3.9).
func (r *reader) suback() {
	in := sent(FromServer, SUBACK)
	r.packetID(&ruleSubPacketID)
	r.properties(in)
	if r.err == nil && len(r.b) == 0 {
		r.breaks(&ruleSubackNone)
	}
	for len(r.b) > 0 {
		code := r.reasonCode(in, &ruleSubackCode)
		if r.v != V5 && code > GrantedQoS2 && code != UnspecifiedError {
			r.breaks(&ruleSubackCode)
		}
	}
}

// unsuback walks UNSUBACK (3.11), which has reason codes on version 5 only.
func (r *reader) unsuback() {
	in := sent(FromServer, UNSUBACK)
	r.packetID(&ruleSubPacketID)
	if r.v != V5 {
		return
	}
	r.properties(in)
	if r.err == nil && len(r.b) == 0 {
		r.breaks(&ruleUnsubackNone)
	}
	for len(r.b) > 0 {
		r.reasonCode(in, &ruleUnsubackCode)
	}
}

// disconnect walks DISCONNECT (3.14). Before version 5 it is empty and the client's
// alone.
func (r *reader) disconnect(from Side) {
	if r.v != V5 {
		if from == FromServer {
			r.breaks(&ruleSide)
		}
		return
	}
	if in := sent(from, DISCONNECT); len(r.b) > 0 {
		r.reasonCode(in, &ruleDisconnectCode)
		if len(r.b) > 0 {
			r.properties(in)
		}
	}
}

// auth walks AUTH (3.15). Empty, it stands for success without properties.
func (r *reader) auth(in place) {
	if len(r.b) == 0 {
		if reasons[Success].in&in == 0 {
			r.breaks(&ruleAuthCode)
		}
		return
	}
	r.reasonCode(in, &ruleAuthCode)
	r.authMethod(r.propertiesOf(in), true)
}

// propertiesOf is properties for those who want the identifiers alone.
func (r *reader) propertiesOf(in place) (ids uint64) {
	_, ids = r.properties(in)
	return ids
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
