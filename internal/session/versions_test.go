package session

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/fault"
	"github.com/kiiweb/kiiweb/internal/mqtt"
	"github.com/kiiweb/kiiweb/internal/transport"
)

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
	h := newHarnessAt(t, func(e *Endpoint) { e.ClientID = "" }, nil)
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

// A proxy in front of a broker that restarts, or a broker that is busy with a takeover, closes before
// CONNACK: that says nothing about a version that the broker has spoken.
func TestClosesDoNotLowerAVersionThatWasAccepted(t *testing.T) {
	h := newHarness(t, nil)
	h.online().close(&transport.CloseError{})
	for range 3 * silentCloses {
		h.next(Waiting)
		h.tick()
		h.next(Connecting)
		b := h.accept()
		require.Equal(t, mqtt.V5, b.expect(mqtt.CONNECT).(*mqtt.Connect).Version)
		b.close(&transport.CloseError{})
	}
	h.next(Waiting)
	h.tick()
	h.next(Connecting)
	b := h.accept()
	b.expect(mqtt.CONNECT)
	b.send(&mqtt.Connack{ReasonCode: mqtt.UnsupportedProtocolVersion})
	h.next(Connecting)
	assert.Equal(t, mqtt.V311, h.accept().expect(mqtt.CONNECT).(*mqtt.Connect).Version, "a refusal does")
}
