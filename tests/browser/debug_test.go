package browser_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// entry is one of the debug log, as far as tests look at it.
type entry struct {
	Type, Text string
	At         int64

	// of packets and WebSockets
	Socket      int
	Sent        bool
	Name, Topic string
	Bytes       int
	PacketID    int `json:"packetId"`
	QoS         *int
	Filters     []struct {
		Filter string
		QoS    int
	}
	ReasonCodes  []struct{ Name string }
	PayloadBytes *int
	ClientID     string `json:"clientID"`
	Event, URL   string

	// of requests, calls and states
	Method   string
	Status   int
	Duration *int
	Error    *struct {
		Code   string
		Status int
	}
	State, Code, Reason string
	RetryIn             *int

	// of tabs
	Message  string
	Messages int
	Host     string
	Tabs     string
}

// logged makes the client that the page goes on with one that has a debug log.
func (p *page) logged() {
	p.t.Helper()
	p.eval(`globalThis.entries = [];
		globalThis.kii = await lib.load({ ...options, debug: (entry) => { entries.push(entry) } })`, nil)
}

func (p *page) entries() (list []entry) {
	p.t.Helper()
	p.Eval("entries", &list)
	return list
}

// find gives the first entry that is as wanted, and fails the test where there is none.
func find(t *testing.T, list []entry, what string, want func(entry) bool) entry {
	t.Helper()
	i := slices.IndexFunc(list, want)
	if i < 0 {
		text, _ := json.MarshalIndent(list, "", " ")
		require.Fail(t, "not logged: "+what, "%s", text)
	}
	return list[i]
}

// TestDebugLog: the whole journey with a mistake, a loss and an end, as the log tells it.
func TestDebugLog(t *testing.T) { onEachHost(t, debugLog) }

func debugLog(t *testing.T, s *site) {
	u := s.NewUser()
	p := s.page(plain)
	p.logged()
	const wrong, payload = "a password that is WRONG", "SECRET-PAYLOAD"
	require.Equal(t, "BAD_CREDENTIALS", p.rejects("await kii.login("+quote(u.LoginName)+", "+quote(wrong)+")").Code)
	p.connectAs(u)
	s.Push(u, map[string]any{"text": payload})
	p.awaitTexts(payload)
	p.eval(`await connection.publish("", JSON.stringify({ text: "own" }))`, nil)
	refused := p.rejects(`await connection.publish("", "x", { properties: { userProperties: [["key", "` + payload + `"]] } })`)
	require.NotNil(t, refused.ReasonCode)
	p.awaitTexts(payload, "own")
	s.Kill()
	p.await(`connection.state === "waiting"`)
	s.Restart()
	p.await(`connection.state === "online"`)
	p.eval(`await connection.close()`, nil)
	p.await(`entries.some(({ type, event }) => type === "socket" && event === "closed")`)

	list := p.entries()
	packet := func(sent bool, name string) entry {
		t.Helper()
		return find(t, list, name, func(e entry) bool { return e.Type == "packet" && e.Sent == sent && e.Name == name })
	}
	var topic string
	p.Eval("endpoint.mqttTopic", &topic)
	assert.Equal(t, topic, packet(true, "CONNECT").ClientID)
	assert.Equal(t, "Success", packet(false, "CONNACK").ReasonCodes[0].Name)
	filters := packet(true, "SUBSCRIBE").Filters
	require.Len(t, filters, 1)
	assert.Equal(t, topic, filters[0].Filter)
	assert.Equal(t, 1, filters[0].QoS)
	assert.Equal(t, "Granted QoS 1", packet(false, "SUBACK").ReasonCodes[0].Name)
	push := packet(false, "PUBLISH")
	assert.Equal(t, topic, push.Topic)
	require.NotNil(t, push.QoS)
	assert.Equal(t, 1, *push.QoS)
	require.NotNil(t, push.PayloadBytes)
	assert.Positive(t, *push.PayloadBytes)
	assert.Greater(t, push.Bytes, *push.PayloadBytes)
	ack := packet(true, "PUBACK")
	assert.Equal(t, push.PacketID, ack.PacketID)
	assert.Positive(t, ack.PacketID)
	assert.Equal(t, packet(true, "PUBLISH").PacketID, packet(false, "PUBACK").PacketID)
	find(t, list, "the refusal by its name", func(e entry) bool {
		return e.Name == "PUBACK" && !e.Sent && e.ReasonCodes[0].Name == "Implementation specific error"
	})
	assert.Equal(t, "Normal disconnection", packet(true, "DISCONNECT").ReasonCodes[0].Name)
	for _, e := range list {
		assert.Positive(t, e.At)
		assert.NotEmpty(t, e.Text)
		if e.Type == "packet" {
			assert.Positive(t, e.Socket)
			assert.NotContains(t, e.Text, "malformed")
		}
	}

	event := func(name string) entry {
		t.Helper()
		return find(t, list, name, func(e entry) bool { return e.Type == "socket" && e.Event == name })
	}
	assert.Contains(t, event("opening").URL, "/mqtt")
	event("open")
	assert.Contains(t, event("closed").Text, "closed, 1006", "the cloud was killed")

	state := func(name string) entry {
		t.Helper()
		return find(t, list, name, func(e entry) bool { return e.Type == "state" && e.State == name })
	}
	waiting := state("waiting")
	assert.Equal(t, "NETWORK", waiting.Code)
	assert.NotEmpty(t, waiting.Reason)
	require.NotNil(t, waiting.RetryIn)
	assert.Contains(t, waiting.Text, "again in ")
	state("online")
	assert.Equal(t, "CLOSED", state("closed").Code)

	request := func(path string, status int) entry {
		t.Helper()
		return find(t, list, path, func(e entry) bool {
			return e.Type == "request" && strings.HasSuffix(e.URL, path) && e.Status == status
		})
	}
	assert.Equal(t, "POST", request("/oauth2/token", 400).Method)
	assert.NotNil(t, request("/oauth2/token", 200).Duration)
	assert.Equal(t, "GET", request("/mqtt-endpoint", 200).Method)
	call := find(t, list, "the login that failed", func(e entry) bool { return e.Type == "call" && e.Method == "login" && e.Error != nil })
	assert.Equal(t, "BAD_CREDENTIALS", call.Error.Code)
	assert.Equal(t, 400, call.Error.Status)
	find(t, list, "the connection", func(e entry) bool { return e.Type == "call" && e.Method == "connect" && e.Duration != nil })
	assert.Equal(t, s.host, find(t, list, "where it runs", func(e entry) bool { return e.Type == "place" && e.Host != "" }).Host)
	p.assertHolds(wrong, u.Password, payload)
}

