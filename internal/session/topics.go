package session

const (
	nameFirst = 256      // the number of the first one; the ones below are the long way's
	nameMax   = 1024     // topics remembered
	nameRoom  = 64 << 10 // bytes of names remembered
)

// topicNumbers numbers the topics of the messages that come the short way, so that each is
// made a string of once. When there is no room for one more, it begins anew: who reads
// the numbers takes the names in their order. It allocates nothing.
type topicNumbers struct {
	bytes  [nameRoom]byte
	size   int
	list   [nameMax]struct{ start, end, older int32 } // older: 1 + the next one of the chain
	count  int
	chains [nameMax]uint16 // by hash: 1 + the newest name, 0 for none
	last   int             // the one that was asked for before
}

// number gives the number of a topic, and whether it is a new one; -1 for a topic that
// is too long to be remembered.
func (s *topicNumbers) number(topic []byte) (n int32, fresh bool) {
	if s.last < s.count && string(s.name(s.last)) == string(topic) {
		return nameFirst + int32(s.last), false
	}
	if len(topic) > nameRoom/16 {
		return -1, true
	}
	chain := &s.chains[hashOf(topic)%nameMax]
	for i := int32(*chain); i != 0; i = s.list[i-1].older {
		if string(s.name(int(i-1))) == string(topic) {
			s.last = int(i - 1)
			return nameFirst + i - 1, false
		}
	}
	if s.count == nameMax || s.size+len(topic) > nameRoom {
		s.restart()
	}
	end := s.size + copy(s.bytes[s.size:], topic)
	s.list[s.count] = struct{ start, end, older int32 }{int32(s.size), int32(end), int32(*chain)}
	s.last, s.size = s.count, end
	s.count++
	*chain = uint16(s.count)
	return nameFirst + int32(s.last), true
}

//go:noinline
func (s *topicNumbers) restart() {
	s.count, s.size = 0, 0
	clear(s.chains[:])
}

// latest gives the number of the topic that was asked for before, unless that was too long, and the topic.
func (s *topicNumbers) latest() (n int32, topic []byte) {
	return nameFirst + int32(s.last), s.name(s.last)
}

func (s *topicNumbers) name(i int) []byte { return s.bytes[s.list[i].start:s.list[i].end] }
