package session

import (
	"github.com/kiiweb/kiiweb/internal/fault"
	"github.com/kiiweb/kiiweb/internal/mqtt"
)

// maxRefused is how many times running credentials or the subscription may be refused, each time after
// a fresh endpoint, before a session gives up that was never subscribed. One that
// was goes on: as long as the endpoint's server gives endpoints, the broker may just be unable
// to ask whether they are good, or have lost what the endpoint's server makes again.
const maxRefused = 3

// passedMost is of how many things that happened before the subscription stood the application is told.
const passedMost = 1000

// machine is the whole state of the lifecycle.
type machine struct {
	phase    phase
	gen      uint32 // the current attempt; events of others are late
	failures int    // attempts and connections lost since the last stable period
	refused  int    // refusals of the credentials or the subscription running
	accepted bool   // the subscription stood once
	plain    bool   // SUBSCRIBE waits for CONNACK: when it did not, something went wrong
	refresh  bool   // the next endpoint has to be a fresh one
	held     bool   // the server asked to be left alone for a while: waking does not shorten the wait
	paused   bool   // waiting until it is woken
	version  negotiation
	session  memory
	contest  contest
	balks    int          // connections running that ended over something that was sent
	chokes   int          // those that were said to, with a renewal of a subscription among what was sent
	refusal  *fault.Error // the latest of the refusals running
	passed   []effect     // what is to be told once the subscription stands
}

// memory is what the machine knows of the session at the server.
type memory uint8

const (
	memoryNone memory = iota // none was begun, or none is to be kept
	memoryHeld               // the server is to have it
	memoryLost               // it had, and had not when the connection was accepted
)

// step is the lifecycle: what happened in which state leads where, and what is to be
// done. It is pure: no I/O, no clock, no goroutine.
//
// The transitions, in the order of a good life:
//
//	idle         opened         fetching
//	fetching     endpointReady  dialing, or fetching again when what came has lapsed
//	dialing      dialed         greeting
//	greeting     welcomed       subscribing
//	greeting     lost           dialing, where another version is to be tried
//	subscribing  subscribed     online
//	online       expiring       online, and an endpoint is fetched
//	online       endpointReady  dialing: the endpoint was renewed
//	online       unrenewed      online, and the application is told
//	waiting      unrenewed      waiting, and the application is told once it is online; displaced likewise
//	online       passedOver     online, and the application is told
//	subscribing  passedOver     subscribing, and the application is told once it is online
//	online       stableDue      online, with the back-off reset
//	online       woken          online, with a PING
//	an attempt   lost           waiting, displaced, closed or failed: the policy's ruling
//	waiting      retryDue       fetching
//	waiting      woken          fetching, unless the server asked to wait, or the network went away
//	fetching     woken          fetching, with the back-off reset; dialing likewise; not where the network went away
//	an attempt   paused         waiting, until it is woken
//	waiting      paused         waiting, until it is woken, unless the server asked to wait
//	displaced    takenBack      fetching, with everything reset
//	not final    closedByUser   closed
//
// Everything else changes nothing.
func step(m machine, e event) (machine, []effect) {
	if m.phase.final() {
		return m, nil
	}
	if gen, ok := generation(e); ok && (gen != m.gen || !m.phase.attempting()) {
		return m, nil
	}
	switch e := e.(type) {
	case opened:
		if m.phase == phaseIdle {
			return m.start("connecting")
		}
	case endpointReady:
		switch m.phase {
		case phaseFetching:
			return m.fetched(e)
		case phaseOnline:
			if !e.lapsed {
				return m.renewed(e)
			}
		}
	case dialed:
		if m.phase == phaseDialing {
			m.phase = phaseGreeting
			return m, []effect{greet{m.gen, m.ahead()}, limit{stageConnack}}
		}
	case welcomed:
		if m.phase == phaseGreeting {
			m.phase = phaseSubscribing
			learned := m.remember(m.version.spoken)
			m.version.accepted()
			m.session = m.session.next(e, m.version.spoken)
			return m, append(learned, resume{e.sessionPresent}, limit{stageSuback})
		}
	case subscribed:
		if m.phase == phaseSubscribing {
			m.phase, m.refused, m.refusal, m.accepted = phaseOnline, 0, nil, true
			do := []effect{unlimit{}, announce{state: Online, reason: m.session.news()}, flow{}, watchStable{m.gen}}
			do, m.passed = append(do, m.passed...), nil
			return m, do
		}
	case passedOver:
		if m.phase >= phaseSubscribing {
			return m.tell(e.err.Message, e.err)
		}
	case unrenewed:
		if m.phase >= phaseOnline {
			return m.tell("not subscribed to "+e.filter+" any more", e.err)
		}
	case expiring:
		if m.phase == phaseOnline {
			return m, []effect{fetch{gen: m.gen, refresh: true, ahead: true}}
		}
	case stableDue:
		if m.phase == phaseOnline {
			m.failures, m.balks, m.chokes = 0, 0, 0
		}
	case lost:
		return m.lose(e.cause)
	case retryDue:
		if m.phase == phaseWaiting {
			return m.start("connecting again")
		}
	case woken:
		return m.wake(e.why)
	case paused:
		return m.pause(e.why)
	case takenBack:
		if m.phase == phaseDisplaced {
			m.failures, m.refused, m.refusal, m.refresh, m.contest, m.balks, m.chokes = 0, 0, nil, false, contest{off: m.contest.off}, 0, 0
			return m.start("taking the connection back")
		}
	case closedByUser:
		return m.close()
	}
	return m, nil
}

