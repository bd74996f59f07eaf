package browser_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/browser"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/tests/browser/chrome"
)

// TestNotifications: two tabs that share a connection, on a desktop that takes what Chromium shows.
func TestNotifications(t *testing.T) {
	a := newApp(t)
	a.profile.Permit(a.origin, browser.PermissionTypeNotifications)
	one, two := a.open(byConnect), a.open(byPush)
	one.await(`kii.tabs === "leader" && notifier.permission === "granted" && notifier.reason === null`)
	two.await(`kii.tabs === "follower"`)

	a.front(two)
	a.push("the second is visible", one, two)
	a.front(one)
	a.push("the first is visible", one, two)
	a.elsewhere()
	a.push("nobody looks", one, two)
	a.push("nobody looks still", one, two)
	a.awaitTitles("nobody looks", "nobody looks still")

	// A click puts one of the tabs in front, and tells that one.
	a.desktop.Click(a.desktop.Shown()[0].ID)
	clicked := a.clicked()
	clicked.await(`document.visibilityState === "visible"`)
	var click struct {
		Action, URL string
		Data        struct{ Text string }
	}
	clicked.Eval(`clicks[0]`, &click)
	assert.Equal(t, "nobody looks", click.Data.Text)
	assert.Equal(t, a.origin+"/page?opened", click.URL)
	a.push("somebody looks again", one, two)
	a.elsewhere()

	// The next leader shows what comes.
	one.Close()
	a.pages = a.pages[1:]
	two.await(`kii.tabs === "leader" && connection.state === "online"`)
	a.push("led by the second", two)
	a.awaitTitles("nobody looks", "nobody looks still", "led by the second")
	two.eval(`globalThis.tags = (await (await navigator.serviceWorker.ready).getNotifications()).map((n) => n.tag)`, nil)
	two.await(`tags.length === 2 && tags.every((tag) => tag.length > 8) && new Set(tags).size === 2`)

	// With a notifier that has ended nothing is shown, and nothing of it is left.
	two.eval(`notifier.dispose(); notifier.dispose()`, nil)
	a.push("nobody would show it", two)
	two.eval(`notifier = await notify.notifications(kii, { content: (m) => ({ title: m.text() }) })`, nil)
	two.eval(`notifier.watch(connection); notifier[Symbol.dispose]()`, nil)
	a.front(two)
	var held []string
	two.eval(`return (await navigator.locks.query()).held.map(({ name }) => name)`, &held)
	for _, name := range held {
		assert.NotContains(t, name, "visible")
	}
	two.assertQuiet()

	// Where no tab is left, a click opens one.
	opened := func(path string) bool { return slices.Contains(a.browser.Pages(), a.origin+path) }
	two.Close()
	all := a.desktop.Shown()
	require.Eventually(t, func() bool { return !opened("/page") }, patience, tick)
	a.desktop.Click(all[len(all)-1].ID)
	require.Eventually(t, func() bool { return opened("/page?opened") }, patience, tick, "no page was opened: %v", a.browser.Pages())
	a.awaitTitles("nobody looks", "nobody looks still", "led by the second")
}

// TestNotificationsDenied: it is a state, and what is pushed arrives all the same.
func TestNotificationsDenied(t *testing.T) {
	a := newApp(t)
	a.profile.Deny(a.origin, "notifications")
	p := a.open(byPush)
	reason := func() (f failure) {
		p.Eval(`((e) => ({ isKiiError: e instanceof lib.KiiError, code: e.code, message: e.message, remedy: e.remedy }))(notifier.reason)`, &f)
		return f
	}
	p.await(`notifier.permission === "denied"`)
	f := reason()
	assert.True(t, f.IsKiiError)
	assert.Equal(t, "FORBIDDEN", f.Code)
	assert.Contains(t, f.Remedy, "settings")
	var asked string
	p.eval(`return await notifier.ask()`, &asked)
	assert.Equal(t, "denied", asked)
	a.elsewhere()
	a.push("denied", p)

	// The user changes their mind, twice.
	a.profile.Permit(a.origin, browser.PermissionTypeNotifications)
	p.await(`permissions.join() === "granted" && notifier.permission === "granted"`)
	a.push("granted", p)
	a.awaitTitles("granted")
	a.profile.Deny(a.origin, "notifications")
	p.await(`permissions.join() === "granted,denied"`)
	a.push("denied again", p)
	a.profile.Permit(a.origin, browser.PermissionTypeNotifications)
	p.await(`notifier.permission === "granted"`)
	a.push("granted again", p)
	a.awaitTitles("granted", "granted again")
	p.await(`errors.length === 0`)
	p.assertQuiet()
}

