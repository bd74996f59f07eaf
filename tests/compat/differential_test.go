package compat

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/tests/browser/chrome"
)

// What ran before and has to run again.
const wantSteps = 790

// row is a line of the table.
type row struct {
	style string
	step
	results, requests string // "same", "differ"
}

// TestBesideKiisSDK runs one script with Kii's SDK and with kiiweb/compat, in the callback style and
// in the Promise style. Each call comes to the same, by the same requests, or deviates in the way
// that is named there.
func TestBesideKiisSDK(t *testing.T) {
	b := chrome.Start(t, chrome.Options{})
	kii := newSide(t, b, "/npm/kii-cloud-sdk/KiiSDK.js")
	ours := newSide(t, b, "/kiiweb/compat.js")
	var rows []row
	seen := map[string]bool{}
	for _, style := range []string{"callback", "promise"} {
		steps := kii.begin(style)
		require.Equal(t, steps, ours.begin(style))
		for i, s := range steps {
			d, declared := deviations[s.Deviation]
			require.True(t, declared || s.Deviation == "", "%s: there is no deviation %q", s.Name, s.Deviation)
			theirs, mine := kii.do(i, style, d.sent), ours.do(i, style, false)
			r := row{style, s, verdict(same(theirs.Outcome, mine.Outcome)), verdict(sameWire(theirs, mine))}
			rows = append(rows, r)
			seen[s.Deviation] = true
			if !declared {
				assert.Equal(t, theirs, mine, "%s (%s)", s.Name, style)
				continue
			}
			problem := d.check(theirs, mine)
			assert.Empty(t, problem, "%s (%s)", s.Name, style)
			assert.False(t, r.results == "same" && r.requests == "same", "%s (%s) does not deviate any more", s.Name, style)
		}
	}
	for name := range deviations {
		assert.True(t, seen[name], "no step deviates by %q", name)
	}
	assert.GreaterOrEqual(t, len(rows), wantSteps, "steps that ran before did not run")
	for _, line := range table(rows) {
		t.Log(line)
	}
	checkDocument(t, rows)
}

func verdict(difference string) string {
	if difference == "" {
		return "same"
	}
	return "differ"
}

func table(rows []row) []string {
	lines := []string{fmt.Sprintf("%-9s %-60s %-8s %-8s %s", "style", "call", "result", "requests", "deviation")}
	count := map[string]int{}
	for _, r := range rows {
		lines = append(lines, fmt.Sprintf("%-9s %-60s %-8s %-8s %s", r.style, clip(r.Name), r.results, r.requests, r.Deviation))
		count[r.Deviation]++
	}
	return append(lines, fmt.Sprintf("%d calls, %d the same, %d deviate on purpose", len(rows), count[""], len(rows)-count[""]))
}

func clip(name string) string {
	if r := []rune(name); len(r) > 60 {
		return string(r[:57]) + "..."
	}
	return name
}
