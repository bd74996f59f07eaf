package session

// messageIDKey names the user property by which repeats of a push are known.
const messageIDKey = "pushMessageID"

const (
	seenMax   = 2048      // ids remembered at most
	seenBytes = 128       // an id longer than this is not one of ours and is not remembered
	seenRoom  = 128 << 10 // bytes of ids remembered at most: 2048 of the usual length
)

// dedupe remembers the ids of the most recent messages. The oldest make room for the
// newest. Its memory is taken once, by prepare, so that repeated can be called where
// nothing may be allocated.
type dedupe struct{ *seenIDs }

// seenIDs is a ring of ids whose bytes are in another ring, with chains of those that
// have the same hash.
type seenIDs struct {
	bytes  [seenRoom]byte
	ids    [seenMax]seenID
	chains [seenMax]uint16 // by hash: 1 + the newest id, 0 for none
	first  int             // the oldest id
	count  int
	end    int // where the next id's bytes go
}

type seenID struct {
	hash  uint32
	start int
	size  int
	older uint16 // 1 + the next one of the chain
}

// prepare takes the memory, unless that was done before.
func (d *dedupe) prepare() {
	if d.seenIDs == nil {
		d.seenIDs = new(seenIDs)
	}
}

// repeated tells whether id was seen before, and remembers it.
func (d *dedupe) repeated(id []byte) bool {
	if len(id) == 0 || len(id) > seenBytes {
		return false
	}
	d.prepare()
	hash := hashOf(id)
	for i := d.chains[hash%seenMax]; i != 0; i = d.ids[i-1].older {
		if s := &d.ids[i-1]; s.hash == hash && string(d.bytes[s.start:s.start+s.size]) == string(id) {
			return true
		}
	}
	d.remember(id, hash)
	return false
}

// remember puts an id in, behind as many of the oldest as have to go for it.
func (s *seenIDs) remember(id []byte, hash uint32) {
	start := s.end
	if start+len(id) > seenRoom {
		for s.count > 0 && s.ids[s.first].start >= start {
			s.forgetOldest()
		}
		start = 0
	}
	for s.count > 0 && (s.count == seenMax || s.overlaps(start, len(id))) {
		s.forgetOldest()
	}
	s.end = start + copy(s.bytes[start:], id)
	n := (s.first + s.count) % seenMax
	s.count++
	chain := &s.chains[hash%seenMax]
	s.ids[n] = seenID{hash, start, len(id), *chain}
	*chain = uint16(n) + 1
}

// overlaps tells whether the oldest id's bytes are in the way.
func (s *seenIDs) overlaps(start, size int) bool {
	oldest := &s.ids[s.first]
	return oldest.start < start+size && start < oldest.start+oldest.size
}

func (s *seenIDs) forgetOldest() {
	oldest := &s.ids[s.first]
	link := &s.chains[oldest.hash%seenMax]
	for *link != uint16(s.first)+1 { // the oldest is the last of its chain
		link = &s.ids[*link-1].older
	}
	*link = 0
	s.first = (s.first + 1) % seenMax
	s.count--
}

// forget drops everything.
func (d *dedupe) forget() { *d = dedupe{} }

// hashOf is FNV-1a.
func hashOf(b []byte) uint32 {
	h := uint32(2166136261)
	for _, c := range b {
		h = (h ^ uint32(c)) * 16777619
	}
	return h
}
