package compat

import (
	"encoding/json"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/tests/browser/chrome"
)

// open opens a page of the relay's with scripts, in their order.
func (r *relay) open(t *testing.T, b *chrome.Browser, scripts ...string) *chrome.Tab {
	t.Helper()
	tab := b.Tab(t)
	tab.Open(r.url)
	list, err := json.Marshal(append([]string{}, scripts...))
	require.NoError(t, err)
	tab.Eval(`(async () => {
		for (const src of `+string(list)+`) {
			await new Promise((resolve, reject) => document.head.append(Object.assign(document.createElement("script"), { src, onload: resolve, onerror: reject })));
		}
		globalThis.api = location.origin + "/api";
	})()`, nil)
	return tab
}

// The scripts that pages have.
const (
	kiiScript    = "/npm/kii-cloud-sdk/KiiSDK.js"
	compatScript = "/kiiweb/compat.js"
	pahoScript   = "/npm/paho-mqtt/paho-mqtt.js"
	mqttScript   = "/npm/mqtt/dist/mqtt.min.js"
)

// eval runs the body of an async function in the page.
func eval(tab *chrome.Tab, body string, out any) {
	tab.Eval("(async () => {"+body+"\n})()", out)
}

// loggedIn has a new user log in, with whatever SDK the page has.
func loggedIn(t *testing.T, r *relay, tab *chrome.Tab) {
	t.Helper()
	u := r.NewUser()
	eval(tab, `Kii.initializeWithSite("demo", "demo-key", api); await KiiUser.authenticate(`+strconv.Quote(u.LoginName)+`, `+strconv.Quote(u.Password)+`)`, nil)
}
