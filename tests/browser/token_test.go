package browser_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/tests/cloud"
)

// tokenScript loads a client whose getToken logs in by REST, and counts that.
func tokenScript(u cloud.User) string {
	return `globalThis.asked = [];
		globalThis.logIn = async () => (await (await fetch(options.baseURL + "/oauth2/token", {
			method: "POST", headers: { "Content-Type": "application/json", "X-Kii-AppID": options.appID, "X-Kii-AppKey": options.appKey },
			body: JSON.stringify({ username: ` + quote(u.LoginName) + `, password: ` + quote(u.Password) + ` }),
		})).json()).access_token;
		globalThis.getToken = async (owner) => { asked.push(owner); return logIn() };
		globalThis.kii = await lib.load({ ...options, getToken: (owner) => getToken(owner) });`
}

// lapsed waits until a token is good no more.
func lapsed(s *site, token string) {
	require.Eventually(s.t, func() bool {
		status, _ := s.Call("GET", "/apps/"+s.Ready.AppID+"/users/me", token, "", nil)
		return status == http.StatusUnauthorized
	}, patience, 50*time.Millisecond)
}

// TestTokensThatLapse: calls and a connection outlive their tokens.
func TestTokensThatLapse(t *testing.T) {
	s := newSite(t, "-token-ttl", "5s", "-mqtt-ttl", "30s") // renewed a tenth of that ahead, which a slow machine needs
	for _, host := range []string{inWorker, inPage} {
		t.Run(host, func(t *testing.T) {
			t.Parallel() // they wait for tokens to lapse
			on := *s
			on.t, on.host = t, host
			tokensThatLapse(&on)
		})
	}
}

func tokensThatLapse(s *site) {
	t := s.t
	u := s.NewUser()
	p := s.page(plain)
	p.eval(tokenScript(u), nil)
	var first string
	p.eval("return (await kii.login("+quote(u.LoginName)+", "+quote(u.Password)+")).token", &first)
	lapsed(s, first)

	var after struct {
		Topics  int
		Asked   []map[string]string
		Token   string
		Expires *float64
	}
	p.eval(`const lists = await Promise.all(Array.from({ length: 8 }, () => kii.listTopics({ userID: "me" })));
		const { token, expiresAt } = kii.current;
		return { topics: lists.length, asked, token, expires: expiresAt }`, &after)
	assert.Equal(t, 8, after.Topics)
	assert.Equal(t, []map[string]string{{"userID": u.ID}}, after.Asked, "all calls share one request")
	assert.NotEqual(t, first, after.Token, "current has the new token")
	assert.Nil(t, after.Expires)

	p.eval("asked.length = 0; await journey()", nil)
	lapsed(s, after.Token)
	p.await(`states.some((s) => s.state === "online")`) // with an endpoint that was fetched anew
	p.await(`asked.length > 0`)
	p.eval(`await kii.sendToMe({ data: { text: "still here" } })`, nil)
	p.awaitTexts("still here")
	var troubles []string
	p.Eval(`states.filter((s) => s.code).map((s) => s.code)`, &troubles)
	assert.Empty(t, troubles, "an endpoint is renewed before its end")
	p.assertQuiet("401")
}

// TestTokensThatCannotBeRenewed: what getToken says reaches the caller.
func TestTokensThatCannotBeRenewed(t *testing.T) { onEachHost(t, tokensThatCannotBeRenewed) }

func tokensThatCannotBeRenewed(t *testing.T, s *site) {
	u := s.NewUser()
	p := s.page(plain)
	p.eval(tokenScript(u), nil)
	p.eval(`await kii.useToken("no-such-token", { userID: `+quote(u.ID)+` })`, nil)
	for _, k := range []struct {
		getToken, code, cause string
		retryable             bool
	}{
		{`() => null`, "UNAUTHORIZED", "undefined", false},
		{`async () => undefined`, "UNAUTHORIZED", "undefined", false},
		{`() => ""`, "UNAUTHORIZED", "undefined", false},
		{`() => 5`, "INVALID_ARGUMENT", "undefined", false},
		{`async () => "a b"`, "INVALID_ARGUMENT", "undefined", false},
		{`() => { throw new RangeError("mine") }`, "UNAUTHORIZED", "RangeError: mine", true},
		{`() => Promise.reject("just text")`, "UNAUTHORIZED", "just text", true},
	} {
		t.Run(k.getToken, func(t *testing.T) {
			var got struct {
				Code, Cause string
				Retryable   bool
			}
			p.eval(`getToken = `+k.getToken+`;
				try { await kii.installMqtt(false) } catch (e) { return { code: e.code, cause: String(e.cause), retryable: e.retryable } }`, &got)
			assert.Equal(t, k.code, got.Code)
			assert.Equal(t, k.cause, got.Cause)
			assert.Equal(t, k.retryable, got.Retryable)
		})
	}
	p.eval(`getToken = logIn; await kii.installMqtt(false)`, nil)
	p.assertQuiet("401")
}
