package browser_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	cdp "github.com/chromedp/cdproto/page"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/tests/browser/chrome"
	"github.com/kiiweb/kiiweb/tests/cloud"
)

// sharing is a user whose tabs, in one profile, share a connection.
type sharing struct {
	*site
	user    cloud.User
	profile *chrome.Profile
	origin  string
}

func (s *site) sharing() *sharing {
	s.t.Helper()
	return &sharing{site: s, user: s.NewUser(), profile: s.browser.Profile(s.t), origin: s.origin(plain)}
}

// blank opens a tab in which the user is known, and nothing else.
func (s *sharing) blank() *tabPage {
	s.t.Helper()
	tab := s.profile.Tab()
	tab.Open(s.origin + "/kiiweb/build-info.json") // a page that browsers may keep
	p := &page{Tab: tab, t: s.t, host: s.host}
	p.prepare()
	p.eval(`await kii.useToken(`+quote(s.user.Token)+`, { userID: `+quote(s.user.ID)+` })`, nil)
	return &tabPage{page: p}
}

// open opens a tab that has a connection.
func (s *sharing) open() *tabPage {
	s.t.Helper()
	p := s.blank()
	p.eval(`globalThis.installation = await kii.installMqtt(false);
		globalThis.endpoint = { ...await kii.getMqttEndpoint(installation.installationID), portWS: Number(location.port) };
		attach(await kii.connect(endpoint));
		globalThis.arrived = [];
		connection.on("state", ({ state }) => arrived.push([state, Date.now()]))`, nil)
	return p
}

// tabPage is a page that may be gone.
type tabPage struct{ *page }

// numbers are those that its messages carry.
func (p *tabPage) numbers() (numbers []int) {
	p.t.Helper()
	p.Eval("got.map(({ n }) => n)", &numbers)
	return numbers
}

func (p *tabPage) role() string {
	p.t.Helper()
	var role *string
	p.Eval("kii.tabs", &role)
	if role == nil {
		return ""
	}
	return *role
}

// tap has pages come through a port of its own, and counts the CONNECT packets that pass.
func (s *sharing) tap() *atomic.Int32 {
	s.t.Helper()
	var connects atomic.Int32
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(s.t, err)
	s.t.Cleanup(func() { _ = listener.Close() })
	s.origin = "http://localhost:" + strconv.Itoa(listener.Addr().(*net.TCPAddr).Port)
	target := "127.0.0.1:" + strconv.Itoa(s.Ready.PortWS)
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			go passOn(client, target, &connects)
		}
	}()
	return &connects
}

// passOn copies both ways, and counts a client whose first WebSocket frame holds a CONNECT.
func passOn(client net.Conn, target string, connects *atomic.Int32) {
	defer client.Close()
	server, err := net.Dial("tcp", target)
	if err != nil {
		return
	}
	defer server.Close()
	go func() {
		_, _ = io.Copy(client, server)
		_ = client.Close()
	}()
	in := bufio.NewReader(io.TeeReader(client, server))
	if _, err := http.ReadRequest(in); err != nil {
		return
	}
	if head, err := in.Peek(7); err == nil && head[0] == 0x82 && head[1]&0x7f < 126 && head[6]^head[2] == 0x10 {
		connects.Add(1)
	} else if head, err := in.Peek(9); err == nil && head[0] == 0x82 && head[1]&0x7f == 126 && head[8]^head[4] == 0x10 {
		connects.Add(1)
	}
	_, _ = io.Copy(io.Discard, in)
}

