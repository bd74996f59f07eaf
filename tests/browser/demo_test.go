package browser_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/tests/browser/chrome"
)

// screenshots is the folder that pictures of the page go to: that of the environment
// variable KIIWEB_SCREENSHOTS, or one that is thrown away.
func screenshots(t *testing.T) string {
	if dir := os.Getenv("KIIWEB_SCREENSHOTS"); dir != "" {
		return dir
	}
	return t.TempDir()
}

// demo is the demo page as a person uses it.
type demo struct {
	*page
}

func (s *site) demo(tab *chrome.Tab, scheme string) demo {
	s.t.Helper()
	d := demo{&page{Tab: tab, t: s.t}}
	d.Open(s.origin(scheme) + "/")
	d.helpers()
	return d
}

// helpers gives the page what await needs.
func (d demo) helpers() {
	d.Eval(`globalThis.got = []; globalThis.states = [];
		globalThis.$ = (id) => document.getElementById(id);
		globalThis.shown = (id) => $(id).checkVisibility();
		globalThis.bodies = () => [...document.querySelectorAll("#messages li.message .message-body")].map((e) => e.textContent);
		globalThis.until = async (condition) => { while (!condition()) await new Promise((r) => setTimeout(r, 10)); }; 0`, nil)
}

func (d demo) click(id string) { d.Run(chromedp.Click("#"+id, chromedp.ByQuery)) }

func (d demo) fill(id, text string) {
	d.Eval("$("+quote(id)+").select()", nil) // what is typed replaces what is there
	d.Run(chromedp.SendKeys("#"+id, text, chromedp.ByQuery))
}

func (d demo) text(id string) (text string) {
	d.Eval("$("+quote(id)+").textContent", &text)
	return text
}

// awaitMessage waits for a message, newest first, that holds text.
func (d demo) awaitMessage(text string) {
	d.t.Helper()
	d.await(`bodies().length > 0 && bodies()[0].includes(` + quote(text) + `)`)
}

func (d demo) register(name string) {
	d.await(`shown("login-form")`)
	d.click("mode-register")
	d.fill("login-name", name)
	d.fill("login-password", "a long enough password")
	d.click("login-submit")
	d.await(`shown("start-push")`)
}

func (d demo) logIn(name, password string) {
	d.await(`shown("login-form")`)
	d.click("mode-login")
	d.fill("login-name", name)
	d.fill("login-password", password)
	d.click("login-submit")
	d.await(`shown("start-push")`)
}

func (d demo) startPush() {
	d.click("start-push")
	d.await(`$("state-badge").dataset.state === "online"`)
}

// TestDemoPage is what a newcomer does.
func TestDemoPage(t *testing.T) {
	s := newSite(t)
	for _, scheme := range []string{plain, secure} {
		t.Run(scheme, func(t *testing.T) {
			tab := s.browser.Tab(t)
			tab.Run(chromedp.EmulateViewport(1280, 900))
			d := s.demo(tab, scheme)
			d.register("newcomer-" + scheme)
			d.Run(chromedp.KeyEvent(kb.Enter)) // the focus has come to the button
			d.await(`$("state-badge").dataset.state === "online"`)
			for _, step := range []string{"step-install", "step-endpoint", "step-connect"} {
				d.await(`$(` + quote(step) + `).dataset.status === "done"`)
			}
			assert.NotEmpty(t, d.text("value-installationID"))
			assert.NotEmpty(t, d.text("value-mqttTopic"))
			assert.NotContains(t, d.text("step-endpoint"), "undefined")

			d.fill("send-text", "hello from the form")
			d.Run(chromedp.KeyEvent(kb.Enter))
			d.awaitMessage("hello from the form")

			if scheme == plain {
				byCurl(t, d)
			}
			conceal := d.rendered()
			tab.Screenshot(filepath.Join(screenshots(t), scheme+"-desktop.png"))
			var phone struct{ Page, Window int }
			tab.Run(chromedp.EmulateViewport(390, 844, chromedp.EmulateMobile))
			tab.Eval(`({ Page: document.documentElement.scrollWidth, Window: innerWidth })`, &phone)
			assert.LessOrEqual(t, phone.Page, phone.Window, "the page is wider than a phone")
			tab.Screenshot(filepath.Join(screenshots(t), scheme+"-phone.png"))
			conceal()
			tab.Run(chromedp.EmulateViewport(1280, 900))

			d.Reload()
			d.helpers()
			d.await(`$("state-badge").dataset.state === "online"`)
			d.fill("send-text", "after the reload")
			d.click("send-submit")
			d.awaitMessage("after the reload")

			anyBytes(t, d)
			manyAtOnce(t, d)
			d.click("uninstall")
			d.await(`$("state-badge").dataset.state === "uninstalled"`)
			d.Eval(`globalThis.before = $("send-id").textContent; 0`, nil)
			d.fill("send-text", "nobody hears this")
			d.click("send-submit")
			d.await(`![undefined, before].includes($("send-id")?.textContent)`)
			d.startPush() // what waited would come before what is sent now
			d.fill("send-text", "heard again")
			d.click("send-submit")
			d.awaitMessage("heard again")
			var heard bool
			d.Eval(`bodies().some((body) => body.includes("nobody hears this"))`, &heard)
			assert.False(t, heard)
			d.click("logout")
			d.await(`shown("login-form")`)
			d.assertQuiet()
		})
	}
}

