package mqtt

// The columns of a Row.
const (
	RowTopic            = iota // the caller's: Scan leaves 1 where the topic is that of the row before, or of the first the known one, else 0
	RowFlags                   // as in PublishView
	RowPacketID                // 0 at QoS 0
	RowPayload                 // offset of the payload in the frame
	RowPayloadLength           // in bytes
	RowProperties              // offset of the raw properties
	RowPropertiesLength        // in bytes
	RowName                    // offset of the topic name, which its length, two bytes, precedes
	rowColumns
)

// Row says where the parts of a PUBLISH are in a frame.
type Row = [rowColumns]int32

// muted is the error of a walk that nobody asks for the rule that was broken.
var muted Error

// Scan reads a frame that a server sent in place, if it is nothing but whole and valid
// PUBLISH packets at QoS 0 and 1 of at most max bytes each, without topic aliases, and
// not more than there are rows in table. It fills one row for each, and counts those at
// QoS 1. Else ok is false, and what is wrong, if anything, is for Splitter and
// ParsePublish to say. It allocates nothing.
//
// The frame is of size bytes, of which the last packet's payload, or a part of that, may be missing: there is nothing to be
// read in it.
//
// known is a topic that is valid at this version, as the last one of the frame before is, nil where there is none: most messages have
// the topic of the one before, which need not be looked at again.
func Scan(v Version, max int, known, frame []byte, size int, table []Row) (rows, acks int, ok bool) {
	if v != V31 && v != V311 && v != V5 {
		return 0, 0, false
	}
	at := 0
	for ; at < len(frame); rows++ {
		if rows < len(table) {
			row := &table[rows]
			if end := scanUsual(v, max, known, frame, at, row); end > 0 {
				if row[RowTopic] == 0 {
					name := row[RowName]
					known = frame[name : name+(int32(frame[name-2])<<8|int32(frame[name-1]))]
				}
				acks += int(row[RowFlags]&publishQoS) >> 1
				at = end
				continue
			}
		}
		first := frame[at]
		if Type(first>>4) != PUBLISH || first&publishQoS > 1<<1 || publishFlagsRule(first&0x0F) != nil || rows == len(table) {
			return 0, 0, false
		}
		n, header, broken := varint(frame[at+1:])
		start := at + 1 + header
		end := start + int(n)
		if broken != nil || header == 0 || end > size || end > len(frame) && (end < size || start > len(frame)) || end-at > max {
			return 0, 0, false
		}
		there := min(end, len(frame))
		r := reader{b: frame[start:there], v: v, mute: true}
		p, same := r.scanned(first, known)
		if r.err != nil || p.Alias {
			return 0, 0, false
		}
		repeated := int32(1)
		if !same {
			known, repeated = p.Topic, 0
		}
		acks += int(p.QoS())
		payload := int32(there - len(p.Payload))
		table[rows] = Row{
			RowTopic: repeated,
			RowFlags: int32(p.Flags), RowPacketID: int32(p.PacketID),
			RowPayload: payload, RowPayloadLength: int32(end) - payload,
			RowProperties: payload - int32(len(p.Properties)), RowPropertiesLength: int32(len(p.Properties)),
			RowName: int32(start + 2),
		}
		at = end
	}
	return rows, acks, at == size
}

// scanUsual fills the row of the packet that begins in frame at at, and gives where it ends, if it is what most are: of a length in one
// or two bytes, all there, on the known topic or one in ASCII, and with usual properties. Else it gives 0, and what it is is for the rest of Scan to
// say. It is this by itself because what compilers make of the other for a browser takes several times as long.
func scanUsual(v Version, max int, known, frame []byte, at int, row *Row) (end int) {
	b := frame[at:]
	if len(b) < 4 {
		return 0
	}
	size, header := int(b[1]), 2
	if size >= 0x80 {
		if b[2]-1 >= 0x7F { // a third byte, or a second one for nothing
			return 0
		}
		size, header = size&0x7F|int(b[2])<<7, 3
	}
	size += header
	if size > len(b) || size > max {
		return 0
	}
	first := b[0]
	b = b[header:size]
	if len(b) < 2 {
		return 0
	}
	n := int(b[0])<<8 | int(b[1])
	if n == 0 || len(b) < n+2 {
		return 0
	}
	name := b[2 : n+2]
	same := int32(0)
	if string(name) == string(known) {
		same = 1
	} else if !plainTopic(name) {
		return 0
	}
	b = b[n+2:]
	id := int32(0)
	switch first {
	case 0x30, 0x31: // QoS 0, RETAIN
	case 0x32, 0x33, 0x3A, 0x3B: // QoS 1, RETAIN, DUP
		if len(b) < 2 {
			return 0
		}
		if id = int32(b[0])<<8 | int32(b[1]); id == 0 {
			return 0
		}
		b = b[2:]
	default:
		return 0
	}
	end = at + size
	properties := 0
	if v == V5 {
		switch {
		case len(b) == 0:
			return 0
		case b[0] == 0:
			b = b[1:]
		default:
			whole := usual(b)
			if whole == 0 {
				return 0
			}
			b, properties = b[whole:], whole-1
		}
	}
	payload := int32(end - len(b))
	row[RowTopic] = same
	row[RowFlags] = int32(first & 0x0F)
	row[RowPacketID] = id
	row[RowPayload] = payload
	row[RowPayloadLength] = int32(len(b))
	row[RowProperties] = payload - int32(properties)
	row[RowPropertiesLength] = int32(properties)
	row[RowName] = int32(at + header + 2)
	return end
}

// plainTopic tells whether a topic is one of ASCII characters, and so a valid one.
func plainTopic(name []byte) bool {
	for _, c := range name {
		if c-1 >= 0x7F || c == '#' || c == '+' {
			return false
		}
	}
	return true
}

// scanned walks a PUBLISH; where the topic is known, without looking at it again.
func (r *reader) scanned(first byte, known []byte) (p PublishView, same bool) {
	n := len(known)
	same = n > 0 && len(r.b) >= n+2 && int(r.b[0])<<8|int(r.b[1]) == n && string(r.b[2:n+2]) == string(known)
	if !same {
		return r.publish(first&0x0F, server<<PUBLISH), false
	}
	r.b = r.b[n+2:]
	p = PublishView{Flags: first & 0x0F, Topic: known}
	if first&publishQoS != 0 {
		p.PacketID = r.packetID(&ruleServerPackID)
	}
	if r.v == V5 {
		if size := usual(r.b); size > 0 {
			p.Properties, r.b = r.b[1:size], r.b[size:]
		} else {
			var ids uint64
			p.Properties, ids = r.properties(server << PUBLISH)
			p.Alias = ids&(1<<propTopicAlias) != 0
		}
	}
	p.Payload = r.b
	return p, true
}

// usual gives the size of the properties at the start of b, with their length, where they are what they mostly
// are: none, or at most one message expiry interval and then user properties in ASCII, in less than 128 bytes. Else
// it gives 0, and what they are is for reader.properties to say.
func usual(b []byte) int {
	if len(b) == 0 || b[0] >= 0x80 || len(b) <= int(b[0]) {
		return 0
	}
	size := 1 + int(b[0])
	b = b[1:size]
	if len(b) >= 5 && b[0] == propMessageExpiry {
		b = b[5:]
	}
	for len(b) > 0 {
		if b[0] != propUser {
			return 0
		}
		b = b[1:]
		for range 2 {
			if len(b) < 2 || b[0] != 0 || len(b) < 2+int(b[1]) || !ascii(b[2:2+int(b[1])]) {
				return 0
			}
			b = b[2+int(b[1]):]
		}
	}
	return size
}
