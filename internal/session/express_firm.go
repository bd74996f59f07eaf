package session

import "github.com/kiiweb/kiiweb/internal/mqtt"

// firms tells whether the table may have a repeat that is to be acknowledged, of a push that came at QoS 0: whoever that was
// handed to has to be told, and from here nobody can be.
func (n *lane) firms(frame []byte, table []mqtt.Row) bool {
	seen, mixed := n.l.seen, false
	for i := range table {
		row := &table[i]
		at, size := row[mqtt.RowProperties], row[mqtt.RowPropertiesLength]
		switch first := row[mqtt.RowPacketID] == 0; {
		case size == 0 || !first && !mixed && seen.loose == 0:
		case first && mixed:
		default:
			id, ok := pushID(frame[at : at+size])
			if ok && !first && (mixed || seen.isLoose(id)) {
				return true
			}
			mixed = mixed || ok && first
		}
	}
	return false
}

// markOf is how the id of a push is to be remembered.
func markOf(atQoS0 bool) uint32 {
	if atQoS0 {
		return loose
	}
	return 0
}
