package browser

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Tab is one page in a renderer of its own.
type Tab struct {
	b       *Browser
	target  string
	session string
	older   []int // renderers that were there before
	pid     int   // of its own
}

// Tab opens an empty tab in a window of its own, so that it counts as visible.
func (b *Browser) Tab(ctx context.Context) (*Tab, error) {
	older, err := b.renderers(ctx)
	if err != nil {
		return nil, err
	}
	var target struct{ TargetID string }
	if err := b.conn.call(ctx, "", "Target.createTarget",
		map[string]any{"url": "about:blank", "newWindow": true}, &target); err != nil {
		return nil, err
	}
	var session struct{ SessionID string }
	if err := b.conn.call(ctx, "", "Target.attachToTarget",
		map[string]any{"targetId": target.TargetID, "flatten": true}, &session); err != nil {
		return nil, err
	}
	return &Tab{b: b, target: target.TargetID, session: session.SessionID, older: older}, nil
}

// Close closes the tab.
func (tab *Tab) Close(ctx context.Context) error {
	return tab.b.conn.call(ctx, "", "Target.closeTarget", map[string]any{"targetId": tab.target}, nil)
}

// Call sends a command of the DevTools protocol to the tab.
func (tab *Tab) Call(ctx context.Context, method string, params, out any) error {
	return tab.b.conn.call(ctx, tab.session, method, params, out)
}

// Navigate goes to url and returns when the page begins to load.
func (tab *Tab) Navigate(ctx context.Context, url string) error {
	var went struct{ ErrorText string }
	if err := tab.Call(ctx, "Page.navigate", map[string]any{"url": url}, &went); err != nil {
		return err
	}
	if went.ErrorText != "" {
		return fmt.Errorf("%s: %s", url, went.ErrorText)
	}
	return nil
}

// Eval runs an expression in the page, awaits its value where that is a promise, and
// decodes it into out unless that is nil.
func (tab *Tab) Eval(ctx context.Context, expression string, out any) error {
	var got struct {
		Result struct {
			Value       json.RawMessage
			Description string
		}
		ExceptionDetails *struct {
			Text      string
			Exception struct {
				Value       json.RawMessage
				Description string
			}
		}
	}
	if err := tab.Call(ctx, "Runtime.evaluate",
		map[string]any{"expression": expression, "awaitPromise": true, "returnByValue": true}, &got); err != nil {
		return err
	}
	if e := got.ExceptionDetails; e != nil {
		return fmt.Errorf("the page threw: %s %s %s", e.Text, e.Exception.Description, e.Exception.Value)
	}
	if out == nil {
		return nil
	}
	if got.Result.Value == nil {
		return fmt.Errorf("the page gave no value: %s", got.Result.Description)
	}
	return json.Unmarshal(got.Result.Value, out)
}

// burn is how much work keeps a page busy to prove which renderer it is in: some fifty milliseconds of processor time,
// whatever else the machine does. A clock would say that they are over when the page has had none.
const burn = "let x = 0; for (let i = 0; i < 2e7; i++) x = (x * 31 + i) | 0; x"

// proof is how much of that must be seen.
const proof = 5 * time.Millisecond

// proofs is how often in a row it has to be the same one.
const proofs = 3

// Identify finds the renderer that the loaded page is in, for Usage and Memory: one that has come
// since the tab was asked for, so that no other tab is in it, and whose processor time
// grows while the page is kept busy, every time: a spare renderer that just starts is busy, too, but soon done.
func (tab *Tab) Identify(ctx context.Context) error {
	pids, err := tab.b.renderers(ctx)
	if err != nil {
		return err
	}
	latest, times := 0, 0
	for range 200 { // on a busy machine a page gets little of its time
		before := make(map[int]Usage)
		for _, pid := range pids {
			if u, err := ReadUsage(pid); err == nil && !slices.Contains(tab.older, pid) {
				before[pid] = u
			}
		}
		if err := tab.Eval(ctx, "{"+burn+"}", nil); err != nil {
			return err
		}
		pid, ok := busiest(before)
		if !ok || pid != latest {
			latest, times = 0, 0
		}
		if ok {
			latest, times = pid, times+1
		}
		if times == proofs {
			tab.pid = pid
			return nil
		}
	}
	return errors.New("the tab's renderer cannot be told from the others")
}

// busiest gives the process that has used clearly more than all others since a reading.
func busiest(before map[int]Usage) (pid int, clear bool) {
	var most, sum time.Duration
	for p, u := range before {
		now, err := ReadUsage(p)
		if err != nil {
			continue
		}
		spent := now.Since(u).Total()
		sum += spent
		if spent > most {
			most, pid = spent, p
		}
	}
	return pid, most > proof && most > 3*(sum-most)
}

// Usage is the processor time of the tab's renderer so far.
func (tab *Tab) Usage() (Usage, error) { return ReadUsage(tab.pid) }

// Private is how many bytes of memory the tab's renderer shares with no other now.
func (tab *Tab) Private() (int, error) { return PrivateMemory(tab.pid) }