// tell tells the application of something that leaves the session online, once it is.
func (m machine) tell(reason string, err *fault.Error) (machine, []effect) {
	news := announce{state: Online, reason: reason, err: err}
	if m.phase == phaseOnline {
		return m, []effect{news}
	}
	if len(m.passed) < passedMost {
		m.passed = append(m.passed, news)
	}
	return m, nil
}

// next is what a CONNACK says of the session. MQTT 3.1 does not tell whether it is there.
func (s memory) next(e welcomed, v mqtt.Version) memory {
	switch {
	case !e.kept:
		return memoryNone
	case s == memoryNone || e.sessionPresent || v == mqtt.V31:
		return memoryHeld
	}
	return memoryLost
}

// news is what there is to say of the session when the subscription stands.
func (s memory) news() string {
	if s == memoryLost {
		return "subscribed anew: the broker did not keep the session"
	}
	return "subscribed"
}

// start begins an attempt of a new generation.
func (m machine) start(reason string) (machine, []effect) {
	m.phase = phaseFetching
	m.gen++
	m.held, m.paused = false, false
	return m, []effect{announce{state: Connecting, reason: reason}, fetch{gen: m.gen, refresh: m.refresh}, limit{stageEndpoint}}
}

// fetched goes on to the transport. An endpoint that has lapsed is fetched afresh
// once; a fresh one is tried as it is, since the two clocks may differ.
func (m machine) fetched(e endpointReady) (machine, []effect) {
	if e.lapsed && !m.refresh {
		m.refresh = true
		return m, []effect{fetch{gen: m.gen, refresh: true}, limit{stageEndpoint}}
	}
	m.refresh = false
	m.version.begin(e.proven)
	return m.dial()
}

// renewed goes over to an endpoint that was fetched ahead, at once and without a wait.
func (m machine) renewed(e endpointReady) (machine, []effect) {
	m.version.begin(e.proven)
	m.contest.interrupted()
	return m.again([]effect{hangUp{mqtt.Success}}, "connecting with a new endpoint")
}

// dial opens the transport for the version whose turn it is.
func (m machine) dial() (machine, []effect) {
	m.phase = phaseDialing
	return m, []effect{dial{m.gen, m.version.spoken}, limit{stageDial}}
}

// remember notes which version worked at the endpoint; 0 forgets it. One that the
// application forced is no finding.
func (m machine) remember(v mqtt.Version) []effect {
	if m.version.forced {
		return nil
	}
	return []effect{learn{v, m.version.guess}}
}

// offline is what a browser calls the cause when it has lost its networks. Not every connection leads through one of
// them, so it is no more than a reason to look.
const offline = "offline"

// wake checks a connection that stands, and ends a wait, but for offline. An attempt that has not reached the
// server may have begun in a network that is gone: should it fail, the next one comes soon.
func (m machine) wake(why string) (machine, []effect) {
	switch {
	case m.phase == phaseOnline:
		return m, []effect{ping{}}
	case why == offline:
	case m.phase == phaseFetching || m.phase == phaseDialing:
		m.failures = 0
	case m.phase == phaseWaiting && !m.held:
		m, next := m.start("connecting again: " + why)
		return m, append([]effect{unwait{}}, next...)
	}
	return m, nil
}
