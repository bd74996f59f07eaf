package chrome

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// Tab is one page.
type Tab struct {
	t       testing.TB
	ctx     context.Context
	cancel  context.CancelFunc
	closing sync.Once
	log     *logger
	console console
	workers workers
}

// Run performs chromedp actions, within two minutes together.
func (tab *Tab) Run(actions ...chromedp.Action) {
	tab.t.Helper()
	require.NoError(tab.t, tab.run(opTimeout, actions...))
}

// TryRun is Run, but returns the error.
func (tab *Tab) TryRun(actions ...chromedp.Action) error { return tab.run(opTimeout, actions...) }

func (tab *Tab) run(limit time.Duration, actions ...chromedp.Action) error {
	return run(tab.ctx, limit, actions...)
}

func run(ctx context.Context, limit time.Duration, actions ...chromedp.Action) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return chromedp.Run(ctx, actions...)
}

// Open goes to url and waits until it has loaded.
func (tab *Tab) Open(url string) {
	tab.t.Helper()
	require.NoError(tab.t, tab.TryOpen(url))
}

// TryOpen is Open, but returns the error of a page that cannot be loaded.
func (tab *Tab) TryOpen(url string) error { return tab.run(opTimeout, chromedp.Navigate(url)) }

// Reload loads the page again.
func (tab *Tab) Reload() {
	tab.t.Helper()
	tab.Run(chromedp.Reload())
}

// Hide puts another tab in front of it, as a user does.
func (tab *Tab) Hide() {
	tab.t.Helper()
	tab.Run(chromedp.ActionFunc(func(ctx context.Context) error {
		this, err := target.GetTargetInfo().Do(ctx)
		if err != nil {
			return err
		}
		id, err := target.CreateTarget("about:blank").WithBrowserContextID(this.BrowserContextID).Do(ctx)
		if err != nil {
			return err
		}
		return target.ActivateTarget(id).Do(ctx)
	}))
}

// Show puts it in front again.
func (tab *Tab) Show() {
	tab.t.Helper()
	tab.Run(page.BringToFront())
}

// Close closes the tab as a user does.
func (tab *Tab) Close() {
	tab.closing.Do(tab.cancel)
}

// Eval runs JavaScript in the page, awaits its value where that is a promise, and decodes
// it as JSON into out, unless out is nil. An exception or rejection fails the test. Code
// that uses await itself is written as (async () => { … })().
func (tab *Tab) Eval(code string, out any) {
	tab.t.Helper()
	require.NoError(tab.t, tab.TryEval(opTimeout, code, out))
}

// TryEval is Eval with a time limit, and with the exception as an *EvalError.
func (tab *Tab) TryEval(limit time.Duration, code string, out any) error {
	return tryEval(tab.ctx, limit, code, out)
}

func tryEval(ctx context.Context, limit time.Duration, code string, out any) error {
	return run(ctx, limit, chromedp.ActionFunc(func(ctx context.Context) error {
		result, exception, err := runtime.Evaluate(code).
			WithAwaitPromise(true).WithReturnByValue(true).Do(ctx)
		switch {
		case err != nil:
			return err
		case exception != nil:
			return &EvalError{Text: exceptionText(exception)}
		case out == nil:
			return nil
		case len(result.Value) == 0:
			return errors.New("the value is " + objectText(result) + ", which JSON cannot hold")
		}
		return json.Unmarshal(result.Value, out)
	}))
}

// EvalError is an exception that evaluated code threw, or a promise's rejection.
type EvalError struct{ Text string }

// Error gives the exception with its stack.
func (e *EvalError) Error() string { return e.Text }

// Screenshot writes the whole page as PNG to path, and makes its folder.
func (tab *Tab) Screenshot(path string) {
	tab.t.Helper()
	var picture []byte
	tab.Run(chromedp.FullScreenshot(&picture, 100))
	require.NoError(tab.t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(tab.t, os.WriteFile(path, picture, 0o644))
}
