package session

import "github.com/kiiweb/kiiweb/internal/mqtt"

// messageIDKey names the user property by which repeats of a push are known.
const messageIDKey = "pushMessageID"

// pushID gives the id of a push in the properties of its message, wherever it is. The cloud writes a message expiry
// interval and then the id, at the end.
func pushID(properties []byte) (id []byte, ok bool) {
	const (
		expiry = "\x02" // MQTT 5, 3.3.2.3.3; four bytes follow
		head   = "\x26\x00\x0D" + messageIDKey
		at     = 5 + len(head) // where the length of the id is, two bytes
	)
	if len(properties) >= at+2 && properties[0] == expiry[0] && string(properties[5:at]) == head &&
		properties[at] == 0 && len(properties) == at+2+int(properties[at+1]) {
		return properties[at+2:], true
	}
	return mqtt.FindUserProperty(properties, messageIDKey)
}

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
// have the same hash. What is rare is in functions of its own: a browser compiles a function once more, for
// longer than a thousand messages take, after so many calls as its size allows.
type seenIDs struct {
	bytes  [seenRoom]byte
	ids    [seenMax]seenID
	chains [seenMax]uint16 // by hash: 1 + the newest id, 0 for none
	first  int             // the oldest id
	count  int
	end    int // where the next id's bytes go
	loose  int // ids that have that mark
}

type seenID struct {
	hash  uint32
	start int
	size  int
	older uint16 // 1 + the next one of the chain
}

// prepare takes the memory, unless that was done before.
//
//go:noinline
func (d *dedupe) prepare() {
	if d.seenIDs == nil {
		d.seenIDs = new(seenIDs)
	}
}

// repeated tells whether id was seen before, and remembers it. mark is loose where it came at QoS 0, else 0.
func (d *dedupe) repeated(id []byte, mark uint32) bool {
	if len(id) == 0 || len(id) > seenBytes {
		return false
	}
	if d.seenIDs == nil {
		d.prepare()
	}
	s := d.seenIDs
	hash := hashOf(id)
	for i := s.chains[hash%seenMax]; i != 0; {
		known := &s.ids[(i-1)%seenMax]
		if known.hash&^loose == hash && s.same(known, id) {
			return true
		}
		i = known.older
	}
	s.remember(id, hash|mark)
	return false
}

// Bits of a hash that do not count for where an id is looked for.
const (
	forgotten = 1 << 31
	loose     = 1 << 30 // it came at QoS 0, so whoever it was handed to may drop it
)

// find gives what is known of an id; nil: nothing.
func (d *dedupe) find(id []byte) *seenID {
	if d.seenIDs == nil {
		return nil
	}
	hash := hashOf(id)
	for i := d.chains[hash%seenMax]; i != 0; {
		known := &d.ids[(i-1)%seenMax]
		if known.hash&^loose == hash && d.same(known, id) {
			return known
		}
		i = known.older
	}
	return nil
}

// isLoose tells whether id came at QoS 0.
func (d *dedupe) isLoose(id []byte) bool {
	known := d.find(id)
	return known != nil && known.hash&loose != 0
}

// forget has id be a new one again. Its place stays taken.
func (d *dedupe) forget(id []byte) {
	if known := d.find(id); known != nil {
		known.hash ^= forgotten
	}
}

// Unseen has pushes be new again that were handed over, and dropped after all: should one come again, it is no
// repeat. properties are those of their messages.
func (s *Session) Unseen(properties [][]byte) {
	s.post(func(l *loop) {
		for _, p := range properties {
			if id, ok := pushID(p); ok {
				l.seen.forget(id)
			}
		}
	})
}

//go:noinline
func (s *seenIDs) same(known *seenID, id []byte) bool {
	return string(s.bytes[known.start:known.start+known.size]) == string(id)
}

// remember puts an id in, behind as many of the oldest as have to go for it.
func (s *seenIDs) remember(id []byte, hash uint32) {
	start := s.end
	if s.count >= seenMax || start+len(id) > seenRoom || s.overlaps(start, len(id)) {
		start = s.makeRoom(len(id))
	}
	s.end = start + copy(s.bytes[start:], id)
	n := (s.first + s.count) & (seenMax - 1)
	s.count++
	if hash&loose != 0 {
		s.loose++
	}
	chain := &s.chains[hash%seenMax]
	s.ids[n] = seenID{hash, start, len(id), *chain}
	*chain = uint16(n) + 1
}

// makeRoom forgets as many of the oldest as are in the way of an id of that size, and gives the place for its bytes.
//
//go:noinline
func (s *seenIDs) makeRoom(size int) (start int) {
	start = s.end
	if start+size > seenRoom {
		for s.count > 0 && s.ids[s.first&(seenMax-1)].start >= start {
			s.forgetOldest()
		}
		start = 0
	}
	for s.count == seenMax || s.overlaps(start, size) {
		s.forgetOldest()
	}
	return start
}

// overlaps tells whether the oldest id's bytes are in the way.
func (s *seenIDs) overlaps(start, size int) bool {
	oldest := &s.ids[s.first&(seenMax-1)]
	return s.count > 0 && oldest.start < start+size && start < oldest.start+oldest.size
}

func (s *seenIDs) forgetOldest() {
	oldest := &s.ids[s.first&(seenMax-1)]
	link := &s.chains[oldest.hash%seenMax]
	for *link != uint16(s.first)+1 { // the oldest is the last of its chain
		link = &s.ids[*link-1].older
	}
	*link = 0
	if oldest.hash&loose != 0 {
		s.loose--
	}
	s.first = (s.first + 1) % seenMax
	s.count--
}

// hashOf is FNV-1a, of four bytes at a time where there are four.
func hashOf(b []byte) uint32 {
	const prime = 16777619
	h := uint32(2166136261)
	for ; len(b) >= 4; b = b[4:] {
		h = (h ^ (uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 | uint32(b[3])<<24)) * prime
		h ^= h >> 15 // the upper bytes count below, too
	}
	for _, c := range b {
		h = (h ^ uint32(c)) * prime
	}
	return h &^ (forgotten | loose)
}