// tenTabs: one CONNECT reaches the broker, one tab runs the module, and each tab gets each
// message once.
func tenTabs(t *testing.T) (f tenFigures) {
	s := newSite(t).sharing()
	connects := s.tap()
	var tabs []*tabPage
	for range 10 {
		tabs = append(tabs, s.open())
	}
	f.pushes, f.tabs = 200, len(tabs)
	if *tabsDocument != "" {
		f.pushes = 1000
	}
	for i := range f.pushes {
		s.Push(s.user, map[string]any{"n": i})
	}
	f.least = f.pushes
	for i, p := range tabs {
		p.await("got.length >= " + strconv.Itoa(f.pushes))
		got := p.numbers()
		f.least, f.most = min(f.least, len(got)), max(f.most, len(got))
		lost, doubled := gaps(got)
		f.lost, f.doubled = f.lost+lost, f.doubled+doubled
		if assert.Len(t, got, f.pushes, "tab %d", i) {
			assert.True(t, slices.IsSorted(got) && got[0] == 0, "tab %d", i)
		}
		assert.Equal(t, i == 0, p.role() == "leader")
		var host *string
		p.Eval("kii.host", &host)
		if i == 0 {
			require.NotNil(t, host)
			assert.Equal(t, inWorker, *host)
			assert.Len(t, p.Workers(), 1)
		} else {
			assert.Nil(t, host, "a follower has loaded the module")
			assert.Empty(t, p.Workers())
			assert.Equal(t, "follower", p.role())
		}
		var state string
		p.Eval("connection.state", &state)
		assert.Equal(t, "online", state)
		p.assertQuiet()
	}
	f.connects = int(connects.Load())
	assert.Equal(t, 1, f.connects)
	assert.Zero(t, f.lost, "lost")
	assert.Zero(t, f.doubled, "doubled")

	// Any tab can publish, subscribe, close.
	last := tabs[9]
	tabs[3].Eval(`globalThis.texts = []; connection.on("message", (m) => texts.push(m.text())); 0`, nil)
	last.eval(`await connection.publish("", JSON.stringify({ n: "again" }))`, nil)
	tabs[3].await(`texts.includes('{"n":"again"}')`)
	last.eval(`await connection.close(); await connection.close()`, nil)
	s.Push(s.user, map[string]any{"n": "after"})
	tabs[0].await(`got.at(-1).n === "after"`)
	tabs[5].await(`got.at(-1).n === "after"`)
	assert.EqualValues(t, 1, connects.Load())

	// The leader goes as any other does; the next one has to connect.
	tabs[0].eval(`await connection.close()`, nil)
	tabs[1].await(`kii.tabs === "leader" && connection.state === "online"`)
	s.Push(s.user, map[string]any{"n": "led by the second"})
	tabs[8].await(`got.at(-1).n === "led by the second"`)
	assert.EqualValues(t, 2, connects.Load())

	// Who logs out does so everywhere.
	tabs[4].eval(`await kii.logout()`, nil)
	tabs[1].await(`kii.current === null`)
	tabs[7].await(`kii.current === null`)
	return f
}

// TestTabsOfOthersStayApart: other users, other apps, other profiles, and those that do not want to share.
func TestTabsOfOthersStayApart(t *testing.T) {
	s := newSite(t).sharing()
	one := s.open()
	other := &sharing{site: s.site, user: s.NewUser(), profile: s.profile, origin: s.origin}
	two := other.open()
	assert.Equal(t, "leader", one.role())
	assert.Equal(t, "leader", two.role())
	s.Push(s.user, map[string]any{"text": "for one"})
	s.Push(other.user, map[string]any{"text": "for two"})
	one.awaitTexts("for one")
	two.awaitTexts("for two")

	three := s.blank()
	three.eval(`
		globalThis.alone = await lib.load({ ...options, tabs: false });
		await alone.useToken(`+quote(s.user.Token)+`, { userID: `+quote(s.user.ID)+` });
		const { installationID } = await alone.installMqtt(false);
		attach(await alone.connect(await alone.getMqttEndpoint(installationID)))`, nil)
	one.await(`connection.state === "displaced"`)
	var role *string
	three.Eval("alone.tabs", &role)
	assert.Nil(t, role)

	// A newcomer contests, as it does without other tabs, and all of them are back.
	four := s.open()
	one.await(`connection.state === "online"`)
	three.await(`connection.state === "displaced"`)
	assert.Equal(t, "follower", four.role())
}

