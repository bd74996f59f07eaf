package session

import (
	"time"

	"github.com/kiiweb/kiiweb/internal/fault"
	"github.com/kiiweb/kiiweb/internal/mqtt"
)

// effect is something the machine wants done. The loop performs a step's effects in
// their order.
type effect interface{ effect() string }

type (
	// fetch asks the Endpoint hook. refresh: what it gave last was refused or lapses.
	// ahead: the connection goes on meanwhile, and where this fails.
	fetch struct {
		gen     uint32
		refresh bool
		ahead   bool
	}
	// dial opens the transport to the endpoint that was fetched, for one version.
	dial struct {
		gen     uint32
		version mqtt.Version
	}
	// learn remembers the version that worked at the endpoint; 0 forgets it. guess: that a better one does
	// not was guessed from mere closes.
	learn struct {
		version mqtt.Version
		guess   bool
	}
	// greet takes over the open transport and sends CONNECT. ahead: and SUBSCRIBE with it.
	greet struct {
		gen   uint32
		ahead bool
	}
	// resume takes the server's answer into account and sends SUBSCRIBE, where greet did not.
	resume struct{ sessionPresent bool }
	// flow lets publishes go out: those that were sent before and not acknowledged,
	// then those that wait.
	flow struct{}
	// limit sets the deadline of a stage of the attempt.
	limit struct{ stage stage }
	// unlimit takes that deadline away.
	unlimit struct{}
	// watchStable starts the stable period.
	watchStable struct{ gen uint32 }
	// ping sends PINGREQ with a short deadline for its answer.
	ping struct{}
	// abandon drops the attempt, its transport and its timers without a word.
	abandon struct{}
	// hangUp sends DISCONNECT with a reason, then drops them as abandon does.
	hangUp struct{ reason mqtt.ReasonCode }
	// wait starts the retry timer and announces it. attempt counts from 0.
	wait struct {
		attempt int
		floor   time.Duration // wait at least this long
		err     *fault.Error
	}
	// unwait stops the retry timer.
	unwait struct{}
	// announce tells of a new state.
	announce struct {
		state  State
		reason string
		err    *fault.Error
	}
	// failSent fails the publishes that were sent and not acknowledged: the server
	// ended the connection because of something that it was sent. filters: that may be a topic filter.
	failSent struct {
		err     *fault.Error
		filters bool
	}
	// settle fails all publishes.
	settle struct{ err *fault.Error }
	// discard drops messages that are not handed over yet.
	discard struct{}
	// finish ends the loop.
	finish struct{}
)

// stage names a part of an attempt that has a deadline.
type stage uint8

const (
	stageEndpoint stage = iota
	stageDial
	stageConnack
	stageSuback
)

var stageNames = [...]string{"the endpoint", "the connection", "CONNACK", "SUBACK"}

func (s stage) String() string { return stageNames[s] }

func (fetch) effect() string       { return "fetch" }
func (dial) effect() string        { return "dial" }
func (learn) effect() string       { return "learn" }
func (greet) effect() string       { return "greet" }
func (resume) effect() string      { return "resume" }
func (flow) effect() string        { return "flow" }
func (limit) effect() string       { return "limit" }
func (unlimit) effect() string     { return "unlimit" }
func (watchStable) effect() string { return "watchStable" }
func (ping) effect() string        { return "ping" }
func (abandon) effect() string     { return "abandon" }
func (hangUp) effect() string      { return "hangUp" }
func (wait) effect() string        { return "wait" }
func (unwait) effect() string      { return "unwait" }
func (announce) effect() string    { return "announce" }
func (failSent) effect() string    { return "failSent" }
func (settle) effect() string      { return "settle" }
func (discard) effect() string     { return "discard" }
func (finish) effect() string      { return "finish" }
