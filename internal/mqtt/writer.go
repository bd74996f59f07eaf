package mqtt

// writer appends the fields of a packet that is to be sent. Its methods are not inlined:
// their many callers would be several times as large. It notes the first broken
// rule that the bytes would no longer show: cutting a long string, masking bits or
// leaving out a property gives a valid packet, but another one.
type writer struct {
	b      []byte
	v      Version
	in     place // where the properties that are being written stand
	broken *rule
}

// demand notes that a rule is broken unless it is kept.
//
//go:noinline
func (w *writer) demand(kept bool, broken *rule) {
	if !kept && w.broken == nil {
		w.broken = broken
	}
}

//go:noinline
func (w *writer) byte(c byte) { w.b = append(w.b, c) }

//go:noinline
func (w *writer) uint16(n uint16) { w.b = append(w.b, byte(n>>8), byte(n)) }

func (w *writer) uint32(n uint32) {
	w.b = append(w.b, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
}

// text writes a UTF-8 encoded string (1.5.4).
//
//go:noinline
func (w *writer) text(s string) {
	w.length(len(s))
	w.b = append(w.b, s...)
}

// binary writes binary data (1.5.6).
//
//go:noinline
func (w *writer) binary(b []byte) {
	w.length(len(b))
	w.b = append(w.b, b...)
}

// length writes the length in bytes of a string or of binary data.
func (w *writer) length(n int) {
	w.demand(n <= maxField, &ruleTooLong)
	w.uint16(uint16(n))
}

// measure puts the length of what was written from start on, and of more bytes that are
// to follow, before it.
func (w *writer) measure(start, more int) {
	n := len(w.b) - start + more
	if n > MaxRemaining {
		w.demand(false, &ruleTooLarge)
		return
	}
	var room [4]byte
	length := appendVarint(room[:0], n)
	w.b = append(w.b, length...)
	copy(w.b[start+len(length):], w.b[start:])
	copy(w.b[start:], length)
}
