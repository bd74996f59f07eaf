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
	d.await(`$("load-accepted").textContent === "0/s"`)
	d.await(`$("load-latency").textContent === "–"`)
	user := s.NewUser()
	token := user.Token
	status, body := s.Call("POST", "/apps/"+s.Ready.AppID+"/installations", token, "application/json", map[string]any{"deviceType": "MQTT", "development": false})
	assert.Equal(t, 201, status, "%v", body)
	for range 21 {
		s.Push(user, map[string]any{"a": 1})
	}
	d.await(`parseFloat($("load-accepted").textContent) > 0`)
	d.await(`$("load-waiting").textContent === "21" && $("load-waiting-top").textContent === "50"`)
	d.await(`document.querySelectorAll("#load li:not([hidden]) path").length === 5 && /^M[\d. ]+h0(L[\d. ]+)+$/.test(document.querySelector("#load path").getAttribute("d"))`)
	d.await(`$("load-latency").checkVisibility() && document.querySelector("#load-latency ~ .load-plot path").getAttribute("d") === ""`)
}

// What the cloud does not count has no chart, and a time without an answer is a gap.
func TestDemoShowsWhatThereIsOfTheLoad(t *testing.T) {
	s := newSite(t)
	d := s.demo(s.browser.Tab(t), plain)
	d.Eval(`const real = fetch, began = performance.now(); globalThis.answers = 0; globalThis.fetch = async (url, ...rest) => {
		if (url !== "/metrics") return real(url, ...rest);
		answers++;
		if (answers === 4) throw new TypeError("away");
		const accepted = 1.2 * (performance.now() - began); // at a steady rate, however late it is asked for
		return new Response("kiicloud_pushes_accepted_total " + accepted + "\n");
	}; 0`, nil)
	d.await(`answers >= 7`)
	d.await(`[...document.querySelectorAll("#load li")].filter((e) => e.checkVisibility()).map((e) => e.querySelector("strong").id).join() === "load-accepted"`)
	d.await(`(document.querySelector("#load-accepted ~ .load-plot path").getAttribute("d").match(/M/g)).length === 2`)
	d.await(`/^1,\d{3}\/s$/.test($("load-accepted").textContent) && $("load-accepted-top").textContent === "2,000/s"`)
}
