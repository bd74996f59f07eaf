package session

import (
	"time"

	"github.com/kiiweb/kiiweb/internal/fault"
	"github.com/kiiweb/kiiweb/internal/mqtt"
)

// State is what a user of the connection sees of its life.
type State string

// The states. Displaced waits for TakeBack; Closed and Failed are final.
const (
	Idle       State = "idle"
	Connecting State = "connecting"
	Online     State = "online"
	Waiting    State = "waiting"
	Displaced  State = "displaced"
	Closed     State = "closed"
	Failed     State = "failed"
)

// Change tells of one transition.
type Change struct {
	State State
	// Code and Reason say why. Code is "" where nothing went wrong.
	Code   fault.Code
	Reason string
	// ReasonCode is the MQTT reason code behind the change, -1 when there is none.
	ReasonCode int
	// RetryIn is how long a waiting session waits before it connects again; negative: until
	// it is woken.
	RetryIn time.Duration
	// Err is the same cause as an error, nil where nothing went wrong.
	Err *fault.Error
	// Broker is what the broker said of the connection; nil in other states than Online.
	Broker *Broker
}

// Broker is what a broker says in CONNACK. What is below SessionPresent is MQTT 5's.
type Broker struct {
	Protocol       int  // the version that is spoken: 5, 4 for 3.1.1 or 3 for 3.1
	SessionPresent bool // it has kept the session; never so in 3.1, where that is not told

	KeepAlive        uint16 // seconds, in force: the broker's, else the one that was asked for
	AssignedClientID string // "" where the client has one of its own
	ServerReference  string
	ReasonString     string
	User             []mqtt.UserProperty
}

// phase is the machine's own, finer state.
type phase uint8

const (
	phaseIdle        phase = iota
	phaseFetching          // the Endpoint hook works
	phaseDialing           // the transport opens
	phaseGreeting          // CONNECT is sent, CONNACK is awaited
	phaseSubscribing       // SUBSCRIBE is sent, SUBACK is awaited
	phaseOnline            // subscribed
	phaseWaiting           // the retry timer runs
	phaseDisplaced         // another connection took over
	phaseClosed            // final, nothing failed
	phaseFailed            // final, something has to be changed first
	phases                 // how many there are
)

var phaseNames = [phases]string{
	"idle", "fetching", "dialing", "greeting", "subscribing", "online", "waiting", "displaced", "closed", "failed",
}

func (p phase) String() string { return phaseNames[p] }

// state gives the public name of p.
func (p phase) state() State {
	switch p {
	case phaseFetching, phaseDialing, phaseGreeting, phaseSubscribing:
		return Connecting
	case phaseOnline:
		return Online
	case phaseWaiting:
		return Waiting
	case phaseDisplaced:
		return Displaced
	case phaseClosed:
		return Closed
	case phaseFailed:
		return Failed
	}
	return Idle
}

// attempting tells whether an attempt with a generation of its own is under way.
func (p phase) attempting() bool { return p >= phaseFetching && p <= phaseOnline }

// final tells whether nothing comes after p.
func (p phase) final() bool { return p == phaseClosed || p == phaseFailed }
