package browser_test

import (
	_ "embed"
	"encoding/json"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/tests/browser/chrome"
	"github.com/kiiweb/kiiweb/tests/cloud"
)

// patience bounds the wait for something that a page is about to do.
const patience = time.Minute

//go:embed page_test.js
var pageScript string

//go:embed inside_test.js
var insideScript string

// site is a running cloud and a browser that trusts its certificate.
type site struct {
	*cloud.Cloud
	t       *testing.T
	browser *chrome.Browser
	host    string // load's option of that name
}

func newSite(t *testing.T, args ...string) *site {
	t.Helper()
	c := cloud.Start(t, args...)
	return &site{Cloud: c, t: t, browser: chrome.Start(t, chrome.Options{Trust: c.CA()}), host: automatic}
}

// Where the module runs, as load's option host says.
const (
	automatic = "auto" // which here is the worker: nothing keeps it from starting
	inWorker  = "worker"
	inPage    = "main"
)

// onEachHost runs a test that must not turn out differently in a worker and in the page.
func onEachHost(t *testing.T, test func(t *testing.T, s *site)) {
	s := newSite(t)
	for _, host := range []string{inWorker, inPage} {
		t.Run(host, func(t *testing.T) {
			on := *s
			on.t, on.host = t, host
			test(t, &on)
		})
	}
}

// The schemes under which the cloud serves its pages.
const (
	plain  = "http"  // the page connects over portWS
	secure = "https" // the page connects over portWSS
)

// origin is the cloud's, by the name localhost.
func (s *site) origin(scheme string) string {
	port := s.Ready.PortWS
	if scheme == secure {
		port = s.Ready.PortWSS
	}
	return scheme + "://localhost:" + strconv.Itoa(port)
}

// page is a tab on an empty page of the cloud's, with the library and a few helpers:
// see page_test.js.
type page struct {
	*chrome.Tab
	t    *testing.T
	host string
}

// page opens one in a browser profile of its own.
func (s *site) page(scheme string) *page {
	s.t.Helper()
	return s.pageIn(s.browser.Tab(s.t), scheme)
}

func (s *site) pageIn(tab *chrome.Tab, scheme string) *page {
	s.t.Helper()
	tab.Open(s.origin(scheme) + "/demo.json")
	p := &page{Tab: tab, t: s.t, host: s.host}
	p.prepare()
	return p
}

// prepare loads the library into the page that is open.
func (p *page) prepare() {
	p.t.Helper()
	p.Eval("globalThis.hostOption = "+quote(p.host)+"; "+pageScript, nil)
	if p.host == inPage {
		p.Eval(insideScript, nil)
	} else {
		p.PrepareWorkers(insideScript)
	}
}

// inside is Eval where the module runs: see inside_test.js for what is there. In a
// worker it can be used once the worker has started.
func (p *page) inside(code string, out any) {
	p.t.Helper()
	if p.host == inPage {
		p.Eval(code, out)
		return
	}
	workers := p.Workers()
	require.NotEmpty(p.t, workers, "no worker has started")
	workers[len(workers)-1].Eval(code, out)
}

// eval runs the body of an async function.
func (p *page) eval(body string, out any) {
	p.t.Helper()
	p.Eval("(async () => {"+body+"})()", out)
}

// failure is what a Promise of the library was rejected with.
type failure struct {
	IsKiiError bool
	Name       string
	Code       string
	Message    string
	Remedy     string
	Why        string
	Status     int
	KiiCode    string
	KiiMessage string
	ReasonCode *int
	Retryable  bool
}

// rejects runs the body of an async function that has to be rejected.
func (p *page) rejects(body string) failure {
	p.t.Helper()
	var f *failure
	p.eval("try { await (async () => {"+body+"})(); return null } catch (e) { return describe(e) }", &f)
	require.NotNil(p.t, f, "nothing was rejected")
	require.NotEmpty(p.t, f.Remedy, "%+v", f)
	require.NotEmpty(p.t, f.Message, "%+v", f)
	return *f
}

// texts are the values of the key "text" of the messages that came, in order.
func (p *page) texts() []string {
	p.t.Helper()
	var texts []string
	p.Eval("got.map((m) => m.text)", &texts)
	return texts
}

// awaitTexts waits until as many messages have come as are wanted, and compares them.
func (p *page) awaitTexts(want ...string) {
	p.t.Helper()
	p.await("got.length >= " + strconv.Itoa(len(want)))
	require.Equal(p.t, want, p.texts())
}

// await waits until an expression is true in the page.
func (p *page) await(expression string) {
	p.t.Helper()
	err := p.TryEval(patience, "until(() => "+expression+")", nil)
	if err != nil {
		var about string
		p.Eval("JSON.stringify({ got, states })", &about)
		require.NoError(p.t, err, "%s did not become true; the page has %s", expression, about)
	}
}

// connectAs logs a user in and goes through install, endpoint and connect.
func (p *page) connectAs(u cloud.User) {
	p.t.Helper()
	p.eval("await kii.login("+quote(u.LoginName)+", "+quote(u.Password)+"); await journey()", nil)
}

// pass lets time go by, for a test that nothing happens in it.
func (p *page) pass(d time.Duration) {
	p.t.Helper()
	p.Eval("new Promise((done) => setTimeout(done, "+strconv.FormatInt(d.Milliseconds(), 10)+"))", nil)
}

// states are the states that the connection has gone through, without repeats in a row.
func (p *page) states() string {
	p.t.Helper()
	var states []string
	p.Eval("states.map((s) => s.state)", &states)
	return strings.Join(states, " ")
}

func quote(s string) string {
	b, _ := json.Marshal(s)
	return string(b)
}

// assertQuiet fails the test when the page's console has a problem other than the notes
// that Chromium writes about HTTP statuses: those of the statuses named, and the one of
// the icon that it looks for on every origin.
func (p *page) assertQuiet(statuses ...string) {
	p.t.Helper()
	for _, e := range p.Problems() {
		expected := strings.Contains(e.Text, "/favicon.ico")
		for _, status := range statuses {
			expected = expected || strings.Contains(e.Text, "the server responded with a status of "+status)
		}
		if !expected {
			p.t.Errorf("the page said: %s: %s", e.Kind, e.Text)
		}
	}
}
