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
	Silent bool     // not among what is won and lost
	Quiet  []string // cases that are not, because others say the same
	Rows   []string // the cases that are shown; without any all of them
}

// Section is a part of the document.
type Section struct {
	Title  string
	Text   string
	Tables []Table
}

// Document writes performance.md and its plots into folder.
func (r *Results) Document(folder string, goals Goals, sections []Section) error {
	var b strings.Builder
	b.WriteString(intro)
	r.failures(&b)
	r.goals(&b, goals)
	r.verdicts(&b, sections)
	r.method(&b)
	r.facts(&b)
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
			r.table(&b, m, t.Rows)
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
func (r *Results) table(b *strings.Builder, m Metric, rows []string) {
	better := "less is better"
	if m.More {
		better = "more is better"
	}
	fmt.Fprintf(b, "**%s** (%s; %s)\n\n|", m.Title, m.Unit, better)
	for _, client := range r.Clients {
		fmt.Fprintf(b, " | %s", client)
	}
	b.WriteString(" | rounds |\n|---|" + strings.Repeat("---|", 1+len(r.Clients)) + "\n")
	for _, kase := range r.Cases(m.ID) {
		if len(rows) > 0 && !slices.Contains(rows, kase) {
			continue
		}
		fmt.Fprintf(b, "| %s", kase)
		for _, client := range r.Clients {
			cell := "–"
			if s := r.Find(m.ID, kase, client); s != nil {
				cell = s.Spread().String()
			}
			fmt.Fprintf(b, " | %s", cell)
		}
		fmt.Fprintf(b, " | %s |\n", r.counts(m.ID, kase))
	}
	b.WriteString("\n")
}
