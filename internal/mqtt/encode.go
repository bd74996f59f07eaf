package mqtt

// packet writes a packet whole.
func (w *writer) packet(p Packet) {
	if p == nil {
		w.demand(false, &ruleType)
		return
	}
	w.byte(firstByteOf(p.PacketType()))
	start := len(w.b)
	var payload []byte // of PUBLISH; not written before its length is known, and so copied once
	switch p := p.(type) {
	case *Connect:
		w.connect(p)
	case *Connack:
		w.connack(p)
	case *Publish:
		w.b[start-1] |= publishFlagsOf(p)
		w.publish(p)
		payload = p.Payload
	case *Ack:
		w.demand(p.Kind >= PUBACK && p.Kind <= PUBCOMP, &ruleType)
		w.uint16(p.PacketID)
		w.outcome(p.ReasonCode, p.Kind, &p.Properties)
	case *Subscribe:
		w.subscribe(p)
	case *Suback:
		w.uint16(p.PacketID)
		w.properties(both<<SUBACK, &p.Properties)
		w.reasonCodes(p.ReasonCodes)
	case *Unsubscribe:
		w.unsubscribe(p)
	case *Unsuback:
		w.uint16(p.PacketID)
		w.properties(both<<UNSUBACK, &p.Properties)
		w.reasonCodes(p.ReasonCodes)
	case *Disconnect:
		w.outcome(p.ReasonCode, DISCONNECT, &p.Properties)
	case *Auth:
		w.outcome(p.ReasonCode, AUTH, &p.Properties)
	case *Pingreq, *Pingresp:
	default:
		w.demand(false, &ruleType)
	}
	if w.measure(start, len(payload)); w.broken == nil {
		w.b = append(w.b, payload...)
	}
}

// firstByteOf gives the first byte of packets of type t (2.1.3), for PUBLISH without its
// flags.
func firstByteOf(t Type) byte {
	switch t {
	case PUBREL, SUBSCRIBE, UNSUBSCRIBE:
		return byte(t)<<4 | 0x2
	}
	return byte(t) << 4
}

// connect writes CONNECT (3.1).
func (w *writer) connect(p *Connect) {
	w.demand(p.Version == w.v, &ruleVersion)
	if w.v == V31 {
		w.text("MQIsdp")
	} else {
		w.text("MQTT")
	}
	w.byte(byte(w.v))
	w.byte(connectFlagsOf(p))
	w.uint16(p.KeepAlive)
	w.properties(both<<CONNECT, &p.Properties)
	w.text(p.ClientID)
	if p.Will != nil {
		w.demand(p.Will.QoS <= 2, &ruleWillQoS)
		w.properties(inWill, &p.Will.Properties)
		w.text(p.Will.Topic)
		w.binary(p.Will.Payload)
	}
	if p.HasUsername {
		w.text(p.Username)
	}
	if p.HasPassword {
		w.binary(p.Password)
	}
}

// connectFlagsOf gives the connect flags (3.1.2.3).
func connectFlagsOf(p *Connect) (flags byte) {
	if p.CleanStart {
		flags |= connectCleanStart
	}
	if p.Will != nil {
		flags |= connectWill | p.Will.QoS<<3
		if p.Will.Retain {
			flags |= connectWillRetain
		}
	}
	if p.HasUsername {
		flags |= connectUsername
	}
	if p.HasPassword {
		flags |= connectPassword
	}
	return flags
}

// connack writes CONNACK (3.2).
func (w *writer) connack(p *Connack) {
	var flags byte
	if p.SessionPresent {
		flags = connackSession
	}
	w.b = append(w.b, flags, byte(p.ReasonCode))
	w.properties(both<<CONNACK, &p.Properties)
}

// publish writes PUBLISH (3.3) up to its payload.
func (w *writer) publish(p *Publish) {
	w.demand(p.QoS <= 2, &ruleQoS)
	w.demand(p.QoS > 0 || p.PacketID == 0, &ruleSurplusID)
	w.text(p.Topic)
	if p.QoS > 0 {
		w.uint16(p.PacketID)
	}
	w.properties(both<<PUBLISH, &p.Properties)
}

func publishFlagsOf(p *Publish) byte {
	flags := p.QoS << 1
	if p.Dup {
		flags |= publishDup
	}
	if p.Retain {
		flags |= publishRetain
	}
	return flags
}

// outcome writes the reason code and the properties with which a packet of type t ends:
// both where one of them says something, else neither (3.4.2.1, 3.14.2.1, 3.15.2.1).
// The standard allows properties alone to be left out too, but there are brokers that
// do not look at a reason code with nothing behind it.
func (w *writer) outcome(code ReasonCode, t Type, props *Properties) {
	start := len(w.b)
	if w.v == V5 {
		w.byte(byte(code))
	}
	w.properties(both<<t, props)
	switch {
	case w.v != V5:
		w.demand(code == Success, &ruleCode)
	case code == Success && len(w.b) == start+2:
		w.b = w.b[:start]
	}
}

// reasonCodes writes the payload of SUBACK or UNSUBACK.
func (w *writer) reasonCodes(codes []ReasonCode) {
	for _, c := range codes {
		w.byte(byte(c))
	}
}

// subscribe writes SUBSCRIBE (3.8).
func (w *writer) subscribe(p *Subscribe) {
	w.uint16(p.PacketID)
	w.properties(both<<SUBSCRIBE, &p.Properties)
	for _, s := range p.Subscriptions {
		w.demand(s.QoS <= 2, &ruleMaximumQoS)
		w.demand(s.RetainHandling <= 2, &ruleRetainHandling)
		w.text(s.Filter)
		w.byte(optionsOf(&s))
	}
}

// optionsOf gives the subscription options (3.8.3.1).
func optionsOf(s *Subscription) byte {
	options := s.QoS | s.RetainHandling<<4
	if s.NoLocal {
		options |= optionNoLocal
	}
	if s.RetainAsPublished {
		options |= optionAsPublished
	}
	return options
}

// unsubscribe writes UNSUBSCRIBE (3.10).
func (w *writer) unsubscribe(p *Unsubscribe) {
	w.uint16(p.PacketID)
	w.properties(both<<UNSUBSCRIBE, &p.Properties)
	for _, filter := range p.Filters {
		w.text(filter)
	}
}
