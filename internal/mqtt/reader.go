package mqtt

import (
	"bytes"
	"unicode/utf8"
)

// reader walks the fields of a packet. The first broken rule sticks: after it all
// fields read as zero, so that a walk needs to look at err only where it loops, and
// at its end.
type reader struct {
	b    []byte // what is not read yet
	v    Version
	err  *Error
	mute bool // nobody asks which rule was broken, so that no error has to be made
}

// breaks records that the packet breaks a rule, unless it broke one before. A copy of it
// in each of its many callers would be a tenth of the package's code.
//
//go:noinline
func (r *reader) breaks(broken *rule) {
	switch {
	case r.err != nil:
	case r.mute:
		r.err = &muted
	default:
		r.err = broken.broken(r.v)
	}
	r.b = nil
}

// take reads n bytes.
func (r *reader) take(n int) []byte {
	if n > len(r.b) {
		r.breaks(&ruleTruncated)
		return nil
	}
	b := r.b[:n:n]
	r.b = r.b[n:]
	return b
}

// rest reads what is left.
func (r *reader) rest() []byte { return r.take(len(r.b)) }

func (r *reader) byte() byte {
	if b := r.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *reader) uint16() uint16 {
	if b := r.take(2); b != nil {
		return uint16(b[0])<<8 | uint16(b[1])
	}
	return 0
}

func (r *reader) uint32() uint32 {
	if b := r.take(4); b != nil {
		return uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
	}
	return 0
}

// varint reads a variable byte integer (1.5.5).
func (r *reader) varint() uint32 {
	n, size, broken := varint(r.b)
	switch {
	case broken != nil:
		r.breaks(broken)
	case size == 0:
		r.breaks(&ruleTruncated)
	default:
		r.b = r.b[size:]
	}
	return n
}

// binary reads binary data (1.5.6).
func (r *reader) binary() []byte { return r.take(int(r.uint16())) }

// text reads a UTF-8 encoded string (1.5.4).
func (r *reader) text() []byte {
	b := r.binary()
	if broken := textRule(b); broken != nil {
		r.breaks(broken)
		return nil
	}
	return b
}

// packetID reads a packet identifier; broken is the rule that 0 breaks.
func (r *reader) packetID(broken *rule) uint16 {
	id := r.uint16()
	if id == 0 {
		r.breaks(broken)
	}
	return id
}

// end demands that nothing is left, and gives the outcome of the walk.
func (r *reader) end() error {
	if len(r.b) > 0 {
		r.breaks(&ruleLeftOver)
	}
	if r.err != nil {
		return r.err
	}
	return nil
}

// textRule gives the rule that b breaks as a UTF-8 encoded string, nil for none.
func textRule(b []byte) *rule {
	if ascii(b) {
		return nil
	}
	if !utf8.Valid(b) {
		return &ruleUTF8
	}
	if bytes.IndexByte(b, 0) >= 0 {
		return &ruleNull
	}
	return nil
}

// ascii tells whether b is nothing but ASCII without U+0000, as texts mostly are.
func ascii(b []byte) bool {
	wrong := byte(0)
	for _, c := range b {
		wrong |= c | (c - 1)
	}
	return wrong < 0x80
}

// varint decodes the variable byte integer at the start of b. size is 0 when b ends
// inside it.
func varint(b []byte) (n uint32, size int, broken *rule) {
	for i, c := range b {
		if i == 4 {
			return 0, 0, &ruleLength
		}
		n |= uint32(c&0x7F) << (7 * i)
		if c < 0x80 {
			if c == 0 && i > 0 {
				return 0, 0, &ruleShortest
			}
			return n, i + 1, nil
		}
	}
	if len(b) >= 4 {
		return 0, 0, &ruleLength
	}
	return 0, 0, nil
}

// appendVarint encodes n, at most MaxRemaining, behind dst.
func appendVarint(dst []byte, n int) []byte {
	for n >= 0x80 {
		dst = append(dst, byte(n)|0x80)
		n >>= 7
	}
	return append(dst, byte(n))
}
