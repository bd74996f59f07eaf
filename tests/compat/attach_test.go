package compat

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/tests/browser/chrome"
)

// whole goes the way of a push with the client kii, from an owner's topic back to the page. It needs
// topic, and send, which sends to it.
const whole = `
	const connection = await kii.connect(await kii.getMqttEndpoint((await kii.installMqtt(false)).installationID));
	const arrived = new Promise((resolve) => connection.on("message", (m) => resolve(m.json())));
	await send();
	const { text } = await arrived;
	await connection.close();
	return text;`

func TestAttachToKiisSDK(t *testing.T) {
	r := newRelay(t)
	b := chrome.Start(t, chrome.Options{})
	ways := map[string]struct {
		scripts []string
		attach  string // the function
	}{
		"script tags":              {[]string{kiiScript, compatScript}, "kiiweb.attach"},
		"script tags, kiiweb too":  {[]string{kiiScript, "/kiiweb/kiiweb.js", compatScript}, "kiiweb.attach"},
		"script tag and ES module": {[]string{kiiScript}, `(await import("/kiiweb/compat.mjs")).attach`},
	}
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			tab := r.open(t, b, way.scripts...)
			var kept bool
			tab.Eval(`typeof KiiGroup === "function" && Kii.getSDKVersion() === "2.4.19"`, &kept)
			require.True(t, kept, "Kii's SDK is still there, whole")
			loggedIn(t, r, tab)
			var text string
			eval(tab, `
				const user = KiiUser.getCurrentUser();
				const topic = user.topicWithName("news");
				await topic.save();
				await user.pushSubscription().subscribe(topic);
				const kii = await (`+way.attach+`)(user);
				if (kii.current.userID !== user.getID()) throw new Error("somebody else");
				const send = () => topic.sendMessage(new KiiPushMessageBuilder({ text: "from Kii's SDK" }).build());
				`+whole, &text)
			assert.Equal(t, "from Kii's SDK", text)
			tab.AssertQuiet()
		})
	}
}

func TestAttachAThing(t *testing.T) {
	r := newRelay(t)
	b := chrome.Start(t, chrome.Options{})
	for name, scripts := range map[string][]string{"Kii": {kiiScript, compatScript}, "kiiweb": {compatScript}} {
		t.Run(name, func(t *testing.T) {
			tab := r.open(t, b, scripts...)
			var text string
			eval(tab, `
				Kii.initializeWithSite("demo", "demo-key", api);
				await KiiThing.register({ _vendorThingID: "lamp-`+name+`", _password: "a long enough password" });
				const context = await Kii.authenticateAsThing("lamp-`+name+`", "a long enough password");
				const thing = context.getAuthenticatedThing();
				const topic = thing.topicWithName("news");
				await topic.save();
				await thing.pushSubscription().subscribe(topic);
				const kii = await kiiweb.attach(context);
				if (kii.current.thingID !== thing.getThingID()) throw new Error("somebody else");
				const send = () => topic.sendMessage(new KiiPushMessageBuilder({ text: "to a thing" }).build());
				`+whole, &text)
			assert.Equal(t, "to a thing", text)
		})
	}
}

func TestAttachRefusesWhoIsNotLoggedIn(t *testing.T) {
	r := newRelay(t)
	tab := r.open(t, chrome.Start(t, chrome.Options{}), compatScript)
	var before []string
	eval(tab, `
		const codes = [];
		const code = (promise) => promise.then(() => codes.push("none"), (e) => codes.push(e instanceof kiiweb.KiiError ? e.code : String(e)));
		await code(kiiweb.attach({ getID: () => "u", getAccessToken: () => "t" }));
		Kii.initializeWithSite("demo", "demo-key", api);
		for (const user of [null, undefined, 1, {}, KiiUser.userWithID("u"), { getID: () => "u" }, { getID: () => "", getAccessToken: () => "t" }, KiiThing.thingWithID("t")]) {
			await code(kiiweb.attach(user));
		}
		await code(kiiweb.attach({ getID: () => "u", getAccessToken: () => "t" }, { host: "elsewhere" }));
		await code(kiiweb.attach({ getID: () => "u", getAccessToken: () => "t" }));
		return codes;`, &before)
	require.Len(t, before, 11)
	for _, code := range before[:10] {
		assert.Equal(t, "INVALID_ARGUMENT", code)
	}
	assert.Equal(t, "none", before[10])
}

