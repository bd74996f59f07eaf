package browser_test

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	cdp "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/mqtt"
	"github.com/kiiweb/kiiweb/tests/cloud"
	"github.com/kiiweb/kiiweb/tests/relay"
)

// far is a keep alive, in seconds, that no test waits for: what happens before is not its doing.
const far = 600

// behindRelay opens a page whose connection leads through a relay.
func (s *site) behindRelay(u cloud.User, keepAlive int) (*page, *relay.Relay) {
	s.t.Helper()
	r := relay.Start(s.t, "http://127.0.0.1:"+strconv.Itoa(s.Ready.PortWS))
	tab := s.browser.Tab(s.t)
	tab.Open("http://localhost:" + strconv.Itoa(r.Port()) + relay.Blank)
	p := &page{Tab: tab, t: s.t, host: s.host}
	p.prepare()
	p.eval(`await kii.login(`+quote(u.LoginName)+`, `+quote(u.Password)+`);
		globalThis.installation = await kii.installMqtt(false);
		globalThis.endpoint = { ...await kii.getMqttEndpoint(installation.installationID), portWS: `+strconv.Itoa(r.Port())+` };
		attach(await kii.connect(endpoint, { keepAlive: `+strconv.Itoa(keepAlive)+` }))`, nil)
	require.Len(s.t, r.Sent(mqtt.CONNECT), 1)
	return p, r
}

// away waits until the connection has left the state online, and gives the time of day.
func (p *page) away() time.Time {
	p.t.Helper()
	p.await(`states.some((s) => s.state === "waiting")`)
	var at float64
	p.Eval(`Date.now()`, &at)
	return time.UnixMilli(int64(at))
}

// TestAHalfOpenConnection is found within one keep alive.
func TestAHalfOpenConnection(t *testing.T) { onEachHost(t, aHalfOpenConnection) }

func aHalfOpenConnection(t *testing.T, s *site) {
	const keepAlive = 8
	u := s.NewUser()
	p, r := s.behindRelay(u, keepAlive)
	r.Silence()
	silent := time.Now()
	s.Push(u, map[string]any{"text": "into the hole"})
	found := p.away().Sub(silent)
	t.Logf("found after %v, with a keep alive of %d s", found, keepAlive)
	assert.Less(t, found, (keepAlive+slack)*time.Second)
	p.await(`connection.state === "online"`)
	p.awaitTexts("into the hole")
	assert.Len(t, r.Sent(mqtt.CONNECT), 2)
}

// slack is what a busy machine may take, in seconds, beyond the time that is promised.
const slack = 20

// TestWakeUpSignals: with each of them, a connection that is dead is found within ten seconds, and
// one that is not is kept.
func TestWakeUpSignals(t *testing.T) { onEachHost(t, wakeUpSignals) }

func wakeUpSignals(t *testing.T, s *site) {
	for name, signal := range map[string]func(p *page){
		"online":  func(p *page) { p.Eval(`dispatchEvent(new Event("online")); 0`, nil) },
		"offline": func(p *page) { p.Eval(`dispatchEvent(new Event("offline")); 0`, nil) },
		"hidden and visible": func(p *page) {
			p.Hide()
			p.await(`document.visibilityState === "hidden"`)
			p.Show()
		},
		"pageshow": func(p *page) {
			p.Eval(`dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true })); 0`, nil)
		},
	} {
		t.Run(name, func(t *testing.T) {
			on := *s
			on.t = t
			u := s.NewUser()
			p, r := on.behindRelay(u, far)
			before := len(r.Sent(mqtt.PINGREQ)) // a machine that stands still for a while is a signal, too
			signal(p)
			require.Eventually(t, func() bool { return len(r.Sent(mqtt.PINGREQ)) > before }, patience, 10*time.Millisecond)
			s.Push(u, map[string]any{"text": "alive"})
			p.awaitTexts("alive")
			assert.Empty(t, p.states(), "the connection stands")

			r.Silence()
			woken := time.Now()
			signal(p)
			found := p.away().Sub(woken)
			t.Logf("found after %v", found)
			assert.Less(t, found, (10+slack)*time.Second)
			p.await(`connection.state === "online"`)
			lost := func(ping relay.Packet) bool { return ping.Lost }
			assert.True(t, slices.ContainsFunc(r.Sent(mqtt.PINGREQ), lost), "PING is how it was found")
		})
	}
}

// TestFreezeAndResume: Chromium cuts the connections of a page that is frozen, sooner or later. So it
// says goodbye, but where the worker is frozen before it hears of that. A page that is thawed
// is connected again at once, and what was pushed meanwhile arrives.
func TestFreezeAndResume(t *testing.T) { onEachHost(t, freezeAndResume) }

func freezeAndResume(t *testing.T, s *site) {
	u := s.NewUser()
	p, r := s.behindRelay(u, far)
	p.Run(cdp.SetWebLifecycleState(cdp.SetWebLifecycleStateStateFrozen))
	if s.host == inPage {
		require.Eventually(t, func() bool { return r.Open() == 0 }, patience, 10*time.Millisecond, "the connection is closed")
		assert.Len(t, r.Sent(mqtt.DISCONNECT), 1)
	}
	s.Push(u, map[string]any{"text": "meanwhile"})
	thawed := time.Now()
	p.Run(cdp.SetWebLifecycleState(cdp.SetWebLifecycleStateStateActive))
	p.await(`states.length >= 3 && connection.state === "online"`)
	t.Logf("back after %v", time.Since(thawed))
	p.awaitTexts("meanwhile")
	assert.True(t, strings.HasSuffix(p.states(), "waiting connecting online"), p.states())
	assert.Len(t, r.Sent(mqtt.CONNECT), 2)
}

