package mqtt

// keepTail is the size in bytes up to which a Splitter keeps its buffer for the next
// unfinished packet.
const keepTail = 64 << 10

// Splitter cuts a stream of bytes into whole packets. It looks at fixed headers only
// (flags, packet type, remaining length, the size limit), as soon as their bytes are
// there and before room is made for the packet. Packets that lie whole in a chunk are
// parts of that chunk; only an unfinished one is copied.
type Splitter struct {
	max   int    // bytes of the largest packet
	most  int    // bytes of the largest PUBLISH of which the beginning is given where it is larger than that
	whole int    // bytes of the packet whose beginning is given, or about to be; 0: it is within the limit
	pass  int    // bytes of it that are still to be passed over
	tail  []byte // the start of an unfinished packet, copied
	rest  []byte // what is left of the chunk
	given bool   // tail was returned by Next: a whole packet, valid until the next Feed
	short bool   // rest is less than one packet
	err   error
}

// NewSplitter makes a Splitter that refuses packets of more than max bytes, fixed
// header included; 0 means no limit but the protocol's.
func NewSplitter(max int) *Splitter {
	if max <= 0 {
		max = headerMax + MaxRemaining
	}
	return &Splitter{max: max}
}

// PassOver has a PUBLISH that is over the limit, but of no more than most bytes, be passed over instead of refused: Next gives its
// beginning, which Beginning reads, and Cut says so. No more than that is kept of it.
func (s *Splitter) PassOver(most int) { s.most = most }

// Cut gives the size in bytes of the packet that Next gave last if that is the beginning of one over the limit, else 0.
func (s *Splitter) Cut() int { return s.whole }

// Feed adds the stream's next bytes. The chunk is kept until it is consumed; the
// caller must not reuse it.
func (s *Splitter) Feed(chunk []byte) {
	if s.given {
		s.given = false
		if s.tail = s.tail[:0]; cap(s.tail) > keepTail {
			s.tail = nil
		}
	}
	switch {
	case len(s.rest) == 0:
		s.rest = chunk
	case s.short:
		s.tail = append(s.tail, s.rest...)
		s.rest = chunk
	default: // Next was not called until it had no more
		s.rest = append(s.rest[:len(s.rest):len(s.rest)], chunk...)
	}
	s.short = false
}

// Next gives the next whole packet, or nil when more bytes are needed. The packet is
// valid until the next Feed. The error is an *Error, and final: where the next packet
// would start is unknown.
func (s *Splitter) Next() ([]byte, error) {
	if s.err != nil {
		return nil, s.err
	}
	if s.pass > 0 {
		n := min(s.pass, len(s.rest))
		s.rest = s.rest[n:]
		if s.pass -= n; s.pass > 0 {
			return nil, nil
		}
	}
	if len(s.tail) > 0 && !s.given {
		return s.finish()
	}
	size, err := s.size(s.rest)
	if err != nil {
		return nil, err
	}
	if size == 0 || size > len(s.rest) {
		s.short = true
		return nil, nil
	}
	pkt := s.rest[:size:size]
	s.rest = s.rest[size:]
	s.pass = max(s.whole-size, 0)
	return pkt, nil
}

// Release lets go of the memory of the packets that Next has given, which are not valid any more: where
// nothing more may come for long.
func (s *Splitter) Release() {
	if s.given {
		s.given, s.tail = false, nil
	}
	if len(s.rest) == 0 {
		s.rest = nil
	}
}

// finish moves bytes from rest to tail until tail is one whole packet.
func (s *Splitter) finish() ([]byte, error) {
	for {
		size, err := s.size(s.tail)
		if err != nil {
			return nil, err
		}
		if size == len(s.tail) {
			s.given = true
			s.pass = max(s.whole-size, 0)
			return s.tail, nil
		}
		if len(s.rest) == 0 {
			return nil, nil
		}
		n := 1 // the fixed header is not whole yet
		if size > 0 {
			n = min(size-len(s.tail), len(s.rest))
		}
		s.tail = append(s.tail, s.rest[:n]...)
		s.rest = s.rest[n:]
	}
}

// size gives the size in bytes of the packet that starts with b, or of as much of it as is to be given, 0 when b has not the
// whole fixed header.
func (s *Splitter) size(b []byte) (int, error) {
	s.whole = 0
	if len(b) == 0 {
		return 0, nil
	}
	broken := firstByteRule(anyVersion, b[0])
	if broken == nil {
		var n uint32
		var header int
		n, header, broken = varint(b[1:])
		size := 1 + header + int(n)
		switch {
		case broken != nil:
		case header == 0:
			return 0, nil
		case size > s.max && size <= s.most && PacketTypeOf(b) == PUBLISH:
			s.whole = size
			return min(size, beginningMax), nil
		case size > s.max:
			broken = &ruleTooLarge
		default:
			return size, nil
		}
	}
	s.err = broken.broken(anyVersion)
	s.rest, s.tail = nil, nil
	return 0, s.err
}
