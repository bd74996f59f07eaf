package browser_test

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestErrorsOfTheJourney(t *testing.T) { onEachHost(t, errorsOfTheJourney) }

func errorsOfTheJourney(t *testing.T, s *site) {
	u := s.NewUser()
	p := s.page(plain)
	login := "await kii.login(" + quote(u.LoginName) + ", "

	for _, tc := range []struct {
		name, body, code string
		status           int
	}{
		{"wrong password", login + `"not the password")`, "BAD_CREDENTIALS", 400},
		{"unknown user", `await kii.login("nobody-at-all", "x")`, "BAD_CREDENTIALS", 400},
		{"not logged in", `await kii.installMqtt(false)`, "NOT_LOGGED_IN", 0},
		{"taken login name", `await kii.register(` + quote(u.LoginName) + `, "a long enough password")`, "CONFLICT", 409},
		{"no boolean", `await kii.installMqtt("false")`, "INVALID_ARGUMENT", 0},
		{"bad token", `await kii.useToken("no-such-token")`, "UNAUTHORIZED", 401},
		{"aborted before", login + `"x", { signal: AbortSignal.abort() })`, "ABORTED", 0},
		{"aborted meanwhile", `const c = new AbortController(); const going = kii.login("a", "b", { signal: c.signal }); c.abort(); await going`, "ABORTED", 0},
		{"time is up", login + `"x", { timeout: 1 })`, "TIMEOUT", 0},
		{"nobody listens", `const k = await lib.load({ ...options, baseURL: "http://localhost:9/api" }); await k.login("a", "b")`, "NETWORK", 0},
		{"open network", `const k = await lib.load({ ...options, baseURL: "http://push.example/api" }); await k.login("a", "b")`, "INSECURE", 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := p.rejects(tc.body)
			assert.Equal(t, tc.code, f.Code, "%+v", f)
			assert.True(t, f.IsKiiError)
			assert.Equal(t, tc.status, f.Status, "%+v", f)
			assert.NotContains(t, f.Message, "not the password")
			if tc.code == "BAD_CREDENTIALS" {
				assert.Equal(t, "Check the user name and password.", f.Remedy)
			}
			if tc.code == "CONFLICT" {
				assert.NotEmpty(t, f.KiiMessage)
				assert.Contains(t, f.Message, f.KiiMessage)
			}
		})
	}
	p.connectAs(u) // the module has survived all that
}

// TestABrokerThatThePagesPolicyForbids: the browser says so at once, and so does connect.
func TestABrokerThatThePagesPolicyForbids(t *testing.T) { onEachHost(t, aForbiddenBroker) }

func aForbiddenBroker(t *testing.T, s *site) {
	p := s.page(plain)
	var codes []string
	p.eval(`const endpoint = { username: "u", password: "p", mqttTopic: "t", host: "127.0.0.1", portWS: 9 };
		try { await kii.connect(endpoint, { timeout: 20_000 }) } catch (e) { return [e.code, e.remedy] }`, &codes)
	require.Len(t, codes, 2)
	assert.Equal(t, "NETWORK", codes[0])
	assert.Contains(t, codes[1], "Add ws://127.0.0.1:9 to connect-src")
}

// TestTooMuchToRead: what is too long for the module's memory is refused before it is copied.
func TestTooMuchToRead(t *testing.T) { onEachHost(t, tooMuchToRead) }

func tooMuchToRead(t *testing.T, s *site) {
	p := s.page(plain)
	p.connectAs(s.NewUser())
	for body, code := range map[string]string{
		`await kii.login("x".repeat(2_000_000), "x")`:                  "INVALID_ARGUMENT",
		`await kii.sendToMe({ data: { text: "x".repeat(2_000_000) }})`: "INVALID_ARGUMENT",
		`await connection.publish("", new Uint8Array(1_200_000_000))`:  "PACKET_TOO_LARGE",
		`await connection.publish("", new ArrayBuffer(1_200_000_000))`: "PACKET_TOO_LARGE",
		`await connection.publish("", "x".repeat(20_000_000))`:         "PACKET_TOO_LARGE",
		`await connection.publish("", "\u3042".repeat(6_000_000))`:     "PACKET_TOO_LARGE",
	} {
		t.Run(body, func(t *testing.T) { assert.Equal(t, code, p.rejects(body).Code) })
	}
	assert.Empty(t, p.states(), "the connection stands")
}

func TestEndpointNotReady(t *testing.T) {
	endpointRequests := `answers.filter(([url]) => url.includes("mqtt-endpoint")).map(([, status]) => status)`

	t.Run("twice 503, then ready", func(t *testing.T) {
		const delay = 1900 // ms
		s := newSite(t, "-endpoint-delay", strconv.Itoa(delay)+"ms")
		p := s.page(plain)
		p.connectAs(s.NewUser())
		var statuses []int
		p.inside(endpointRequests, &statuses)
		var times struct{ Install, Second [2]float64 } // asked for, answered
		p.inside(`({ Install: answers.find(([url]) => url.endsWith("/installations")).slice(2),
			Second: answers.filter(([url]) => url.includes("mqtt-endpoint"))[1].slice(2) })`, &times)
		want := []int{503, 503, 200}
		if times.Second[1] > times.Install[0]+delay && len(statuses) == 2 { // a machine so slow that the second one came late
			want = want[1:]
		}
		assert.Equal(t, want, statuses, "%+v", times)
	})
	t.Run("three times 503", func(t *testing.T) {
		s := newSite(t, "-endpoint-delay", "1h")
		u := s.NewUser()
		p := s.page(plain)
		p.eval(`await kii.login(`+quote(u.LoginName)+`, `+quote(u.Password)+`); globalThis.installation = await kii.installMqtt(false)`, nil)
		f := p.rejects("await kii.getMqttEndpoint(installation.installationID)")
		assert.Equal(t, "ENDPOINT_NOT_READY", f.Code)
		assert.Equal(t, 503, f.Status)
		assert.True(t, f.Retryable)
		var statuses []int
		p.inside(endpointRequests, &statuses)
		assert.Equal(t, []int{503, 503, 503}, statuses)
	})
}

// TestAWrongMQTTPasswordHealsItself: the client fetches the endpoint again when the
// broker refuses the password, and stops when that does not help.
func TestAWrongMQTTPasswordHealsItself(t *testing.T) { onEachHost(t, aWrongMQTTPasswordHealsItself) }

func aWrongMQTTPasswordHealsItself(t *testing.T, s *site) {
	u := s.NewUser()
	p := s.page(secure)
	p.eval(`await kii.login(`+quote(u.LoginName)+`, `+quote(u.Password)+`);
		globalThis.installation = await kii.installMqtt(false);
		const endpoint = await kii.getMqttEndpoint(installation.installationID);
		attach(await kii.connect({ ...endpoint, password: "wrong" }))`, nil)
	s.Push(u, map[string]any{"text": "healed"})
	p.awaitTexts("healed")

	f := p.rejects(`const endpoint = await kii.getMqttEndpoint(installation.installationID);
		await kii.logout(); await kii.connect({ ...endpoint, password: "wrong" })`)
	require.Contains(t, []string{"NOT_LOGGED_IN", "BAD_CREDENTIALS"}, f.Code)
}