// anyBytes: what is no text is shown as numbers, and of many messages the newest alone.
func anyBytes(t *testing.T, d demo) {
	t.Helper()
	d.Eval(`import("/messages.js").then(({ messageList }) => {
		const list = messageList($);
		for (let i = 0; i < 300; i++) list.add({ bytes: new Uint8Array([255, 0, i]), qos: 0, dup: false, properties: {} });
	})`, nil)
	d.await(`bodies()[0] === "ff 00 2b"`) // the 300th
	var shown int
	d.Eval("bodies().length", &shown)
	assert.LessOrEqual(t, shown, 201)
}

// manyAtOnce: messages that come without a pause leave the page time for more than them: it draws them
// ten times a second at most, and has none of them move.
func manyAtOnce(t *testing.T, d demo) {
	t.Helper()
	var seen struct {
		Drawings, Moves int
		Newest          string
		Took            float64 // ms
	}
	d.eval(`const { messageList } = await import("/messages.js");
		const seen = { Drawings: 0, Moves: 0 }, list = messageList($), box = $("messages"), frame = () => new Promise(requestAnimationFrame);
		await until(() => !box.getAnimations({ subtree: true }).length);
		const moved = () => seen.Moves++, watch = new MutationObserver(() => seen.Drawings++);
		box.addEventListener("animationstart", moved);
		watch.observe(box, { childList: true });
		const began = performance.now(), bytes = (i) => new TextEncoder().encode("many " + i);
		let n = 0;
		while (performance.now() < began + 1000 || n < 1000) {
			for (let i = 0; i < 20; i++) list.add({ bytes: bytes(n++), qos: 1, dup: false, properties: {} });
			await frame();
		}
		await until(() => bodies()[0] === "many " + (n - 1));
		seen.Took = performance.now() - began;
		await frame();
		await frame();
		watch.disconnect();
		box.removeEventListener("animationstart", moved);
		return { ...seen, Newest: bodies()[0] };`, &seen)
	assert.LessOrEqual(t, seen.Drawings, 2+int(seen.Took/100), "in %.0f ms", seen.Took)
	assert.Zero(t, seen.Moves)
	assert.Contains(t, seen.Newest, "many ")
}

// byCurl runs the command that the page shows, as it stands there.
func byCurl(t *testing.T, d demo) {
	t.Helper()
	d.fill("send-text", "sent with curl")
	d.Eval(`$("curl").open = true`, nil)
	d.click("curl-reveal")
	command := d.text("curl-command")
	out, err := exec.Command("sh", "-c", command).CombinedOutput()
	require.NoError(t, err, "%s", out)
	assert.Contains(t, string(out), "pushMessageID")
	d.awaitMessage("sent with curl")
}

func TestDemoPageExplainsAWrongPassword(t *testing.T) {
	s := newSite(t)
	d := s.demo(s.browser.Tab(t), plain)
	d.await(`shown("login-form")`)
	d.click("mode-login")
	d.fill("login-name", s.NewUser().LoginName)
	d.fill("login-password", "not the password")
	d.click("login-submit")
	d.await(`$("login-error").textContent.includes("BAD_CREDENTIALS")`)
	d.assertQuiet("400")
}

// TestDemoPageInTwoTabs: the older one says what happened, and can take push back.
func TestDemoPageInTwoTabs(t *testing.T) {
	s := newSite(t)
	u := s.NewUser()
	var tabs [2]demo
	for i := range tabs {
		d := s.demo(s.browser.Tab(t), plain)
		d.logIn(u.LoginName, u.Password)
		d.startPush()
		tabs[i] = d
	}
	tabs[0].await(`$("state-badge").dataset.state === "displaced"`)
	assert.NotEmpty(t, tabs[0].text("state-reason"))
	tabs[0].click("take-back")
	tabs[0].await(`$("state-badge").dataset.state === "online"`)
	tabs[1].await(`$("state-badge").dataset.state === "displaced"`)
	s.Push(u, map[string]any{"text": "back in the first"})
	tabs[0].awaitMessage("back in the first")

	// Two tabs of one browser share a connection, and a logout.
	profile := s.browser.Profile(t)
	for i := range tabs {
		tabs[i] = s.demo(profile.Tab(), plain)
		tabs[i].logIn(u.LoginName, u.Password)
		tabs[i].startPush()
	}
	s.Push(u, map[string]any{"text": "for both"})
	tabs[0].awaitMessage("for both")
	tabs[1].awaitMessage("for both")
	tabs[1].click("logout")
	tabs[1].await(`shown("login-form")`)
	tabs[0].click("send-submit")
	tabs[0].await(`shown("login-form") && $("login-error").textContent.includes("logged out in another tab")`)
}

// TestDemoPageCountsDownToTheNextTry while the server is away.
func TestDemoPageCountsDownToTheNextTry(t *testing.T) {
	s := newSite(t)
	d := s.demo(s.browser.Tab(t), plain)
	d.register("patient")
	d.startPush()
	s.Kill()
	d.click("topics-refresh")
	d.await(`$("topics-error").textContent.includes("NETWORK")`)
	var early bool
	d.eval(`const badge = $("state-badge");
		const left = () => Number(/in (\d+) s/.exec($("state-countdown").textContent)?.[1] ?? 0);
		await until(() => badge.dataset.state === "waiting" && left() >= 2);
		const due = performance.now() + (left() - 1) * 1000;
		const tried = new Promise((done) => new MutationObserver(() => done(performance.now())).observe(badge, { attributes: true }));
		$("try-now").click();
		return (await tried) < due;`, &early)
	assert.True(t, early, "Try now waits for nothing")
	s.Restart()
	d.await(`$("state-badge").dataset.state === "online" && !shown("try-now")`)
	d.await(`$("topics-error").textContent === ""`)
}
