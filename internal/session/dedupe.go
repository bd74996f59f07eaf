package session

// messageIDKey names the user property by which repeats of a push are known.
const messageIDKey = "pushMessageID"

const (
	seenMax   = 2048 // ids remembered
	seenBytes = 128  // an id longer than this is not one of ours and is not remembered
)

// dedupe remembers the ids of the most recent messages. Its memory is bounded: the
// oldest id makes room for the newest.
type dedupe struct {
	ids  map[string]struct{}
	ring []string
	next int
}

// repeated tells whether id was seen before, and remembers it. It allocates for new
// ids only.
func (d *dedupe) repeated(id []byte) bool {
	if len(id) == 0 || len(id) > seenBytes {
		return false
	}
	if _, ok := d.ids[string(id)]; ok {
		return true
	}
	if d.ids == nil {
		d.ids = make(map[string]struct{}, seenMax)
	}
	s := string(id)
	if len(d.ring) < seenMax {
		d.ring = append(d.ring, s)
	} else {
		delete(d.ids, d.ring[d.next])
		d.ring[d.next] = s
		d.next = (d.next + 1) % seenMax
	}
	d.ids[s] = struct{}{}
	return false
}

// forget drops everything.
func (d *dedupe) forget() { *d = dedupe{} }
