package browser_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// The page draws what the cloud counts: what is pushed while it is open shows in its charts.
func TestDemoShowsTheLoad(t *testing.T) {
	s := newSite(t)
	d := s.demo(s.browser.Tab(t), plain)
	d.await(`shown("load")`)
	d.await(`$("load-accepted").textContent === "0"`)
	user := s.NewUser()
	token := user.Token
	status, body := s.Call("POST", "/apps/"+s.Ready.AppID+"/installations", token, "application/json", map[string]any{"deviceType": "MQTT", "development": false})
	assert.Equal(t, 201, status, "%v", body)
	for range 20 {
		s.Push(user, map[string]any{"a": 1})
	}
	d.await(`Number($("load-accepted").textContent) > 0`)
	d.await(`$("load-waiting").textContent === "20"`)
	d.await(`document.querySelectorAll("#load polyline").length === 5 && document.querySelector("#load polyline").points.length > 2`)
}
