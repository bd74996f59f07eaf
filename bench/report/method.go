package report

import (
	"fmt"
	"slices"
	"strings"
)

// intro says how to read what follows.
const intro = `# Performance

This file is written by ` + "`make bench`" + `, together with its plots and ` + "`bench/results.json`" + `, which has every number. Where the time goes, and why a goal
is missed, is in [performance-notes.md](performance-notes.md).

All clients were measured **in one run and in turn**, in the same Chromium on the same machine, each in a renderer of its own. Absolute numbers say something about that machine; only **ratios within the
run** can be compared. How many PUBLISH packets come in a WebSocket frame decides the result more than anything else, and brokers differ in it: each claim names it.

`

// method says what is computed, of as many rounds as the results have.
func (r *Results) method(b *strings.Builder) {
	b.WriteString("## How it was measured\n\n" +
		"In each round all clients start in new pages. What a client is measured in is a burst of messages, and before each one everybody waits until the browser's processes and the brokers stand still by " +
		"the scheduler's account, so that nobody's collecting, compiling or closing falls into another one's burst. In a turn everybody has one burst, in an order that changes from turn to turn such that nobody always " +
		"follows the same one (a balanced Latin square). Where one burst says little, as with one packet per frame, a round has several turns: \"8 × 4\" are eight rounds of four turns.\n\n" +
		"**What is computed.** A ratio is that of two bursts of the same turn, which are next to each other in time. A round counts with the median of its turns: it holds still where a single burst is slowed down by what else " +
		"the machine does, but also passes over what happens in less than half of the bursts. What is told is the **median of the rounds, and behind it an interval**, " +
		"which is where the median lies of all the rounds that one might run. It is the order statistics' one, as benchstat has it, which supposes nothing of the distribution; it is made of rounds and not of bursts, because " +
		"bursts in one page are alike and would make it look narrower than it is.")
	for _, n := range r.roundCounts() {
		fmt.Fprintf(b, " %s", confidence(n))
	}
	b.WriteString("\n\n")
}

// roundCounts gives how many rounds series have, most first.
func (r *Results) roundCounts() []int {
	var counts []int
	for _, s := range r.Series {
		if n := s.rounds(); !slices.Contains(counts, n) {
			counts = append(counts, n)
		}
	}
	slices.Sort(counts)
	slices.Reverse(counts)
	return counts
}

// confidence says what the interval of n rounds is.
func confidence(n int) string {
	if n == 1 {
		return "Of 1 round there is none."
	}
	ends := "from the lowest to the highest"
	if out := cut(n); out > 0 {
		ends = fmt.Sprintf("without the %d lowest and the %d highest", out, out)
		if out == 1 {
			ends = "without the lowest and the highest"
		}
	}
	return fmt.Sprintf("Of %d rounds it goes %s, which holds the median in %.0f of 100 runs.", n, ends, 100*Confidence(n))
}

// counts says how many rounds, and turns in each, a case has.
func (r *Results) counts(metric, kase string) string {
	least, most := 0, 0
	for _, s := range r.Series {
		if s.Metric == metric && s.Case == kase {
			n := s.rounds()
			if least == 0 || n < least {
				least = n
			}
			most = max(most, n)
		}
	}
	text := fmt.Sprint(most)
	if least < most {
		text = fmt.Sprintf("%d–%d", least, most)
	}
	if bursts := r.Bursts(metric, kase); bursts > 1 {
		text += fmt.Sprintf(" × %d", bursts)
	}
	return text
}
