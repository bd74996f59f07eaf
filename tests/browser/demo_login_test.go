package browser_test

import (
	"net/http"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
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
	d.Eval(`{ const kept = JSON.parse(sessionStorage["kiiweb-demo"]); kept.token = "x" + kept.token.slice(1) + "x"; sessionStorage["kiiweb-demo"] = JSON.stringify(kept); 0 }`, nil)
	d.Reload()
	d.helpers()
	d.await(`shown("login-form") && $("login-error").querySelector(".error-code")?.textContent === "UNAUTHORIZED"`)
	d.await(`sessionStorage["kiiweb-demo"] === undefined`)
	d.Reload()
	d.helpers()
	d.await(`shown("login-form") && $("login-error").textContent === ""`)
}

// session is a field of what the tab remembers of the user.
func (d demo) session(field string) (value string) {
	d.t.Helper()
	d.Eval(`JSON.parse(sessionStorage["kiiweb-demo"])[`+quote(field)+`]`, &value)
	return value
}
