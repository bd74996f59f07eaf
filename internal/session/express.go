package session

import (
	"github.com/kiiweb/kiiweb/internal/mqtt"
	"github.com/kiiweb/kiiweb/internal/transport"
)

// owedMax is how many acknowledgements may be owed for what came the short way.
const owedMax = 4096

// lane is the short way of one link: what arrives is read and counted in the callback
// that brings it, and handed to the application there. The loop, the reader, the writer
// and the courier have no part in it.
//
// It takes a frame that is nothing but whole and valid PUBLISH packets at QoS 0 and 1,
// while nothing that came before is still on the long way, and leaves everything else
// to that. So the order is kept, and there is one place that says what is wrong with a
// packet. It has the loop's state to itself, because the loop is at rest: otherwise mu is
// taken, and the long way has the frame. transport.Lane says why it must not allocate.
type lane struct {
	l    *loop
	k    *link
	conn transport.Express
	off  bool // a call panicked
	met  bool // the latest of the topics came over this link, so it is a valid one there
	owed owed
	paid int // acknowledgements that were sent before the loader said that they are due

	at    float64 // when the latest frame came, by the browser's clock
	heard float64 // when the keep alive was told so
	wrote float64 // at, when it was told of acknowledgements
}

// stir is the distance in milliseconds at which the keep alive is told that something goes on. It
// counts in seconds, and to read the session's clock costs as much as a small frame.
const stir = 100

// past tells whether stir has passed between the two. For a clock that goes back or shows nothing it has.
func past(from, to float64) bool { return !(to > 0 && to >= from && to < from+stir) }

// Express has what arrives come the short way from now on, where the transport has one.
// receiver is what the transport's lane calls the application; it is not 0. firm, unless it is nil, is told of a
// push that came at QoS 0 when a repeat of it is to be acknowledged, by the end of the user property with its id, as it is on
// the wire: whoever the push was handed to may drop it no more. It must not call back.
func (s *Session) Express(receiver int32, firm func(property []byte)) {
	s.post(func(l *loop) { l.receiver, l.firm = receiver, firm })
}

// express gives the new link a short way, where its transport has one.
func (l *loop) express() {
	conn, ok := l.link.conn.(transport.Express)
	if !ok {
		return
	}
	l.seen.prepare()
	if l.topics == nil {
		l.topics = new(topicNumbers)
	}
	l.link.lane = &lane{l: l, k: l.link, conn: conn}
	conn.Use(l.link.lane)
}

// open tells whether nothing that has to come before is on the long way.
func (n *lane) open() bool {
	l, k := n.l, n.k
	return !n.off && l.link == k && l.receiver != 0 && l.machine.phase == phaseOnline && k.unread == 0 &&
		k.taken == n.conn.Kept() && l.batch.empty() && l.courier.clear()
}

// Frame implements transport.Lane.
func (n *lane) Frame(frame []byte, size int, at float64, table [][8]int32) (messages, acks, tickets int, receiver int32) {
	l := n.l
	if !l.mu.TryLock() {
		return -1, 0, 0, 0
	}
	defer l.mu.Unlock()
	defer func() {
		if v := recover(); v != nil { // the long way goes on
			messages, acks, tickets = -1, 0, 0
			n.shut(v)
		}
	}()
	if !n.open() {
		return -1, 0, 0, 0
	}
	if size == len(frame) && mqtt.PacketTypeOf(frame) == mqtt.PUBACK {
		tickets, ok := n.acked(frame, table)
		if !ok {
			return -1, 0, 0, 0
		}
		n.came(at)
		return 0, 0, tickets, l.receiver
	}
	var known []byte
	if n.met {
		_, known = l.topics.latest()
	}
	rows, acks, ok := mqtt.Scan(l.version, l.cfg.MaxPacket, known, frame, size, table)
	if !ok || l.version == mqtt.V5 && n.k.unacked+acks > overrun*l.cfg.ReceiveMaximum || n.owed.count+acks > owedMax ||
		l.firm != nil && acks > 0 && n.firms(frame, table[:rows]) {
		return -1, 0, 0, 0
	}
	n.came(at)
	n.k.unacked += acks
	return n.admit(frame, table[:rows]), acks, 0, l.receiver
}

// shut closes the short way after a panic.
func (n *lane) shut(v any) {
	n.off = true
	survive(n.l.cfg.OnPanic, v)
}

// came notes a frame.
func (n *lane) came(at float64) {
	if n.at = at; past(n.heard, at) {
		n.heard = at
		n.k.keep.heard(n.l.now())
	}
}

