package report

import (
	"fmt"
	"slices"
	"strings"
)

// verdicts writes, for each subject, what it loses, what it wins, and what stays open, in
// the words of each case. Marks are no rivals.
func (r *Results) verdicts(b *strings.Builder, sections []Section) {
	b.WriteString("## Against the others\n\nA factor says how many times better than the other client: below 1× it is worse. " +
		"Lost and won is what came out the same in every round.\n\n")
	for _, subject := range r.Subjects {
		for _, list := range []struct {
			title   string
			verdict Verdict
		}{
			{"What " + subject + " loses", Lost},
			{"What " + subject + " wins", Won},
			{"What the spread leaves open for " + subject, Open},
		} {
			lines := r.claims(subject, list.verdict, sections)
			if len(lines) == 0 {
				lines = []string{"- nothing\n"}
			}
			fmt.Fprintf(b, "### %s\n\n%s\n", list.title, strings.Join(lines, ""))
		}
	}
}

// claims gives a line for each case with such a verdict.
func (r *Results) claims(subject string, verdict Verdict, sections []Section) []string {
	var lines []string
	for _, s := range sections {
		for _, t := range s.Tables {
			m, found := r.metric(t.Metric)
			if !found || t.Silent {
				continue
			}
			for _, kase := range r.Cases(m.ID) {
				if others := r.others(m, kase, subject, verdict); len(others) > 0 {
					lines = append(lines, fmt.Sprintf("- %s, %s: %s\n", m.Title, kase, strings.Join(others, ", ")))
				}
			}
		}
	}
	return lines
}

// others gives the clients against which a case came out like that, with the factors.
func (r *Results) others(m Metric, kase, subject string, verdict Verdict) []string {
	var others []string
	for _, client := range r.Clients {
		if slices.Contains(r.Marks, client) || slices.Contains(r.Subjects, client) {
			continue
		}
		c, ok := Compare(m, r.Find(m.ID, kase, subject), r.Find(m.ID, kase, client))
		if ok && c.Verdict == verdict {
			others = append(others, fmt.Sprintf("%s %s (%s–%s)", client, factor(c.Factor.Median), number(c.Factor.Min), number(c.Factor.Max)))
		}
	}
	return others
}
