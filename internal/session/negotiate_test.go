package session

import (
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/fault"
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
	s.learn("a", mqtt.V311, t0)
	s.learn("b", mqtt.V5, t0)
	assert.Equal(t, mqtt.V311, s.at("a", t0.Add(provenFor-1)))
	assert.Zero(t, s.at("a", t0.Add(provenFor)), "for a day")
	assert.Zero(t, s.at("a", t0.Add(-time.Second)), "a clock that was set back proves nothing")
	s.learn("a", mqtt.V311, t0.Add(provenFor/2))
	assert.Zero(t, s.at("a", t0.Add(provenFor)), "using it does not make it younger")
	s.learn("a", mqtt.V31, t0)
	assert.Equal(t, mqtt.V31, s.at("a", t0))
	s.learn("a", 0, t0)
	assert.Zero(t, s.at("a", t0))
	assert.Equal(t, mqtt.V5, s.at("b", t0))
	for n := range 2 * provenMax {
		s.learn(strconv.Itoa(n), mqtt.V5, t0)
	}
	assert.Len(t, s.list, provenMax)
	assert.Zero(t, s.at("b", t0), "the oldest made room")
}

// versionOf awaits CONNECT and gives its version.
func versionOf(b *pipe) mqtt.Version {
	b.t.Helper()
	return b.expect(mqtt.CONNECT).(*mqtt.Connect).Version
}

func TestStepsDownWithoutWaiting(t *testing.T) {
	shared := &Spoken{}
	with := func(c *Config) { c.Spoken = shared }
	h := newHarness(t, with)
	h.next(Connecting)
	b := h.accept()
	assert.Equal(t, mqtt.V5, versionOf(b))
	b.raw(unhex("20 02 00 01")) // as a broker of 3.1.1 answers
	b.gone()
	b.silent()
	assert.Contains(t, h.next(Connecting).Reason, "MQTT 3.1.1")
	b = h.accept()
	assert.Equal(t, []string{"mqtt"}, b.offered)
	assert.Equal(t, mqtt.V311, versionOf(b))
	b.send(&mqtt.Connack{ReasonCode: 1})
	assert.Contains(t, h.next(Connecting).Reason, "MQTT 3.1")
	b = h.accept()
	assert.Equal(t, []string{"mqttv3.1"}, b.offered)
	c := b.expect(mqtt.CONNECT).(*mqtt.Connect)
	assert.Equal(t, &mqtt.Connect{Version: mqtt.V31, ClientID: "topic-1", HasUsername: true, Username: "user",
		HasPassword: true, Password: []byte("secret"), KeepAlive: 60}, c)
	b.send(&mqtt.Connack{})
	b.subscribe(mqtt.GrantedQoS1)
	h.next(Online)
	assert.Zero(t, h.elapsed())
	assert.Len(t, h.fetched(), 1, "one endpoint for all")

	b.close(errReset)
	h.next(Waiting)
	h.tick()
	h.next(Connecting)
	assert.Equal(t, mqtt.V31, versionOf(h.accept()))
	assert.Equal(t, mqtt.V31, versionOf(newHarness(t, with).accept()), "and other sessions know")
	h.s.cfg.Clock.(*fakeClock).advance(provenFor)
	later := newHarness(t, with)
	later.clock.advance(provenFor)
	assert.Equal(t, mqtt.V5, versionOf(later.accept()), "for a day")
}

func TestClosesBeforeConnackStepDown(t *testing.T) {
	h := newHarness(t, nil)
	h.next(Connecting)
	b := h.accept()
	assert.Equal(t, mqtt.V5, versionOf(b))
	b.close(&transport.CloseError{Code: 1006})
	h.next(Waiting)
	h.set(func() { h.dialErr = errReset })
	h.tick()
	h.next(Connecting)
	h.next(Waiting)
	h.set(func() { h.dialErr = nil })
	h.tick()
	h.next(Connecting)
	b = h.accept()
	assert.Equal(t, mqtt.V5, versionOf(b))
	b.close(&transport.CloseError{Code: 1006})
	h.next(Connecting)
	b = h.accept()
	assert.Equal(t, mqtt.V311, versionOf(b))
	b.send(&mqtt.Connack{SessionPresent: true})
	b.subscribe(mqtt.GrantedQoS1)
	h.next(Online)
}

func TestForcedVersions(t *testing.T) {
	for name, c := range map[string]struct {
		version mqtt.Version
		answer  string
		reason  int
	}{
		"5, refused":           {mqtt.V5, "20 03 00 84 00", 0x84},
		"5, answered in 3.x":   {mqtt.V5, "20 02 00 00", 0x84},
		"3.1.1, refused":       {mqtt.V311, "20 02 00 01", 1},
		"3.1.1, answered in 5": {mqtt.V311, "20 03 00 84 00", 0x84},
		"3.1, refused":         {mqtt.V31, "20 02 00 01", 1},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t, func(cfg *Config) { cfg.Version = c.version })
			h.next(Connecting)
			b := h.accept()
			assert.Equal(t, c.version, versionOf(b))
			b.raw(unhex(c.answer))
			end := h.next(Failed)
			assert.Equal(t, fault.ProtocolVersion, end.Code)
			assert.Equal(t, c.reason, end.ReasonCode)
			assert.Contains(t, end.Err.Remedy, "protocol")
			assert.Empty(t, h.s.cfg.Spoken.list, "what is forced is no finding")
		})
	}
}

