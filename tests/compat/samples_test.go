package compat

import (
	_ "embed"
	"encoding/json"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/tests/browser/chrome"
)

//go:embed testdata/samples.txt
var printed string

// samples are those of Kii's guide to push over MQTT (プッシュ通知(MQTT)の導入), as they are printed
// there, in their order.
func samples(t *testing.T) []string {
	all := strings.Split(strings.TrimSuffix(printed, "\n"), "\n\n=====\n\n")
	require.Len(t, all, 8)
	return all
}

// patience bounds the wait for something that a page is about to do.
const patience = 2 * time.Minute

// page is a tab with compat.js and a user who is logged in.
func samplePage(t *testing.T, b *chrome.Browser, r *relay) *chrome.Tab {
	tab := b.Tab(t)
	tab.Open(r.url)
	u := r.NewUser()
	tab.Eval(`(async () => {
		await new Promise((resolve, reject) => document.head.append(Object.assign(document.createElement("script"),
			{ src: "/kiiweb/compat.js", onload: resolve, onerror: reject })));
		Kii.initializeWithSite("demo", "demo-key", location.origin + "/api");
		await KiiUser.authenticate(`+strconv.Quote(u.LoginName)+`, `+strconv.Quote(u.Password)+`);
	})()`, nil)
	r.drain()
	return tab
}

// wants is what each sample asks the server, and the status that it gets.
var wants = []struct{ method, path string }{
	{"POST", "/installations"},
	{"POST", "/installations"},
	{"GET", "/installations/ID/mqtt-endpoint"},
	{"GET", "/installations/ID/mqtt-endpoint"},
	{"DELETE", "/installations/ID"},
	{"DELETE", "/installations/ID"},
	{"DELETE", "/installations/MQTT:REG"},
	{"DELETE", "/installations/MQTT:REG"},
}

// TestSamplesAsPrinted runs each sample with the placeholders filled in and nothing else touched,
// against an installation that is there and against one that is not.
func TestSamplesAsPrinted(t *testing.T) {
	r := newRelay(t)
	b := chrome.Start(t, chrome.Options{})
	for i, sample := range samples(t) {
		t.Run(strconv.Itoa(i+1), func(t *testing.T) {
			tab := samplePage(t, b, r)
			for _, there := range []bool{true, false} {
				ids := install(tab)
				if !there {
					tab.Eval(`KiiUser.getCurrentUser().pushInstallation().uninstallByInstallationID(`+strconv.Quote(ids.ID)+`)`, nil)
				}
				r.drain()
				tab.Eval(filled(sample, ids), nil)
				require.Eventually(t, func() bool { return r.count() > 0 }, patience, 10*time.Millisecond, "nothing was sent")
				sent := r.drain()
				require.Len(t, sent, 1)
				path := strings.NewReplacer(ids.ID, "ID", ids.Registration, "REG").Replace(sent[0].path)
				assert.Equal(t, wants[i].method+" /apps/demo"+wants[i].path, sent[0].method+" "+path)
				if there || i < 2 {
					assert.Less(t, sent[0].status, 300, sent[0].answer)
				} else {
					assert.Equal(t, 404, sent[0].status, sent[0].answer)
				}
			}
			for _, e := range tab.Problems() {
				assert.Contains(t, e.Text, "404", "the browser tells of that by itself")
			}
		})
	}
}

// TestSamplesDoWhatTheyAreFor puts something in the place of each "Do something" and "Handle the
// error", which sees the variables that the sample has made.
func TestSamplesDoWhatTheyAreFor(t *testing.T) {
	r := newRelay(t)
	b := chrome.Start(t, chrome.Options{})
	for i, sample := range samples(t) {
		t.Run(strconv.Itoa(i+1), func(t *testing.T) {
			tab := samplePage(t, b, r)
			ids := install(tab)
			got := outcome(tab, filled(sample, ids))
			require.NotContains(t, got, "error")
			switch {
			case i < 2:
				assert.Equal(t, ids.ID, got["installationID"])
				assert.Equal(t, ids.Registration, got["installationRegistrationID"])
			case i < 4:
				for _, name := range []string{"username", "password", "mqttTopic"} {
					assert.NotEmpty(t, got[name], name)
				}
				assert.InDelta(t, r.Ready.PortTCP, got["portTCP"], 0)
				assert.InDelta(t, r.Ready.PortSSL, got["portSSL"], 0)
				assert.InDelta(t, r.Ready.PortWS, got["portWS"], 0)
				assert.InDelta(t, r.Ready.PortWSS, got["portWSS"], 0)
				assert.Greater(t, got["xMqttTtl"], 0.0)
			default:
				assert.Equal(t, true, got["done"])
			}

			// Without a login each of them ends in its error.
			tab.Eval("KiiUser.getCurrentUser = (user => () => user)(KiiUser.getCurrentUser()); Kii.logOut()", nil)
			got = outcome(tab, filled(sample, ids))
			action := [...]string{"install push", "get mqtt endpoint", "uninstall push", "uninstall push"}[i/2]
			assert.Equal(t, "push", got["target"])
			assert.Regexp(t, "^"+action+` failed\. statusCode: 401 error code: UNAUTHORIZED message: .`, got["error"])
			tab.AssertQuiet()
		})
	}
}

type ids struct{ ID, Registration string }

func install(tab *chrome.Tab) ids {
	var i ids
	tab.Eval(`KiiUser.getCurrentUser().pushInstallation().installMqtt(false).then((i) =>
		({ ID: i.installationID, Registration: i.installationRegistrationID }))`, &i)
	return i
}

func filled(sample string, i ids) string {
	return "{" + strings.NewReplacer("[INSTALLATION_ID]", i.ID, "[INSTALLATION_REGISTRATION_ID]", i.Registration).Replace(sample) + "\n}; undefined"
}

// outcome runs a sample and waits until it has done, or handled, something.
func outcome(tab *chrome.Tab, sample string) map[string]any {
	const names = "installationID installationRegistrationID username password mqttTopic xMqttTtl portTCP portSSL portWS portWSS"
	var seen []string
	for _, name := range strings.Fields(names) {
		seen = append(seen, name+`: typeof `+name+` === "undefined" ? undefined : `+name)
	}
	body := strings.NewReplacer(
		"// Do something.", "resolve({ done: true, "+strings.Join(seen, ", ")+" });",
		"// Handle the error.", `resolve({ error: error.message, target: error.target instanceof KiiPushInstallation ? "push" : "" });`,
	).Replace(sample)
	var got json.RawMessage
	tab.Eval("new Promise((resolve) => "+strings.TrimSuffix(body, "; undefined")+")", &got)
	var fields map[string]any
	if err := json.Unmarshal(got, &fields); err != nil {
		return map[string]any{"error": err.Error()}
	}
	return fields
}
