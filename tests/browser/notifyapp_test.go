package browser_test

import (
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/tests/browser/chrome"
	"github.com/kiiweb/kiiweb/tests/cloud"
	"github.com/kiiweb/kiiweb/tests/desktop"
)

// fromReadme gives the blocks of JavaScript below a heading of js/README.md.
func fromReadme(t *testing.T, heading string) (blocks []string) {
	t.Helper()
	readme, err := os.ReadFile(filepath.Join(cloud.Root(), "js", "README.md"))
	require.NoError(t, err)
	_, section, ok := strings.Cut(string(readme), "\n## "+heading+"\n")
	require.True(t, ok, "js/README.md has no heading %q", heading)
	section, _, _ = strings.Cut(section, "\n## ")
	for _, m := range regexp.MustCompile("(?s)```js\n(.*?)```").FindAllStringSubmatch(section, -1) {
		blocks = append(blocks, m[1])
	}
	return blocks
}

// notifyScript makes a notifier, and a connection by start, whose messages it watches.
const notifyScript = `
	globalThis.lib = await import("/kiiweb.mjs");
	globalThis.notify = await import("/notify.mjs");
	globalThis.until = async (condition) => { while (!condition()) await new Promise((resolve) => setTimeout(resolve, 10)) };
	globalThis.kii = await lib.load(OPTIONS);
	globalThis.got = []; globalThis.states = []; globalThis.clicks = []; globalThis.permissions = []; globalThis.errors = [];
	globalThis.notifier = await notify.notifications(kii, {
		registration: navigator.serviceWorker.register("/sw.js"),
		content: (m) => ({ title: m.json().text, body: "a push", url: "/page?opened", data: m.json() }),
	});
	notifier.on("click", (click) => clicks.push(click));
	notifier.on("permission", (permission) => permissions.push(permission));
	notifier.on("error", (error) => errors.push(error.message));
	await kii.useToken(TOKEN, { userID: USER });
	globalThis.connection = await (START);
	connection.on("message", (m) => got.push(m.json().text));
	notifier.watch(connection);`

const (
	byConnect = `kii.connect(await kii.getMqttEndpoint((await kii.installMqtt(false)).installationID))`
	byPush    = `kii.startPush({ development: false })`
)

// app is a site whose pages show notifications on a desktop.
type app struct {
	*cloud.Cloud
	t       *testing.T
	desktop *desktop.Desktop
	origin  string
	user    cloud.User
	profile *chrome.Profile
	browser *chrome.Browser
	blank   *chrome.Tab // a page that is none of the app's, in the same window
	pages   []*page
	// examples are those of js/README.md; the first is the service worker.
	examples []string
}

func newApp(t *testing.T) *app {
	t.Helper()
	a := &app{Cloud: cloud.Start(t), t: t, desktop: desktop.Start(t)}
	a.user = a.NewUser()
	a.browser = chrome.Start(t, chrome.Options{Env: []string{a.desktop.Env()}})
	a.profile = a.browser.OwnProfile(t) // Chromium loses clicks on notifications of private ones
	a.blank = a.profile.NextTab()
	a.examples = fromReadme(t, "Notifications")
	require.Len(t, a.examples, 2, "the service worker's and the page's")
	a.origin = host(t, func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == "/sw.js" {
			w.Header().Set("Content-Type", "text/javascript")
			_, _ = w.Write([]byte(a.examples[0]))
		}
		return r.URL.Path == "/sw.js"
	})
	return a
}

// open opens a tab, in front of the others, whose connection is made by start.
func (a *app) open(start string) *page {
	a.t.Helper()
	p := &page{Tab: a.profile.NextTab(), t: a.t}
	p.Open(a.origin + "/page")
	p.eval(strings.NewReplacer(
		"OPTIONS", `{ appID: `+quote(a.Ready.AppID)+`, appKey: `+quote(a.Ready.AppKey)+`, baseURL: `+quote(a.Ready.API)+` }`,
		"TOKEN", quote(a.user.Token), "USER", quote(a.user.ID), "START", start,
	).Replace(notifyScript), nil)
	a.pages = append(a.pages, p)
	return p
}

// tick is how often a test looks.
const tick = 20 * time.Millisecond

// front puts a tab in front of the others, which hides them.
func (a *app) front(p *page) {
	a.t.Helper()
	p.Show()
	p.await(`document.visibilityState === "visible"`)
	for _, other := range a.pages {
		if other != p {
			other.await(`document.visibilityState === "hidden"`)
		}
	}
}

// elsewhere puts a page in front that is none of the app's.
func (a *app) elsewhere() {
	a.t.Helper()
	a.blank.Show()
	for _, p := range a.pages {
		p.await(`document.visibilityState === "hidden"`)
	}
}

// push sends texts, and waits until each of the tabs has the last of them.
func (a *app) push(text string, pages ...*page) {
	a.t.Helper()
	a.Push(a.user, map[string]any{"text": text})
	for _, p := range pages {
		p.await(`got.at(-1) === ` + quote(text))
	}
}

// awaitTitles waits until so many notifications were shown, and compares all of them.
func (a *app) awaitTitles(want ...string) {
	a.t.Helper()
	require.Eventually(a.t, func() bool { return len(a.desktop.Shown()) >= len(want) }, patience, tick, "%v", a.desktop.Shown())
	var titles []string
	for _, n := range a.desktop.Shown() {
		titles = append(titles, n.Title)
	}
	require.Equal(a.t, want, titles)
}

// clicked waits until one of the tabs has heard of a click, and holds that it is one alone.
func (a *app) clicked() *page {
	a.t.Helper()
	var those []*page
	require.Eventually(a.t, func() bool {
		those = nil
		for _, p := range a.pages {
			var count int
			p.Eval(`clicks.length`, &count)
			for range count {
				those = append(those, p)
			}
		}
		return len(those) > 0
	}, patience, tick, "no tab was told of the click")
	require.Len(a.t, those, 1)
	return those[0]
}
