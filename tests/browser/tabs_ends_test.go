package browser_test

import (
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	cdp "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/tests/browser/chrome"
)

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
	{"killed", func(p *tabPage) { // as by a system that lacks memory
		go func() { _ = p.TryRun(chromedp.Navigate("chrome://kill")) }()
	}},
	{"frozen", func(p *tabPage) { p.Run(cdp.SetWebLifecycleState(cdp.SetWebLifecycleStateStateFrozen)) }},
	{"reloaded", func(p *tabPage) { p.Reload() }},
}

// leadersThatEnd: the next one connects soon, and no push is lost or comes twice.
func leadersThatEnd(t *testing.T) (f endFigures) {
	s := newSite(t).sharing()
	s.browser = chrome.Start(t, chrome.Options{Flags: map[string]any{"disable-breakpad": true, "disable-crash-reporter": true}})
	s.profile = s.browser.Profile(t)
	rounds, crew := 2*len(ways), 3
	if *tabsDocument != "" {
		rounds, crew = 4*len(ways), 5
	}
	f.took = map[string][]time.Duration{}
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
	for round := range rounds {
		way := ways[round%len(ways)]
		i := -1
		require.Eventually(t, func() bool { // a leader that a busy machine has held up is replaced
			i = slices.IndexFunc(tabs, func(p *tabPage) bool { return p.role() == "leader" })
			return i >= 0
		}, patience, 20*time.Millisecond, "nobody leads")
		old := tabs[i]
		tabs = slices.Delete(tabs, i, i+1)
		began := time.Now()
		way.end(old)
		took := s.awaitLeader(tabs, began)
		f.took[way.name] = append(f.took[way.name], took)
		t.Logf("round %d: %s; the next leader was online after %v", round, way.name, took)
		s.checkGot(tabs, way.name)
		old.Close()
		tabs = append(tabs, s.open())
	}
	close(stop)
	<-stopped
	s.Push(s.user, map[string]any{"n": pushed.Load()}) // the last tab may have come behind all others
	pushed.Add(1)
	f.pushes, f.rounds, f.crew = int(pushed.Load()), rounds, crew
	for _, p := range tabs {
		p.await(fmt.Sprintf("got.at(-1)?.n === %d", pushed.Load()-1))
	}
	s.checkGot(tabs, "the end")
	for _, p := range tabs {
		lost, doubled := gaps(p.numbers())
		f.lost, f.doubled = f.lost+lost, f.doubled+doubled
	}
	assert.Zero(t, f.lost, "lost")
	assert.Zero(t, f.doubled, "doubled")
	return f
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

// checkGot holds what the tabs have got to be a row without gaps and repeats, in order.
func (s *sharing) checkGot(tabs []*tabPage, when string) {
	s.t.Helper()
	for _, p := range tabs {
		got := p.numbers()
		for i := 1; i < len(got); i++ {
			if got[i] != got[i-1]+1 {
				require.Failf(s.t, "lost or doubled", "%s: after %d came %v", when, got[i-1], got[i:min(i+10, len(got))])
			}
		}
	}
}

// gaps counts what is missing between the first and the last of numbers, and what is there again.
func gaps(numbers []int) (lost, doubled int) {
	seen := map[int]bool{}
	for _, n := range numbers {
		if seen[n] {
			doubled++
		}
		seen[n] = true
	}
	if len(numbers) > 0 {
		lost = slices.Max(numbers) - slices.Min(numbers) + 1 - len(seen)
	}
	return lost, doubled
}
