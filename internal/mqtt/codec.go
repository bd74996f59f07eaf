package mqtt

// Codec encodes and decodes the packets of one protocol version.
type Codec interface {
	Version() Version
	// Append encodes p behind dst. The error is an *Error: p cannot be sent as it is, and
	// dst is returned unchanged. A Connect must name the codec's version.
	Append(dst []byte, p Packet) ([]byte, error)
	// Decode reads pkt, exactly one whole packet that from sent. The error is an
	// *Error with the reason code to answer with. The result does not alias pkt.
	Decode(pkt []byte, from Side) (Packet, error)
}

// NewCodec makes the codec of version v. For a version without a codec the error is an
// *Error with reason UnsupportedProtocolVersion.
func NewCodec(v Version) (Codec, error) {
	if v != V31 && v != V311 && v != V5 {
		return nil, ruleVersion.broken(v)
	}
	return codec(v), nil
}

// codec is the codec of a version: the walks of Check with what they find kept, and a
// writer whose output Check has the last word on.
type codec Version

func (c codec) Version() Version { return Version(c) }

func (c codec) Append(dst []byte, p Packet) ([]byte, error) {
	w := writer{b: dst, v: Version(c)}
	w.packet(p)
	if w.broken != nil {
		return dst, w.broken.broken(w.v)
	}
	if err := checkEncoded(w.v, w.b[len(dst):]); err != nil {
		return dst, err
	}
	return w.b, nil
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
