package browser_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestStartPush: the journey in one call, over a logout and the login of somebody else, in
// two tabs at once.
func TestStartPush(t *testing.T) { onEachHost(t, startPush) }

func startPush(t *testing.T, s *site) {
	one, two := s.NewUser(), s.NewUser()
	profile := s.browser.Profile(t)
	p, other := s.pageIn(profile.Tab(), plain), s.pageIn(profile.Tab(), plain)
	begin := `await kii.login(` + quote(one.LoginName) + `, ` + quote(one.Password) + `);
		attach(globalThis.push = await kii.startPush({ development: false }))`
	p.eval(begin, nil)
	other.eval(begin, nil)
	s.Push(one, map[string]any{"text": "for one"})
	p.awaitTexts("for one")
	other.awaitTexts("for one")

	p.eval(`await kii.logout()`, nil)
	p.await(`push.state === "idle"`)
	other.await(`push.state === "idle" && kii.current === null`)
	s.Push(one, map[string]any{"text": "while nobody was logged in"})
	p.eval(`await kii.login(`+quote(two.LoginName)+`, `+quote(two.Password)+`)`, nil)
	p.await(`push.state === "online"`)
	s.Push(two, map[string]any{"text": "for two"})
	p.awaitTexts("for one", "for two")

	other.eval(`await kii.login(`+quote(one.LoginName)+`, `+quote(one.Password)+`)`, nil)
	other.awaitTexts("for one", "while nobody was logged in")
	var installationID string
	other.Eval(`push.installation.installationID`, &installationID)
	other.eval(`await push.stop({ uninstall: true }); await push.stop()`, nil)
	status, _ := s.Call("GET", "/apps/"+s.Ready.AppID+"/installations/"+installationID, one.Token, "", nil)
	require.Equal(t, http.StatusNotFound, status)
	var stored []string
	p.Eval(`Object.keys(localStorage)`, &stored)
	require.Len(t, stored, 1, "two's")
	assert.Contains(t, stored[0], two.ID)
	p.assertQuiet()
	other.assertQuiet()
}
