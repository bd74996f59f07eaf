package chrome

import (
	"encoding/json"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/target"
	"github.com/stretchr/testify/assert"
)

// Entry is something that a page said.
type Entry struct {
	Kind string // "log", "warning", "error", … as the console names it; "exception" when uncaught
	Text string
}

// Problem tells whether the entry is an error or an uncaught exception.
func (e Entry) Problem() bool {
	return e.Kind == "error" || e.Kind == "exception" || e.Kind == "assert"
}

// console collects the entries of one tab.
type console struct {
	mu      sync.Mutex
	entries []Entry
	onEntry func(Entry) bool // see divert; nil for none
}

func (c *console) add(e Entry) (taken bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.onEntry != nil && c.onEntry(e) {
		return true
	}
	c.entries = append(c.entries, e)
	return false
}

// divert lets take have each entry first; it tells whether it took it.
func (c *console) divert(take func(Entry) bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.onEntry = take
}

// Console is everything that the tab has said since it was opened.
func (tab *Tab) Console() []Entry {
	tab.console.mu.Lock()
	defer tab.console.mu.Unlock()
	return append([]Entry{}, tab.console.entries...)
}

// Problems are the errors and uncaught exceptions among Console.
func (tab *Tab) Problems() []Entry {
	var problems []Entry
	for _, e := range tab.Console() {
		if e.Problem() {
			problems = append(problems, e)
		}
	}
	return problems
}

// AssertQuiet fails the test when the tab had a problem.
func (tab *Tab) AssertQuiet() {
	tab.t.Helper()
	assert.Empty(tab.t, tab.Problems(), "the page reported problems")
}

// listen takes the tab's events; it must not block.
func (tab *Tab) listen(event any) {
	switch e := event.(type) {
	case *target.EventAttachedToTarget:
		tab.attached(e)
	case *runtime.EventConsoleAPICalled:
		tab.say(Entry{Kind: string(e.Type), Text: argumentsText(e.Args)})
	case *runtime.EventExceptionThrown:
		tab.say(Entry{Kind: "exception", Text: exceptionText(e.ExceptionDetails)})
	case *page.EventBackForwardCacheNotUsed:
		for _, why := range e.NotRestoredExplanations {
			tab.log.printf("page: the back/forward cache did not keep it: %s (%s)", why.Reason, why.Type)
		}
	case *log.EventEntryAdded: // what the browser itself reports: failed loads, blocked content
		tab.say(Entry{Kind: string(e.Entry.Level), Text: strings.TrimSpace(e.Entry.Text + " " + e.Entry.URL)})
	}
}

func (tab *Tab) say(e Entry) {
	if !tab.console.add(e) {
		tab.log.printf("page %s: %s", e.Kind, e.Text)
	}
}

func argumentsText(args []*runtime.RemoteObject) string {
	parts := make([]string, len(args))
	for i, arg := range args {
		parts[i] = objectText(arg)
	}
	return strings.Join(parts, " ")
}

func objectText(o *runtime.RemoteObject) string {
	var s string
	switch {
	case json.Unmarshal([]byte(o.Value), &s) == nil && o.Value != nil:
		return s
	case len(o.Value) > 0:
		return string(o.Value)
	case o.Preview != nil && o.Subtype == "":
		return previewText(o.Preview)
	case o.Description != "":
		return o.Description
	}
	return string(o.Type)
}

// previewText is a plain object with what the browser tells of its properties.
func previewText(p *runtime.ObjectPreview) string {
	parts := make([]string, len(p.Properties))
	for i, property := range p.Properties {
		parts[i] = property.Name + ": " + property.Value
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

// exceptionText is the exception with its stack, which Description holds.
func exceptionText(d *runtime.ExceptionDetails) string {
	if d.Exception == nil {
		return d.Text
	}
	return d.Text + " " + objectText(d.Exception)
}

// logger writes to a test's log until the test is over, after which that would panic.
type logger struct {
	t    testing.TB
	mu   sync.Mutex
	over bool
}

func newLogger(t testing.TB) *logger {
	l := &logger{t: t}
	t.Cleanup(func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.over = true
	})
	return l
}

func (l *logger) printf(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.over {
		l.t.Logf(format, args...)
	}
}

// quiet drops what chromedp says about events of a newer Chromium than it knows.
func (l *logger) quiet(format string, args ...any) {
	if !strings.Contains(format, "could not unmarshal event") {
		l.printf("chromedp: "+format, args...)
	}
}
