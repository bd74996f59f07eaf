package browser_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
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

// long tells whether what takes long is wanted, as make test-long does.
func long() bool { return os.Getenv("KIIWEB_LONG") != "" }

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
type tabPage struct {
	*page
	first int // number of the first push that it has to get
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

// TestTenTabsShareAConnection: one CONNECT reaches the broker, one tab runs the module, and
// each tab gets each message once.
func TestTenTabsShareAConnection(t *testing.T) {
	s := newSite(t).sharing()
	connects := s.tap()
	var tabs []*tabPage
	for range 10 {
		tabs = append(tabs, s.open())
	}
	pushes := 200
	if long() {
		pushes = 1000
	}
	for i := range pushes {
		s.Push(s.user, map[string]any{"n": i})
	}
	for i, p := range tabs {
		p.await("got.length >= " + strconv.Itoa(pushes))
		var inOrder bool
		p.Eval("got.every(({ n }, i) => n === i) && got.length === "+strconv.Itoa(pushes), &inOrder)
		assert.True(t, inOrder, "tab %d", i)
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
	assert.EqualValues(t, 1, connects.Load())

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
}

// ways in which a leader ends, or stands still.
var ways = []struct {
	name string
	end  func(p *tabPage)
}{
	{"closed", func(p *tabPage) { p.Close() }},
	{"navigated away", func(p *tabPage) { p.Open("about:blank") }},
	{"crashed", func(p *tabPage) {
		go func() { _ = p.TryRun(cdp.Crash()) }() // never answers
	}},
	{"frozen", func(p *tabPage) { p.Run(cdp.SetWebLifecycleState(cdp.SetWebLifecycleStateStateFrozen)) }},
	{"reloaded", func(p *tabPage) { p.Reload() }},
}

// TestLeadersThatEnd: the next one connects soon, and no push is lost or comes twice.
func TestLeadersThatEnd(t *testing.T) {
	s := newSite(t).sharing()
	s.browser = chrome.Start(t, chrome.Options{Flags: map[string]any{"disable-breakpad": true, "disable-crash-reporter": true}})
	s.profile = s.browser.Profile(t)
	rounds, crew := 2*len(ways), 3
	if long() {
		rounds, crew = 20, 5
	}
	var pushed atomic.Int64
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			case <-time.After(5 * time.Millisecond):
			}
			s.Push(s.user, map[string]any{"n": pushed.Load()})
			pushed.Add(1)
		}
	}()
	var tabs []*tabPage
	for range crew {
		tabs = append(tabs, s.open())
	}
	var took []time.Duration
	for round := range rounds {
		way := ways[round%len(ways)]
		i := slices.IndexFunc(tabs, func(p *tabPage) bool { return p.role() == "leader" })
		require.GreaterOrEqual(t, i, 0, "nobody leads")
		old := tabs[i]
		tabs = slices.Delete(tabs, i, i+1)
		began := time.Now()
		way.end(old)
		took = append(took, s.awaitLeader(tabs, began))
		t.Logf("round %d: %s; the next leader was online after %v", round, way.name, took[round])
		s.checkGot(tabs, way.name)
		old.Close()
		tabs = append(tabs, s.open())
	}
	close(stop)
	<-stopped
	for _, p := range tabs {
		p.await(fmt.Sprintf("got.at(-1)?.n === %d", pushed.Load()-1))
	}
	s.checkGot(tabs, "the end")
	slices.Sort(took)
	t.Logf("%d pushes, %d leaders ended; hand-over: median %v, worst %v", pushed.Load(), rounds, took[len(took)/2], took[len(took)-1])
	if long() {
		assert.Less(t, took[len(took)/2], 2*time.Second)
	}
}

// awaitLeader waits for one of the tabs to lead and to be online, and gives how long that took.
func (s *sharing) awaitLeader(tabs []*tabPage, began time.Time) time.Duration {
	s.t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		for _, p := range tabs {
			var at *float64
			p.Eval(`kii.tabs === "leader" && connection.state === "online" ? arrived.at(-1)[1] : null`, &at)
			if at != nil {
				return time.UnixMilli(int64(*at)).Sub(began)
			}
		}
	}
	require.FailNow(s.t, "no tab leads")
	return 0
}

// checkGot holds what the tabs have got to be a row without gaps and repeats.
func (s *sharing) checkGot(tabs []*tabPage, when string) {
	s.t.Helper()
	for _, p := range tabs {
		var got []int
		p.Eval("got.map(({ n }) => n)", &got)
		for i := 1; i < len(got); i++ {
			if got[i] != got[i-1]+1 {
				require.Failf(s.t, "lost or doubled", "%s: after %d came %v", when, got[i-1], got[i:min(i+10, len(got))])
			}
		}
	}
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

	two.Open(s.origin + "/kiiweb/build-info.json?elsewhere")
	one.await(`kii.tabs === "leader" && connection.state === "online"`)
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
	two.await(`got.at(-1).text === "after coming back"`)
	one.await(`got.at(-1).text === "after coming back"`)
}
