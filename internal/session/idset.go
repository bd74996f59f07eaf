package session

// idSet is a set of packet identifiers: those of the messages at QoS 2 that were
// received and not released by PUBREL. It lives as long as the session at the server.
type idSet struct{ bits *[1 << 16 / 64]uint64 }

// add puts id in and tells whether it was there.
func (s *idSet) add(id uint16) (had bool) {
	if s.bits == nil {
		s.bits = new([1 << 16 / 64]uint64)
	}
	had = s.has(id)
	s.bits[id/64] |= 1 << (id % 64)
	return had
}

// remove takes id out and tells whether it was there.
func (s *idSet) remove(id uint16) (had bool) {
	if had = s.has(id); had {
		s.bits[id/64] &^= 1 << (id % 64)
	}
	return had
}

func (s *idSet) has(id uint16) bool { return s.bits != nil && s.bits[id/64]>>(id%64)&1 == 1 }

// forget drops everything.
func (s *idSet) forget() { s.bits = nil }
