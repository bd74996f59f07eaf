package mqtt

// Decode walks the packet as Check does, and keeps what it finds.
func (c codec) Decode(pkt []byte, from Side) (Packet, error) {
	var r reader
	t, in := r.start(Version(c), from, pkt)
	p := r.decode(t, in, from, pkt)
	if err := r.end(); err != nil {
		return nil, err
	}
	return p, nil
}

// decode walks a packet of type t that start has begun. What it gives is whole only when
// no rule was broken.
func (r *reader) decode(t Type, in place, from Side, pkt []byte) (packet Packet) {
	var raw []byte
	var props *Properties
	switch t {
	case CONNECT:
		view := r.connect()
		return view.decode(r)
	case CONNACK:
		p := &Connack{}
		p.SessionPresent, p.ReasonCode, raw = r.connack()
		packet, props = p, &p.Properties
	case PUBLISH:
		view := r.publish(pkt[0]&0x0F, in)
		return view.decode(r)
	case PUBACK, PUBREC, PUBREL, PUBCOMP:
		p := &Ack{Kind: t}
		p.PacketID, p.ReasonCode, raw = r.ack(t, in)
		packet, props = p, &p.Properties
	case SUBSCRIBE:
		p := &Subscribe{}
		raw = r.subscribe(p)
		packet, props = p, &p.Properties
	case SUBACK:
		p := &Suback{}
		p.PacketID, raw = r.suback(&p.ReasonCodes)
		packet, props = p, &p.Properties
	case UNSUBSCRIBE:
		p := &Unsubscribe{}
		raw = r.unsubscribe(p)
		packet, props = p, &p.Properties
	case UNSUBACK:
		p := &Unsuback{}
		p.PacketID, raw = r.unsuback(&p.ReasonCodes)
		packet, props = p, &p.Properties
	case PINGREQ:
		return &Pingreq{}
	case PINGRESP:
		return &Pingresp{}
	case DISCONNECT:
		p := &Disconnect{}
		p.ReasonCode, raw = r.disconnect(from)
		packet, props = p, &p.Properties
	case AUTH:
		p := &Auth{}
		p.ReasonCode, raw = r.auth(in)
		packet, props = p, &p.Properties
	default:
		return nil
	}
	r.decodeProperties(raw, props)
	return packet
}

// decode copies the view into a Publish.
func (p PublishView) decode(r *reader) *Publish {
	publish := &Publish{
		Dup:      p.Dup(),
		QoS:      p.QoS(),
		Retain:   p.Retain(),
		Topic:    string(p.Topic),
		PacketID: p.PacketID,
		Payload:  append([]byte(nil), p.Payload...),
	}
	r.decodeProperties(p.Properties, &publish.Properties)
	return publish
}

// decode copies the view into a Connect.
func (c *connectView) decode(r *reader) *Connect {
	p := &Connect{
		Version:     c.version,
		ClientID:    string(c.clientID),
		HasUsername: c.flags&connectUsername != 0,
		Username:    string(c.username),
		HasPassword: c.flags&connectPassword != 0,
		Password:    append([]byte(nil), c.password...),
		KeepAlive:   c.keepAlive,
		CleanStart:  c.flags&connectCleanStart != 0,
	}
	r.decodeProperties(c.properties, &p.Properties)
	if c.flags&connectWill != 0 {
		p.Will = &Will{
			Topic:   string(c.willTopic),
			Payload: append([]byte(nil), c.willPayload...),
			QoS:     c.flags & connectWillQoS >> 3,
			Retain:  c.flags&connectWillRetain != 0,
		}
		r.decodeProperties(c.willProperties, &p.Will.Properties)
	}
	return p
}
