package browser_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// publishFigures tell how long it took until all messages were acknowledged that a tab published in
// one turn: sent together, and one by one, as those are that have a timeout of their own.
type publishFigures struct {
	who           string
	count         int
	together, one time.Duration // the median of three
}

// publishingTabs has the tab that leads and one that follows publish many messages in one turn.
func publishingTabs(t *testing.T) (all []publishFigures) {
	s := newSite(t).sharing()
	leader, follower := s.open(), s.open()
	count := 200
	if *tabsDocument != "" {
		count = 1000
	}
	for _, p := range []struct {
		who string
		*tabPage
	}{{"leads", leader}, {"follows", follower}} {
		took := map[bool][]time.Duration{}
		for range 3 {
			for _, together := range []bool{true, false} {
				options := `{}`
				if !together {
					options = `{ timeout: 30000 }`
				}
				leader.Eval(`got.length = 0; 0`, nil)
				follower.Eval(`got.length = 0; 0`, nil)
				var milliseconds float64
				p.eval(`const began = performance.now();
					await Promise.all(Array.from({ length: `+strconv.Itoa(count)+` }, (_, n) => connection.publish("", JSON.stringify({ n }), `+options+`)));
					return performance.now() - began`, &milliseconds)
				took[together] = append(took[together], time.Duration(milliseconds*float64(time.Millisecond)))
				for _, receiver := range []*tabPage{leader, follower} {
					receiver.await(`got.length >= ` + strconv.Itoa(count))
					got := receiver.numbers()
					assert.Len(t, got, count)
					assert.True(t, slices.IsSorted(got), "in the order in which they were published")
				}
			}
		}
		f := publishFigures{who: p.who, count: count, together: median(took[true]), one: median(took[false])}
		t.Logf("the tab that %s: %d in %v, one by one in %v", f.who, f.count, f.together, f.one)
		all = append(all, f)
	}
	leader.assertQuiet()
	follower.assertQuiet()
	return all
}

func median(all []time.Duration) time.Duration {
	slices.Sort(all)
	return all[len(all)/2]
}

func publishText(all []publishFigures) string {
	var b strings.Builder
	fmt.Fprintf(&b, `
## Publishing

%d messages at QoS 1 that one of two tabs publishes in one turn: the time until the last is acknowledged, the median of three. They go together, through
the leading tab as well; one that has a timeout or signal of its own goes by itself.

| the tab | together | one by one |
|---|---|---|
`, all[0].count)
	for _, f := range all {
		fmt.Fprintf(&b, "| %s | %d ms | %d ms |\n", f.who, f.together.Milliseconds(), f.one.Milliseconds())
	}
	return b.String()
}
