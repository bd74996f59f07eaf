package session

import (
	"errors"
	"strings"

	"github.com/kiiweb/kiiweb/internal/mqtt"
	"github.com/kiiweb/kiiweb/internal/transport"
)

// broker is a model of one that has one client, and keeps all rules but what the world has
// it break. It is an honest witness, too: what the session sends is held against the standard.
type broker struct {
	w       *world
	best    mqtt.Version // the best version that it speaks
	session *kept        // nil: none
	peer    *peer        // who is connected

	refuse    mqtt.ReasonCode // CONNECT is refused so, as long as it is set
	deaf      bool            // it does not answer the first SUBSCRIBE of a connection
	hasty     haste           // what it does over a SUBSCRIBE that did not wait for CONNACK
	rude      map[string]bool // topic filters that it refuses
	quota     int             // what it announces as receive maximum, 0 for nothing
	room      int             // and as maximum packet size
	keepAlive uint16          // and as keep alive
	keepsFor  *uint32         // and as session expiry interval, in seconds: no session is kept for longer
}

// kept is a session that the broker keeps for its client.
type kept struct {
	filters  map[string]byte
	queue    []*item // not sent yet
	flight   []*item // sent, and not acknowledged to the end
	received map[uint16]string
	uses     map[uint16]*use // the packet identifiers in the client's hands
	arrived  map[string]bool // payloads at QoS 1 and 2 that came, whose repeats carry DUP
	lastID   uint16
	expiry   int64 // nanoseconds that it outlives its connection; below 0: for ever
	left     int64 // when that ended
}

// item is a message on its way to the client.
type item struct {
	name     string
	topic    string
	qos      byte
	id       uint16
	released bool   // at QoS 2: PUBREC has come
	size     int    // of the payload
	push     string // its pushMessageID, "" for none
	told     bool   // which was sent along, as MQTT 5 can
	on       *wire  // it was sent over last
}

// publish accepts a message for the client.
func (b *broker) publish(m *item) {
	if b.session == nil {
		return
	}
	granted, ok := b.session.filters[m.topic]
	if !ok {
		return
	}
	m.qos = min(m.qos, granted)
	if m.qos == 0 && (b.peer == nil || !b.peer.accepted) {
		return
	}
	b.w.noteAccepted(m)
	b.session.queue = append(b.session.queue, m)
	b.send()
}

// send lets out what the client's receive maximum allows.
func (b *broker) send() {
	p := b.peer
	if p == nil || !p.accepted || b.session == nil {
		return
	}
	for len(b.session.queue) > 0 {
		m := b.session.queue[0]
		if m.qos > 0 && len(b.session.flight) >= p.window {
			return
		}
		b.session.queue = b.session.queue[1:]
		if m.qos > 0 {
			for b.session.lastID++; b.session.lastID == 0 || b.session.inFlight(b.session.lastID) != nil; b.session.lastID++ {
			}
			m.id = b.session.lastID
			b.session.flight = append(b.session.flight, m)
		}
		p.deliver(m, false)
	}
}

func (k *kept) inFlight(id uint16) *item {
	for _, m := range k.flight {
		if m.id == id {
			return m
		}
	}
	return nil
}

func (k *kept) drop(m *item) {
	for i := range k.flight {
		if k.flight[i] == m {
			k.flight = append(k.flight[:i:i], k.flight[i+1:]...)
			return
		}
	}
}

// forget loses the session, as a broker that restarts without a disk.
func (b *broker) forget() {
	if b.session == nil {
		return
	}
	for _, list := range [][]*item{b.session.queue, b.session.flight} {
		for _, m := range list {
			b.w.noteLost(m)
		}
	}
	b.session = nil
	b.w.forgotten++
}

// end closes the connection that stands, with a word where the version has one.
func (b *broker) end(reason mqtt.ReasonCode, err error) {
	p := b.peer
	if p == nil {
		return
	}
	if reason != mqtt.Success && p.codec != nil && p.codec.Version() == mqtt.V5 {
		p.tell(&mqtt.Disconnect{ReasonCode: reason})
	}
	p.c.endDown = err
	p.leave()
}