// assertHolds looks for what no entry may hold: secrets, those of the page among them.
func (p *page) assertHolds(secrets ...string) {
	p.t.Helper()
	var own []string
	p.Eval(`[kii.current?.token, globalThis.endpoint?.password].filter(Boolean)`, &own)
	require.NotEmpty(p.t, own)
	var text string
	p.Eval("JSON.stringify(entries)", &text)
	for _, secret := range append(own, secrets...) {
		assert.NotContains(p.t, text, secret)
	}
}

// TestDebugLogOnTheConsole: it goes there as console.debug. Without the option there is none, and its file is
// not fetched.
func TestDebugLogOnTheConsole(t *testing.T) {
	s := newSite(t)
	u := s.NewUser()
	p := s.page(plain)
	const fetched = `performance.getEntriesByType("resource").some(({ name }) => name.endsWith("/debug.mjs"))`
	told := func() (lines []string) {
		for _, e := range p.Console() {
			if e.Kind == "debug" {
				lines = append(lines, e.Text)
			}
		}
		return lines
	}
	var there bool
	p.connectAs(u)
	p.Eval(fetched, &there)
	assert.False(t, there)
	assert.Empty(t, told())
	p.eval(`await connection.close(); await kii.dispose(); globalThis.kii = await lib.load({ ...options, debug: true })`, nil)
	p.Eval(fetched, &there)
	assert.True(t, there)
	p.connectAs(u)
	for _, want := range []string{"#1 → CONNECT", "#1 ← CONNACK, Success (0x00)", "connection 1: online", "/mqtt-endpoint (", "→ 200 in "} {
		require.Eventually(t, func() bool { return strings.Contains(strings.Join(told(), "\n"), want) }, patience, 10*time.Millisecond, "%s: %v", want, told())
	}
	assert.NotContains(t, strings.Join(told(), "\n"), u.Password)
}

// TestDebugLogOfTabs: the leader tells what passes over its connection, a follower what it hears of that.
func TestDebugLogOfTabs(t *testing.T) {
	s := newSite(t).sharing()
	open := func() *page {
		p := s.blank().page
		p.logged()
		p.eval(`await kii.useToken(`+quote(s.user.Token)+`, { userID: `+quote(s.user.ID)+` });
			globalThis.endpoint = { ...await kii.getMqttEndpoint((await kii.installMqtt(false)).installationID), portWS: Number(location.port) };
			attach(await kii.connect(endpoint))`, nil)
		return p
	}
	leader, follower := open(), open()
	s.Push(s.user, map[string]any{"text": "for both"})
	leader.awaitTexts("for both")
	follower.awaitTexts("for both")
	follower.eval(`await connection.publish("", JSON.stringify({ text: "asked for" }))`, nil)
	leader.awaitTexts("for both", "asked for")

	list := leader.entries()
	find(t, list, "the leader's part", func(e entry) bool { return e.Type == "place" && e.Tabs == "leader" })
	find(t, list, "its packets", func(e entry) bool { return e.Name == "PUBLISH" && !e.Sent })
	find(t, list, "its words", func(e entry) bool { return e.Type == "tabs" && e.Sent && e.Message == "batch" && e.Messages == 1 })
	find(t, list, "what it was asked for", func(e entry) bool { return e.Type == "tabs" && !e.Sent && e.Message == "ask" && e.Method == "send" })

	list = follower.entries()
	find(t, list, "the follower's part", func(e entry) bool { return e.Type == "place" && e.Tabs == "follower" && e.Host == "" })
	find(t, list, "who leads", func(e entry) bool { return e.Type == "tabs" && !e.Sent && e.Message == "lead" && e.State == "online" })
	find(t, list, "its messages", func(e entry) bool { return e.Type == "tabs" && !e.Sent && e.Message == "batch" && e.Messages == 1 })
	find(t, list, "its state", func(e entry) bool { return e.Type == "state" && e.State == "online" })
	for _, e := range list {
		assert.NotEqual(t, "packet", e.Type, "the leader has them: %s", e.Text)
	}
	for _, p := range []*page{leader, follower} {
		p.assertHolds("for both", "asked for", s.user.Password)
	}
}
