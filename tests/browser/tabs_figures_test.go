package browser_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	devtools "github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/systeminfo"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/tests/browser/chrome"
	"github.com/kiiweb/kiiweb/tests/cloud"
)

var tabsDocument = flag.String("tabs", "", "share with many tabs, messages and ends, and write the result to this file")

type tenFigures struct {
	tabs, pushes, connects, least, most, lost, doubled int
}

type endFigures struct {
	rounds, crew, pushes, lost, doubled int
	took                                map[string][]time.Duration // by the way's name
}

// growFigures are those of one number of tabs.
type growFigures struct {
	tabs, connects int
	took           time.Duration // until the last tab had all of burst, the median of three
	memory         int           // of the renderers, in KiB
}

// lockFigures tell when a lock was given on that the browser's first, second, … such tab had held.
type lockFigures struct{ crashed, killed []time.Duration }

// burst is so many messages at once.
const burst = 100

// TestSharedTabs: the tabs of a user share a connection, however many they are and whichever of them ends.
func TestSharedTabs(t *testing.T) {
	var (
		ten  tenFigures
		ends endFigures
		grow []growFigures
		send []publishFigures
		lock lockFigures
	)
	t.Run("ten tabs", func(t *testing.T) { ten = tenTabs(t) })
	t.Run("leaders that end", func(t *testing.T) { ends = leadersThatEnd(t) })
	t.Run("growth", func(t *testing.T) { grow = growingTabs(t) })
	t.Run("publishing", func(t *testing.T) { send = publishingTabs(t) })
	if *tabsDocument == "" || t.Failed() {
		return
	}
	t.Run("a lock without kiiweb", func(t *testing.T) { lock = plainLocks(t) })
	text := tabsText(ten, ends, grow, lock) + publishText(send)
	require.NoError(t, os.WriteFile(filepath.Join(cloud.Root(), *tabsDocument), []byte(text), 0o644))
}

// growingTabs opens more and more tabs, and has the leading one publish to all.
func growingTabs(t *testing.T) (all []growFigures) {
	s := newSite(t).sharing()
	s.browser = chrome.Start(t, chrome.Options{})
	s.profile = s.browser.Profile(t)
	connects := s.tap()
	steps := []int{1, 4}
	if *tabsDocument != "" {
		steps = []int{1, 5, 10, 25, 50}
	}
	var tabs []*tabPage
	for _, count := range steps {
		for len(tabs) < count {
			p := s.open()
			p.Eval(`globalThis.all = null;
				connection.on("message", () => { if (got.length === `+strconv.Itoa(burst)+`) all = Date.now() }); 0`, nil)
			tabs = append(tabs, p)
		}
		var took []time.Duration
		for range 3 {
			for _, p := range tabs {
				p.Eval(`got.length = 0; all = null; 0`, nil)
			}
			var began float64
			tabs[0].eval(`const began = Date.now();
				await Promise.all(Array.from({ length: `+strconv.Itoa(burst)+` }, (_, n) => connection.publish("", JSON.stringify({ n }))));
				return began`, &began)
			var last float64
			for _, p := range tabs {
				p.await(`all !== null`)
				var at float64
				p.Eval(`all`, &at)
				last = max(last, at)
				lost, doubled := gaps(p.numbers())
				assert.Zero(t, lost, "lost")
				assert.Zero(t, doubled, "doubled")
			}
			took = append(took, time.Duration(last-began)*time.Millisecond)
		}
		slices.Sort(took)
		f := growFigures{tabs: count, connects: int(connects.Load()), took: took[1], memory: memory(t, tabs[0].Tab)}
		assert.Equal(t, 1, f.connects, "%d tabs", count)
		t.Logf("%d tabs: %d CONNECTs, %v, %d MiB", f.tabs, f.connects, f.took, f.memory>>10)
		all = append(all, f)
	}
	return all
}

// memory adds up what the browser's renderers take, in KiB: what several share counts as a part in each.
func memory(t *testing.T, tab *chrome.Tab) (sum int) {
	var processes []*systeminfo.ProcessInfo
	require.NoError(t, tab.TryRun(chromedp.ActionFunc(func(ctx context.Context) (err error) {
		browser := cdp.WithExecutor(ctx, chromedp.FromContext(ctx).Browser)
		processes, err = systeminfo.GetProcessInfo().Do(browser)
		return err
	})))
	for _, process := range processes {
		if process.Type != "renderer" {
			continue
		}
		rollup, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", process.ID))
		if err != nil {
			continue // it has just ended
		}
		for line := range strings.Lines(string(rollup)) {
			if kib, ok := strings.CutPrefix(line, "Pss:"); ok {
				n, err := strconv.Atoi(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(kib), "kB")))
				require.NoError(t, err)
				sum += n
			}
		}
	}
	return sum
}

