package firefox

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/tests/cloud"
	"github.com/kiiweb/kiiweb/tests/desktop"
)

// inServiceWorker connects where it runs, and tells the page that asks what arrives.
const inServiceWorker = `
onmessage = (event) => event.waitUntil((async () => {
	const { data: { options, token, owner }, ports: [port] } = event;
	try {
		const kii = await load(options);
		await kii.useToken(token, owner);
		const { installationID } = await kii.installMqtt(false);
		const connection = await kii.connect(await kii.getMqttEndpoint(installationID), { transport: "ws" });
		port.postMessage(kii.host);
		for await (const m of connection) {
			port.postMessage(m.json().text);
			break;
		}
		await kii.dispose();
	} catch (error) {
		port.postMessage(String(error));
	}
})());`

// TestServiceWorker: it receives as a module and as a classic script.
func TestServiceWorker(t *testing.T) {
	c := cloud.Start(t)
	base := site(t, map[string]string{
		"/module.js":  `import { load } from "/kiiweb/serviceworker.mjs";` + inServiceWorker,
		"/classic.js": `importScripts("/kiiweb/serviceworker.js"); const { load } = kiiweb;` + inServiceWorker,
	})
	b := start(t)
	for _, kind := range []string{"module", "classic"} {
		t.Run(kind, func(t *testing.T) {
			u := c.NewUser()
			b.t = t
			b.open(base)
			options, err := json.Marshal(map[string]string{"appID": c.Ready.AppID, "appKey": c.Ready.AppKey, "baseURL": c.Ready.API, "wasmURL": "/kiiweb/kiiweb.wasm"})
			require.NoError(t, err)
			var host, text string
			b.eval(`
				const registration = await navigator.serviceWorker.register("/`+kind+`.js", { type: "`+kind+`", scope: "/`+kind+`/" });
				const worker = registration.installing ?? registration.active;
				const { port1, port2 } = new MessageChannel();
				globalThis.got = [];
				globalThis.next = () => new Promise((done) => { port1.onmessage = ({ data }) => done(data) });
				const first = next();
				worker.postMessage({ options: `+string(options)+`, token: `+quote(u.Token)+`, owner: { userID: `+quote(u.ID)+` } }, [port2]);
				return first`, &host)
			require.Equal(t, "main", host)
			b.eval(`globalThis.second = next(); return 0`, nil)
			c.Push(u, map[string]any{"text": "to a service worker"})
			b.eval(`return second`, &text)
			assert.Equal(t, "to a service worker", text)
		})
	}
}

// TestNotifications: what arrives in a hidden tab is shown, unless that is denied. What a click does tests/browser tells.
func TestNotifications(t *testing.T) {
	c := cloud.Start(t)
	d := desktop.Start(t)
	base := site(t, map[string]string{"/sw.js": `importScripts("/kiiweb/notify.js"); kiiwebNotify.handleNotificationClicks();`})
	b := start(t, d.Env())
	u := c.NewUser()
	permit := func(state string) {
		b.call("permissions.setPermission", map[string]any{"descriptor": map[string]string{"name": "notifications"}, "state": state, "origin": base[:len(base)-1]}, nil)
	}
	b.open(base)
	permit("granted")
	options, err := json.Marshal(map[string]string{"appID": c.Ready.AppID, "appKey": c.Ready.AppKey, "baseURL": c.Ready.API})
	require.NoError(t, err)
	var permission string
	b.eval(`
		const { load } = await import("/kiiweb/kiiweb.mjs");
		const { notifications } = await import("/kiiweb/notify.mjs");
		const kii = await load(`+string(options)+`);
		globalThis.errors = []; globalThis.got = [];
		await kii.useToken(`+quote(u.Token)+`, { userID: `+quote(u.ID)+` });
		globalThis.notifier = await notifications(kii, {
			registration: navigator.serviceWorker.register("/sw.js"),
			content: (m) => ({ title: m.json().text }),
		});
		notifier.on("error", (error) => errors.push(String(error.cause ?? error)));
		const push = await kii.startPush({ transport: "ws" });
		push.on("message", (m) => got.push(m.json().text));
		notifier.watch(push);
		return notifier.permission`, &permission)
	require.Equal(t, "granted", permission)
	push := func(text string) {
		c.Push(u, map[string]any{"text": text})
		var got []string
		require.Eventually(t, func() bool {
			b.eval(`return got`, &got)
			return len(got) > 0 && got[len(got)-1] == text
		}, patience, 20*time.Millisecond)
	}
	push("to a visible tab")
	b.call("browsingContext.create", map[string]any{"type": "tab"}, nil)
	require.Eventually(t, func() bool {
		var visibility string
		b.eval(`return document.visibilityState`, &visibility)
		return visibility == "hidden"
	}, patience, 20*time.Millisecond)
	push("to a hidden tab")
	var titles, errors []string
	require.Eventually(t, func() bool {
		b.eval(`const registration = await navigator.serviceWorker.ready; return (await registration.getNotifications()).map((n) => n.title)`, &titles)
		b.eval(`return errors`, &errors)
		return len(titles) > 0 || len(errors) > 0
	}, patience, 20*time.Millisecond)
	assert.Empty(t, errors)
	assert.Equal(t, []string{"to a hidden tab"}, titles)
	require.Eventually(t, func() bool { return len(d.Shown()) > 0 }, patience, 20*time.Millisecond)
	shown := d.Shown()
	assert.Len(t, shown, 1)
	assert.Equal(t, "to a hidden tab", shown[0].Title)

	permit("denied")
	require.Eventually(t, func() bool {
		b.eval(`return notifier.permission`, &permission)
		return permission == "denied"
	}, patience, 20*time.Millisecond)
	push("denied")
	var reason string
	b.eval(`return notifier.reason.code`, &reason)
	assert.Equal(t, "FORBIDDEN", reason)
	b.eval(`return errors`, &errors)
	assert.Empty(t, errors)
}
