//go:build !js

package kiiweb

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/transport"
)

const installed = `{"installationID":"inst-1","installationRegistrationID":"reg-1"}`

func TestRequestHeaders(t *testing.T) {
	s := serve(t, reply{status: 201, body: installed}, reply{status: 204})
	c := s.client()
	_, err := c.InstallMQTT(context.Background(), true)
	require.NoError(t, err)
	require.NoError(t, c.UninstallByInstallationID(context.Background(), "inst-1"))
	for i, r := range s.seen() {
		assert.Equal(t, "app-1", r.header.Get("X-Kii-AppID"))
		assert.Equal(t, "key-1", r.header.Get("X-Kii-AppKey"))
		assert.Equal(t, "sn=kiiweb;sv="+Version, r.header.Get("X-Kii-SDK"))
		assert.Equal(t, "Bearer tok-1", r.header.Get("Authorization"))
		if i == 0 {
			assert.Equal(t, "application/vnd.kii.InstallationCreationRequest+json", r.header.Get("Content-Type"))
		} else {
			assert.Empty(t, r.header.Values("Content-Type"), "no body, no type")
			assert.Empty(t, r.body)
		}
	}
}

func TestRefusals(t *testing.T) {
	html := "<html>proxy</html>"
	for _, c := range []struct {
		name      string
		reply     reply
		code      Code
		kiiCode   string
		retryable bool
		after     int
		says      string
	}{
		{"bad input", reply{status: 400, body: `{"errorCode":"INVALID_INPUT_DATA","message":"development is no boolean"}`},
			CodeInvalidArgument, "INVALID_INPUT_DATA", false, 0, "install push failed: the server answered 400 INVALID_INPUT_DATA: development is no boolean"},
		{"no right", reply{status: 401, body: `{"errorCode":"UNAUTHORIZED","message":"m"}`}, CodeUnauthorized, "UNAUTHORIZED", false, 0, "401"},
		{"wrong token", reply{status: 403, body: `{"errorCode":"WRONG_TOKEN"}`}, CodeForbidden, "WRONG_TOKEN", false, 0, "403"},
		{"gone", reply{status: 404, body: `{"errorCode":"INSTALLATION_NOT_FOUND","installationID":"x"}`}, CodeNotFound, "INSTALLATION_NOT_FOUND", false, 0, "404"},
		{"gone for good", reply{status: 410}, CodeNotFound, "", false, 0, "410"},
		{"no such page", reply{status: 404, body: html}, CodeNotFound, "", false, 0, "404"},
		{"request took too long", reply{status: 408}, CodeTimeout, "", true, 0, "408"},
		{"exists", reply{status: 409, body: `{"errorCode":"USER_ALREADY_EXISTS"}`}, CodeConflict, "USER_ALREADY_EXISTS", false, 0, "409"},
		{"other client error", reply{status: 422, body: `{}`}, CodeInvalidArgument, "", false, 0, "422"},
		{"too many", reply{status: 429, header: map[string]string{"Retry-After": "17"}}, CodeRateLimited, "", true, 17, "429"},
		{"too many, until a date", reply{status: 429, header: map[string]string{"Retry-After": "Sun, 22 Nov 2026 12:00:30 GMT"}}, CodeRateLimited, "", true, 30, "429"},
		{"too many, until a date that is over", reply{status: 429, header: map[string]string{"Retry-After": "Sun, 22 Nov 2026 11:00:00 GMT"}}, CodeRateLimited, "", true, 0, "429"},
		{"too many, said in the body", reply{status: 429, body: `{"retryAfter":4}`}, CodeRateLimited, "", true, 4, "429"},
		{"too many, nonsense", reply{status: 429, header: map[string]string{"Retry-After": "soon"}, body: `{"retryAfter":"x"}`}, CodeRateLimited, "", true, 0, "429"},
		{"too many, negative", reply{status: 429, header: map[string]string{"Retry-After": "-5"}}, CodeRateLimited, "", true, 0, "429"},
		{"broken", reply{status: 500, body: `{"errorCode":"UNDEFINED_ERROR"}`}, CodeServerError, "UNDEFINED_ERROR", true, 0, "500"},
		{"not implemented", reply{status: 501}, CodeServerError, "", false, 0, "501"},
		{"another version of HTTP", reply{status: 505}, CodeServerError, "", false, 0, "505"},
		{"proxy", reply{status: 502, body: html}, CodeServerError, "", true, 0, "502"},
		{"down", reply{status: 503, header: map[string]string{"Retry-After": "60"}}, CodeServerError, "", true, 60, "503"},
		{"redirect", reply{status: 302, header: map[string]string{"Location": "http://127.0.0.1:1/"}}, CodeBadResponse, "", false, 0, "redirect"},
		{"not modified", reply{status: 304}, CodeBadResponse, "", false, 0, "304"},
		{"error body is an array", reply{status: 500, body: `["x"]`}, CodeServerError, "", true, 0, "500"},
		{"errorCode is a number", reply{status: 500, body: `{"errorCode":7,"message":{}}`}, CodeServerError, "", true, 0, "500"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := serve(t, c.reply).client().InstallMQTT(context.Background(), true)
			e := fails(t, err, c.code, c.says)
			assert.Equal(t, c.kiiCode, e.KiiCode)
			assert.Equal(t, c.retryable, e.Retryable)
			assert.Equal(t, c.after, e.RetryAfter)
			assert.Equal(t, -1, e.ReasonCode)
			if c.reply.status != 302 {
				assert.Equal(t, c.reply.status, e.Status)
			}
		})
	}
}

