// Package chrome drives headless Chromium for the browser tests: processes, profiles,
// tabs, their consoles, and Go tests compiled to WebAssembly. A machine without
// Chromium fails these tests; nothing is skipped.
package chrome

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	startTimeout = 3 * time.Minute
	// opTimeout bounds each call of a Tab that names no time of its own.
	opTimeout = 2 * time.Minute
)

// Options say how Chromium is started.
type Options struct {
	// Trust is PEM certificates whose keys the browser accepts, whoever signed them.
	Trust []byte
	// Throttling leaves Chromium's slowing down of background timers and renderers on,
	// as users have it. Tests that do not look at it run steadier without.
	Throttling bool
	// Flags are further switches, without their dashes: a bool or a string each.
	Flags map[string]any
	// Env are further environment variables, as NAME=value.
	Env []string
}

// Browser is one Chromium process with a fresh user data folder.
type Browser struct {
	ctx context.Context
}

// Start runs Chromium until t ends.
func Start(t testing.TB, o Options) *Browser {
	t.Helper()
	path, err := Find()
	require.NoError(t, err)
	data, err := os.MkdirTemp("", "kiiweb-chromium-")
	require.NoError(t, err)
	t.Cleanup(func() { removeAll(t, data) })
	alloc, stop := chromedp.NewExecAllocator(context.Background(), o.switches(t, path, data)...)
	t.Cleanup(stop)
	ctx, cancel := chromedp.NewContext(alloc, chromedp.WithErrorf(newLogger(t).quiet))
	t.Cleanup(cancel)
	require.NoError(t, chromedp.Run(ctx), "Chromium does not start")
	return &Browser{ctx: ctx}
}

// removeAll waits for the processes that Chromium has started: they live, and write, a
// moment longer than it does.
func removeAll(t testing.TB, folder string) {
	assert.Eventually(t, func() bool { return os.RemoveAll(folder) == nil }, time.Minute, 20*time.Millisecond,
		"%s cannot be removed", folder)
}

// switches are chromedp's defaults, then ours, then the caller's.
func (o Options) switches(t testing.TB, path, data string) []chromedp.ExecAllocatorOption {
	options := append([]chromedp.ExecAllocatorOption{}, chromedp.DefaultExecAllocatorOptions[:]...)
	options = append(options, chromedp.ExecPath(path), chromedp.UserDataDir(data), chromedp.WSURLReadTimeout(startTimeout))
	for _, name := range []string{"headless", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run",
		"disable-background-networking", "disable-component-update", "disable-sync"} {
		options = append(options, chromedp.Flag(name, true))
	}
	if o.Throttling {
		for _, name := range []string{"disable-background-timer-throttling", "disable-backgrounding-occluded-windows",
			"disable-renderer-backgrounding"} {
			options = append(options, chromedp.Flag(name, false))
		}
	}
	if len(o.Trust) > 0 {
		pins, err := Pins(o.Trust)
		require.NoError(t, err)
		options = append(options, chromedp.Flag("ignore-certificate-errors-spki-list", strings.Join(pins, ",")))
	}
	if len(o.Env) > 0 {
		options = append(options, chromedp.Env(o.Env...))
	}
	for name, value := range o.Flags {
		options = append(options, chromedp.Flag(name, value))
	}
	return options
}

// Profile is a set of tabs that share storage, locks and channels, and share them with
// no other profile: one user's browser.
type Profile struct {
	t  testing.TB
	b  *Browser
	id cdp.BrowserContextID
}

// Profile makes an empty profile. It and its tabs end with t.
func (b *Browser) Profile(t testing.TB) *Profile {
	t.Helper()
	id, err := target.CreateBrowserContext().Do(b.executor())
	require.NoError(t, err)
	t.Cleanup(func() { _ = target.DisposeBrowserContext(id).Do(b.executor()) })
	return &Profile{t: t, b: b, id: id}
}

// Permit grants pages of origin the permissions, and denies them all others.
func (p *Profile) Permit(origin string, permissions ...browser.PermissionType) {
	p.t.Helper()
	require.NoError(p.t, browser.GrantPermissions(permissions).WithOrigin(origin).WithBrowserContextID(p.id).Do(p.b.executor()))
}

// OwnProfile is the profile that the browser itself has, which is no private one.
func (b *Browser) OwnProfile(t testing.TB) *Profile { return &Profile{t: t, b: b} }

// Deny denies pages of origin the permission of that name, as the Permissions standard names it.
func (p *Profile) Deny(origin, name string) {
	p.t.Helper()
	denied := browser.SetPermission(&browser.PermissionDescriptor{Name: name}, browser.PermissionSettingDenied)
	require.NoError(p.t, denied.WithOrigin(origin).WithBrowserContextID(p.id).Do(p.b.executor()))
}

// Pages are the addresses of all pages that are open.
func (b *Browser) Pages() (urls []string) {
	targets, err := target.GetTargets().Do(b.executor())
	if err != nil {
		return nil
	}
	for _, one := range targets {
		if one.Type == "page" {
			urls = append(urls, one.URL)
		}
	}
	return urls
}

// Tab opens a tab in a profile of its own.
func (b *Browser) Tab(t testing.TB) *Tab {
	t.Helper()
	return b.Profile(t).Tab()
}

// executor is a context for commands to the browser itself rather than to a tab.
func (b *Browser) executor() context.Context {
	return cdp.WithExecutor(b.ctx, chromedp.FromContext(b.ctx).Browser)
}

// Tab opens an empty tab in a window of its own.
func (p *Profile) Tab() *Tab {
	p.t.Helper()
	return p.open(true) // a profile has no window until it is asked for one
}

// NextTab opens an empty tab in the window that was opened last, in front of the others there.
func (p *Profile) NextTab() *Tab {
	p.t.Helper()
	return p.open(false)
}

func (p *Profile) open(window bool) *Tab {
	p.t.Helper()
	id, err := target.CreateTarget("about:blank").WithBrowserContextID(p.id).WithNewWindow(window).Do(p.b.executor())
	require.NoError(p.t, err)
	ctx, cancel := chromedp.NewContext(p.b.ctx, chromedp.WithTargetID(id))
	tab := &Tab{t: p.t, ctx: ctx, cancel: cancel, log: newLogger(p.t)}
	p.t.Cleanup(tab.Close)
	chromedp.ListenTarget(ctx, tab.listen)
	require.NoError(p.t, chromedp.Run(ctx))
	return tab
}
