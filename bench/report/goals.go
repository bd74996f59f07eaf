package report

import (
	"fmt"
	"math"
	"slices"
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

// Limit is what subjects must not exceed, whoever is beside them.
type Limit struct {
	Name     string
	Subjects []string // without any all of them
	Metric   string
	Case     string
	Most     float64
}

// Floor is a mark that nobody gets below, or no client.
type Floor struct {
	Mark string
	Does string // what it does: a clause that begins with "which"
}

// Goals are what the document opens with.
type Goals struct {
	Rival  string // with whom the goals compare
	Rows   []Goal
	Floors []Floor
	Share  float64  // of what a floor does
	Metric string   // of floors
	Cases  []string // of that metric, all of which are held to Share
	Limits []Limit
}

// outcome says what became of a goal.
type outcome string

const (
	met     outcome = "met"
	notMet  outcome = "**not met**"
	open    outcome = "*open*" // the goal is within the interval: noise would decide
	unknown outcome = "**not measured**"
)

const noGoal = "–"

// atLeast holds a spread to a goal.
func atLeast(s Spread, goal float64) outcome {
	switch {
	case math.IsNaN(s.Median):
		return unknown
	case s.Low >= goal:
		return met
	case s.High < goal:
		return notMet
	}
	return open
}

// atMost holds a spread to a limit.
func atMost(s Spread, limit float64) outcome {
	switch {
	case math.IsNaN(s.Median):
		return unknown
	case s.High <= limit:
		return met
	case s.Low > limit:
		return notMet
	}
	return open
}

// goals writes what was to be shown, and whether it was.
func (r *Results) goals(b *strings.Builder, g Goals) {
	if len(g.Rows) == 0 {
		return
	}
	fmt.Fprintf(b, "## What was to be shown\n\nHow many times %s's messages kiiweb does, beside the goal. **Met** is a goal when the whole interval reaches it, "+
		"**not met** when no part of it does; else it is **open**, and another run might say either.%s\n\n", g.Rival, r.few())
	b.WriteString("| regime | goal, per CPU second |" + columns(r.Subjects) + " goal, by the clock |" + columns(r.Subjects) + "\n|---|" +
		strings.Repeat("---|", 2+2*len(r.Subjects)) + "\n")
	for _, row := range g.Rows {
		fmt.Fprintf(b, "| %s |%s%s\n", row.Regime,
			r.reached(row.CPU, row.Case, g.Rival, row.Factor), r.reached(row.Wall, row.Case, g.Rival, row.Pace))
	}
	b.WriteString("\n")
	r.floors(b, g)
	r.kept(b, g.Limits)
}

// enough is how many rounds an interval takes that is confident enough.
const enough = 5

// few warns of a run that is too short to say so.
func (r *Results) few() string {
	if r.Rounds >= enough {
		return ""
	}
	return fmt.Sprintf(" **This run had %d rounds, and %d are the fewest for that**: what it says is no more than what was seen.", r.Rounds, enough)
}

// columns are the heads of columns.
func columns(names []string) string {
	var b strings.Builder
	for _, name := range names {
		b.WriteString(" " + name + " |")
	}
	return b.String()
}

// reached gives the cells of a goal and of what the subjects have reached.
func (r *Results) reached(metric, kase, other string, goal float64) string {
	if metric == "" {
		return strings.Repeat(" "+noGoal+" |", 1+len(r.Subjects))
	}
	cells := fmt.Sprintf(" ≥ %s |", number(goal))
	for _, subject := range r.Subjects {
		cells += " " + r.held(metric, kase, subject, other, goal) + " |"
	}
	return cells
}

// held is a cell with a ratio and what became of its goal.
func (r *Results) held(metric, kase, subject, other string, goal float64) string {
	ratio := r.ratio(metric, kase, subject, other)
	if math.IsNaN(ratio.Median) {
		return string(unknown)
	}
	return ratio.times() + " " + string(atLeast(ratio, goal))
}

// ratio is how many times better the subject is than the other.
func (r *Results) ratio(metric, kase, subject, other string) Spread {
	m, _ := r.metric(metric)
	if c, ok := Compare(m, r.Find(metric, kase, subject), r.Find(metric, kase, other)); ok {
		return c.Factor
	}
	return SpreadOf(nil)
}

// floors writes the subjects' parts of what the floors do, in every regime.
func (r *Results) floors(b *strings.Builder, g Goals) {
	if len(g.Floors) == 0 {
		return
	}
	b.WriteString("**Beside the floors** (messages per CPU second; the goal is " + number(g.Share) + " in every regime):")
	for i, f := range g.Floors {
		if i > 0 {
			b.WriteString(";")
		}
		fmt.Fprintf(b, " the %s, %s", f.Mark, f.Does)
	}
	who := append(slices.Clone(r.Subjects), g.Rival)
	b.WriteString(".\n\n| regime |")
	for _, f := range g.Floors {
		for _, client := range who {
			fmt.Fprintf(b, " %s of %s |", client, f.Mark)
		}
	}
	b.WriteString("\n|---|" + strings.Repeat("---|", len(who)*len(g.Floors)) + "\n")
	for _, kase := range g.Cases {
		fmt.Fprintf(b, "| %s |", kase)
		for _, f := range g.Floors {
			for _, subject := range r.Subjects {
				fmt.Fprintf(b, " %s |", r.held(g.Metric, kase, subject, f.Mark, g.Share))
			}
			fmt.Fprintf(b, " %s |", r.ratio(g.Metric, kase, g.Rival, f.Mark).times())
		}
		b.WriteString("\n")
	}
	b.WriteString("\n")
}

// kept writes what is kept to, in the metrics' own units.
func (r *Results) kept(b *strings.Builder, limits []Limit) {
	if len(limits) == 0 {
		return
	}
	b.WriteString("| limit | at most |" + columns(r.Subjects) + "\n|---|---|" + strings.Repeat("---|", len(r.Subjects)) + "\n")
	for _, l := range limits {
		fmt.Fprintf(b, "| %s | %s |", l.Name, number(l.Most))
		for _, subject := range r.Subjects {
			cell := noGoal
			if len(l.Subjects) == 0 || slices.Contains(l.Subjects, subject) {
				cell = string(unknown)
				if s := r.Find(l.Metric, l.Case, subject); s != nil {
					cell = s.Spread().String() + " " + string(atMost(s.Spread(), l.Most))
				}
			}
			fmt.Fprintf(b, " %s |", cell)
		}
		b.WriteString("\n")
	}
	b.WriteString("\n")
}