// A server's words are repeated up to a bound, and cut between two characters.
func TestAServersLongWordsAreCut(t *testing.T) {
	for words, want := range map[string]string{
		strings.Repeat("x", maxServerMessage):         strings.Repeat("x", maxServerMessage),
		strings.Repeat("x", maxServerMessage+1):       strings.Repeat("x", maxServerMessage) + "…",
		"x" + strings.Repeat("語", maxServerMessage):   "x" + strings.Repeat("語", (maxServerMessage-1)/3) + "…",
		strings.Repeat("語", maxServerMessage/3) + "語": strings.Repeat("語", maxServerMessage/3) + "…",
	} {
		_, err := serve(t, reply{status: 400, body: `{"message":"` + words + `"}`}).client().InstallMQTT(context.Background(), true)
		fails(t, err, CodeInvalidArgument, "the server answered 400: "+want)
	}
}

func TestRefusalRemediesFit(t *testing.T) {
	s := serve(t, reply{status: 400}, reply{status: 404, body: "nginx"}, reply{status: 404, body: `{}`})
	c := s.client()
	_, err := c.InstallMQTT(context.Background(), true)
	assert.NotContains(t, fails(t, err, CodeInvalidArgument, "").Remedy, "nothing was sent")
	_, err = c.InstallMQTT(context.Background(), true)
	assert.Contains(t, fails(t, err, CodeNotFound, "").Remedy, "base URL")
	_, err = c.InstallMQTT(context.Background(), true)
	assert.NotContains(t, fails(t, err, CodeNotFound, "").Remedy, "base URL")
}

func TestServerWordsAreBounded(t *testing.T) {
	words := strings.Repeat("\u65e5", 10000)
	_, err := serve(t, reply{status: 500, body: `{"message":"` + words + `"}`}).client().InstallMQTT(context.Background(), true)
	e := fails(t, err, CodeServerError, "\u65e5\u65e5")
	assert.Less(t, len(e.Message), 500)
	assert.NotContains(t, e.Message, "\ufffd")
}

