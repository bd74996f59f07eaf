// Package session is the life of one MQTT connection, from the first attempt to the
// last word, across as many transports as it takes.
//
// The lifecycle is the pure function step in machine.go; what to do about a failure
// is the data in policy_tables.go. One goroutine, the loop, owns everything else and
// performs what the machine wants. Around it stand, per connection, a reader and a
// writer, which only move bytes, and the courier, which calls the application; so
// neither a slow network nor a slow handler can stop the loop.
//
// Messages do not pass through the machine: they are parsed in place, and everything
// that arrived in one turn of the loop is handed over as one batch.
package session

import (
	"context"
	"math"
	"math/rand/v2"
	"time"

	"github.com/kiiweb/kiiweb/internal/mqtt"
	"github.com/kiiweb/kiiweb/internal/transport"
)

// Endpoint is where and how to connect.
type Endpoint struct {
	URL      string // ws://, wss://, tcp:// or ssl://
	ClientID string
	Username string // "" for none
	Password string // "" for none
	Topic    string // the topic filter to subscribe to
	RootCAs  []byte // PEM, besides the system's; ignored in a browser
	// Expires is when the endpoint has to be fetched anew; zero: never.
	Expires time.Time
}

// Message is one application message.
type Message struct {
	Topic      string
	Payload    []byte
	QoS        byte
	Retain     bool
	Dup        bool   // received: the server may have sent it before
	Firm       bool   // received: a repeat of it is to be acknowledged, so it must not be dropped to make room, whoever has it
	PacketID   uint16 // received at QoS 1 or 2
	Properties []byte // raw MQTT 5 properties, without their length
}

// Config makes a session. Endpoint and Deliver, or HandOver, are required.
type Config struct {
	// Endpoint tells where to connect; it is called before each attempt. refresh: what
	// it gave last was refused or has expired. Its errors are judged by their
	// fault.Code.
	Endpoint func(ctx context.Context, refresh bool) (Endpoint, error)
	// Dial opens the transport; nil means transport.Dial.
	Dial func(ctx context.Context, url string, o transport.Options) (transport.Conn, error)

	Version       mqtt.Version        // the only one to speak; 0 means the best that the broker speaks
	Spoken        *Spoken             // the versions that worked lately; nil means those of this process
	KeepAlive     uint16              // seconds, 0 means off
	QoS           byte                // asked for in SUBSCRIBE: 0, 1 or 2
	CleanStart    bool                // do not resume a session that the server kept
	NoContest     bool                // never take closes for another client's doing
	User          []mqtt.UserProperty // of CONNECT; before MQTT 5 there is no place for them
	SessionExpiry uint32              // seconds the server is to keep the session; 0 means for ever, as before MQTT 5; off with CleanStart

	// Deliver takes the messages that arrived together, in order. Its calls and those
	// of OnChange come one after the other. Acknowledgements leave after it returned,
	// all of a batch in one write. The messages are its own to keep; they may share
	// memory with each other.
	Deliver func([]Message)
	// HandOver, where it is set, takes Deliver's place. It returns when the messages were
	// handed over, and gives a function that returns when they were handled; nil: they
	// were. No messages stand for repeats, which were handled when all before them were.
	// What wait gives is 0, or the packet identifier of the first message that nobody will
	// handle, since the application does not want any more: what is before it is acknowledged.
	HandOver func([]Message) (wait func() (stop uint16))
	// Stop, where it is set, is asked when the session is closed while what HandOver gave waits: it gives what
	// that is to give. It must not wait itself.
	Stop func() (stop uint16)
	// OnChange takes each transition, in order and in its place between the messages.
	OnChange func(Change)
	// OnPanic takes what a panic in one of the hooks left; nil means a note on
	// standard error. The session goes on; messages of the batch count as delivered.
	OnPanic func(value any, stack []byte)

	ReceiveMaximum int // messages the server may send ahead of acknowledgements; 0 means 1024
	MaxPacket      int // bytes of the largest packet accepted; 0 means 1 MiB and 64 KiB: a payload of 1 MiB and its topic
	MaxBacklog     int // messages that may wait for Deliver before reading pauses; 0 means 4096
	MaxOutgoing    int // messages that may wait to be sent or acknowledged, and as many requests; 0 means 1000

	MaxAge time.Duration // how long a message or a request may wait to be sent; 0 means 5 min

	EndpointTimeout time.Duration // for the Endpoint hook; 0 means 60 s
	StageTimeout    time.Duration // for each of transport, CONNACK, SUBACK, and a write; 0 means 10 s
	CloseTimeout    time.Duration // for the last words of a connection; 0 means 2 s
	BackoffBase     time.Duration // bound of the first wait; 0 means 1 s
	BackoffCap      time.Duration // bound of all waits; 0 means 60 s
	StableAfter     time.Duration // online for so long resets the back-off; 0 means 30 s

	Rand  func() float64 // [0, 1); nil means a random one
	Clock Clock          // nil means the real one
}

// withDefaults fills in what is not set.
func (c Config) withDefaults() Config {
	def(&c.SessionExpiry, math.MaxUint32) // [MQTT 5, 3.1.2.11.2]: it does not expire
	if c.CleanStart {
		c.SessionExpiry = 0
	}
	def(&c.ReceiveMaximum, 1024)
	c.ReceiveMaximum = min(c.ReceiveMaximum, 65535)
	def(&c.MaxPacket, 1<<20+1<<16)
	def(&c.MaxBacklog, 4096)
	def(&c.MaxOutgoing, 1000)
	def(&c.MaxAge, 5*time.Minute)
	def(&c.EndpointTimeout, 60*time.Second)
	def(&c.StageTimeout, 10*time.Second)
	def(&c.CloseTimeout, 2*time.Second)
	def(&c.BackoffBase, time.Second)
	def(&c.BackoffCap, time.Minute)
	def(&c.StableAfter, 30*time.Second)
	if c.Spoken == nil {
		c.Spoken = &spoken
	}
	if c.Dial == nil {
		c.Dial = transport.Dial
	}
	if c.Rand == nil {
		c.Rand = rand.Float64
	}
	if c.Clock == nil {
		c.Clock = realClock{}
	}
	if c.OnChange == nil {
		c.OnChange = func(Change) {}
	}
	if c.OnPanic == nil {
		c.OnPanic = reportPanic
	}
	return c
}

func def[T comparable](v *T, value T) {
	var zero T
	if *v == zero {
		*v = value
	}
}
