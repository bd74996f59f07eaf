package background

import (
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/mqtt"
	"github.com/kiiweb/kiiweb/tests/browser/chrome"
	"github.com/kiiweb/kiiweb/tests/cloud"
	"github.com/kiiweb/kiiweb/tests/relay"
)

const (
	// keepAlive is in seconds. The cloud closes a connection on which nothing came for half as long again.
	keepAlive = 8
	// grace is after how many seconds a hidden page's timers run once a minute; users' browsers wait five minutes.
	grace = 5
	// hidden is for how long the tab is.
	hidden = 44 * time.Second
)

// hiddenScript connects, and notes in ticks when a timer of the page's own runs that asks for a tenth of a second.
const hiddenScript = `(async () => {
	const { load } = await import("/kiiweb/kiiweb.mjs");
	globalThis.kii = await load({ ...OPTIONS, host: "worker" });
	await kii.useToken(TOKEN, { userID: USER });
	const { installationID } = await kii.installMqtt(false);
	const endpoint = { ...await kii.getMqttEndpoint(installationID), portWS: Number(location.port) };
	globalThis.connection = await kii.connect(endpoint, { keepAlive: KEEPALIVE });
	globalThis.got = []; globalThis.states = []; globalThis.ticks = [];
	connection.on("message", (m) => got.push(m.json().text));
	connection.on("state", ({ state, reason }) => states.push(state + ": " + reason));
	const tick = () => { ticks.push(Date.now()); setTimeout(tick, 100) };
	tick();
})()`

// TestAHiddenTab: its timers stand still for Chromium, and its connection, in a worker, is kept alive.
func TestAHiddenTab(t *testing.T) {
	t.Parallel()
	c := cloud.Start(t)
	u := c.NewUser()
	r := relay.Start(t, "http://127.0.0.1:"+strconv.Itoa(c.Ready.PortWS))
	b := chrome.Start(t, chrome.Options{Throttling: true, Flags: map[string]any{
		"enable-features": "IntensiveWakeUpThrottling:grace_period_seconds/" + strconv.Itoa(grace),
	}})
	tab := b.Tab(t)
	tab.Open("http://localhost:" + strconv.Itoa(r.Port()) + relay.Blank)
	options := `{ appID: ` + quote(c.Ready.AppID) + `, appKey: ` + quote(c.Ready.AppKey) + `, baseURL: location.origin + "/api" }`
	tab.Eval(fill(hiddenScript, "OPTIONS", options, "TOKEN", quote(u.Token), "USER", quote(u.ID), "KEEPALIVE", strconv.Itoa(keepAlive)), nil)
	require.Eventually(t, func() bool { return number(tab, "ticks.length") > 20 }, patience, tick, "timers of a visible page run")

	tab.Hide()
	require.Eventually(t, func() bool { return number(tab, `Number(document.visibilityState === "hidden")`) == 1 }, patience, tick)
	before := number(tab, "ticks.length")
	began := time.Now()
	time.Sleep(hidden)
	c.Push(u, map[string]any{"text": "to a hidden tab"})
	require.Eventually(t, func() bool { return number(tab, "got.length") == 1 }, patience, tick, "a hidden tab receives")
	took := time.Since(began)

	var ticks, states = number(tab, "ticks.length") - before, []string{}
	tab.Eval("states", &states)
	pings := r.Sent(mqtt.PINGREQ)
	t.Logf("hidden for %v: %d of %d timers of the page ran, %d PINGREQ went out", took, ticks, took/(100*time.Millisecond), len(pings))
	assert.Less(t, ticks, int(hidden/time.Second), "Chromium slows the page's timers down, or this test shows nothing")
	gap := time.Duration(number(tab, `Math.max(...ticks.map((at, i) => (ticks[i + 1] ?? Date.now()) - at))`)) * time.Millisecond
	assert.Greater(t, gap, 3*keepAlive*time.Second/2, "for longer than the cloud waits none ran")
	assert.Empty(t, states, "the connection stands")
	assert.Len(t, r.Sent(mqtt.CONNECT), 1)
	assert.GreaterOrEqual(t, len(pings), int(hidden/time.Second)/keepAlive)
}

func number(tab *chrome.Tab, expression string) (n int) {
	tab.Eval(expression, &n)
	return n
}
