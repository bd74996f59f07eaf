package browser_test

import (
	"os"
	"os/exec"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// command opens a fold of the page, shows its secret and gives the command in it.
func (d demo) command(fold string) string {
	d.t.Helper()
	d.Eval("$("+quote(fold)+").open = true", nil)
	d.click(fold + "-reveal")
	return d.text(fold + "-command")
}

// run runs commands that the page shows, as they stand there, in a shell with environment
// variables beside its own, and gives what they print.
func run(t *testing.T, commands string, env ...string) string {
	t.Helper()
	cmd := exec.Command("sh", "-c", commands)
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return string(out)
}

// topic is one line of a list of topics.
type topic struct {
	d    demo
	list string // the list's id
	name string
}

func (p topic) is(selector string) string {
	return "document.querySelector(" + quote("#"+p.list+" li[data-topic="+p.name+"]"+selector) + ")"
}

func (p topic) awaitGone() { p.d.t.Helper(); p.d.await(p.is("") + " === null") }

func (p topic) awaitSubscribed(yes bool) {
	p.d.t.Helper()
	p.d.await(p.is("[data-subscribed="+map[bool]string{true: "true", false: "false"}[yes]+"]") + " !== null")
}

func (p topic) press(action string) {
	p.d.Run(chromedp.Click("#"+p.list+" li[data-topic="+p.name+"] [data-action="+action+"]", chromedp.ByQuery))
}

// command is one of those in the line's fold, with the token.
func (p topic) command(name string) (text string) {
	p.d.Eval("(() => { const reveal = "+p.is(" .curl-reveal")+`;
		reveal.closest("details").open = true;
		if (reveal.textContent.startsWith("Show")) reveal.click(); })()`, nil)
	p.d.Eval(p.is(" [data-command="+name+"]")+".textContent", &text)
	return text
}

// awaitFrom waits for a message with a text in a list of messages, which says which topic
// it came through.
func (d demo) awaitFrom(list, text, from string) {
	d.t.Helper()
	first := "document.querySelector(" + quote("#"+list+" li.message:first-child")
	d.await(first + ` + " .message-body")?.textContent.includes(` + quote(text) + `)`)
	var origin string
	d.Eval(first+` + " .message-topic").textContent`, &origin)
	assert.Equal(d.t, from, origin)
}

// TestDemoPageTopics is the journey of a topic: with the page, with the commands that the
// page shows, and with an administrator's.
func TestDemoPageTopics(t *testing.T) {
	s := newSite(t)
	tab := s.browser.Tab(t)
	tab.Run(chromedp.EmulateViewport(1280, 900))
	d := s.demo(tab, plain)
	d.register("subscriber")
	d.startPush()

	d.fill("topic-name", "news")
	d.click("topic-create")
	news := topic{d, "topics", "news"}
	news.awaitSubscribed(false)
	news.press("subscribe")
	news.awaitSubscribed(true)
	news.press("send")
	d.await(`document.activeElement.id === "send-text" && $("send-to").value === "news"`)
	d.fill("send-text", "read all about it")
	d.click("send-submit")
	d.awaitFrom("messages", "read all about it", "topic news")

	topicsByCurl(t, d)
	appTopic(t, s, d)
	d.look(t, "topics")
	topicErrors(d)

	d.Reload()
	d.helpers()
	news.awaitSubscribed(true)
	d.await(`$("state-badge").dataset.state === "online"`) // the steps have their values: nothing moves under the mouse
	news.press("delete")
	news.awaitGone()
	d.await(`document.activeElement.id === "topics-title"`) // the button has gone, the focus has not
	installByCurl(t, d)
	d.assertQuiet("404", "409") // of topics without a subscription, and of one that was there
}

// topicsByCurl goes the life of a topic with the commands that the page shows.
func topicsByCurl(t *testing.T, d demo) {
	d.fill("topic-name", "alerts")
	assert.Contains(t, d.text("curl-topic-create-command"), "Bearer •")
	assert.Contains(t, run(t, d.command("curl-topic-create")), "204")
	assert.Contains(t, run(t, d.command("curl-topics")), `"alerts"`)
	d.click("topics-refresh")
	alerts := topic{d, "topics", "alerts"}
	alerts.awaitSubscribed(false)
	assert.Contains(t, run(t, alerts.command("subscribe")), "204")
	d.click("topics-refresh")
	alerts.awaitSubscribed(true)

	alerts.press("send")
	d.fill("send-text", "it's from a shell")
	assert.Contains(t, run(t, d.command("curl")), "pushMessageID")
	d.awaitFrom("messages", "it's from a shell", "topic alerts")

	assert.Contains(t, run(t, alerts.command("unsubscribe")), "204")
	d.click("topics-refresh")
	alerts.awaitSubscribed(false)
	assert.Contains(t, run(t, alerts.command("delete")), "204")
	d.click("topics-refresh")
	alerts.awaitGone()
	d.await(`$("send-to").value === ""`) // what cannot be sent to is not on offer
}

// appTopic is what an administrator does in a shell, and a user on the page.
func appTopic(t *testing.T, s *site, d demo) {
	d.Eval(`$("curl-admin").open = true`, nil)
	d.fill("app-topic-name", "everybody")
	admin := []string{"CLIENT_ID=" + s.Ready.ClientID, "CLIENT_SECRET=" + s.Ready.ClientSecret}
	logIn := d.text("curl-admin-login-command") + "\n"
	assert.NotContains(t, d.text("cards")+logIn, s.Ready.ClientSecret, "the page knows no secret of an administrator")

	run(t, logIn+d.text("curl-admin-create-command"), admin...)
	d.click("topics-refresh")
	everybody := topic{d, "app-topics", "everybody"}
	everybody.awaitSubscribed(false)
	everybody.press("subscribe")
	everybody.awaitSubscribed(true)
	assert.Contains(t, run(t, logIn+d.text("curl-admin-send-command"), admin...), "pushMessageID")
	d.awaitFrom("messages", "Hello, everybody!", "app topic everybody")

	out, err := exec.Command("sh", "-c", logIn).CombinedOutput()
	assert.NoError(t, err, "an assignment has no result")
	assert.Contains(t, string(out), "CLIENT_ID: is not set", "without them the command says what is missing")
}

// topicErrors: what goes wrong has a code and says what to do, where it was asked for.
func topicErrors(d demo) {
	d.fill("topic-name", "no such name!")
	d.click("topic-create")
	d.await(`$("topic-error").textContent.includes("INCOMPLETE") && document.activeElement.id === "topic-name"`)
	d.fill("topic-name", "news")
	d.click("topic-create")
	d.await(`$("topic-error").querySelector(".error-code")?.textContent === "CONFLICT" && $("topic-error").querySelector(".error-remedy") !== null`)
}

// installByCurl: the commands of the steps answer what the steps show, and an uninstall
// from a shell is seen on the page.
func installByCurl(t *testing.T, d demo) {
	d.await(`$("state-badge").dataset.state === "online"`)
	assert.Contains(t, run(t, d.command("curl-install")), d.text("value-installationID"))
	assert.Contains(t, run(t, d.command("curl-endpoint")), d.text("value-mqttTopic"))
	assert.Contains(t, run(t, d.command("curl-uninstall")), "204")
	d.await(`$("state-badge").dataset.state === "uninstalled"`)
}