func TestABrokerThatSpeaksNone(t *testing.T) {
	h := newHarness(t, nil)
	h.next(Connecting)
	for range 2 {
		b := h.accept()
		b.expect(mqtt.CONNECT)
		b.raw(unhex("20 02 00 01"))
		h.next(Connecting)
	}
	b := h.accept()
	b.expect(mqtt.CONNECT)
	b.raw(unhex("20 02 00 01"))
	assert.Equal(t, fault.ProtocolVersion, h.next(Failed).Code)
	require.Empty(t, h.dials)
}

func TestReturnCodesOfOldBrokers(t *testing.T) {
	for code, want := range map[mqtt.ReasonCode]struct {
		state State
		code  fault.Code
		fresh bool
	}{
		2: {Waiting, fault.BadCredentials, true},
		3: {Waiting, fault.ServerError, false},
		4: {Waiting, fault.BadCredentials, true},
		5: {Waiting, fault.Unauthorized, true},
	} {
		t.Run(strconv.Itoa(int(code)), func(t *testing.T) {
			h := newHarness(t, func(c *Config) { c.Version = mqtt.V311 })
			h.next(Connecting)
			b := h.accept()
			b.expect(mqtt.CONNECT)
			b.send(&mqtt.Connack{ReasonCode: code})
			c := h.next(want.state)
			assert.Equal(t, want.code, c.Code)
			assert.Equal(t, int(code), c.ReasonCode)
			h.tick()
			h.next(Connecting)
			h.accept()
			assert.Equal(t, []bool{false, want.fresh}, h.fetched())
		})
	}
}

// Some brokers send DISCONNECT to clients that cannot know it.
func TestDisconnectBeforeMQTT5IsAClose(t *testing.T) {
	h := newHarness(t, func(c *Config) { c.Version = mqtt.V311 })
	b := h.online()
	b.raw(unhex("E0 00"))
	assert.Equal(t, fault.Network, h.next(Waiting).Code)
	b.gone()
	b.silent()
}

func TestNothingIsSaidOfAFaultBeforeMQTT5(t *testing.T) {
	h := newHarness(t, func(c *Config) { c.Version = mqtt.V311 })
	b := h.online()
	b.raw(unhex("F0 00"))
	assert.Equal(t, fault.ProtocolError, h.next(Waiting).Code)
	b.gone()
	b.silent()
}

func TestTheServerReferenceIsTold(t *testing.T) {
	h := newHarness(t, nil)
	h.next(Connecting)
	b := h.accept()
	b.expect(mqtt.CONNECT)
	b.send(&mqtt.Connack{ReasonCode: mqtt.UseAnotherServer, Properties: mqtt.Properties{ReasonString: "full", ServerReference: "two.example:8883"}})
	c := h.next(Waiting)
	assert.Contains(t, c.Reason, "full; server reference two.example:8883")
	h.tick()
	h.next(Connecting)
	b = h.welcome(&mqtt.Connack{})
	h.next(Online)
	assert.Equal(t, []bool{false, true}, h.fetched())
	b.send(&mqtt.Disconnect{ReasonCode: mqtt.ServerMoved, Properties: mqtt.Properties{ServerReference: "three.example"}})
	assert.Contains(t, h.next(Waiting).Reason, "(server reference three.example)")
}

func TestAnAssignedClientIdentifierIsKept(t *testing.T) {
	h := newHarness(t, nil)
	h.set(func() { h.endpoint.ClientID = "" })
	h.next(Connecting)
	b := h.welcome(&mqtt.Connack{Properties: mqtt.Properties{AssignedClientID: "auto-7"}})
	h.next(Online)
	b.close(errReset)
	h.next(Waiting)
	h.tick()
	assert.Equal(t, "auto-7", h.accept().expect(mqtt.CONNECT).(*mqtt.Connect).ClientID)
}

// No topic alias was allowed, so none may come, in place of a topic or beside it.
func TestTopicAliasesAreRefused(t *testing.T) {
	for name, raw := range map[string]string{
		"in place of a topic": "30 06 00 00 03 23 00 01",
		"beside a topic":      "30 07 00 01 74 03 23 00 01",
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t, nil)
			b := h.online()
			b.raw(unhex(raw))
			assert.Equal(t, mqtt.TopicAliasInvalid, b.expect(mqtt.DISCONNECT).(*mqtt.Disconnect).ReasonCode)
			h.next(Waiting)
		})
	}
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
