package guard

import (
	"time"

	"github.com/kiiweb/kiiweb/internal/mqtt"
)

// Limits bound what one connection may cost. The zero value of a field means its default.
type Limits struct {
	// MaxPacket is the largest packet that a client may send, in bytes: 8192, which holds
	// the largest push with its topic and properties.
	MaxPacket int
	// MaxPayload is the largest payload of a client's PUBLISH, in bytes: 4096, as Kii has it.
	MaxPayload int
	// ConnectTimeout is how long a new connection may take to send its CONNECT, TLS and
	// all: 10 s.
	ConnectTimeout time.Duration
	// WriteTimeout ends a connection whose client does not take what it is sent: 10 s.
	WriteTimeout time.Duration
	// Linger is how long an ended connection may still take to close its own side, so
	// that the last packet is not lost to a reset: 1 s.
	Linger time.Duration
}

// DefaultLimits are the limits that a zero Limits stands for.
var DefaultLimits = Limits{
	MaxPacket:      8192,
	MaxPayload:     4096,
	ConnectTimeout: 10 * time.Second,
	WriteTimeout:   10 * time.Second,
	Linger:         time.Second,
}

func (l Limits) withDefaults() Limits {
	l.MaxPacket = orDefault(l.MaxPacket, DefaultLimits.MaxPacket)
	l.MaxPayload = orDefault(l.MaxPayload, DefaultLimits.MaxPayload)
	l.ConnectTimeout = orDefault(l.ConnectTimeout, DefaultLimits.ConnectTimeout)
	l.WriteTimeout = orDefault(l.WriteTimeout, DefaultLimits.WriteTimeout)
	l.Linger = orDefault(l.Linger, DefaultLimits.Linger)
	return l
}

func orDefault[T int | time.Duration](v, d T) T {
	if v <= 0 {
		return d
	}
	return v
}

// Refusal is why something is not done or a connection ends: a reason code of MQTT 5, from
// which the answer for 3.x follows, and a sentence for the client's developer.
type Refusal struct {
	Code   mqtt.ReasonCode
	Reason string
}

// Error gives the sentence.
func (r *Refusal) Error() string { return r.Reason }

// Handler decides and does what lies behind the guard. All calls of one connection come
// from one goroutine, in the order of the packets.
type Handler interface {
	// Connect decides on a CONNECT that is valid, has a client identifier and no will.
	// nil lets it in. It may take a while, and End may be called meanwhile.
	Connect(c *mqtt.Connect) *Refusal
	// Publish takes a message that the client published to its own topic. nil means that
	// it is safe, and at QoS 1 sends the PUBACK. p is valid during the call only.
	Publish(p mqtt.PublishView) *Refusal
	// Acknowledge tells that PUBACK came for a packet identifier. It may be an unknown one.
	Acknowledge(packetID uint16)
}
