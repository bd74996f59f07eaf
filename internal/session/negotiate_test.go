package session

import (
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/kiiweb/kiiweb/internal/mqtt"
	"github.com/kiiweb/kiiweb/internal/transport"
)

// The ends of an attempt before CONNACK, as the machine sees them.
var (
	refusal5   = cause{kind: causeConnack, reason: mqtt.UnsupportedProtocolVersion}
	refusal3   = refusedConnect(mqtt.V311, &mqtt.Connack{ReasonCode: 1})
	oldConnack = cause{kind: causeViolation, reason: mqtt.UnsupportedProtocolVersion}
	plainClose = cause{kind: causeClosed, err: &transport.CloseError{Code: 1006}}
	overTCP    = cause{kind: causeClosed, err: &transport.CloseError{}}
	brokenOff  = cause{kind: causeClosed, err: &transport.CloseError{Code: 1002}}
	ownFailure = cause{kind: causeClosed, err: &transport.CloseError{Code: 1011}}
	restarting = cause{kind: causeClosed, err: &transport.CloseError{Code: 1012}}
	noConnack  = cause{kind: causeTimeout, text: "CONNACK"}
	busyBroker = cause{kind: causeConnack, reason: mqtt.ServerBusy}
)

func TestNegotiation(t *testing.T) {
	const v5, v4, v3 = mqtt.V5, mqtt.V311, mqtt.V31
	fresh, forced := negotiation{}, negotiation{forced: true, spoken: v4}
	for name, c := range map[string]struct {
		start  negotiation
		proven mqtt.Version
		ends   []cause // one attempt each
		speaks []mqtt.Version
		last   verdict
	}{
		"begins with 5":                          {fresh, 0, nil, []mqtt.Version{v5}, 0},
		"begins with what worked":                {fresh, v3, nil, []mqtt.Version{v3}, 0},
		"steps down at 0x84":                     {fresh, 0, []cause{refusal5}, []mqtt.Version{v5, v4}, verdictNext},
		"steps down at a CONNACK of 3.x":         {fresh, 0, []cause{oldConnack}, []mqtt.Version{v5, v4}, verdictNext},
		"steps down at return code 1":            {fresh, v4, []cause{refusal3}, []mqtt.Version{v4, v5}, verdictNext},
		"tries all three":                        {fresh, 0, []cause{oldConnack, refusal3}, []mqtt.Version{v5, v4, v3}, verdictNext},
		"ends when all three are refused":        {fresh, 0, []cause{oldConnack, refusal3, refusal3}, []mqtt.Version{v5, v4, v3, v3}, verdictStop},
		"ends when all are, beginning elsewhere": {fresh, v3, []cause{refusal3, oldConnack, refusal3}, []mqtt.Version{v3, v5, v4, v4}, verdictStop},
		"stays after one close":                  {fresh, 0, []cause{plainClose}, []mqtt.Version{v5, v5}, verdictNone},
		"steps down after two closes":            {fresh, 0, []cause{plainClose, overTCP}, []mqtt.Version{v5, v5, v4}, verdictNext},
		"takes 1002 for a plain close":           {fresh, 0, []cause{plainClose, brokenOff}, []mqtt.Version{v5, v5, v4}, verdictNext},
		"takes 1011 for one, too":                {fresh, 0, []cause{ownFailure, ownFailure}, []mqtt.Version{v5, v5, v4}, verdictNext},
		"counts closes that follow each other":   {fresh, 0, []cause{plainClose, noConnack, plainClose}, []mqtt.Version{v5, v5, v5, v5}, verdictNone},
		"forgets a close when the broker talks":  {fresh, 0, []cause{plainClose, busyBroker, plainClose}, []mqtt.Version{v5, v5, v5, v5}, verdictNone},
		"counts no close with a reason":          {fresh, 0, []cause{restarting, restarting, restarting}, []mqtt.Version{v5, v5, v5, v5}, verdictNone},
		"counts closes for each version":         {fresh, 0, []cause{plainClose, plainClose, plainClose}, []mqtt.Version{v5, v5, v4, v4}, verdictNone},
		"begins again when all only close": {fresh, 0, []cause{plainClose, plainClose, plainClose, plainClose, plainClose, plainClose},
			[]mqtt.Version{v5, v5, v4, v4, v3, v3, v5}, verdictForget},
		"begins again when one only closes": {fresh, 0, []cause{plainClose, plainClose, refusal3, refusal3},
			[]mqtt.Version{v5, v5, v4, v3, v5}, verdictForget},
		"doubts what worked after two closes": {fresh, v4, []cause{plainClose, plainClose}, []mqtt.Version{v4, v4, v5}, verdictForget},
		"forced stays when refused":           {forced, v5, []cause{refusal3}, []mqtt.Version{v4, v4}, verdictStop},
		"forced stays when closed":            {forced, 0, []cause{plainClose, plainClose, plainClose}, []mqtt.Version{v4, v4, v4, v4}, verdictNone},
	} {
		t.Run(name, func(t *testing.T) {
			n := c.start
			n.begin(c.proven)
			speaks, last := []mqtt.Version{n.spoken}, verdictNone
			for _, end := range c.ends {
				if last = n.judge(end, judge(end)); last == verdictForget {
					c.proven = 0
				}
				if last != verdictNext && last != verdictStop { // else there is no new fetch
					n.begin(c.proven)
				}
				speaks = append(speaks, n.spoken)
			}
			assert.Equal(t, c.speaks, speaks)
			assert.Equal(t, c.last, last)
		})
	}
}

