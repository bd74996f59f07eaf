package mqtt

// Bits of the flags of PUBLISH (3.3.1).
const (
	publishRetain = 0x01
	publishQoS    = 0x06
	publishDup    = 0x08
)

// PublishView is a PUBLISH in place: its slices are parts of the packet, and as
// short-lived as that.
type PublishView struct {
	Flags      byte   // the low 4 bits of the packet's first byte
	PacketID   uint16 // 0 at QoS 0
	Topic      []byte // empty where a topic alias stands for it
	Alias      bool   // there is a topic alias, with a topic or in its place
	Properties []byte // raw, without their length; see DecodeProperties and FindUserProperty
	Payload    []byte
}

// QoS gives the QoS, 0 to 2.
func (p PublishView) QoS() byte { return p.Flags & publishQoS >> 1 }

// Dup tells whether the packet was sent before.
func (p PublishView) Dup() bool { return p.Flags&publishDup != 0 }

// Retain gives the RETAIN flag.
func (p PublishView) Retain() bool { return p.Flags&publishRetain != 0 }

// beginningMax is the size in bytes of the longest beginning of a PUBLISH: the fixed header, the topic name and the packet identifier.
const beginningMax = headerMax + 2 + 65535 + 2

// Beginning gives the PUBLISH that pkt, before MQTT 5, is but for its payload; the end of pkt may be missing. What is not even a
// beginning is given as it is.
func Beginning(pkt []byte) []byte {
	_, header, _ := varint(pkt[1:])
	body := pkt[1+header:]
	if len(body) < 2 {
		return pkt
	}
	n := 2 + int(body[0])<<8 + int(body[1])
	if pkt[0]&0x06 != 0 {
		n += 2
	}
	if n > len(body) {
		return pkt
	}
	out := append(make([]byte, 0, headerMax+n), pkt[0])
	for left := n; ; {
		b := byte(left & 0x7F)
		if left >>= 7; left == 0 {
			out = append(out, b)
			break
		}
		out = append(out, b|0x80)
	}
	return append(out, body[:n]...)
}

// ParsePublish checks a PUBLISH as Check does and gives its parts. On success it
// allocates nothing; the error is an *Error.
func ParsePublish(v Version, from Side, pkt []byte) (PublishView, error) {
	var r reader
	r.openAs(v, PUBLISH, pkt)
	if r.err != nil {
		return PublishView{}, r.err
	}
	p := r.publish(pkt[0]&0x0F, sent(from, PUBLISH))
	if r.err != nil {
		return PublishView{}, r.err
	}
	return p, nil
}

// publish walks PUBLISH (3.3).
func (r *reader) publish(flags byte, in place) PublishView {
	p := PublishView{Flags: flags}
	p.Topic = r.text()
	if hasWildcard(p.Topic) {
		r.breaks(&ruleTopicWild)
	}
	if flags&publishQoS != 0 {
		if in == server<<PUBLISH {
			p.PacketID = r.packetID(&ruleServerPackID)
		} else {
			p.PacketID = r.packetID(&rulePacketID)
		}
	}
	var ids uint64
	p.Properties, ids = r.properties(in)
	p.Alias = ids&(1<<propTopicAlias) != 0
	if len(p.Topic) == 0 && !p.Alias {
		r.breaks(&ruleTopicEmpty)
	}
	p.Payload = r.rest()
	return p
}

// ParseAck checks a PUBACK, PUBREC, PUBREL or PUBCOMP as Check does, whoever sent it,
// and decodes it.
func ParseAck(v Version, pkt []byte) (Ack, error) {
	var r reader
	r.open(v, pkt)
	a := Ack{Kind: PacketTypeOf(pkt)}
	if r.err == nil && (a.Kind < PUBACK || a.Kind > PUBCOMP) {
		r.breaks(&ruleUnexpected)
	}
	var raw []byte
	a.PacketID, a.ReasonCode, raw = r.ack(a.Kind, both<<a.Kind)
	r.decodeProperties(raw, &a.Properties)
	if err := r.end(); err != nil {
		return Ack{}, err
	}
	return a, nil
}

// ack walks PUBACK, PUBREC, PUBREL and PUBCOMP (3.4 to 3.7).
func (r *reader) ack(t Type, in place) (id uint16, code ReasonCode, properties []byte) {
	id = r.packetID(&ruleAckPacketID)
	code, properties = r.outcome(in, ackRule(t))
	return id, code, properties
}

// ackRule is the rule that a wrong reason code breaks in an acknowledgement.
func ackRule(t Type) *rule {
	switch t {
	case PUBREC:
		return &rulePubrecCode
	case PUBREL:
		return &rulePubrelCode
	case PUBCOMP:
		return &rulePubcompCode
	}
	return &rulePubackCode
}
