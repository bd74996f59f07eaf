package session

// doubt is about messages at QoS 0, which nobody answers: before MQTT 5 a broker that does not
// want one can only end the connection, which looks like another client's doing. Once something
// has looked like that, a PINGREQ goes behind such messages: its answer says that the broker has
// come past them, as it takes what a connection brings in turn.
type doubt uint8

const (
	doubtNone  doubt = iota
	doubtSent        // messages went out, and no PINGREQ behind them
	doubtAsked       // PINGREQ went out behind them
)

// suspicious tells whether that is so.
func (l *loop) suspicious() bool {
	k := &l.machine.contest
	return k.count > 0 && k.suspects(since(l.began, l.now())) // most look no further than the first
}

// doubts notes that a message at QoS 0 goes out.
func (l *loop) doubts() {
	if l.suspicious() {
		l.link.doubt = doubtSent
	}
}

// askDoubt puts PINGREQ behind messages, unless one is out already: that one's answer comes first.
// Nothing suggests that the connection is dead, so it is in no hurry.
func (l *loop) askDoubt() {
	if k := l.link; k.doubt == doubtSent && k.keep.pongBy.IsZero() {
		k.doubt = doubtAsked
		k.keep.asked(l.now())
		l.pingreq()
	}
}

// ponged takes in PINGRESP.
func (k *link) ponged() {
	k.keep.answered()
	if k.doubt == doubtAsked {
		k.doubt = doubtNone
	}
}
