package browser_test

import (
	_ "embed"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	cdp "github.com/chromedp/cdproto/page"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/tests/hostile"
)

//go:embed hostile_test.js
var hostileScript string

// visitor is what visit of hostile_test.js takes, and what came of it.
type visitor struct {
	ID       string `json:"id"`
	Port     int    `json:"port"`
	Protocol int    `json:"protocol"`
	Ready    string `json:"ready"`
	After    string `json:"after"`
	Fails    bool   `json:"fails"`

	visit  *hostile.Visit
	report struct {
		Changes []struct {
			State string
			Error *failure
		}
		Messages int
		Error    *failure
		Trouble  string
	}
}

// TestHostileBroker plays the whole table of tests/hostile to the module in a page: a
// clean error each time, one program from the first to the last, which is of use at the end.
func TestHostileBroker(t *testing.T) {
	s := newSite(t)
	b := hostile.Start(t)
	tab := s.browser.Tab(t)
	tab.Run(cdp.SetBypassCSP(true)) // the cloud lets its pages connect to nobody else
	p := s.pageIn(tab, plain)
	p.Eval(hostileScript, nil)
	var visitors []*visitor
	for n, c := range hostile.Table() {
		if c.Native {
			continue
		}
		for _, v := range c.Versions() {
			id := hostile.ClientID(n, v)
			visitors = append(visitors, &visitor{
				ID: id, Port: b.PortWS, Protocol: int(v), Ready: hostile.Go, After: hostile.After,
				Fails: c.End == hostile.Failed, visit: b.Expect(id, c, v),
			})
		}
	}
	var before int
	for group := range slices.Chunk(visitors, 100) {
		p.visits(group)
		if before == 0 {
			p.Eval("memory()", &before)
		}
		for _, v := range group {
			t.Run(v.visit.Case.Title(v.visit.Version), v.check)
		}
		require.False(t, t.Failed())
		p.eval("await leave()", nil)
	}
	var programs, after int
	p.Eval("programs.length", &programs)
	p.Eval("memory()", &after)
	assert.Equal(t, 1, programs, "the program has crashed")
	assert.Less(t, after-before, 32<<20, "it takes what is only declared for true")
	p.connectAs(s.NewUser())
	for _, e := range p.Problems() {
		expected := strings.Contains(e.Text, "/favicon.ico") || strings.Contains(e.Text, "reserved bits are on") // Chromium's own words
		assert.True(t, expected, "the page said: %s", e.Text)
	}
}

// visits lets a group of clients come at a time.
func (p *page) visits(group []*visitor) {
	p.t.Helper()
	list, err := json.Marshal(group)
	require.NoError(p.t, err)
	var reports []json.RawMessage
	require.NoError(p.t, p.TryEval(10*time.Minute, "Promise.all("+string(list)+".map(visit))", &reports))
	for i, report := range reports {
		require.NoError(p.t, json.Unmarshal(report, &group[i].report))
	}
}

func (v *visitor) check(t *testing.T) {
	r, c := v.report, v.visit.Case
	require.Empty(t, r.Trouble)
	v.visit.Check(t, patience)
	switch {
	case c.End == hostile.Kept:
		assert.Empty(t, r.Changes)
		assert.Equal(t, c.Messages()+1, r.Messages)
	case c.End == hostile.Failed:
		v.requireError(t, r.Error)
	case c.At == hostile.Online: // what was before, connect kept to itself
		require.Len(t, r.Changes, 3)
		assert.Equal(t, [3]string{"waiting", "connecting", "online"}, [3]string{r.Changes[0].State, r.Changes[1].State, r.Changes[2].State})
		v.requireError(t, r.Changes[0].Error)
	}
}

func (v *visitor) requireError(t *testing.T, f *failure) {
	require.NotNil(t, f)
	assert.True(t, f.IsKiiError)
	assert.Equal(t, string(v.visit.Case.ErrorCode()), f.Code, f.Message)
	code := -1
	if f.ReasonCode != nil {
		code = *f.ReasonCode
	}
	assert.Equal(t, v.visit.ReasonCode(), code, f.Message)
	assert.NotEmpty(t, f.Message)
	assert.NotEmpty(t, f.Remedy)
}