// plainLocks ends tabs that hold a lock and have nothing of kiiweb, and looks when the next one gets it.
func plainLocks(t *testing.T) (f lockFigures) {
	s := newSite(t)
	for _, tc := range []struct {
		took *[]time.Duration
		end  chromedp.Action
	}{{&f.crashed, devtools.Crash()}, {&f.killed, chromedp.Navigate("chrome://kill")}} {
		profile := chrome.Start(t, chrome.Options{}).Profile(t)
		for range 3 {
			holder, waiter := profile.Tab(), profile.Tab()
			holder.Open(s.origin(plain) + "/kiiweb/build-info.json")
			waiter.Open(s.origin(plain) + "/kiiweb/build-info.json")
			holder.Eval(`new Promise((held) => navigator.locks.request("plain", () => (held(), new Promise(() => {}))))`, nil)
			waiter.Eval(`globalThis.at = null; navigator.locks.request("plain", () => { at = Date.now() }); 0`, nil)
			waiter.Eval(`(async () => { while ((await navigator.locks.query()).pending.length === 0); })()`, nil)
			began := time.Now()
			go func() { _ = holder.TryRun(tc.end) }()
			var at *float64
			require.Eventually(t, func() bool { waiter.Eval("at", &at); return at != nil }, patience, 5*time.Millisecond)
			*tc.took = append(*tc.took, time.UnixMilli(int64(*at)).Sub(began))
			waiter.Close()
			holder.Close()
		}
	}
	return f
}

func tabsText(ten tenFigures, ends endFigures, grow []growFigures, lock lockFigures) string {
	var b strings.Builder
	fmt.Fprintf(&b, `# Tabs that share a connection

The tabs of a user in one browser share one connection: one leads, the others follow (see [architecture](architecture.md)). Here they do
so in one headless Chromium on %d cores, with the local cloud on the same machine. Written by `+"`make tabs`"+`, which fails when a message
is lost or comes twice, or when more than one CONNECT reaches the broker.

## Ten tabs

| tabs | CONNECTs at the broker | pushes | messages per tab | lost | doubled |
|---|---|---|---|---|---|
| %d | %d | %d | %s | %d | %d |

## Leaders that end

%d tabs are open, and pushes come without a pause, %d in all. The tab that leads ends in one of these ways, %d times in all, and another tab
is opened in its place. The time goes from there until another tab leads and is online, which means subscribed.

| the leader | times | median | worst |
|---|---|---|---|
`, runtime.NumCPU(), ten.tabs, ten.connects, ten.pushes, span(ten.least, ten.most), ten.lost, ten.doubled, ends.crew, ends.pushes, ends.rounds)
	var all []time.Duration
	row := func(name string, took []time.Duration) {
		slices.Sort(took)
		fmt.Fprintf(&b, "| %s | %d | %s | %s |\n", name, len(took), seconds(took[len(took)/2]), seconds(took[len(took)-1]))
	}
	for _, way := range ways {
		took := ends.took[way.name]
		all = append(all, took...)
		if way.name == "crashed" {
			row("crashed, the browser's first", took[:1])
			took = took[1:]
			row("crashed, later", took)
			continue
		}
		row(way.name, took)
	}
	row("all", all)
	fmt.Fprintf(&b, `
Lost: %d. Doubled: %d.

When a tab crashes for the first time since Chromium started, Chromium gives its locks on about five seconds later; who waits for one
cannot know of the crash. A page with a lock and nothing else, crashed and killed three times in a row,
shows the same: the next page got the lock after

| the page | first | second | third |
|---|---|---|---|
| crashed by DevTools' Page.crash | %s |
| killed (chrome://kill) | %s |

Where a lock is not given on at all, a tab that is looked at takes it by force 4.5 to 9 seconds after the leader's last sign of life: a leader
whose page is only busy must not be robbed.

## Growth

%d messages that the leading tab publishes at once to the user's topic, at QoS 1: the time until the last tab has the last of them, the median of three.
The memory is that of all renderer processes (their proportional set size), those of empty tabs that Chromium holds ready included.

| tabs | CONNECTs at the broker | until all have all | renderers' memory |
|---|---|---|---|
`, ends.lost, ends.doubled, list(lock.crashed), list(lock.killed), burst)
	for _, f := range grow {
		fmt.Fprintf(&b, "| %d | %d | %d ms | %d MiB |\n", f.tabs, f.connects, f.took.Milliseconds(), f.memory>>10)
	}
	return b.String()
}

func span(least, most int) string {
	if least == most {
		return strconv.Itoa(least)
	}
	return fmt.Sprintf("%d–%d", least, most)
}

func seconds(d time.Duration) string { return strconv.FormatFloat(d.Seconds(), 'f', 2, 64) + " s" }

func list(all []time.Duration) string {
	var texts []string
	for _, d := range all {
		texts = append(texts, seconds(d))
	}
	return strings.Join(texts, " | ")
}