func TestBadResponses(t *testing.T) {
	for _, c := range []struct{ name, body, says string }{
		{"empty", "", "no JSON object"},
		{"HTML", "<html></html>", "no JSON object"},
		{"cut off", `{"installationID":"inst-1"`, "no JSON object"},
		{"array", `[]`, "no JSON object"},
		{"null", `null`, "no JSON object"},
		{"first field missing", `{"installationRegistrationID":"r"}`, "installationID"},
		{"second field missing", `{"installationID":"i"}`, "installationRegistrationID of the server's answer is missing"},
		{"number", `{"installationID":7,"installationRegistrationID":"r"}`, "installationID of the server's answer is not a non-empty string"},
		{"null field", `{"installationID":null,"installationRegistrationID":"r"}`, "installationID"},
		{"empty field", `{"installationID":"i","installationRegistrationID":""}`, "installationRegistrationID"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := serve(t, reply{status: 201, body: c.body}).client().InstallMQTT(context.Background(), true)
			e := fails(t, err, CodeBadResponse, c.says)
			assert.Equal(t, 201, e.Status)
			assert.False(t, e.Retryable)
		})
	}
}

func TestHugeAnswer(t *testing.T) {
	for _, status := range []int{201, 500} {
		s := serve(t, reply{status: status, body: `{"installationID":"` + strings.Repeat("x", transport.MaxResponse) + `"}`})
		_, err := s.client().InstallMQTT(context.Background(), true)
		fails(t, err, CodeBadResponse, "")
	}
}

func TestSlowServer(t *testing.T) {
	t.Run("deadline", func(t *testing.T) {
		end := newDeadline() // it passes when the request is there
		_, err := serve(t, reply{hang: true, before: func() { close(end.passed) }}).client().InstallMQTT(end, true)
		e := fails(t, err, CodeTimeout, "install push")
		assert.True(t, e.Retryable)
		assert.ErrorIs(t, err, context.DeadlineExceeded)
	})
	t.Run("cancelled", func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(context.Background())
		why := errors.New("the page is gone")
		_, err := serve(t, reply{hang: true, before: func() { cancel(why) }}).client().InstallMQTT(ctx, true)
		e := fails(t, err, CodeAborted, "install push")
		assert.False(t, e.Retryable)
		assert.ErrorIs(t, err, why)
	})
	t.Run("cancelled before", func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		_, err := serve(t).client().InstallMQTT(ctx, true)
		fails(t, err, CodeAborted, "")
		assert.ErrorIs(t, err, context.Canceled)
	})
}

func TestNoServer(t *testing.T) {
	c, err := New(Config{AppID: "a", AppKey: "k", BaseURL: "http://127.0.0.1:1"})
	require.NoError(t, err)
	_, err = c.Login(context.Background(), "u", "secret-password")
	e := fails(t, err, CodeNetwork, "")
	assert.True(t, e.Retryable)
	assert.Equal(t, 0, e.Status)
	assert.NotContains(t, err.Error(), "secret-password")
}

func TestIDsAreEscaped(t *testing.T) {
	for id, path := range map[string]string{
		"plain":                  "plain",
		"100%":                   "100%25",
		"%2e%2e":                 "%252e%252e",
		"a/b":                    "a%2Fb",
		"../../things":           "..%2F..%2Fthings",
		"a#b?c=d&e":              "a%23b%3Fc%3Dd%26e",
		"a b\tc":                 "a%20b%09c",
		"\u65e5\u672c\U0001F600": "%E6%97%A5%E6%9C%AC%F0%9F%98%80",
		`a\b"c`:                  "a%5Cb%22c",
	} {
		t.Run(id, func(t *testing.T) {
			s := serve(t, reply{status: 204}, reply{status: 204}, reply{status: 200, body: endpointBody})
			c := s.client()
			require.NoError(t, c.UninstallByInstallationID(context.Background(), id))
			require.NoError(t, c.Uninstall(context.Background(), id, "MQTT"))
			_, err := c.MQTTEndpoint(context.Background(), id)
			require.NoError(t, err)
			got := s.seen()
			assert.Equal(t, "/api/apps/app-1/installations/"+path, got[0].uri)
			assert.Equal(t, "/api/apps/app-1/installations/MQTT:"+path, got[1].uri)
			assert.Equal(t, "/api/apps/app-1/installations/"+path+"/mqtt-endpoint", got[2].uri)
		})
	}
}

