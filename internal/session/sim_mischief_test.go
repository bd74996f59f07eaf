package session

import (
	"math"
	"sync/atomic"
	"time"

	"github.com/kiiweb/kiiweb/internal/mqtt"
	"github.com/kiiweb/kiiweb/internal/transport"
)

// simClock is the bubble's clock, with a monotonic reading, which bubbles lack, and a wall clock that jumps.
type simClock struct {
	realClock
	began time.Time
	ahead atomic.Int64 // by so much, in nanoseconds
}

// simBegan is when simulations begin by their clock. It has a monotonic reading.
var simBegan = time.Now()

func (c *simClock) Now() time.Time {
	return slept(simBegan.Add(time.Since(c.began)), time.Duration(c.ahead.Load()))
}

// jump sets the wall clock, forward or back, as a user or a time server does, or a machine whose monotonic clock has stood still.
func (w *world) jump() {
	d := []time.Duration{-time.Hour, -2 * time.Second, 7 * time.Second, time.Minute, 26 * time.Hour}[w.r.IntN(5)]
	w.note("the wall clock jumps by %v", d)
	w.clock.ahead.Add(int64(d))
}

// refusal is how the broker refuses CONNECT from now on; Success: not.
func (w *world) refusal() mqtt.ReasonCode {
	if w.chance(12) { // what ends the session, mostly
		w.condemned = true
		return []mqtt.ReasonCode{mqtt.NotAuthorized, mqtt.BadAuthenticationMethod, mqtt.Banned}[w.r.IntN(3)]
	}
	return []mqtt.ReasonCode{mqtt.Success, mqtt.Success, mqtt.ServerBusy, mqtt.ServerUnavailable, mqtt.BadUserNameOrPassword,
		mqtt.UnspecifiedError, mqtt.ServerMoved, mqtt.QuotaExceeded}[w.r.IntN(8)]
}

// dismissals are reasons of a server's DISCONNECT that end nothing for good.
var dismissals = []mqtt.ReasonCode{
	mqtt.UnspecifiedError, mqtt.ImplementationSpecificError, mqtt.ServerBusy, mqtt.ServerShuttingDown, mqtt.KeepAliveTimeout,
	mqtt.ReceiveMaximumExceeded, mqtt.MessageRateTooHigh, mqtt.QuotaExceeded, mqtt.UseAnotherServer, mqtt.ServerMoved,
	mqtt.ConnectionRateExceeded, mqtt.MaximumConnectTime,
}

// accusations are those that blame something that was sent.
var accusations = []mqtt.ReasonCode{
	mqtt.MalformedPacket, mqtt.ProtocolError, mqtt.NotAuthorized, mqtt.TopicAliasInvalid, mqtt.PacketTooLarge, mqtt.PayloadFormatInvalid,
	mqtt.RetainNotSupported, mqtt.QoSNotSupported, mqtt.TopicFilterInvalid, mqtt.WildcardSubscriptionsNotSupported,
}

// dismiss has the broker end the connection for one of MQTT 5's reasons.
func (w *world) dismiss() {
	b := w.broker
	if b.session == nil || b.peer == nil {
		return
	}
	reason := dismissals[w.r.IntN(len(dismissals))]
	switch {
	case w.chance(30):
		reason = []mqtt.ReasonCode{mqtt.AdministrativeAction, mqtt.BadAuthenticationMethod}[w.r.IntN(2)]
		w.condemned = true
	case w.chance(3):
		reason = accusations[w.r.IntN(len(accusations))]
		w.condemned = true // where it comes in place of SUBACK
	}
	w.note("the broker dismisses with %v", reason)
	words := b.peer.codec.Version() == mqtt.V5
	b.end(reason, &transport.CloseError{Code: 1006})
	if words && !contains(dismissals, reason) {
		clear(b.session.uses)
		for _, filter := range []string{"more/a", "more/b"} {
			w.user.doubt(filter)
		}
	}
}

func contains(list []mqtt.ReasonCode, reason mqtt.ReasonCode) bool {
	for _, r := range list {
		if r == reason {
			return true
		}
	}
	return false
}

// misbehave has the broker say what it may not. The session is to end the connection, and to come back.
func (w *world) misbehave() {
	p := w.broker.peer
	if p == nil {
		return
	}
	words := [][]byte{
		{0x36, 7, 0, 2, 'm', 'e', 0, 9, 'x'}, // PUBLISH at QoS 3
		{0x32, 6, 0, 2, 'm', 'e', 0, 0},      // without a packet identifier
		{0x20, 2, 0, 0},                      // CONNACK again
		{0xF1, 0},                            // flags that nothing has
		{0xD0, 0, 0xD0, 0},                   // PINGRESP that nobody asked for, which does no harm
		{0x40, 2, 0xFF, 0xFE},                // nor does PUBACK for nothing
		{0x90, 3, 0xFF, 0xFE, 0},             // or SUBACK, before MQTT 5
	}
	if p.codec.Version() == mqtt.V5 {
		words = append(words, []byte{0x30, 8, 0, 2, 'm', 'e', 3, 0x23, 0, 1}) // a topic alias
		words = append(words, []byte{0x30, 6, 0, 0, 3, 0x23, 0, 1})           // and one without a topic
		if w.chance(4) {
			words = append(words, []byte{0xF0, 2, 0, 0}) // AUTH
			w.condemned = true
		}
	}
	said := words[w.r.IntN(len(words))]
	w.note("the broker says %X", said)
	if !p.c.silent {
		p.c.down = append(p.c.down, said...)
		p.said += len(said)
	}
}

// haste is what a broker does over a packet that did not wait for CONNACK, which it should take (MQTT 5, 3.1.4).
type haste uint8

const (
	hasteTakes   haste = iota
	hasteDrops         // it does not look at it
	hasteCloses        // it closes
	hasteBlames        // it says before that a rule was broken, where the version has a word for that
	hasteRefuses       // it takes CONNACK back, as one whose system throws it away with what was not read
	hastes
)

// minds does that, and tells whether the packet is gone with it.
func (p *peer) minds() bool {
	closed := &transport.CloseError{Code: 1006}
	switch p.b.hasty {
	case hasteTakes:
		return false
	case hasteCloses:
		p.b.end(mqtt.Success, closed)
	case hasteBlames:
		p.b.end(mqtt.ProtocolError, closed)
	case hasteRefuses:
		p.c.down = nil
		p.b.end(mqtt.Success, closed)
	}
	return true
}

// keep notes for how long the session outlives its connection (MQTT 5, 3.1.2.11.2): what the client asks for, but most seconds at most, of which it is told.
func (k *kept) keep(v mqtt.Version, c *mqtt.Connect, most *uint32, ack *mqtt.Connack) {
	k.expiry = -1
	if v != mqtt.V5 {
		return
	}
	asked := uint32(0)
	if c.Properties.SessionExpiry != nil {
		asked = *c.Properties.SessionExpiry
	}
	if most != nil && asked > *most {
		asked, ack.Properties.SessionExpiry = *most, most
	}
	if asked < math.MaxUint32 {
		k.expiry = int64(asked) * int64(time.Second)
	}
}