func TestWhatWorkedIsProbedAgainOnceItHasLapsed(t *testing.T) {
	n := negotiation{}
	n.begin(0)
	n.judge(refusal5, judge(refusal5))
	n.accepted()
	n.begin(mqtt.V311)
	assert.Equal(t, mqtt.V311, n.spoken)
	n.begin(0)
	assert.Equal(t, mqtt.V5, n.spoken)
}

func TestSpoken(t *testing.T) {
	var s Spoken
	assert.Zero(t, s.at("a", t0))
	s.learn("a", mqtt.V311, false, t0)
	s.learn("b", mqtt.V5, false, t0)
	assert.Equal(t, mqtt.V311, s.at("a", t0.Add(provenFor-1)))
	assert.Zero(t, s.at("a", t0.Add(provenFor)), "for a day")
	assert.Zero(t, s.at("a", t0.Add(-time.Second)), "a clock that was set back proves nothing")
	s.learn("a", mqtt.V311, false, t0.Add(provenFor/2))
	assert.Zero(t, s.at("a", t0.Add(provenFor)), "using it does not make it younger")
	s.learn("a", mqtt.V31, false, t0)
	assert.Equal(t, mqtt.V31, s.at("a", t0))
	s.learn("c", mqtt.V311, true, t0)
	assert.Equal(t, mqtt.V311, s.at("c", t0.Add(guessedFor-1)))
	assert.Zero(t, s.at("c", t0.Add(guessedFor)), "a guess is not kept for long")
	s.learn("a", 0, false, t0)
	assert.Zero(t, s.at("a", t0))
	assert.Equal(t, mqtt.V5, s.at("b", t0))
	for n := range 2 * provenMax {
		s.learn(strconv.Itoa(n), mqtt.V5, false, t0)
	}
	assert.Len(t, s.list, provenMax)
	assert.Zero(t, s.at("b", t0), "the oldest made room")
}

// What the table of transitions cannot show: the same event with another past.
func TestNegotiationInTheMachine(t *testing.T) {
	denied := uint8(1<<mqtt.V5 | 1<<mqtt.V311)
	for name, c := range map[string]struct {
		version negotiation
		event   event
		want    transition
	}{
		"one close":                    {negotiation{spoken: mqtt.V5}, lostClosed, transition{phaseWaiting, "abandon wait"}},
		"closes where it worked":       {negotiation{spoken: mqtt.V5, proven: true, closes: 1}, lostClosed, transition{phaseWaiting, "abandon learn wait"}},
		"closes of the last version":   {negotiation{spoken: mqtt.V31, denied: denied, closes: 1}, lostClosed, transition{phaseWaiting, "abandon learn wait"}},
		"closes where it was accepted": {negotiation{spoken: mqtt.V5, proven: true, sure: true, closes: 1}, lostClosed, transition{phaseWaiting, "abandon wait"}},
		"closes of the forced version": {negotiation{forced: true, spoken: mqtt.V5, closes: 1}, lostClosed, transition{phaseWaiting, "abandon wait"}},
		"the last refused":             {negotiation{spoken: mqtt.V31, denied: denied}, lostVersion, transition{phaseFailed, "abandon settle announce finish"}},
		"the last refused, one closed": {negotiation{spoken: mqtt.V31, denied: denied, guess: true}, lostVersion, transition{phaseWaiting, "abandon learn wait"}},
		"the forced refused":           {negotiation{forced: true, spoken: mqtt.V5}, lostVersion, transition{phaseFailed, "abandon settle announce finish"}},
		"the forced accepted":          {negotiation{forced: true, spoken: mqtt.V5}, welcomed{gen: gen}, transition{phaseSubscribing, "resume limit"}},
	} {
		t.Run(name, func(t *testing.T) {
			m := at(phaseGreeting)
			m.version = c.version
			m, effects := step(m, c.event)
			assert.Equal(t, c.want.to.String(), m.phase.String())
			assert.Equal(t, c.want.effects, names(effects))
			if m.phase == phaseWaiting {
				assert.True(t, waitError(effects).Retryable)
			}
		})
	}
}

func TestEachVersionIsAnAttemptOfItsOwn(t *testing.T) {
	m, effects := step(at(phaseGreeting), lostVersion)
	assert.Equal(t, uint32(gen+1), m.gen)
	assert.Contains(t, effects, dial{gen + 1, mqtt.V311})
	assert.Equal(t, at(phaseGreeting).failures, m.failures, "it is no failure")
}