func TestAppIDIsEscaped(t *testing.T) {
	s := serve(t, reply{status: 201, body: installed})
	c, err := New(Config{AppID: "a/%b", AppKey: "k", BaseURL: s.url})
	require.NoError(t, err)
	_, err = c.UseToken(context.Background(), "t", Owner{ID: "u"})
	require.NoError(t, err)
	_, err = c.InstallMQTT(context.Background(), false)
	require.NoError(t, err)
	assert.Equal(t, "/apps/a%2F%25b/installations", s.seen()[0].uri)
}

// Without a login nothing is sent: the scripts have no reply to give.
func TestNotLoggedIn(t *testing.T) {
	c := serve(t).stranger()
	ctx := context.Background()
	_, install := c.InstallMQTT(ctx, true)
	_, endpoint := c.MQTTEndpoint(ctx, "i")
	_, send := c.SendToMe(ctx, PushMessage{Data: map[string]any{"k": "v"}})
	for name, err := range map[string]error{
		"install": install, "endpoint": endpoint, "send": send,
		"uninstall": c.Uninstall(ctx, "r", "MQTT"), "uninstall by id": c.UninstallByInstallationID(ctx, "i"),
	} {
		t.Run(name, func(t *testing.T) { fails(t, err, CodeNotLoggedIn, "nobody is logged in") })
	}
}

func TestArgumentErrorsComeFirst(t *testing.T) {
	ctx := context.Background()
	c := serve(t).stranger() // not logged in either: the argument is what to mend first
	_, noName := c.Register(ctx, "", "p")
	_, noPassword := c.Register(ctx, "n", "")
	_, noUser := c.Login(ctx, "", "p")
	_, noLoginPassword := c.Login(ctx, "n", "")
	_, noToken := c.UseToken(ctx, "", Owner{})
	_, headerToken := c.UseToken(ctx, "t\r\nX-Evil: 1", Owner{})
	_, kind := c.UseToken(ctx, "t", Owner{Kind: "admin", ID: "x"})
	_, thing := c.UseToken(ctx, "t", Owner{Kind: OwnerThing})
	_, dots := c.UseToken(ctx, "t", Owner{Kind: OwnerThing, ID: ".."})
	_, noInstallation := c.MQTTEndpoint(ctx, "")
	_, dotInstallation := c.MQTTEndpoint(ctx, "..")
	for _, x := range []struct {
		name string
		err  error
		says string
	}{
		{"register without name", noName, "loginName"}, {"register without password", noPassword, "password"},
		{"login without name", noUser, "username"}, {"login without password", noLoginPassword, "password"},
		{"empty token", noToken, "token"}, {"token that breaks a header", headerToken, "token"},
		{"unknown kind", kind, "admin"}, {"thing without id", thing, "thingID"}, {"thing with dots", dots, "thingID"},
		{"endpoint without id", noInstallation, "installationID must not be null or empty."},
		{"endpoint of dots", dotInstallation, "installationID"},
		{"uninstall without id", c.UninstallByInstallationID(ctx, ""), "installationID must not be null or empty."},
		{"uninstall of a dot", c.UninstallByInstallationID(ctx, "."), "installationID"},
		{"uninstall without registration id", c.Uninstall(ctx, "", "MQTT"), "installationRegistrationID must not be null or empty."},
		{"uninstall of another device", c.Uninstall(ctx, "r", "ANDROID"), "Unsupported deviceType ANDROID"},
		{"uninstall of no device", c.Uninstall(ctx, "r", ""), "Unsupported deviceType "},
	} {
		t.Run(x.name, func(t *testing.T) { fails(t, x.err, CodeInvalidArgument, x.says) })
	}
}
