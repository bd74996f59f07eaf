package browser_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestWhoDoesTheWork: with a worker the page itself neither loads the module nor compiles it nor connects, so
// there is nothing that could hold it up. How long the page's longest tasks took is logged: that depends on the machine, and the benchmarks measure it.
func TestWhoDoesTheWork(t *testing.T) { onEachHost(t, whoDoesTheWork) }

func whoDoesTheWork(t *testing.T, s *site) {
	u := s.NewUser()
	p := s.page(plain)
	if s.host == inWorker {
		p.Eval(insideScript, nil)
	}
	p.Eval(`globalThis.longTasks = [];
		new PerformanceObserver((list) => longTasks.push(...list.getEntries().map((e) => Math.round(e.duration)))).observe({ type: "longtask" }); 0`, nil)
	p.connectAs(u)
	s.Push(u, map[string]any{"text": "hello"})
	p.awaitTexts("hello")

	type work struct{ Compiled, Sockets, Answers int }
	const count = `({ compiled, sockets: sockets.length, answers: answers.length })`
	var page, inside work
	p.Eval(count, &page)
	p.inside(count, &inside)
	assert.Equal(t, 1, inside.Compiled)
	assert.Equal(t, 1, inside.Sockets)
	assert.Positive(t, inside.Answers)
	if s.host == inWorker {
		assert.Zero(t, page)
		var fetched []string
		p.Eval(`performance.getEntriesByType("resource").map(({ name }) => name.slice(name.lastIndexOf("/") + 1))`, &fetched)
		assert.Contains(t, fetched, "kiiweb.mjs")
		for _, name := range []string{"kiiweb.wasm", "mainhost.mjs"} {
			assert.NotContains(t, fetched, name, "it is the worker's to load")
		}
	}
	var long []int
	p.Eval("longTasks", &long)
	t.Logf("tasks of the page over 50 ms, in ms: %v", long)
}

// TestABusyPageKeepsItsConnection: the broker would have dropped a client that is silent for so long.
func TestABusyPageKeepsItsConnection(t *testing.T) {
	s := newSite(t)
	s.host = inWorker
	u := s.NewUser()
	p := s.page(plain)
	p.eval(`await kii.login(`+quote(u.LoginName)+`, `+quote(u.Password)+`); await journey({ keepAlive: 6 })`, nil)
	p.Eval(`const end = performance.now() + 12000; while (performance.now() < end); 0`, nil)
	s.Push(u, map[string]any{"text": "after the break"})
	p.awaitTexts("after the break")
	assert.Empty(t, p.states(), "the connection has not changed its state")
	var sockets int
	p.inside("sockets.length", &sockets)
	assert.Equal(t, 1, sockets)
}

// TestWhatAPageHasNotHandledComesAgain: the acknowledgement leaves when the handlers have
// returned. Here one waits for an answer that does not come before the page ends.
func TestWhatAPageHasNotHandledComesAgain(t *testing.T) { onEachHost(t, whatAPageHasNotHandled) }

func whatAPageHasNotHandled(t *testing.T, s *site) {
	asked, leave := make(chan struct{}), make(chan struct{})
	t.Cleanup(func() { close(leave) })
	base := host(t, func(_ http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != "/wait" {
			return false
		}
		close(asked)
		select {
		case <-leave:
		case <-r.Context().Done():
		}
		return true
	})
	u := s.NewUser()
	tab := s.browser.Tab(t)
	tab.Open(base + "/page")
	tab.Eval(`(async () => {
		const { load } = await import("/kiiweb.mjs");
		const kii = await load({ appID: "demo", appKey: "demo-key", baseURL: `+quote(s.origin(plain)+"/api")+`, host: `+quote(s.host)+` });
		await kii.login(`+quote(u.LoginName)+`, `+quote(u.Password)+`);
		const { installationID } = await kii.installMqtt(false);
		const connection = await kii.connect(await kii.getMqttEndpoint(installationID));
		globalThis.handled = 0;
		connection.on("message", (m) => {
			handled++;
			if (m.json().text !== "wait") return;
			const request = new XMLHttpRequest();
			request.open("GET", "/wait", false); // holds up the page
			request.send();
		});
	})()`, nil)
	s.Push(u, map[string]any{"text": "handled"})
	tab.Eval(`(async () => { while (handled === 0) await new Promise((again) => setTimeout(again, 10)) })()`, nil)
	s.awaitNothingWaiting() // the first is acknowledged, which is after it was handled
	s.Push(u, map[string]any{"text": "wait"})
	<-asked
	tab.Close()

	p := s.page(plain)
	p.connectAs(u)
	p.awaitTexts("wait")
	s.Push(u, map[string]any{"text": "next"})
	p.awaitTexts("wait", "next")
}

