package chrome

import (
	"context"
	"sync"
	"time"

	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// Thread is a dedicated worker of a page.
type Thread struct {
	tab *Tab
	url string
	ctx context.Context
}

// workers are a tab's dedicated workers, in the order in which they started.
type workers struct {
	mu     sync.Mutex
	script string
	list   []*Thread
}

// PrepareWorkers runs script in every dedicated worker that the tab starts from now on,
// before the worker's own first line.
func (tab *Tab) PrepareWorkers(script string) {
	tab.t.Helper()
	tab.workers.mu.Lock()
	tab.workers.script = script
	tab.workers.mu.Unlock()
	tab.Run(target.SetAutoAttach(true, true).WithFlatten(true))
}

// Workers are the workers that were prepared, the ones that have ended too.
func (tab *Tab) Workers() []*Thread {
	tab.workers.mu.Lock()
	defer tab.workers.mu.Unlock()
	return append([]*Thread{}, tab.workers.list...)
}

// attached takes the event of a target that waits to be let go. It must not block.
func (tab *Tab) attached(e *target.EventAttachedToTarget) {
	if e.TargetInfo.Type != "worker" || !e.WaitingForDebugger {
		return
	}
	ctx, cancel := chromedp.NewContext(tab.ctx, chromedp.WithTargetID(e.TargetInfo.TargetID))
	w := &Thread{tab: tab, url: e.TargetInfo.URL, ctx: ctx}
	go func() {
		if err := tab.prepare(w); err != nil {
			tab.log.printf("worker %s: %v", w.url, err)
			cancel()
		}
	}()
}

func (tab *Tab) prepare(w *Thread) error {
	if err := chromedp.Run(w.ctx); err != nil { // attaches, for as long as w.ctx is good
		return err
	}
	tab.workers.mu.Lock()
	script := tab.workers.script
	tab.workers.mu.Unlock()
	if err := w.TryEval(opTimeout, script, nil); err != nil {
		return err
	}
	tab.workers.mu.Lock()
	tab.workers.list = append(tab.workers.list, w)
	tab.workers.mu.Unlock()
	return chromedp.Run(w.ctx, runtime.RunIfWaitingForDebugger())
}

// URL is that of the worker's script.
func (w *Thread) URL() string { return w.url }

// Eval is Tab.Eval, in the worker.
func (w *Thread) Eval(code string, out any) {
	w.tab.t.Helper()
	require.NoError(w.tab.t, w.TryEval(opTimeout, code, out))
}

// TryEval is Tab.TryEval, in the worker.
func (w *Thread) TryEval(limit time.Duration, code string, out any) error {
	return tryEval(w.ctx, limit, code, out)
}