// The class of errors, and the loader, are those of kiiweb.mjs.
func TestTheModuleSharesTheLoader(t *testing.T) {
	r := newRelay(t)
	tab := r.open(t, chrome.Start(t, chrome.Options{}))
	u := r.NewUser()
	var same []bool
	eval(tab, `
		const [{ KiiError }, { Kii, KiiUser, attach, ...rest }] = await Promise.all([import("/kiiweb/kiiweb.mjs"), import("/kiiweb/compat.mjs")]);
		Kii.initializeWithSite("demo", "demo-key", api);
		const user = await KiiUser.authenticate("`+u.LoginName+`", "`+u.Password+`");
		const insecure = await user.pushInstallation().getMqttEndpoint("..").catch((e) => e);
		const kii = await attach(user);
		const loaded = performance.getEntriesByType("resource").map((e) => new URL(e.name).pathname);
		return [insecure.cause instanceof KiiError, kii.current.userID === user.getID(), globalThis.Kii === undefined,
			loaded.filter((path) => path === "/kiiweb/kiiweb.mjs").length === 1, !("openHost" in rest)];`, &same)
	for i, ok := range same {
		assert.True(t, ok, "%d", i)
	}
}

// A new app takes the place of the one before, whose module ends.
func TestInitializeAgain(t *testing.T) {
	r := newRelay(t)
	tab := r.open(t, chrome.Start(t, chrome.Options{}), compatScript)
	tab.Eval(`globalThis.alive = 0; globalThis.Worker = class extends Worker {
		constructor(...args) { super(...args); alive++; }
		terminate() { super.terminate(); alive--; }
	}; undefined`, nil)
	workers := func(n int) func() bool {
		return func() bool {
			var alive int
			tab.Eval("alive", &alive)
			return alive == n
		}
	}
	loggedIn(t, r, tab)
	require.True(t, workers(1)(), "the module runs in a worker")
	var texts []string
	eval(tab, `
		const underWay = KiiUser.getCurrentUser().pushInstallation().installMqtt(false);
		const texts = [];
		for (const [appID, appKey, site] of [["", "k", api], [null, "k", api], ["a", undefined, api], ["a", "k", ""], ["a", "k", undefined], ["a", "k", 5]]) {
			try { Kii.initializeWithSite(appID, appKey, site); texts.push("none"); } catch (e) { texts.push(e.code); }
		}
		if (KiiUser.getCurrentUser() === null) throw new Error("a wrong app has logged the user out");
		const login = KiiUser.registerAsPseudoUser().then(() => "none", (e) => e.message);
		Kii.initializeWithSite("demo", "demo-key", api, { host: "worker" });
		if (KiiUser.getCurrentUser() !== null) throw new Error("still logged in");
		await underWay;
		texts.push(await login);
		if (KiiUser.getCurrentUser() !== null) throw new Error("the login of the app before");
		return texts;`, &texts)
	assert.Equal(t, "Kii was initialized anew while the login was under way.", texts[len(texts)-1])
	texts = texts[:len(texts)-1]
	assert.Equal(t, []string{"INVALID_ARGUMENT", "INVALID_ARGUMENT", "INVALID_ARGUMENT", "INVALID_ARGUMENT", "INVALID_ARGUMENT", "INVALID_ARGUMENT"}, texts)
	require.Eventually(t, workers(0), patience, 10*time.Millisecond, "the old module's worker has not ended")
	loggedIn(t, r, tab)
	require.True(t, workers(1)(), "the new one runs in a worker")
	tab.AssertQuiet()
}
