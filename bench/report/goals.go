package report

import (
	"fmt"
	"math"
	"strings"
)

// Goal is what a subject has to reach beside another client in one regime.
type Goal struct {
	Regime string
	Case   string
	CPU    string  // the metric of the processor's time; "" for none
	Factor float64 // of the other's, at least
	Wall   string  // the metric of the clock on the wall; "" for none
	Pace   float64 // of the other's, at least
}

// Limit is what a subject must not exceed, whoever is beside it.
type Limit struct {
	Name    string
	Subject string
	Metric  string
	Case    string
	Most    float64
}

// Goals are what the document opens with.
type Goals struct {
	Rival  string // with whom the goals compare
	Floor  string // the mark that nobody gets below
	Client string // the mark that no client gets below, which does more; "" for none
	Share  float64
	Rows   []Goal
	Floors []string // cases of Floor's metric, all of which are held to Share
	Metric string   // Floor's
	Limits []Limit
}

// goals writes what was to be shown, and whether it was.
func (r *Results) goals(b *strings.Builder, g Goals) {
	if len(g.Rows) == 0 {
		return
	}
	fmt.Fprintf(b, "## What was to be shown\n\nHow many times %s's messages kiiweb does, beside the goal. A goal is met when the median of the rounds' ratios reaches it.\n\n",
		g.Rival)
	for _, subject := range r.Subjects {
		fmt.Fprintf(b, "**%s**\n\n| regime | per CPU second | goal | | by the clock | goal | |\n|---|---|---|---|---|---|---|\n", subject)
		for _, row := range g.Rows {
			fmt.Fprintf(b, "| %s | %s | %s |\n", row.Regime,
				r.reached(row.CPU, row.Case, subject, g.Rival, row.Factor), r.reached(row.Wall, row.Case, subject, g.Rival, row.Pace))
		}
		b.WriteString("\n")
	}
	r.floors(b, g, g.Floor, "which touches no message")
	if g.Client != "" {
		r.floors(b, g, g.Client, "which does of each message no more than what makes a client: an object, a view of the payload, a call of the handler")
	}
	r.kept(b, g.Limits)
}

// kept writes what is kept to, in the metrics' own units.
func (r *Results) kept(b *strings.Builder, limits []Limit) {
	if len(limits) == 0 {
		return
	}
	b.WriteString("| limit | measured | at most | |\n|---|---|---|---|\n")
	for _, l := range limits {
		measured, verdict := "not measured", "**not measured**"
		if s := r.Find(l.Metric, l.Case, l.Subject); s != nil {
			spread := SpreadOf(s.Values)
			measured, verdict = spread.String(), "**not met**"
			if spread.Median <= l.Most {
				verdict = "met"
			}
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s |\n", l.Name, measured, number(l.Most), verdict)
	}
	b.WriteString("\n")
}

// reached gives the cells of a ratio, its goal and whether it was met.
func (r *Results) reached(metric, kase, subject, other string, goal float64) string {
	if metric == "" {
		return "– | – | "
	}
	ratio := r.ratio(metric, kase, subject, other)
	return fmt.Sprintf("%s | ≥ %s | %s", times(ratio), number(goal), met(ratio, goal))
}

// ratio is how many times better the subject is than the other.
func (r *Results) ratio(metric, kase, subject, other string) Spread {
	m, _ := r.metric(metric)
	if c, ok := Compare(m, r.Find(metric, kase, subject), r.Find(metric, kase, other)); ok {
		return c.Factor
	}
	return SpreadOf(nil)
}

func times(s Spread) string {
	if math.IsNaN(s.Median) {
		return "not measured"
	}
	return fmt.Sprintf("%s (%s–%s)", factor(s.Median), number(s.Min), number(s.Max))
}

func met(s Spread, goal float64) string {
	switch {
	case math.IsNaN(s.Median):
		return "**not measured**"
	case s.Median >= goal:
		return "met"
	}
	return "**not met**"
}

// floors writes the subjects' parts of what the floor does, in every regime.
func (r *Results) floors(b *strings.Builder, g Goals, floor, does string) {
	fmt.Fprintf(b, "**Beside the %s**, %s (messages per CPU second; the goal is %s of it in every regime)\n\n| regime |", floor, does, number(g.Share))
	for _, subject := range r.Subjects {
		fmt.Fprintf(b, " %s | |", subject)
	}
	b.WriteString(" " + g.Rival + " |\n|---|" + strings.Repeat("---|---|", len(r.Subjects)) + "---|\n")
	for _, kase := range g.Floors {
		fmt.Fprintf(b, "| %s |", kase)
		for _, subject := range r.Subjects {
			s := r.ratio(g.Metric, kase, subject, floor)
			fmt.Fprintf(b, " %s | %s |", times(s), met(s, g.Share))
		}
		fmt.Fprintf(b, " %s |\n", times(r.ratio(g.Metric, kase, g.Rival, floor)))
	}
	b.WriteString("\n")
}
