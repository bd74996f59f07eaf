package browser_test

import (
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
)

// TestDemoPageThing: a thing beside the user, each with a connection of its own.
func TestDemoPageThing(t *testing.T) {
	s := newSite(t)
	tab := s.browser.Tab(t)
	tab.Run(chromedp.EmulateViewport(1280, 900))
	d := s.demo(tab, plain)
	d.register("owner")
	d.startPush()

	d.await(`$("thing-login-password").value.length >= 12 && $("thing-login-name").value !== ""`) // suggestions
	d.fill("thing-login-name", "lamp-1")
	d.click("thing-login-submit")
	d.await(`shown("thing-start-push") && document.activeElement.id === "thing-start-push"`)
	assert.Equal(t, "lamp-1", d.text("thing-account-name"))
	d.click("thing-start-push")
	d.await(`$("thing-state-badge").dataset.state === "online"`)
	assert.NotEqual(t, d.text("value-mqttTopic"), d.text("thing-value-mqttTopic"))

	d.fill("thing-send-text", "light on")
	d.click("thing-send-submit")
	d.await(`document.querySelector("#thing-messages .message-body")?.textContent.includes("light on")`)
	d.fill("thing-send-text", "light off")
	assert.Contains(t, run(t, d.command("thing-curl")), "pushMessageID")
	d.await(`document.querySelector("#thing-messages .message-body").textContent.includes("light off")`)
	thingTopics(t, d)
	var users int
	d.Eval(`bodies().length`, &users)
	assert.Zero(t, users, "what is the thing's comes to the thing alone")
	d.await(`$("state-badge").dataset.state === "online"`)
	d.look(t, "thing")

	d.Reload()
	d.helpers()
	d.await(`$("state-badge").dataset.state === "online" && $("thing-state-badge").dataset.state === "online"`)
	assert.Contains(t, run(t, d.command("thing-curl-install")), d.text("thing-value-installationID"))
	assert.Contains(t, run(t, d.command("thing-curl-endpoint")), d.text("thing-value-mqttTopic"))
	assert.Contains(t, run(t, d.command("thing-curl-uninstall")), "204")
	d.await(`$("thing-state-badge").dataset.state === "uninstalled" && $("state-badge").dataset.state === "online"`)
	d.click("thing-logout")
	d.await(`shown("thing-login-form") && $("state-badge").dataset.state === "online"`)
	d.assertQuiet("404") // of topics without a subscription
}

// thingTopics: the thing has topics of its own, and hears what is sent to them.
func thingTopics(t *testing.T, d demo) {
	d.fill("thing-topic-name", "commands")
	assert.Contains(t, run(t, d.command("thing-curl-topic-create")), "204")
	d.click("thing-topics-refresh")
	commands := topic{d, "thing-topics", "commands"}
	commands.awaitSubscribed(false)
	assert.Contains(t, run(t, commands.command("subscribe")), "204")
	d.click("thing-topics-refresh")
	commands.awaitSubscribed(true)
	commands.press("send")
	d.fill("thing-send-text", "blink")
	d.click("thing-send-submit")
	d.awaitFrom("thing-messages", "blink", "topic commands")
	assert.Contains(t, run(t, d.command("thing-curl-topics")), `"commands"`)
}

// TestDemoPageThingByCurl: a thing that a shell registers logs in on the page. Over TLS, so
// that the commands name the certificate to trust.
func TestDemoPageThingByCurl(t *testing.T) {
	s := newSite(t)
	d := s.demo(s.browser.Tab(t), secure)
	d.await(`shown("login-form")`)
	d.look(t, "login")
	d.register("neighbour")
	d.fill("thing-login-name", "made-in-a-shell")
	d.fill("thing-login-password", "it's a password")
	assert.Contains(t, run(t, d.command("thing-curl-login")), "_thingID")
	d.click("thing-mode-login")
	assert.Contains(t, run(t, d.text("thing-curl-login-command")), "access_token")
	d.click("thing-login-submit")
	d.await(`shown("thing-start-push")`)

	d.click("logout")
	d.await(`shown("login-form")`)
	d.register("next")
	d.await(`shown("thing-login-form")`) // who leaves takes the thing along
	d.click("thing-mode-login")
	d.fill("thing-login-name", "made-in-a-shell")
	d.fill("thing-login-password", "not the password")
	d.click("thing-login-submit")
	d.await(`$("thing-login-error").textContent.includes("BAD_CREDENTIALS")`)
	d.assertQuiet("400")
}
