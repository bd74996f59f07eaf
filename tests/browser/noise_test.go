package browser_test

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	cdp "github.com/chromedp/cdproto/page"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/tests/hostile"
)

// TestNoise sends seeded random bytes to the module in a page, at each stage of a
// connection and in each version: one program from the first to the last, whose memory
// does not grow by what the bytes declare, and every client comes through.
func TestNoise(t *testing.T) {
	const seeds = 24
	s := newSite(t)
	b := hostile.Start(t)
	tab := s.browser.Tab(t)
	tab.Run(cdp.SetBypassCSP(true)) // the cloud lets its pages connect to nobody else
	p := s.pageIn(tab, plain)
	p.Eval(hostileScript, nil)
	var visitors []*visitor
	for seed := range uint64(seeds) {
		for _, v := range (hostile.Case{}).Versions() {
			id, c := hostile.ClientID(int(seed), v), hostile.Noise(t, seed, v)
			visitors = append(visitors, &visitor{
				ID: id, Port: b.PortWS, Protocol: int(v), Ready: hostile.Go, After: hostile.After, visit: b.Expect(id, c, v),
			})
		}
	}
	var before int
	for group := range slices.Chunk(visitors, 36) {
		list, err := json.Marshal(group)
		require.NoError(t, err)
		var troubles []string
		require.NoError(t, p.TryEval(10*time.Minute, "Promise.all("+string(list)+".map(survive))", &troubles))
		for i, v := range group {
			assert.Empty(t, troubles[i], v.visit.Case.Title(v.visit.Version))
		}
		if before == 0 {
			p.Eval("memory()", &before)
		}
	}
	var programs, after int
	p.Eval("programs.length", &programs)
	p.Eval("memory()", &after)
	assert.Equal(t, 1, programs, "the program has crashed")
	assert.Less(t, after-before, 32<<20, "it takes what is only declared for true")
	p.connectAs(s.NewUser())
}