// TestAPageThatComesBack: from the back/forward cache, or thawed, it takes part again.
func TestAPageThatComesBack(t *testing.T) {
	s := newSite(t).sharing()
	one, two := s.open(), s.open()
	one.Run(cdp.SetWebLifecycleState(cdp.SetWebLifecycleStateStateFrozen))
	two.await(`kii.tabs === "leader" && connection.state === "online"`)
	s.Push(s.user, map[string]any{"text": "while the first was frozen"})
	two.awaitTexts("while the first was frozen")
	one.Run(cdp.SetWebLifecycleState(cdp.SetWebLifecycleStateStateActive))
	one.await(`kii.tabs === "follower" && connection.state === "online"`)
	one.awaitTexts("while the first was frozen")
	s.Push(s.user, map[string]any{"text": "for both"})
	one.awaitTexts("while the first was frozen", "for both")
	two.awaitTexts("while the first was frozen", "for both")

	two.Eval("states.length = 0", nil)
	two.Open(s.origin + "/kiiweb/build-info.json?elsewhere")
	one.await(`kii.tabs === "leader" && connection.state === "online"`)
	s.Push(s.user, map[string]any{"text": "while the second was put aside"})
	one.await(`got.at(-1).text === "while the second was put aside"`)
	s.awaitNothingWaiting()
	two.Eval(`history.back(); 0`, nil)
	var restored bool
	require.Eventually(t, func() bool {
		var back bool
		err := two.TryEval(patience, `location.search === "" && document.readyState === "complete"`, &back)
		return err == nil && back
	}, patience, 20*time.Millisecond)
	two.Eval(`"got" in globalThis`, &restored)
	if !restored {
		var why string
		two.Eval(`JSON.stringify(performance.getEntriesByType("navigation")[0].notRestoredReasons)`, &why)
		require.FailNow(t, "the page was not kept in the back/forward cache", why)
	}
	two.await(`kii.tabs === "follower" && connection.state === "online"`)
	s.Push(s.user, map[string]any{"text": "after coming back"})
	two.awaitTexts("while the first was frozen", "for both", "after coming back") // what one has acknowledged meanwhile is missing
	var first struct {
		State, Reason string
		RetryIn       *float64
	}
	two.Eval(`states.find(({ state }) => state === "waiting") ?? {}`, &first)
	assert.Equal(t, "paused: pagehide", first.Reason)
	assert.Nil(t, first.RetryIn, "it waits to be shown")
	one.await(`got.at(-1).text === "after coming back"`)
}

// TestAFollowersOptions: a tab that follows says of a wrong argument what the module says.
func TestAFollowersOptions(t *testing.T) {
	s := newSite(t).sharing()
	s.open()
	p := s.blank()
	p.eval(`globalThis.endpoint = { ...await kii.getMqttEndpoint((await kii.installMqtt(false)).installationID), portWS: Number(location.port) };
		globalThis.alone = await lib.load({ ...options, tabs: false });
		await alone.useToken(`+quote(s.user.Token)+`, { userID: `+quote(s.user.ID)+` })`, nil)
	var host *string
	p.Eval(`kii.host`, &host)
	require.Nil(t, host, "it follows")
	for _, wrong := range []string{
		`{}, { keepAlive: 0 }`, `{}, { keepAlive: 65536 }`, `{}, { keepAlive: 1.5 }`, `{}, { keepAlive: "60" }`, `{}, { keepAlive: null }`, `{}, { qos: 3 }`,
		`{}, { qos: NaN }`, `{}, { protocol: 2 }`, `{}, { protocol: 6 }`, `{}, { displacement: "on" }`, `{}, { displacement: "" }`, `{}, { cleanStart: 1 }`,
		`{}, { cleanStart: null }`, `{}, { sessionExpiry: -1 }`, `{}, { maxQueue: 0 }`, `{}, { queueAge: 0 }`, `{}, { queueAge: {} }`, `{}, { transport: "tcp" }`,
		`{}, { transport: "ssl" }`, `{}, { transport: "udp" }`, `{}, { transport: 1 }`, `{}, { path: "mqtt" }`, `{}, { path: "/a?b" }`, `{}, { path: "/a/../b" }`,
		`{}, { path: "/%2E" }`, `{}, { path: "/%" }`, `{}, { path: "/a b" }`, `{}, { path: "" }`, `{ username: "" }, {}`, `{ password: undefined }, {}`, `{ host: 1 }, {}`,
		`{ portWS: 65536 }, {}`, `{ portWSS: -1 }, {}`, `{ portTCP: "1" }, {}`, `{ mqttTopic: "" }, {}`,
	} {
		var said [2]struct{ Code, Message string }
		p.eval(`const said = [];
			for (const one of [kii, alone]) {
				const [other, more] = [`+wrong+`];
				try {
					await (await one.connect({ ...endpoint, ...other }, more)).close();
					said.push({ code: "", message: "" });
				} catch ({ code, message }) { said.push({ code, message }) }
			}
			return said`, &said)
		assert.NotEmpty(t, said[1].Code, wrong)
		assert.Equal(t, said[1], said[0], wrong)
	}
}
