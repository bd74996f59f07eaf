package session

import (
	"github.com/kiiweb/kiiweb/internal/fault"
	"github.com/kiiweb/kiiweb/internal/mqtt"
)

// receipt is an acknowledgement that is owed: PUBACK or PUBREC.
type receipt struct {
	kind mqtt.Type
	id   uint16
}

// ack takes in PUBACK, PUBREC, PUBREL and PUBCOMP. One that names no message is late
// and changes nothing.
func (l *loop) ack(p *mqtt.Ack) {
	if p.Kind == mqtt.PUBREL {
		l.released(p.PacketID)
		return
	}
	o := l.out.find(p.PacketID)
	if o == nil && p.Kind == mqtt.PUBREC {
		o = l.out.rewound(p.PacketID) // the server has it from an earlier connection: to send it again would make two of it
	}
	if o == nil {
		if p.Kind == mqtt.PUBREC && p.ReasonCode < mqtt.UnspecifiedError {
			l.answer(mqtt.PUBREL, p.PacketID, false) // or the server would wait for it for ever
		}
		return
	}
	l.link.answered = true
	switch {
	case p.Kind != mqtt.PUBACK && o.packet.QoS == 1, (p.Kind == mqtt.PUBCOMP) != o.taken && p.Kind != mqtt.PUBREC:
		l.violate(mqtt.ProtocolError, "", "an acknowledgement came that does not fit the message")
	case p.ReasonCode >= mqtt.UnspecifiedError && p.Kind != mqtt.PUBCOMP:
		l.out.end(o, refusedPublish(p))
	case p.Kind == mqtt.PUBREC:
		o.take()
		l.answer(mqtt.PUBREL, p.PacketID, true)
	default: // PUBACK at QoS 2 comes from brokers that take it for QoS 1, as RabbitMQ 3 does; PUBCOMP
		// that knows no such packet says that it was done before
		l.out.end(o, nil)
	}
}

// released takes in PUBREL, the end of a message received at QoS 2.
func (l *loop) released(id uint16) {
	known := l.unreleased.remove(id)
	if known {
		l.link.unacked = max(l.link.unacked-1, 0) // it may have come over an earlier connection
	}
	before := len(l.link.out)
	l.answer(mqtt.PUBCOMP, id, known)
	l.link.receipted(before)
}

// answer sends the next packet of a handshake of QoS 2. known: the identifier belongs
// to a message; otherwise MQTT 5 tells the server so.
func (l *loop) answer(kind mqtt.Type, id uint16, known bool) {
	p := &mqtt.Ack{Kind: kind, PacketID: id}
	if !known && l.version == mqtt.V5 {
		p.ReasonCode = mqtt.PacketIdentifierNotFound
	}
	_ = l.encode(p) // an answer to a packet that was decoded can be encoded
}

// acknowledge sends PUBACK and PUBREC for a batch that was delivered, if its
// connection is still there. A message at QoS 2 counts as received until its PUBCOMP
// [MQTT-4.9.0-1].
func (l *loop) acknowledge(b batch) {
	if l.link == nil || l.link.gen != b.gen {
		return
	}
	ack := &mqtt.Ack{}
	if n := l.link.lane; n != nil {
		n.pay(b.behind, ack)
	}
	for _, r := range b.acks {
		ack.Kind, ack.PacketID = r.kind, r.id
		l.receipt(ack)
	}
}

// receipted notes that what is encoded, but for so many bytes, acknowledges what was received. It counts as next to nothing for
// the keep alive: a server sends only so many messages ahead, so what acknowledges those before has got there.
func (k *link) receipted(before int) { k.receipts += len(k.out) - before }

// receipt sends PUBACK or PUBREC.
func (l *loop) receipt(ack *mqtt.Ack) {
	before := len(l.link.out)
	_ = l.encode(ack) // an acknowledgement of a packet that was parsed can be encoded
	l.link.receipted(before)
	if ack.Kind == mqtt.PUBACK {
		l.link.unacked--
	}
}

func refusedPublish(p *mqtt.Ack) error {
	r := lookup(pubackRulings, p.ReasonCode, fault.ProtocolError)
	return told(r.code, "the broker refused the message", p.ReasonCode, &p.Properties)
}
