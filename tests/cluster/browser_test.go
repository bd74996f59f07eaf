//go:build linux

package cluster

import (
	_ "embed"
	"encoding/json"
	"strconv"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/pkg/kiiweb"
	"github.com/kiiweb/kiiweb/tests/browser/chrome"
)

//go:embed page_test.js
var pageScript string

// page is a tab on a page of one of the clouds, in which a user is connected.
type page struct {
	*chrome.Tab
	*user
}

// open opens a page of cloud i in which the user logs in, installs and connects to node n, or to another
// if that is down.
func (u *user) open(i, n int) *page {
	u.Helper()
	u.ws.prefer(u.nodes[n].WebMQTT)
	browser := chrome.Start(u.T, chrome.Options{})
	p := &page{browser.Tab(u.T), u}
	p.Open("http://localhost:" + strconv.Itoa(cloudPort(u.T, u.clouds[i])) + "/demo.json")
	p.eval(pageScript, nil)
	p.eval("await journey("+quote(u.name)+", "+quote(password)+")", nil)
	return p
}

// eval runs the body of an async function.
func (p *page) eval(body string, out any) {
	p.user.Helper()
	require.NoError(p.user, p.TryEval(patience, "(async () => {"+body+"})()", out))
}

// await waits until an expression is true in the page.
func (p *page) await(expression string) {
	p.user.Helper()
	if err := p.TryEval(patience, "until(() => "+expression+")", nil); err != nil {
		var about string
		_ = p.TryEval(time.Minute, "JSON.stringify({ got, states })", &about)
		require.NoError(p.user, err, "%s did not become true; the page has %s", expression, about)
	}
}

// fetch makes what the page has got, and its changes of state, the user's.
func (p *page) fetch() {
	p.user.Helper()
	var all struct {
		Got []struct {
			N  int
			ID string
			At int64
		}
		States []struct {
			State, Code string
			At          int64
		}
	}
	p.eval("return { got, states }", &all)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.got, p.changes = nil, nil
	for _, m := range all.Got {
		p.got = append(p.got, arrival{m.N, m.ID, time.UnixMilli(m.At)})
	}
	for _, s := range all.States {
		p.changes = append(p.changes, change{kiiweb.Change{State: kiiweb.State(s.State), Code: kiiweb.Code(s.Code)}, time.UnixMilli(s.At)})
	}
}

// hasAll waits until the page has every push that was accepted, and makes them the user's.
func (p *page) hasAll() {
	p.user.Helper()
	p.mu.Lock()
	numbers, _ := json.Marshal(p.accepted)
	p.mu.Unlock()
	p.await("((have) => " + string(numbers) + ".every((n) => have.has(n)))(new Set(got.map((m) => m.n)))")
	p.fetch()
}

func quote(s string) string {
	b, _ := json.Marshal(s)
	return string(b)
}
