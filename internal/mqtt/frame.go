package mqtt

// MaxRemaining is the largest remaining length, in bytes, that a packet can have (2.1.4).
const MaxRemaining = 268435455

// headerMax is the size in bytes of the longest fixed header.
const headerMax = 5

// anyVersion stands for a version that is not known yet.
const anyVersion Version = 0

// PacketTypeOf gives the type of the packet that starts with pkt, 0 when pkt is empty.
func PacketTypeOf(pkt []byte) Type {
	if len(pkt) == 0 {
		return 0
	}
	return Type(pkt[0] >> 4)
}

// firstByteRule gives the rule that the first byte of a packet breaks, nil for none.
func firstByteRule(v Version, first byte) *rule {
	flags := first & 0x0F
	switch t := Type(first >> 4); t {
	case 0:
		return &ruleType
	case PUBLISH:
		return publishFlagsRule(flags)
	case PUBREL, SUBSCRIBE, UNSUBSCRIBE:
		// MQTT 3.1 had DUP on these; a packet sent again may carry it.
		if flags == 0x2 || flags == 0xA && (v == V31 || v == anyVersion) {
			return nil
		}
	case AUTH:
		if v == V31 || v == V311 {
			return &ruleType
		}
		fallthrough
	default:
		if flags == 0 {
			return nil
		}
	}
	return &ruleFlags
}

func publishFlagsRule(flags byte) *rule {
	switch flags & 0x6 {
	case 0x6:
		return &ruleQoS
	case 0:
		if flags&0x8 != 0 {
			return &ruleDup
		}
	}
	return nil
}

// open starts the walk of pkt, which must be one whole packet of version v, behind its
// fixed header.
func (r *reader) open(v Version, pkt []byte) {
	if v != V31 && v != V311 && v != V5 {
		r.v = v
		r.breaks(&ruleVersion)
		return
	}
	r.openAny(v, pkt)
}

// openAny is open for a version that may be anyVersion.
func (r *reader) openAny(v Version, pkt []byte) {
	r.b, r.v = pkt, v
	first := r.byte()
	if r.err != nil {
		return
	}
	if broken := firstByteRule(v, first); broken != nil {
		r.breaks(broken)
		return
	}
	if n := r.varint(); r.err == nil && int(n) != len(r.b) {
		r.breaks(&ruleOnePacket)
	}
}

// openAs is open for a packet of one type, t.
func (r *reader) openAs(v Version, t Type, pkt []byte) {
	r.open(v, pkt)
	if r.err == nil && PacketTypeOf(pkt) != t {
		r.breaks(&ruleUnexpected)
	}
}
