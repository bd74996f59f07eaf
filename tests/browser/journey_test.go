package browser_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestJourney goes the whole way, over portWSS from an https page and over portWS from
// an http page, and back.
func TestJourney(t *testing.T) { onEachHost(t, journey) }

func journey(t *testing.T, s *site) {
	for scheme, socket := range map[string]string{secure: "wss://localhost:", plain: "ws://localhost:"} {
		t.Run(scheme, func(t *testing.T) {
			p := s.page(scheme)
			name := quote("journey-" + scheme + "-" + s.host)
			p.eval(`
				const login = await kii.register(`+name+`, "a long enough password");
				if (!login.userID || !login.token) throw new Error("register: " + JSON.stringify(login));
				await kii.logout();
				await kii.login(`+name+`, "a long enough password");
				await journey({ keepAlive: 60 });
				const { pushMessageID } = await kii.sendToMe({ data: { text: "from the page", number: 4.5, yes: true } });
				if (!pushMessageID) throw new Error("no pushMessageID");
			`, nil)
			p.awaitTexts("from the page")
			var state, host string
			p.Eval("connection.state", &state)
			assert.Equal(t, "online", state)
			p.Eval("kii.host", &host)
			assert.Equal(t, s.host, host)
			var sockets []string
			p.inside("sockets", &sockets)
			require.Len(t, sockets, 1)
			assert.True(t, strings.HasPrefix(sockets[0], socket), sockets[0])
			assert.True(t, strings.HasSuffix(sockets[0], "/mqtt"), sockets[0])

			var token string
			p.Eval("kii.current.token", &token)
			status, _ := s.Call("POST", "/apps/demo/users/me/push/messages", token, "application/vnd.kii.SendPushMessageRequest+json",
				map[string]any{"data": map[string]any{"text": "from elsewhere: ü, 日本, \"quoted\""}, "mqtt": map[string]any{"enabled": true}})
			require.Equal(t, http.StatusCreated, status)
			p.awaitTexts("from the page", "from elsewhere: ü, 日本, \"quoted\"")

			p.eval(`await kii.uninstall(installation.installationRegistrationID, "MQTT")`, nil)
			p.await(`connection.state === "closed"`)
			var code string
			p.Eval("connection.lastChange.code", &code)
			assert.Equal(t, "REVOKED", code)
			f := p.rejects("await kii.connect(endpoint)")
			assert.Equal(t, "REVOKED", f.Code)
			f = p.rejects("await kii.getMqttEndpoint(installation.installationID)")
			assert.Equal(t, "NOT_FOUND", f.Code)
			assert.Len(t, p.texts(), 2, "nothing comes after the uninstall")
			p.assertQuiet("404", "403")
		})
	}
}

func TestInstallingTwiceGivesTheSameIDs(t *testing.T) {
	s := newSite(t)
	u := s.NewUser()
	one, two := s.page(plain), s.page(plain)
	for _, p := range []*page{one, two} {
		p.eval(`await kii.useToken(`+quote(u.Token)+`, { userID: `+quote(u.ID)+` });
			globalThis.first = await kii.installMqtt(false); globalThis.second = await kii.installMqtt(true)`, nil)
	}
	var ids [4]map[string]string
	one.Eval("first", &ids[0])
	one.Eval("second", &ids[1])
	two.Eval("first", &ids[2])
	two.Eval("second", &ids[3])
	require.NotEmpty(t, ids[0]["installationID"])
	require.NotEmpty(t, ids[0]["installationRegistrationID"])
	for _, other := range ids[1:] {
		assert.Equal(t, ids[0], other)
	}
	one.assertQuiet()
}

func TestUninstallElsewhereEndsTheConnection(t *testing.T) {
	onEachHost(t, uninstallElsewhere)
}

func uninstallElsewhere(t *testing.T, s *site) {
	u := s.NewUser()
	p := s.page(secure)
	p.connectAs(u)
	var id string
	p.Eval("installation.installationID", &id)
	status, _ := s.Call("DELETE", "/apps/demo/installations/"+id, u.Token, "", nil)
	require.Equal(t, http.StatusNoContent, status)
	p.await(`connection.state === "closed"`)
	var last struct {
		Code, Reason string
		ReasonCode   int
	}
	p.Eval("connection.lastChange", &last)
	assert.Equal(t, "REVOKED", last.Code)
	assert.Equal(t, 0x98, last.ReasonCode)
	assert.NotEmpty(t, last.Reason)
	p.assertQuiet()
}
