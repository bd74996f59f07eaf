package report

import (
	"fmt"
	"html"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Table is a metric in a section: a row for each case, a column for each client.
type Table struct {
	Metric string
	Plot   bool
	Silent bool // not among what is won and lost
}

// Section is a part of the document.
type Section struct {
	Title  string
	Text   string
	Tables []Table
}

// intro says how to read what follows.
const intro = `# Performance

This file is written by ` + "`make bench`" + `, together with its plots and ` + "`bench/results.json`" + `, which has every number.

All clients were measured **in one run, one after the other in every round**, in the same Chromium on the same machine, so that what
disturbed one disturbed all. Absolute numbers say something about that machine; only **ratios within the run** can be compared. Every
number is the median over the rounds, with the lowest and the highest behind it. How many PUBLISH packets come in a WebSocket
frame decides the result more than anything else, and brokers differ in it: each claim names it. Where the time goes, and why a goal
is missed, is in [performance-notes.md](performance-notes.md).

`

// Document writes performance.md and its plots into folder.
func (r *Results) Document(folder string, goals Goals, sections []Section) error {
	var b strings.Builder
	b.WriteString(intro)
	r.goals(&b, goals)
	r.facts(&b)
	r.failures(&b)
	r.verdicts(&b, sections)
	plots := filepath.Join(folder, "performance")
	if err := os.MkdirAll(plots, 0o755); err != nil {
		return err
	}
	for _, s := range sections {
		fmt.Fprintf(&b, "## %s\n\n", s.Title)
		if s.Text != "" {
			fmt.Fprintf(&b, "%s\n\n", s.Text)
		}
		for _, t := range s.Tables {
			m, found := r.metric(t.Metric)
			if !found {
				continue
			}
			r.table(&b, m)
			if !t.Plot {
				continue
			}
			file := t.Metric + ".svg"
			if err := os.WriteFile(filepath.Join(plots, file), []byte(r.Plot(m, r.Cases(m.ID))), 0o644); err != nil {
				return err
			}
			fmt.Fprintf(&b, "![%s](performance/%s)\n\n", m.Title, file)
		}
	}
	r.profiles(&b)
	text := strings.TrimRight(b.String(), "\n") + "\n"
	return os.WriteFile(filepath.Join(folder, "performance.md"), []byte(text), 0o644)
}

func (r *Results) metric(id string) (Metric, bool) {
	i := slices.IndexFunc(r.Metrics, func(m Metric) bool { return m.ID == id })
	if i < 0 {
		return Metric{}, false
	}
	return r.Metrics[i], true
}

func (r *Results) facts(b *strings.Builder) {
	b.WriteString("## The run\n\n| | |\n|---|---|\n")
	for _, f := range r.Facts {
		fmt.Fprintf(b, "| %s | %s |\n", f.Name, f.Value)
	}
	b.WriteString("\n")
}

func (r *Results) failures(b *strings.Builder) {
	if len(r.Failures) == 0 {
		return
	}
	b.WriteString("## What failed\n\n")
	for _, f := range r.Failures {
		fmt.Fprintf(b, "- %s\n", html.EscapeString(f))
	}
	b.WriteString("\n")
}

// table writes a metric with a row for each case.
func (r *Results) table(b *strings.Builder, m Metric) {
	better := "less is better"
	if m.More {
		better = "more is better"
	}
	fmt.Fprintf(b, "**%s** (%s; %s)\n\n|", m.Title, m.Unit, better)
	for _, client := range r.Clients {
		fmt.Fprintf(b, " | %s", client)
	}
	b.WriteString(" |\n|---|" + strings.Repeat("---|", len(r.Clients)) + "\n")
	for _, kase := range r.Cases(m.ID) {
		fmt.Fprintf(b, "| %s", kase)
		for _, client := range r.Clients {
			cell := "–"
			if s := r.Find(m.ID, kase, client); s != nil {
				cell = SpreadOf(s.Values).String()
			}
			fmt.Fprintf(b, " | %s", cell)
		}
		b.WriteString(" |\n")
	}
	b.WriteString("\n")
}

// profiles writes where the time goes.
func (r *Results) profiles(b *strings.Builder) {
	if len(r.Profiles) == 0 {
		return
	}
	b.WriteString("## Where kiiweb's time goes\n\n" +
		"Samples of the page's thread while it is not idle, by the wall clock, from a module with names: on a machine that is busy otherwise, a function may hold time in " +
		"which its thread did not run. The calls from the module to JavaScript are counted; they are the same on every machine.\n\n")
	for _, p := range r.Profiles {
		fmt.Fprintf(b, "**%s**\n\n| part | share |\n|---|---|\n", p.Case)
		for _, g := range p.Groups {
			fmt.Fprintf(b, "| %s | %.1f%% |\n", g.Name, 100*g.Share)
		}
		b.WriteString("\nFunctions with the most time of their own: ")
		for i, f := range p.Functions {
			if i > 0 {
				b.WriteString(", ")
			}
			fmt.Fprintf(b, "`%s` %.1f%%", f.Name, 100*f.Share)
		}
		b.WriteString(".\n\n")
		p.calls(b)
	}
}

// calls writes the counts.
func (p Profile) calls(b *strings.Builder) {
	sum := 0.0
	var parts []string
	for _, c := range p.Calls {
		sum += c.Share
		if c.Share >= 0.05 {
			parts = append(parts, fmt.Sprintf("`%s` %.1f", c.Name, c.Share))
		}
	}
	if len(parts) > 0 {
		fmt.Fprintf(b, "Calls from the module to JavaScript for each %s: **%.0f** (%s).\n\n", p.Unit, sum, strings.Join(parts, ", "))
	}
}
