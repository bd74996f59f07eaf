package session

import (
	"github.com/kiiweb/kiiweb/internal/fault"
	"github.com/kiiweb/kiiweb/internal/mqtt"
)

// lose ends the attempt and goes where the policy says.
func (m machine) lose(c cause) (machine, []effect) {
	r := judge(c)
	switch {
	case r.filter && m.phase == phaseSubscribing:
		c.kind = causeSuback // which this came instead of: nothing else was sent
		r = judge(c)
	case r.filter && m.phase == phaseOnline:
		r.act, r.blame = actRetry, true
	}
	if m.phase == phaseDialing {
		m.failures += m.contest.unanswered()
	}
	m.balkedAhead(c, &r)
	suspicion := m.contest.judge(m.phase, c, r)
	if suspicion == suspicionProof {
		c.kind = causeContest
		r = judge(c)
	}
	if r.most > 0 {
		m.refused++
		if m.refused >= r.most && !m.accepted {
			r.act, r.end = actStop, phaseFailed
		}
	}
	do := []effect{m.part(c)}
	if m.phase == phaseGreeting {
		switch m.version.judge(c, r) {
		case verdictNext:
			return m.again(do, "connecting with "+versionName(m.version.spoken))
		case verdictForget:
			r.act = actRetry
			do = append(do, m.remember(0)...)
		}
	}
	err := r.fault(c)
	switch {
	case r.most == maxRefused:
		err.Retryable = true // what was refused was fresh
		m.refusal = err
	case r.most > 0:
		m.refusal = err
	case c.kind == causeEndpoint && m.refusal != nil && err.Cause == nil:
		because := *err // the hook's own may be somebody else's, too
		because.Cause = m.refusal
		err = &because
	}
	switch {
	case r.blame && m.phase == phaseOnline: // before, nothing went out but the session's own packets
		do = append(do, failSent{err, m.choked(c) || r.filter})
	case m.balked(c, r):
		do = append(do, failSent{balk(err), true})
	}
	switch r.act {
	case actStop:
		m.phase = r.end
		return m, append(do, settle{err}, announce{state: r.end.state(), reason: err.Message, err: err}, finish{})
	case actDisplace:
		m.phase = phaseDisplaced
		return m, append(do, settle{err}, announce{state: Displaced, reason: err.Message, err: err})
	case actRefresh:
		m.refresh = true
	}
	floor := r.wait(c)
	m.phase, m.held = phaseWaiting, floor > 0
	if suspicion == suspicionSome {
		return m, append(do, wait{attempt: m.contest.attempt(), floor: floor, err: err})
	}
	m.failures++
	return m, append(do, wait{attempt: m.failures - 1, floor: floor, err: err})
}

// again dials without a wait, in an attempt of its own.
func (m machine) again(do []effect, reason string) (machine, []effect) {
	m.gen++
	m, next := m.dial()
	return m, append(append(do, announce{state: Connecting, reason: reason}), next...)
}

// part says goodbye where there is somebody to say it to.
func (m machine) part(c cause) effect {
	if m.phase < phaseGreeting {
		return abandon{}
	}
	switch {
	case c.kind == causeExpired:
		return hangUp{mqtt.Success}
	case c.kind == causeViolation && c.reason != mqtt.UnsupportedProtocolVersion:
		return hangUp{tellable(c.reason)}
	}
	return abandon{}
}

// close ends the session for the application.
func (m machine) close() (machine, []effect) {
	err := fault.New(fault.Closed, "the connection was closed by the application")
	do := m.leave()
	m.phase = phaseClosed
	return m, append(do, discard{}, settle{err}, announce{state: Closed, reason: "closed by the application", err: err}, finish{})
}

// pause ends an attempt or a wait, and waits to be woken. A wait that the server asked for
// goes on.
func (m machine) pause(why string) (machine, []effect) {
	if !m.phase.attempting() && m.phase != phaseWaiting || m.held || m.paused {
		return m, nil
	}
	do := m.leave()
	m.contest.interrupted()
	m.phase, m.paused = phaseWaiting, true
	return m, append(do, announce{state: Waiting, reason: "paused: " + why})
}

// leave ends what is under way, with a goodbye where there is somebody to say it to.
func (m machine) leave() []effect {
	switch {
	case m.phase == phaseWaiting:
		return []effect{unwait{}}
	case m.phase >= phaseGreeting && m.phase <= phaseOnline:
		return []effect{hangUp{mqtt.Success}}
	case m.phase.attempting():
		return []effect{abandon{}}
	}
	return nil
}
