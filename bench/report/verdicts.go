package report

import (
	"fmt"
	"slices"
	"strings"
)

// verdicts writes what the subjects lose, what they win, and what stays open, in the words of each case. Marks
// are no rivals.
func (r *Results) verdicts(b *strings.Builder, sections []Section) {
	b.WriteString("## Against the others\n\nA factor says how many times better than the other client kiiweb is: below 1× it is worse. " +
		"Lost is where the whole interval is below 1×, won where it is above, open where it has both sides.\n\n")
	for _, list := range []struct {
		title   string
		verdict Verdict
	}{
		{"What kiiweb loses", Lost},
		{"What kiiweb wins", Won},
		{"What stays open", Open},
	} {
		rows := r.claims(list.verdict, sections)
		if len(rows) == 0 {
			fmt.Fprintf(b, "### %s\n\nNothing.\n\n", list.title)
			continue
		}
		fmt.Fprintf(b, "### %s\n\n| |%s\n|---|%s\n%s\n", list.title, columns(r.Subjects), strings.Repeat("---|", len(r.Subjects)), strings.Join(rows, ""))
	}
}

// claims gives a row for each case in which a subject has such a verdict.
func (r *Results) claims(verdict Verdict, sections []Section) []string {
	var rows []string
	for _, s := range sections {
		for _, t := range s.Tables {
			m, found := r.metric(t.Metric)
			if !found || t.Silent {
				continue
			}
			for _, kase := range r.Cases(m.ID) {
				if slices.Contains(t.Quiet, kase) {
					continue
				}
				if cells, any := r.claim(m, kase, verdict); any {
					rows = append(rows, fmt.Sprintf("| %s, %s |%s\n", m.Title, kase, cells))
				}
			}
		}
	}
	return rows
}

// claim gives a case's cells, one for each subject; any says whether there is something in one of them.
func (r *Results) claim(m Metric, kase string, verdict Verdict) (cells string, any bool) {
	for _, subject := range r.Subjects {
		others := r.others(m, kase, subject, verdict)
		any = any || len(others) > 0
		cells += " " + strings.Join(others, ", ") + " |"
	}
	return cells, any
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
			others = append(others, client+" "+c.Factor.times())
		}
	}
	return others
}