// TestOfflineAndOnline: a page whose network goes away and comes back.
func TestOfflineAndOnline(t *testing.T) { onEachHost(t, offlineAndOnline) }

func offlineAndOnline(t *testing.T, s *site) {
	u := s.NewUser()
	p, r := s.behindRelay(u, far)
	cut := func(offline bool) {
		p.Run(network.Enable(), network.EmulateNetworkConditions(offline, 0, -1, -1))
	}
	cut(true)
	p.await(`navigator.onLine === false`)
	r.Silence()
	s.Push(u, map[string]any{"text": "meanwhile"})
	back := time.Now()
	cut(false)
	p.await(`navigator.onLine`)
	found := p.away().Sub(back)
	assert.Less(t, found, (10+slack)*time.Second)
	p.await(`connection.state === "online"`)
	p.awaitTexts("meanwhile")
}

// TestSignalsCountFromTheFirstAttempt: a connect that waits is woken, too.
func TestSignalsCountFromTheFirstAttempt(t *testing.T) { onEachHost(t, signalsFromTheFirstAttempt) }

func signalsFromTheFirstAttempt(t *testing.T, s *site) {
	u := s.NewUser()
	p := s.page(plain)
	p.eval(`await kii.login(`+quote(u.LoginName)+`, `+quote(u.Password)+`);
		const { installationID } = await kii.installMqtt(false);
		globalThis.endpoint = await kii.getMqttEndpoint(installationID); globalThis.done = false`, nil)
	s.Kill()
	p.inside(`sockets.length = 0; 0`, nil)
	p.Eval(`kii.connect(endpoint, { timeout: 600_000 }).then(attach).then(() => done = true); 0`, nil)
	inside := func(condition string) {
		t.Helper()
		require.Eventually(t, func() bool {
			var yes bool
			p.inside(condition, &yes)
			return yes
		}, 2*patience, 20*time.Millisecond)
	}
	inside(`sockets.length >= 4`) // the waits are seconds by now
	s.Restart()
	p.Eval(`dispatchEvent(new Event("online")); 0`, nil)
	p.await(`done`)
}

// back goes to the page before. It does not wait for that: a page out of the cache does not load.
func (p *page) back() {
	p.t.Helper()
	p.Run(chromedp.ActionFunc(func(ctx context.Context) error {
		at, entries, err := cdp.GetNavigationHistory().Do(ctx)
		if err != nil {
			return err
		}
		return cdp.NavigateToHistoryEntry(entries[at-1].ID).Do(ctx)
	}))
}

// TestBackForwardCache: a page that is put away says goodbye; when it is shown again it is
// connected again, and what was pushed meanwhile arrives. Where the browser pauses the worker before that hears of it, which
// nothing in a page can keep it from, all but the goodbye is as it should be; of six pages, one says it: on two busy cores 19 of 20 did.
func TestBackForwardCache(t *testing.T) { onEachHost(t, backForwardCache) }

func backForwardCache(t *testing.T, s *site) {
	for range 6 {
		if putAwayAndBack(t, s) {
			return
		}
		require.Equal(t, inWorker, s.host, "the page itself has time for its goodbye")
	}
	require.FailNow(t, "the connection was never closed")
}

// putAwayAndBack tells whether the page got to say goodbye.
func putAwayAndBack(t *testing.T, s *site) (goodbye bool) {
	u := s.NewUser()
	p, r := s.behindRelay(u, far)
	s.Push(u, map[string]any{"text": "before"})
	p.awaitTexts("before")
	p.Eval(`globalThis.shown = []; addEventListener("pageshow", (e) => shown.push(e.persisted)); 0`, nil)

	elsewhere := host(t, func(http.ResponseWriter, *http.Request) bool { return false })
	p.Open(elsewhere + "/page")
	for deadline := time.Now().Add(patience / 2); !goodbye && time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		goodbye = r.Open() == 0
	}
	if goodbye {
		assert.Len(t, r.Sent(mqtt.DISCONNECT), 1)
	}
	for _, text := range []string{"one", "two", "three"} {
		s.Push(u, map[string]any{"text": text})
	}
	back := time.Now()
	p.back()
	var persisted []bool
	require.Eventually(t, func() bool { // the other page may still be there
		return p.TryEval(patience, `globalThis.shown ?? []`, &persisted) == nil && len(persisted) > 0
	}, patience, 20*time.Millisecond, "the page did not come back as it was")
	require.Equal(t, []bool{true}, persisted)
	p.await(`connection.state === "online"`)
	t.Logf("back after %v", time.Since(back))
	p.awaitTexts("before", "one", "two", "three")
	assert.Len(t, r.Sent(mqtt.CONNECT), 2)
	assert.Equal(t, "waiting connecting online", p.states())
	return goodbye
}
