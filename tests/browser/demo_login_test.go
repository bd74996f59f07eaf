package browser_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/tests/cloud"
)

// TestDemoPageListsManyTopics: a page of them, and the next one when it is asked for.
func TestDemoPageListsManyTopics(t *testing.T) {
	s := newSite(t)
	d := s.demo(s.browser.Tab(t), plain)
	d.register("collector")
	const many = 60
	token := d.session("token")
	for i := range many {
		status, body := s.Call(http.MethodPut, "/apps/"+s.Ready.AppID+"/users/me/topics/topic-"+strconv.Itoa(100+i), token, "", nil)
		require.Equal(t, http.StatusNoContent, status, "%v", body)
	}
	d.click("topics-refresh")
	d.await(`shown("topics-more") && $("topics").children.length === 50 && $("send-to").length === 51`)
	d.click("topics-more")
	d.await(`!shown("topics-more") && $("topics").children.length === ` + strconv.Itoa(many) + ` && $("topics").lastChild.dataset.topic === "topic-159"`)
	d.assertQuiet("404") // none of them has a subscription
}

// TestDemoPageLeavesADeadLogin: a login that the cloud does not know any more ends in the
// form, which says why.
func TestDemoPageLeavesADeadLogin(t *testing.T) {
	s := newSite(t)
	d := s.demo(s.browser.Tab(t), plain)
	d.register("forgotten")
	d.startPush()

	// Its connection needs a new endpoint, for which the token is good no more.
	s.endTokens("forgotten", "a long enough password", "the second password")
	s.Stop()
	s.Restart("-secret-file", filepath.Join(t.TempDir(), "secret")) // MQTT passwords made with another are not accepted
	d.await(`$("state-badge").dataset.state === "failed" && $("start-push").textContent === "Log in again"`)
	d.click("start-push")
	d.awaitDeadLogin()

	// So does what is sent; what was written is not lost.
	d.logIn("forgotten", "the second password")
	s.endTokens("forgotten", "the second password", "the third password")
	d.fill("send-text", "precious words")
	d.click("send-submit")
	d.awaitDeadLogin()
	d.logIn("forgotten", "the third password")
	d.await(`$("send-text").value === "precious words"`)

	// And a login that the tab remembers.
	d.Eval(`{ const kept = JSON.parse(sessionStorage["kiiweb-demo"]); kept.token = "x" + kept.token.slice(1) + "x"; sessionStorage["kiiweb-demo"] = JSON.stringify(kept); 0 }`, nil)
	d.Reload()
	d.helpers()
	d.awaitDeadLogin()
	d.await(`sessionStorage["kiiweb-demo"] === undefined`)
	d.Reload()
	d.helpers()
	d.await(`shown("login-form") && $("login-error").textContent === ""`)
}

// TestDemoPageLogsOutWithoutTheModule: who cannot be logged out, as the library's files are damaged, still leaves.
func TestDemoPageLogsOutWithoutTheModule(t *testing.T) {
	s := newSite(t)
	d := s.demo(s.browser.Tab(t), plain)
	d.register("leaver")
	s.Stop()
	damaged := t.TempDir()
	require.NoError(t, os.CopyFS(damaged, os.DirFS(filepath.Join(cloud.Root(), "js", "dist"))))
	for _, name := range []string{"kiiweb.wasm.gz", "kiiweb.wasm.br"} {
		require.NoError(t, os.Remove(filepath.Join(damaged, name)))
	}
	require.NoError(t, os.WriteFile(filepath.Join(damaged, "kiiweb.wasm"), []byte("half of it"), 0o600))
	s.Restart("-kiiweb", damaged)
	d.Reload()
	d.helpers()
	d.await(`shown("start-push") && $("topics-error").textContent.includes("WASM_LOAD")`)
	d.click("logout")
	d.await(`shown("login-form") && !shown("app-view") && $("login-error").textContent.includes("WASM_LOAD")`)
	d.await(`sessionStorage["kiiweb-demo"] === undefined`)
}

// TestDemoPageThingLeftElsewhere: what is said of a thing that another tab has logged out is of the thing.
func TestDemoPageThingLeftElsewhere(t *testing.T) {
	s := newSite(t)
	profile := s.browser.Profile(t)
	u := s.NewUser()
	var tabs [2]demo
	for i := range tabs {
		d := s.demo(profile.Tab(), plain)
		d.logIn(u.LoginName, u.Password)
		if i == 1 {
			d.click("thing-mode-login")
		}
		d.fill("thing-login-name", "shared-lamp")
		d.fill("thing-login-password", "a long enough password")
		d.click("thing-login-submit")
		d.await(`shown("thing-start-push")`)
		d.click("thing-start-push")
		d.await(`$("thing-state-badge").dataset.state === "online"`)
		tabs[i] = d
	}
	tabs[1].click("thing-logout")
	tabs[1].await(`shown("thing-login-form")`)
	tabs[0].click("thing-send-submit")
	tabs[0].await(`shown("thing-login-form") && $("thing-login-error").textContent.includes("The thing was logged out in another tab")`)
	tabs[0].await(`shown("start-push")`)
}

func (d demo) awaitDeadLogin() {
	d.t.Helper()
	d.await(`shown("login-form") && $("login-error").querySelector(".error-code")?.textContent === "UNAUTHORIZED"`)
}

// endTokens changes a user's password by another login, which ends the tokens of all others.
func (s *site) endTokens(name, password, next string) {
	s.t.Helper()
	status, body := s.Call(http.MethodPost, "/oauth2/token", "", "application/json", map[string]any{"username": name, "password": password})
	require.Equal(s.t, http.StatusOK, status, "%v", body)
	status, body = s.Call(http.MethodPut, "/apps/"+s.Ready.AppID+"/users/me/password", body["access_token"].(string),
		"application/vnd.kii.ChangePasswordRequest+json", map[string]any{"oldPassword": password, "newPassword": next})
	require.Equal(s.t, http.StatusNoContent, status, "%v", body)
}

// session is a field of what the tab remembers of the user.
func (d demo) session(field string) (value string) {
	d.t.Helper()
	d.Eval(`JSON.parse(sessionStorage["kiiweb-demo"])[`+quote(field)+`]`, &value)
	return value
}
