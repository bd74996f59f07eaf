package mqtt

import "github.com/eclipse/paho.golang/packets"

func (codec5) Append(dst []byte, p Packet) ([]byte, error) {
	if broken := sendable(p); broken != nil {
		return dst, broken.broken(V5)
	}
	var out []byte
	switch p := p.(type) {
	case *Connect:
		out = appendConnect5(dst, p)
	case *Publish:
		out = appendPublish5(dst, p)
	default:
		out = appendControl5(dst, p)
	}
	if err := checkEncoded(V5, out[len(dst):]); err != nil {
		return dst, err
	}
	return out, nil
}

// checkEncoded checks a packet that is to be sent, by whichever side may send it.
func checkEncoded(v Version, pkt []byte) error {
	t := PacketTypeOf(pkt)
	if senders&sent(FromClient, t) != 0 {
		err := Check(v, FromClient, pkt)
		if err == nil || senders&sent(FromServer, t) == 0 {
			return err
		}
	}
	return Check(v, FromServer, pkt)
}

// appendPublish5 encodes PUBLISH. The payload is copied once, from p to dst.
func appendPublish5(dst []byte, p *Publish) []byte {
	first := byte(PUBLISH)<<4 | p.QoS<<1
	if p.Dup {
		first |= publishDup
	}
	if p.Retain {
		first |= publishRetain
	}
	head := appendText(nil, p.Topic)
	if p.QoS > 0 {
		head = appendUint16(head, p.PacketID)
	}
	props := appendMessageProperties5(nil, &p.Properties)
	head = append(appendVarint(head, len(props)), props...)
	dst = appendVarint(append(dst, first), len(head)+len(p.Payload))
	return append(append(dst, head...), p.Payload...)
}

// appendConnect5 encodes CONNECT. paho's encoder is passed over because it leaves most
// properties of a will out.
func appendConnect5(dst []byte, p *Connect) []byte {
	body := appendText(nil, "MQTT")
	body = append(body, byte(p.Version), connectFlagsOf(p))
	body = appendUint16(body, p.KeepAlive)
	props := propertiesTo5(&p.Properties).Pack(packets.CONNECT)
	body = append(appendVarint(body, len(props)), props...)
	body = appendText(body, p.ClientID)
	if p.Will != nil {
		props = willProperties5(&p.Will.Properties)
		body = append(appendVarint(body, len(props)), props...)
		body = appendText(body, p.Will.Topic)
		body = appendText(body, string(p.Will.Payload))
	}
	if p.HasUsername {
		body = appendText(body, p.Username)
	}
	if p.HasPassword {
		body = appendText(body, string(p.Password))
	}
	dst = appendVarint(append(dst, byte(CONNECT)<<4), len(body))
	return append(dst, body...)
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

func appendUint16(dst []byte, n uint16) []byte { return append(dst, byte(n>>8), byte(n)) }

// appendText encodes a string or binary data of at most 65535 bytes.
func appendText(dst []byte, s string) []byte {
	return append(appendUint16(dst, uint16(len(s))), s...)
}
