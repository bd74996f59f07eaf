package browser_test

import (
	_ "embed"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

//go:embed surface_test.js
var surfaceScript string

// bombarded is what bombard of surface_test.js tells.
type bombarded struct {
	Calls int
	Bad   []string
}

// bombard runs the body of an async function that ends with what bombard has told, and fails the test over each call
// that did not end as every call of the library has to: with a value, or with a KiiError.
func (p *page) bombard(body string, atLeast int) {
	p.t.Helper()
	var report bombarded
	require.NoError(p.t, p.TryEval(10*time.Minute, "(async () => {"+body+"})()", &report))
	assert.Empty(p.t, report.Bad)
	assert.GreaterOrEqual(p.t, report.Calls, atLeast)
}

// TestNothingAPagePassesEndsTheModule throws rubbish at every function: each call ends, with a KiiError
// where it fails, and afterwards everything still works.
func TestNothingAPagePassesEndsTheModule(t *testing.T) {
	onEachHost(t, nothingAPagePassesEndsTheModule)
}

func nothingAPagePassesEndsTheModule(t *testing.T, s *site) {
	u := s.NewUser()
	p := s.page(plain)
	p.Eval(surfaceScript, nil)
	p.connectAs(u)
	p.bombard(`return bombard(kii, methodsOf(kii).filter((name) => !["dispose", "logout"].includes(name)))`, 19*30*5)
	p.eval(`await kii.useToken(`+quote(u.Token)+`, { userID: `+quote(u.ID)+` })`, nil)
	s.Push(u, map[string]any{"text": "still here"})
	p.awaitTexts("still here")
}

// TestNothingAPagePassesEndsAConnection: the same of connections, and of pushes.
func TestNothingAPagePassesEndsAConnection(t *testing.T) {
	onEachHost(t, nothingAPagePassesEndsAConnection)
}

func nothingAPagePassesEndsAConnection(t *testing.T, s *site) {
	for name, begin := range map[string]string{
		"connect":   `await journey()`,
		"startPush": `attach(await kii.startPush())`,
	} {
		t.Run(name, func(t *testing.T) {
			on := *s
			on.t = t
			u, p := s.NewUser(), on.page(plain)
			p.Eval(surfaceScript, nil)
			p.eval("await kii.login("+quote(u.LoginName)+", "+quote(u.Password)+"); "+begin, nil)
			p.bombard(`return bombard(connection, ["publish", "subscribe", "unsubscribe", "takeBack"])`, 4*30*5)
			p.bombard(`return bombard(connection, ["on", "once", "wake"], { promised: false })`, 3*30*5)
			p.bombard(`
				const report = { calls: 0, bad: [] };
				for (const value of nonsense) {
					for (const name of ["qos", "retain", "properties", "timeout", "signal"]) {
						report.calls++;
						const trouble = await attempt(connection, "publish", ["", "{}", { [name]: value }], true);
						if (trouble) report.bad.push(name + " " + trouble);
					}
					for (const name of ["payloadFormat", "messageExpiry", "contentType", "responseTopic", "correlationData", "userProperties"]) {
						for (const given of name === "userProperties" ? [value, [value], [[value, value]]] : [value]) {
							report.calls++;
							const trouble = await attempt(connection, "publish", ["", "{}", { properties: { [name]: given }}], true);
							if (trouble) report.bad.push(name + " " + trouble);
						}
					}
				}
				return report;`, 30*11)
			s.Push(u, map[string]any{"text": "still here"})
			p.await(`got.some((m) => m.text === "still here")`)
			p.eval(`const { buffer } = new foreign.TextEncoder().encode('{"text":"of another realm"}');
				for (const bytes of [new foreign.Uint8Array(buffer), buffer]) await connection.publish("", bytes)`, nil)
			p.await(`got.filter((m) => m.text === "of another realm").length === 2`)
			p.bombard(`return bombard(connection, ["close"])`, 30*5)
			p.await(`connection.state === "closed"`)
			p.bombard(`return bombard(connection, ["publish", "subscribe", "unsubscribe", "takeBack", "close"], { places: 1 })`, 30)
		})
	}
}

// TestNothingAPagePassesToTheEntrances: load, kiiweb/notify and attach of kiiweb/compat.
func TestNothingAPagePassesToTheEntrances(t *testing.T) {
	s := newSite(t)
	u := s.NewUser()
	p := s.page(plain)
	p.Eval(surfaceScript, nil)
	p.bombard(`
		const report = await bombard(lib, ["load"]);
		for (const value of nonsense) {
			for (const name of ["appID", "appKey", "site", "baseURL", "wasmURL", "workerURL", "host", "tabs", "allowInsecure", "getToken"]) {
				report.calls++;
				const trouble = await attempt(lib, "load", [{ ...options, [name]: value }], true);
				if (trouble) report.bad.push(name + " " + trouble);
			}
		}
		return report;`, 30*15)
	p.bombard(`
		const notify = await import("/kiiweb/notify.mjs");
		const report = await bombard(notify, ["notifications"]);
		const content = () => null;
		for (const value of nonsense) {
			for (const args of [[kii, value], [kii, { content: value }], [kii, { content, registration: value, timeout: 1000 }], [value, { content }]]) {
				report.calls++;
				const trouble = await attempt(notify, "notifications", args, true);
				if (trouble) report.bad.push(trouble);
			}
		}
		const notifier = await notify.notifications(kii, { content, timeout: 1000 });
		for (const [methods, promised] of [[["on", "watch"], false], [["ask"], true]]) {
			const { calls, bad } = await bombard(notifier, methods, { promised, places: 2 });
			report.calls += calls;
			report.bad.push(...bad);
		}
		const click = await attempt(notify, "handleNotificationClicks", [], false);
		return { calls: report.calls, bad: click ? [click, ...report.bad] : report.bad };`, 30*15)
	p.eval(`await kii.login(`+quote(u.LoginName)+`, `+quote(u.Password)+`)`, nil)
	p.bombard(`
		const compat = await import("/kiiweb/compat.mjs");
		compat.Kii.initializeWithSite(options.appID, options.appKey, options.baseURL);
		const user = await compat.KiiUser.authenticateWithToken(`+quote(u.Token)+`);
		const report = await bombard(compat, ["attach"], { places: 2 });
		for (const value of [...nonsense, ...oddOptions]) {
			report.calls++;
			const trouble = await attempt(compat, "attach", [user, value], true);
			if (trouble) report.bad.push("attach " + trouble);
		}
		return report;`, 30*5)
}

// TestADisposedClientSaysSo: each method, with whatever arguments, and each call that was under way.
func TestADisposedClientSaysSo(t *testing.T) { onEachHost(t, aDisposedClientSaysSo) }

func aDisposedClientSaysSo(t *testing.T, s *site) {
	u := s.NewUser()
	p := s.page(plain)
	p.Eval(surfaceScript, nil)
	p.connectAs(u)
	var codes []string
	p.eval(`
		const methods = methodsOf(kii).filter((name) => name !== "dispose");
		const code = (e) => wrongError(e) || e.code;
		const going = methods.map((name) => kii[name]("a", "b").then(() => "CLOSED", code)); // some are quick enough
		await kii.dispose();
		const during = await Promise.all(going);
		const after = await Promise.all(methods.map((name) => kii[name]().catch(code)));
		return [...new Set([...during.filter((c) => !["INVALID_ARGUMENT", "NOT_FOUND"].includes(c)), ...after])]`, &codes)
	assert.Equal(t, []string{"CLOSED"}, codes)
	p.bombard(`return bombard(kii, methodsOf(kii), { places: 1 })`, 20*30)
	p.bombard(`return bombard(connection, ["publish", "subscribe", "unsubscribe", "takeBack", "close"], { places: 1 })`, 5*30)
}