// TestNotificationsExample: the page of js/README.md works as it is printed there.
func TestNotificationsExample(t *testing.T) {
	a := newApp(t)
	a.profile.Permit(a.origin, browser.PermissionTypeNotifications)
	p := &page{Tab: a.profile.NextTab(), t: t}
	p.Open(a.origin + "/page")
	const line = `import { notifications } from "kiiweb/notify";`
	require.Contains(t, a.examples[1], line)
	p.eval(`globalThis.until = async (condition) => { while (!condition()) await new Promise((resolve) => setTimeout(resolve, 10)) };
		globalThis.got = []; globalThis.states = []; // for a test that fails
		const { load } = await import("/kiiweb.mjs");
		const { notifications } = await import("/notify.mjs");
		globalThis.button = document.body.appendChild(document.createElement("button"));
		globalThis.kii = await load({ appID: `+quote(a.Ready.AppID)+`, appKey: `+quote(a.Ready.AppKey)+`, baseURL: `+quote(a.Ready.API)+` });
		await kii.login(`+quote(a.user.LoginName)+`, `+quote(a.user.Password)+`);
		`+strings.Replace(a.examples[1], line, "", 1)+`
		button.click()`, nil)
	a.pages = append(a.pages, p)
	a.elsewhere()
	a.push("hello")
	a.awaitTitles("News")
	shown := a.desktop.Shown()[0]
	assert.Contains(t, shown.Body, "hello")
	a.desktop.Click(shown.ID)
	require.Eventually(t, func() bool { return said(p.Tab, `clicked`) && said(p.Tab, "/inbox") }, patience, tick, "%v", p.Console())
	p.assertQuiet()
}

// TestNotifierAndTheBackForwardCache: a page with one is kept, and tells of itself again when it is back.
func TestNotifierAndTheBackForwardCache(t *testing.T) {
	elsewhere := host(t, nil)
	p := &page{Tab: chrome.Start(t, chrome.Options{}).Tab(t), t: t}
	p.Open(host(t, func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == "/sw.js" {
			w.Header().Set("Content-Type", "text/javascript")
		}
		return r.URL.Path == "/sw.js"
	}) + "/page")
	p.eval(`const { notifications } = await import("/notify.mjs");
		globalThis.notifier = await notifications({ tabs: null }, { registration: navigator.serviceWorker.register("/sw.js"), content: () => null });
		globalThis.shown = [];
		addEventListener("pageshow", (e) => shown.push(e.persisted))`, nil)
	locks := func() (n int) {
		p.eval(`const { held } = await navigator.locks.query(); return held.filter(({ name }) => name.startsWith("kiiweb.visible")).length`, &n)
		return n
	}
	require.Eventually(t, func() bool { return locks() == 1 }, patience, tick)
	p.Open(elsewhere + "/page")
	p.back()
	var persisted []bool
	require.Eventually(t, func() bool { // the other page may still be there
		return p.TryEval(patience, `globalThis.shown ?? []`, &persisted) == nil && len(persisted) > 0
	}, patience, tick, "the page did not come back as it was")
	require.Equal(t, []bool{true}, persisted)
	require.Eventually(t, func() bool { return locks() == 1 }, patience, tick)
}

// TestNotificationsWithoutAServiceWorker, or where its script does not load.
func TestNotificationsWithoutAServiceWorker(t *testing.T) {
	b := chrome.Start(t, chrome.Options{})
	tab := b.Tab(t)
	tab.Open(host(t, nil) + "/page")
	for _, options := range []string{``, `registration: navigator.serviceWorker.register("/missing.js"),`} {
		var said struct{ Permission, Code, Remedy, Asked string }
		tab.Eval(`(async () => {
			const { notifications } = await import("/notify.mjs");
			using notifier = await notifications({ tabs: null }, { `+options+` content: () => null });
			const { code, remedy } = notifier.reason;
			return { permission: notifier.permission, code, remedy, asked: await notifier.ask() };
		})()`, &said)
		assert.Equal(t, "unsupported", said.Permission)
		assert.Equal(t, "unsupported", said.Asked)
		assert.Equal(t, "UNSUPPORTED", said.Code)
		assert.Contains(t, said.Remedy, "navigator.serviceWorker.register")
	}
}
