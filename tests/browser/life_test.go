package browser_test

import (
	"net/http"
	"strconv"
	"testing"
	"time"

	cdp "github.com/chromedp/cdproto/page"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestRestartInTheMiddle: the server goes away without a word and comes back.
func TestRestartInTheMiddle(t *testing.T) { onEachHost(t, restartInTheMiddle) }

func restartInTheMiddle(t *testing.T, s *site) {
	u := s.NewUser()
	p := s.page(secure)
	p.connectAs(u)
	s.Push(u, map[string]any{"text": "before"})
	p.awaitTexts("before")

	s.Kill()
	p.await(`connection.state === "waiting" || states.some((s) => s.state === "waiting")`)
	s.Restart()
	s.Push(u, map[string]any{"text": "after"})
	p.awaitTexts("before", "after")
	var waiting []struct {
		Code    string
		RetryIn *float64
	}
	p.Eval(`states.filter((s) => s.state === "waiting")`, &waiting)
	for _, w := range waiting {
		assert.NotEmpty(t, w.Code)
		require.NotNil(t, w.RetryIn, "a waiting connection says for how long")
	}
}

// TestUndeliveredPushesOutliveAKill: accepted is stored, whatever happens to the process.
func TestUndeliveredPushesOutliveAKill(t *testing.T) { onEachHost(t, undeliveredPushesOutliveAKill) }

func undeliveredPushesOutliveAKill(t *testing.T, s *site) {
	u := s.NewUser()
	p := s.page(secure)
	p.connectAs(u)
	p.eval("await connection.close()", nil)
	for _, text := range []string{"one", "two", "three"} {
		s.Push(u, map[string]any{"text": text})
	}
	s.Kill()
	s.Restart()
	p.eval("attach(await kii.connect(endpoint))", nil)
	p.awaitTexts("one", "two", "three")
	s.Push(u, map[string]any{"text": "four"})
	p.awaitTexts("one", "two", "three", "four")
}

// TestReloadKeepsPushes: what was sent while the page was away comes when it is back.
func TestReloadKeepsPushes(t *testing.T) { onEachHost(t, reloadKeepsPushes) }

func reloadKeepsPushes(t *testing.T, s *site) {
	u := s.NewUser()
	p := s.page(plain)
	p.connectAs(u)
	p.Open("about:blank")
	s.Push(u, map[string]any{"text": "meanwhile 1"})
	s.Push(u, map[string]any{"text": "meanwhile 2"})
	p = s.pageIn(p.Tab, plain)
	p.connectAs(u)
	p.awaitTexts("meanwhile 1", "meanwhile 2")
}

// TestDisplacement: the newer connection wins, the older is told and does not fight.
func TestDisplacement(t *testing.T) { onEachHost(t, displacement) }

func displacement(t *testing.T, s *site) {
	u := s.NewUser()
	one, two := s.page(secure), s.page(plain)
	one.connectAs(u)
	two.connectAs(u)
	one.await(`connection.state === "displaced"`)
	var last struct {
		Code       string
		ReasonCode int
	}
	one.Eval("connection.lastChange", &last)
	assert.Equal(t, "DISPLACED", last.Code)
	assert.Equal(t, 0x8E, last.ReasonCode)
	s.Push(u, map[string]any{"text": "for two"})
	two.awaitTexts("for two")

	sockets := func() [2]int {
		var n [2]int
		one.inside("sockets.length", &n[0])
		two.inside("sockets.length", &n[1])
		return n
	}
	one.pass(3 * time.Second)
	require.Equal(t, [2]int{1, 1}, sockets(), "they fight")

	one.eval("await connection.takeBack()", nil)
	one.await(`connection.state === "online"`)
	two.await(`connection.state === "displaced"`)
	s.Push(u, map[string]any{"text": "for one"})
	one.awaitTexts("for one")
	two.pass(2 * time.Second)
	require.Equal(t, [2]int{2, 1}, sockets(), "they fight")
	one.assertQuiet()
	two.assertQuiet()
}

// TestThrowingCallbacksDisturbNothing: an exception is the page's own affair.
func TestThrowingCallbacksDisturbNothing(t *testing.T) {
	onEachHost(t, throwingCallbacksDisturbNothing)
}

func throwingCallbacksDisturbNothing(t *testing.T, s *site) {
	u := s.NewUser()
	p := s.page(plain)
	p.connectAs(u)
	p.Eval(`connection.on("message", () => { throw new Error("thrown on purpose") });
		connection.on("state", () => { throw new Error("thrown on purpose, too") }); 0`, nil)
	s.Push(u, map[string]any{"text": "one"})
	s.Push(u, map[string]any{"text": "two"})
	p.awaitTexts("one", "two")
	p.eval("await connection.close()", nil)
	var said int
	for _, e := range p.Problems() {
		if e.Kind == "exception" {
			assert.Contains(t, e.Text, "thrown on purpose")
			said++
		}
	}
	assert.Equal(t, 3, said, "two messages and one change of state")
	p.eval("attach(await kii.connect(endpoint))", nil)
	status, _ := s.Call("GET", "/apps/demo/users/me", u.Token, "", nil)
	require.Equal(t, http.StatusOK, status)
}

// TestCloseInAHandler: what arrived together with the message at which the page closes is not handed
// out any more, and is there for the next connection.
func TestCloseInAHandler(t *testing.T) { onEachHost(t, closeInAHandler) }

func closeInAHandler(t *testing.T, s *site) {
	u := s.NewUser()
	p := s.page(plain)
	p.connectAs(u)
	p.Eval(`connection.on("message", () => { globalThis.closing ??= connection.close(); }); 0`, nil)
	p.Run(cdp.SetWebLifecycleState(cdp.SetWebLifecycleStateStateFrozen))
	var texts []string
	for i := range 20 {
		texts = append(texts, strconv.Itoa(i))
		s.Push(u, map[string]any{"text": texts[i]})
	}
	p.Run(cdp.SetWebLifecycleState(cdp.SetWebLifecycleStateStateActive))
	p.await("globalThis.closing !== undefined")
	p.eval("await closing", nil)
	assert.Equal(t, texts[:1], p.texts())
	p.eval("got.length = 0; attach(await kii.connect(endpoint))", nil)
	p.await(`got.some((m) => m.text === "19")`)
	got := p.texts()
	assert.Equal(t, texts[1:], got[len(got)-19:])
	assert.LessOrEqual(t, len(got), 20, "and the first one, which may come again")
}

// TestAsyncIteration: for await ends with the connection.
func TestAsyncIteration(t *testing.T) { onEachHost(t, asyncIteration) }

func asyncIteration(t *testing.T, s *site) {
	u := s.NewUser()
	p := s.page(plain)
	p.connectAs(u)
	p.Eval(`globalThis.loop = (async () => { const seen = []; for await (const m of connection) seen.push(m.json().text); return seen })(); 0`, nil)
	s.Push(u, map[string]any{"text": "one"})
	s.Push(u, map[string]any{"text": "two"})
	p.awaitTexts("one", "two")
	var seen []string
	p.eval("await connection.close(); await connection.close(); return await loop", &seen)
	assert.Equal(t, []string{"one", "two"}, seen)
	assert.Equal(t, "closed", p.states())
}

// TestUninstalledElsewhereMeanwhile: who was away when the installation was removed is
// told the same as who was there.
func TestUninstalledElsewhereMeanwhile(t *testing.T) { onEachHost(t, uninstalledElsewhereMeanwhile) }

func uninstalledElsewhereMeanwhile(t *testing.T, s *site) {
	u := s.NewUser()
	p := s.page(secure)
	p.connectAs(u)
	var installationID string
	p.Eval("installation.installationID", &installationID)

	p.inside(`globalThis.offline = true;
		globalThis.WebSocket = class extends WebSocket {
			constructor(url, protocols) { super(offline ? "wss://localhost:9/" : url, protocols) }
		}; 0`, nil)
	s.Kill()
	p.await(`connection.state === "waiting"`)
	s.Restart()
	status, body := s.Call("DELETE", "/apps/"+s.Ready.AppID+"/installations/"+installationID, u.Token, "", nil)
	require.Equal(t, http.StatusNoContent, status, "%v", body)
	p.inside(`offline = false; 0`, nil)
	p.Eval(`dispatchEvent(new Event("online")); 0`, nil)
	p.await(`connection.state === "closed" || connection.state === "failed"`)
	var last struct{ State, Code string }
	p.Eval("({ state: connection.state, code: connection.lastChange.code })", &last)
	assert.Equal(t, "closed", last.State)
	assert.Equal(t, "REVOKED", last.Code)
	assert.Equal(t, "REVOKED", p.rejects("await kii.connect(endpoint)").Code)
}
