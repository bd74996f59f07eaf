package compat

import (
	_ "embed"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/tests/browser/chrome"
)

// What docs/compat.md says of every call.
func TestAlwaysOtherwise(t *testing.T) {
	r := newRelay(t)
	b := chrome.Start(t, chrome.Options{})
	sent := map[string][]exchange{}
	for _, script := range []string{kiiScript, compatScript} {
		tab := r.open(t, b, script)
		loggedIn(t, r, tab)
		r.drain()
		eval(tab, `const user = KiiUser.getCurrentUser();
			await user.refresh();
			await user.pushInstallation().installMqtt(true);
			await user.pushSubscription().subscribe(user.bucketWithName("notes"));`, nil)
		sent[script] = r.drain()
		require.Len(t, sent[script], 3)
	}
	for i, ours := range sent[compatScript] {
		kii := sent[kiiScript][i]
		assert.Regexp(t, `[?&]disable_cache=\d+$`, kii.path)
		assert.NotContains(t, ours.path, "?")
		assert.Equal(t, "no-cache", ours.header.Get("Cache-Control"))
		assert.Equal(t, "sn=jss;sv=2.4.19", kii.header.Get("X-Kii-SDK"))
		assert.Regexp(t, `^sn=kiiweb;sv=\d`, ours.header.Get("X-Kii-SDK"))
		assert.True(t, strings.HasPrefix(ours.header.Get("Authorization"), "Bearer "))
		if ours.body == "" {
			assert.Empty(t, ours.header.Get("Content-Type"))
		}
	}
	assert.Equal(t, "application/json", sent[kiiScript][0].header.Get("Content-Type"), "of a GET")
	assert.True(t, strings.HasPrefix(sent[kiiScript][1].header.Get("Authorization"), "bearer "))
	assert.Contains(t, sent[kiiScript][2].path, "/apps/demo//users/")
	assert.Regexp(t, `^/apps/demo/users/[^/]+/buckets/notes/`, sent[compatScript][2].path)
}

func TestCallbacksAsTheyCome(t *testing.T) {
	r := newRelay(t)
	tab := r.open(t, chrome.Start(t, chrome.Options{}), compatScript)
	loggedIn(t, r, tab)
	var report struct {
		Settled, Expected int
		Errors            []string // uncaught
		Rejections        []string // unhandled
		This, Before      bool
	}
	eval(tab, `
		const report = { Settled: 0, Errors: [], Rejections: [] };
		addEventListener("error", (e) => (e.preventDefault(), report.Errors.push(e.error?.message ?? e.message)));
		addEventListener("unhandledrejection", (e) => (e.preventDefault(), report.Rejections.push(e.reason.message)));
		const push = KiiUser.getCurrentUser().pushInstallation();
		const good = (cb) => push.installMqtt(true, cb), bad = (cb) => push.getMqttEndpoint("nothing", cb);
		const boom = (text) => () => { throw new Error(text); };
		const settle = (promise) => promise.then((v) => v, (e) => e).then((v) => (report.Settled++, v));
		const odd = [undefined, null, 0, "x", 5, Symbol("s"), {}, [], () => {}, { success: 1, failure: "f" }, { success() {} }, { failure() {} },
			{ success: boom("success"), failure: boom("failure") }, { get success() { throw new Error("getter"); }, get failure() { throw new Error("getter"); } }];
		for (const cb of odd) for (const call of [good, bad]) await settle(call(cb));
		report.Expected = odd.length * 2;

		let self;
		const callbacks = { success() { self = this; } };
		const promise = good(callbacks);
		let called = false;
		callbacks.success = () => (called = true); // too late
		await promise;
		report.This = self === callbacks && !called;

		const order = [];
		await good({ success: () => order.push("callback") }).then(() => order.push("promise"));
		report.Before = order.join() === "callback,promise";

		bad({ failure() {} }); // is told once
		bad({ success() {} }); // is told by nobody
		await new Promise((resolve) => addEventListener("unhandledrejection", resolve, { once: true }));
		return report;`, &report)
	assert.Equal(t, report.Expected, report.Settled)
	assert.Equal(t, []string{"success", "failure", "getter", "getter", "getter", "getter"}, report.Errors)
	require.Len(t, report.Rejections, 1)
	assert.Contains(t, report.Rejections[0], "INSTALLATION_NOT_FOUND")
	assert.True(t, report.This, "this is the object of callbacks, read when the call was made")
	assert.True(t, report.Before)
}

// A call is made as who is logged in when it is made.
func TestLogOutInTheNextLine(t *testing.T) {
	r := newRelay(t)
	tab := r.open(t, chrome.Start(t, chrome.Options{}), compatScript)
	loggedIn(t, r, tab)
	r.drain()
	eval(tab, `
		const user = KiiUser.getCurrentUser();
		const calls = [user.pushInstallation().installMqtt(true), user.topicWithName("news").save(), user.listTopics(), user.refresh()];
		Kii.logOut();
		await Promise.all(calls);`, nil)
	sent := r.drain()
	require.Len(t, sent, 4)
	for _, e := range sent {
		assert.Less(t, e.status, 300, "%s %s", e.method, e.path)
	}
	tab.AssertQuiet()
}

//go:embed garbage.js
var garbage string

// TestNonsense calls every method with every kind of nonsense: each call gives a value, throws an
// Error or gives a Promise that settles, and afterwards all still works.
func TestNonsense(t *testing.T) {
	r := newRelay(t)
	tab := r.open(t, chrome.Start(t, chrome.Options{}), compatScript)
	loggedIn(t, r, tab)
	tab.Eval(garbage+"; undefined", nil)
	var report struct {
		Calls, Methods int
		Bad            []string
	}
	require.NoError(t, tab.TryEval(10*time.Minute, `nonsense()`, &report))
	t.Logf("%d calls of %d methods", report.Calls, report.Methods)
	assert.Empty(t, report.Bad)
	assert.Greater(t, report.Methods, 100)
	for _, e := range r.drain() {
		assert.NotRegexp(t, `undefined|null|\[object|NaN|//`, e.path, "what was no id was sent")
	}
	loggedIn(t, r, tab)
	eval(tab, `await KiiUser.getCurrentUser().pushInstallation().installMqtt(false)`, nil)
	for _, e := range tab.Problems() {
		assert.Contains(t, e.Text, "Failed to load resource", "the browser's own words for a 4xx")
	}
}