// acked takes a frame that is nothing but PUBACK packets that say success to messages of
// Send, and writes their tickets to the table. It leaves a frame to the long way where there
// are messages or requests that now may be sent.
func (n *lane) acked(frame []byte, table []mqtt.Row) (tickets int, ok bool) {
	out := &n.l.out
	count := len(frame) / pubackSize
	if len(frame) != count*pubackSize || count > min(len(table), 256) || len(out.queue) > 0 || n.l.careful() {
		return 0, false
	}
	for i := range count {
		b := frame[i*pubackSize:]
		id := uint16(b[2])<<8 | uint16(b[3])
		if b[0] != byte(mqtt.PUBACK)<<4 || b[1] != pubackSize-2 || id == 0 || out.acknowledged(frame[:i*pubackSize], id) == nil {
			return 0, false
		}
	}
	for i := range count {
		o := out.find(uint16(frame[i*pubackSize+2])<<8 | uint16(frame[i*pubackSize+3]))
		out.drop(o)
		o.tell = nil
		table[i][0] = o.ticket
	}
	n.k.answered = true
	return count, true
}

// acknowledged gives the message of Send at QoS 1 that a PUBACK is about; nil where it is
// another one, or the PUBACK packets before are about it.
func (f *inflight) acknowledged(before []byte, id uint16) *outgoing {
	for ; len(before) > 0; before = before[pubackSize:] {
		if uint16(before[2])<<8|uint16(before[3]) == id {
			return nil
		}
	}
	o := f.find(id)
	if o == nil || o.tell == nil || o.packet.QoS != 1 {
		return nil
	}
	return o
}

// admit numbers the topics, notes the acknowledgements that are owed, and takes out what
// was received before.
func (n *lane) admit(frame []byte, table []mqtt.Row) (messages int) {
	number, known := int32(0), n.met // of the topic of the row before
	if known {
		number, _ = n.l.topics.latest()
	}
	for i := range table {
		row := &table[i]
		if row[mqtt.RowPacketID] != 0 {
			n.owed.push(uint16(row[mqtt.RowPacketID]))
		}
		again := row[mqtt.RowTopic] != 0 && known
		if size := row[mqtt.RowPropertiesLength]; size > 0 {
			at := row[mqtt.RowProperties]
			if id, ok := pushID(frame[at : at+size]); ok && n.l.seen.repeated(id, markOf(row[mqtt.RowPacketID] == 0)) {
				known = again
				continue
			}
		}
		if again {
			row[mqtt.RowName] = 0
		} else {
			at := row[mqtt.RowName]
			var fresh bool
			number, fresh = n.l.topics.number(frame[at : at+(int32(frame[at-2])<<8|int32(frame[at-1]))])
			if !fresh {
				row[mqtt.RowName] = 0
			}
			known = number >= 0
			n.met = n.met || known
		}
		row[mqtt.RowTopic] = number
		if messages != i {
			table[messages] = *row
		}
		messages++
	}
	return messages
}

// Handled implements transport.Lane.
func (n *lane) Handled(acks int, out []byte) int {
	l, k := n.l, n.k
	if !l.mu.TryLock() {
		return -1
	}
	defer l.mu.Unlock()
	switch {
	case l.link != k:
		return 0 // nobody is there to hear it
	case k.busy || len(k.out) > 0:
		return -1 // something else is on its way
	}
	if acks < 0 {
		acks, n.paid = n.owed.before(uint16(-acks)), 0 // of what was paid ahead, no word comes any more
	}
	paid := min(acks, n.paid)
	n.paid -= paid
	acks = min(acks-paid, n.owed.count, len(out)/pubackSize)
	for i := range acks {
		id := n.owed.pop()
		b := out[i*pubackSize:]
		b[0], b[1], b[2], b[3] = byte(mqtt.PUBACK)<<4, 2, byte(id>>8), byte(id)
	}
	k.unacked -= acks
	if acks > 0 && past(n.wrote, n.at) {
		n.wrote = n.at
		k.keep.wrote(l.now(), 0)
	}
	return acks * pubackSize
}

// pay sends what is owed for messages that came before the first total of all: one that
// came behind them the long way was handled, so they were [MQTT-4.6.0-2]. The loader will say so.
func (n *lane) pay(total int, ack *mqtt.Ack) {
	for n.owed.total-n.owed.count < total {
		ack.Kind, ack.PacketID = mqtt.PUBACK, n.owed.pop()
		n.l.receipt(ack)
		n.paid++
	}
}

// pubackSize is the size in bytes of PUBACK that says nothing but success, the same on
// all versions (MQTT 5, 3.4).
const pubackSize = 4

// owed are packet identifiers to be acknowledged, the oldest first [MQTT-4.6.0-2].
type owed struct {
	ids   [owedMax]uint16
	first int
	count int
	total int // that were put in since the beginning
}

func (o *owed) push(id uint16) {
	o.ids[(o.first+o.count)%owedMax] = id
	o.count++
	o.total++
}

// before gives how many are owed for what came before the message with that packet identifier.
func (o *owed) before(id uint16) int {
	for i := range o.count {
		if o.ids[(o.first+i)%owedMax] == id {
			return i
		}
	}
	return 0
}

func (o *owed) pop() uint16 {
	id := o.ids[o.first]
	o.first = (o.first + 1) % owedMax
	o.count--
	return id
}