// use is a packet identifier in the client's hands.
type use struct {
	what  string // the payload, or the kind of packet
	on    *wire
	freed bool
	at    int // from this byte on the client knows
}

func (u *use) free() bool { return u.freed && u.on.got >= u.at }

// peer is the broker's end of a connection.
type peer struct {
	b        *broker
	c        *wire
	split    *mqtt.Splitter
	codec    mqtt.Codec
	accepted bool
	window   int // messages that may be sent ahead
	most     int // bytes of the largest packet that the client accepts, 0 for any
	said     int // bytes told so far
	welcomed int // of these, the last of CONNACK's
	over     bool
	acks     []uint16 // of what was sent at QoS 1 and 2 and has no PUBACK or PUBREC yet, in order
	silent   int64    // nanoseconds of the world's clock since when nothing came
	alive    int64    // how long it may be silent
}

func (b *broker) accept(c *wire) {
	c.peer = &peer{b: b, c: c, split: mqtt.NewSplitter(0), silent: b.w.nanos()}
}

// leave ends the broker's part in the connection.
func (p *peer) leave() {
	if p.b.peer == p {
		p.b.peer = nil
		if p.b.session != nil {
			p.b.session.left = p.b.w.nanos()
		}
	}
	p.over, p.c.peer = true, nil
}

func (p *peer) tell(packets ...mqtt.Packet) {
	for _, packet := range packets {
		bytes, err := p.codec.Append(nil, packet)
		if err != nil {
			p.b.w.fail("the broker cannot say %+v: %v", packet, err)
			return
		}
		p.c.down = append(p.c.down, bytes...)
		p.said += len(bytes)
	}
	if p.c.silent {
		p.c.down = nil
	}
}

// deliver sends a message; one that is larger than the client of MQTT 5 accepts counts as sent and acknowledged.
func (p *peer) deliver(m *item, again bool) {
	payload := m.name + strings.Repeat(".", max(0, m.size-len(m.name)))
	packet := &mqtt.Publish{Topic: m.topic, QoS: m.qos, PacketID: m.id, Dup: again, Payload: []byte(payload)}
	if m.push != "" && p.codec.Version() == mqtt.V5 {
		packet, m.told = marked(packet, m.push), true
	}
	bytes, err := p.codec.Append(nil, packet)
	if err != nil {
		p.b.w.fail("the broker cannot send %s: %v", m.name, err)
		return
	}
	if p.most > 0 && len(bytes) > p.most {
		p.b.w.noteTooLarge(m)
		p.b.session.drop(m)
		return
	}
	if len(bytes) > p.b.w.cfg.MaxPacket {
		p.b.w.noteTooLarge(m)
	}
	if m.qos > 0 {
		p.acks = append(p.acks, m.id)
	}
	m.on = p.c
	p.b.w.noteSent(m)
	p.tell(packet)
}

// receive takes bytes in.
func (p *peer) receive(bytes []byte) {
	p.silent = p.b.w.nanos()
	p.split.Feed(bytes)
	for !p.over {
		pkt, err := p.split.Next()
		if err != nil {
			p.b.w.fail("the session sends what is no packet: %v", err)
			return
		}
		if pkt == nil {
			return
		}
		if err := p.packet(pkt); err != nil {
			p.b.w.fail("connection %d: %v", p.c.n, err)
			return
		}
	}
}

// overdue closes a connection that is silent for one and a half times the keep alive [MQTT-3.1.2-24].
func (p *peer) overdue() {
	if p.alive > 0 && p.b.w.nanos()-p.silent > p.alive {
		p.b.w.note("the broker misses a PINGREQ on connection %d", p.c.n)
		if p.b.w.nanos()-p.b.w.stood > p.alive {
			p.b.w.fail("the network works, and there is no PINGREQ")
		}
		p.b.end(mqtt.KeepAliveTimeout, &transport.CloseError{Code: 1006, Cause: errors.New("keep alive")})
	}
}
