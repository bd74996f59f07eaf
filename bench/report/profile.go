package report

import (
	"fmt"
	"strings"
)

// told is how small a share of a profile is named at least, and named how many of them at most.
const (
	told  = 0.01
	named = 8
)

// profiles writes where the time goes: a row for each part, a column for each case.
func (r *Results) profiles(b *strings.Builder) {
	if len(r.Profiles) == 0 {
		return
	}
	b.WriteString("## Where kiiweb's time goes\n\n" +
		"Samples of the page's thread while it is not idle, by the wall clock, from a module with names: on a machine that is busy otherwise, a function may hold time in " +
		"which its thread did not run. The calls from the module to JavaScript are counted; they are the same on every machine.\n\n| part |")
	var parts []string
	shares := make(map[string]map[string]float64) // by part and case
	for _, p := range r.Profiles {
		fmt.Fprintf(b, " %s |", p.Case)
		for _, g := range p.Groups {
			if shares[g.Name] == nil {
				parts, shares[g.Name] = append(parts, g.Name), make(map[string]float64)
			}
			shares[g.Name][p.Case] = g.Share
		}
	}
	b.WriteString("\n|---|" + strings.Repeat("---|", len(r.Profiles)) + "\n")
	for _, part := range parts {
		fmt.Fprintf(b, "| %s |", part)
		for _, p := range r.Profiles {
			cell := "–"
			if share, ok := shares[part][p.Case]; ok {
				cell = fmt.Sprintf("%.1f%%", 100*share)
			}
			fmt.Fprintf(b, " %s |", cell)
		}
		b.WriteString("\n")
	}
	b.WriteString("\nFunctions with the most time of their own, and calls from the module to JavaScript:\n\n")
	for _, p := range r.Profiles {
		fmt.Fprintf(b, "- %s: %s%s\n", p.Case, p.functions(), p.calls())
	}
	b.WriteString("\n")
}

func (p Profile) functions() string {
	var list []string
	for _, f := range p.Functions {
		if f.Share >= told && len(list) < named {
			list = append(list, fmt.Sprintf("`%s` %.1f%%", f.Name, 100*f.Share))
		}
	}
	return strings.Join(list, ", ")
}

// calls gives the counts.
func (p Profile) calls() string {
	sum := 0.0
	var parts []string
	for _, c := range p.Calls {
		sum += c.Share
		if c.Share >= 0.05 {
			parts = append(parts, fmt.Sprintf("`%s` %.1f", c.Name, c.Share))
		}
	}
	if len(parts) == 0 {
		return fmt.Sprintf("; no calls for a %s", p.Unit)
	}
	return fmt.Sprintf("; for each %s **%.0f** calls (%s)", p.Unit, sum, strings.Join(parts, ", "))
}
