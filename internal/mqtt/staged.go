package mqtt

// StagedHeader is the size in bytes of what stands before a staged message: a byte with QoS (two
// bits) and RETAIN, the sizes of topic (two bytes) and payload (four), big endian. Topic
// and payload follow.
const StagedHeader = 7

// Staged is where the parts of a staged message are.
type Staged struct {
	QoS            byte
	Retain         bool
	Topic, Payload []byte // parts of what was read
}

// ReadStaged reads the first of the staged messages in b. size is how many bytes it takes; 0: b does
// not begin with a whole one.
func ReadStaged(b []byte) (m Staged, size int) {
	if len(b) < StagedHeader {
		return m, 0
	}
	name := int(b[1])<<8 | int(b[2])
	payload := int(b[3])<<24 | int(b[4])<<16 | int(b[5])<<8 | int(b[6])
	if payload < 0 || payload > len(b) || StagedHeader+name+payload > len(b) {
		return m, 0
	}
	start := StagedHeader + name
	size = start + payload
	return Staged{QoS: b[0] & 3, Retain: b[0]&4 != 0, Topic: b[StagedHeader:start:start], Payload: b[start:size:size]}, size
}

// PackStaged makes PUBLISH packets for a server of staged messages, in place: no packet is longer than what it is
// made of. It takes messages at QoS 0 with valid topic names whose packets have at most max
// bytes, 0 for no limit, and which are retained only where retain says so. Where one of them is not
// like that ok is false, and b is spoiled. It allocates nothing.
func PackStaged(v Version, b []byte, max int, retain bool) (size, messages int, ok bool) {
	var known []byte // the topic before, which is valid
	for at := 0; at < len(b); messages++ {
		m, n := ReadStaged(b[at:])
		if n == 0 || m.QoS != 0 || m.Retain && !retain {
			return 0, 0, false
		}
		if (known == nil || string(m.Topic) != string(known)) && !ValidTopic(m.Topic) {
			return 0, 0, false
		}
		at += n
		rest := 2 + len(m.Topic) + len(m.Payload)
		if v == V5 {
			rest++
		}
		if rest >= 1<<21 { // with four bytes of length it could be longer than before
			return 0, 0, false
		}
		start := size
		b[size] = byte(PUBLISH) << 4
		if m.Retain {
			b[size] |= 1
		}
		for size++; ; size++ {
			b[size] = byte(rest & 0x7F)
			if rest >>= 7; rest == 0 {
				break
			}
			b[size] |= 0x80
		}
		b[size+1], b[size+2] = byte(len(m.Topic)>>8), byte(len(m.Topic))
		size += 3
		known = b[size : size+len(m.Topic)]
		size += copy(known, m.Topic)
		if v == V5 {
			b[size] = 0 // no properties
			size++
		}
		size += copy(b[size:], m.Payload)
		if max > 0 && size-start > max {
			return 0, 0, false
		}
	}
	return size, messages, true
}
