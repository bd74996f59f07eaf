package mqtt

import "github.com/eclipse/paho.golang/packets"

// appendControl5 encodes all packets but CONNECT and PUBLISH: those that say nothing but
// success in their short form, the others through paho.
func appendControl5(dst []byte, p Packet) []byte {
	switch p := p.(type) {
	case *Pingreq, *Pingresp:
		return append(dst, byte(p.PacketType())<<4, 0)
	case *Ack:
		if p.ReasonCode == Success && p.Properties.ids() == 0 {
			return appendUint16(append(dst, firstByteOf(p.Kind), 2), p.PacketID)
		}
	case *Disconnect:
		if p.ReasonCode == Success && p.Properties.ids() == 0 {
			return append(dst, byte(DISCONNECT)<<4, 0)
		}
	case *Auth:
		if p.ReasonCode == Success && p.Properties.ids() == 0 {
			return append(dst, byte(AUTH)<<4, 0)
		}
	}
	w := appendWriter(dst)
	encoded := packets.ControlPacket{Content: contentTo5(p)}
	encoded.Type = byte(p.PacketType())
	encoded.Flags = firstByteOf(p.PacketType()) & 0x0F
	_, _ = encoded.WriteTo(&w) // appendWriter has no errors
	return w
}

// firstByteOf gives the first byte of packets of type t, which is not PUBLISH (2.1.3).
func firstByteOf(t Type) byte {
	switch t {
	case PUBREL, SUBSCRIBE, UNSUBSCRIBE:
		return byte(t)<<4 | 0x2
	}
	return byte(t) << 4
}

// contentTo5 converts a packet for paho to encode.
func contentTo5(p Packet) packets.Packet {
	switch p := p.(type) {
	case *Connack:
		return &packets.Connack{SessionPresent: p.SessionPresent, ReasonCode: byte(p.ReasonCode), Properties: propertiesTo5(&p.Properties)}
	case *Subscribe:
		return subscribeTo5(p)
	case *Suback:
		return &packets.Suback{PacketID: p.PacketID, Reasons: bytesOf(p.ReasonCodes), Properties: propertiesTo5(&p.Properties)}
	case *Unsubscribe:
		return &packets.Unsubscribe{PacketID: p.PacketID, Topics: p.Filters, Properties: propertiesTo5(&p.Properties)}
	case *Unsuback:
		return &packets.Unsuback{PacketID: p.PacketID, Reasons: bytesOf(p.ReasonCodes), Properties: propertiesTo5(&p.Properties)}
	case *Disconnect:
		return &packets.Disconnect{ReasonCode: byte(p.ReasonCode), Properties: propertiesTo5(&p.Properties)}
	case *Auth:
		return &packets.Auth{ReasonCode: byte(p.ReasonCode), Properties: propertiesTo5(&p.Properties)}
	default:
		return ackTo5(p.(*Ack))
	}
}

func ackTo5(p *Ack) packets.Packet {
	code, props := byte(p.ReasonCode), propertiesTo5(&p.Properties)
	switch p.Kind {
	case PUBREC:
		return &packets.Pubrec{PacketID: p.PacketID, ReasonCode: code, Properties: props}
	case PUBREL:
		return &packets.Pubrel{PacketID: p.PacketID, ReasonCode: code, Properties: props}
	case PUBCOMP:
		return &packets.Pubcomp{PacketID: p.PacketID, ReasonCode: code, Properties: props}
	}
	return &packets.Puback{PacketID: p.PacketID, ReasonCode: code, Properties: props}
}

func subscribeTo5(p *Subscribe) packets.Packet {
	s := &packets.Subscribe{PacketID: p.PacketID, Properties: propertiesTo5(&p.Properties)}
	for _, o := range p.Subscriptions {
		s.Subscriptions = append(s.Subscriptions, packets.SubOptions{
			Topic: o.Filter, QoS: o.QoS, NoLocal: o.NoLocal, RetainAsPublished: o.RetainAsPublished, RetainHandling: o.RetainHandling,
		})
	}
	return s
}

func bytesOf(codes []ReasonCode) []byte {
	b := make([]byte, len(codes))
	for i, c := range codes {
		b[i] = byte(c)
	}
	return b
}

// appendWriter appends what is written to it.
type appendWriter []byte

func (w *appendWriter) Write(b []byte) (int, error) {
	*w = append(*w, b...)
	return len(b), nil
}