// TestACloseInTheMiddle: what was handled before the goodbye is acknowledged with it, and the rest comes with the next connection.
func TestACloseInTheMiddle(t *testing.T) { onEachHost(t, closeInTheMiddle) }

func closeInTheMiddle(t *testing.T, s *site) {
	u := s.NewUser()
	p := s.page(plain)
	p.connectAs(u)
	p.eval("await connection.close()", nil)
	texts := []string{"one", "two", "three", "four", "five"}
	for _, text := range texts {
		s.Push(u, map[string]any{"text": text})
	}
	p.eval(`let closing;
		attach(await kii.connect(endpoint));
		connection.on("message", (m) => { if (m.json().text === "two") closing = connection.close() });
		await until(() => closing);
		await closing`, nil)
	p.awaitTexts("one", "two")
	p.eval(`attach(await kii.connect(endpoint))`, nil)
	p.awaitTexts(texts...)
	s.Push(u, map[string]any{"text": "six"})
	p.awaitTexts(append(texts, "six")...)
}

// awaitNothingWaiting waits until the cloud has no push left that a client has not acknowledged.
func (s *site) awaitNothingWaiting() {
	s.t.Helper()
	require.Eventually(s.t, func() bool {
		response, err := http.Get(s.origin(plain) + "/metrics")
		require.NoError(s.t, err)
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		require.NoError(s.t, err)
		return strings.Contains(string(text), "\nkiicloud_pushes_waiting 0\n")
	}, patience, 10*time.Millisecond)
}

// TestAProgramThatCrashesInAWorker ends what it had in hand; the next call starts anew.
func TestAProgramThatCrashesInAWorker(t *testing.T) {
	s := newSite(t)
	s.host = inWorker
	for name, tc := range map[string]struct {
		crash, mend string // in the worker
		workers     int    // afterwards
	}{
		"the program":       {`Date.prototype.plain = Date.prototype.getTime; Date.prototype.getTime = () => { throw new Error("on purpose") }; 0`, `Date.prototype.getTime = Date.prototype.plain`, 1},
		"the worker itself": {`setTimeout(() => { throw new Error("on purpose") }); 0`, ``, 2},
	} {
		t.Run(name, func(t *testing.T) {
			on := *s
			on.t = t
			u := s.NewUser()
			p := on.page(plain)
			p.connectAs(u)
			p.inside(`globalThis.plainFetch = fetch; globalThis.fetch = () => new Promise(() => {}); 0`, nil)
			p.Eval(`globalThis.loop = (async () => { for await (const m of connection); })().catch(describe);
				globalThis.pending = kii.listTopics().catch(describe); 0`, nil)
			p.inside(tc.crash, nil)
			p.Eval(`kii.listTopics().catch(() => {}); 0`, nil) // has the program look at the clock
			var ends [2]failure
			p.eval(`return [await pending, await loop]`, &ends)
			for _, f := range ends {
				assert.Equal(t, "CRASHED", f.Code)
				assert.True(t, f.IsKiiError)
				assert.True(t, f.Retryable)
			}
			p.await(`connection.state === "failed" && connection.lastChange.code === "CRASHED"`)
			for _, problem := range p.Problems() {
				assert.NotContains(t, problem.Text, "in promise", "a rejection that nobody can catch")
			}
			if tc.mend != "" {
				p.inside(tc.mend+`; globalThis.fetch = plainFetch; 0`, nil)
			}
			p.eval(`await journey()`, nil) // as the same user, without a new login
			s.Push(u, map[string]any{"text": "after the crash"})
			p.awaitTexts("after the crash")
			assert.Len(t, p.Workers(), tc.workers)
			var where string
			p.Eval("kii.host", &where)
			require.Equal(t, inWorker, where)
		})
	}
}
