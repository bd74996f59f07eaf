// Package report keeps what a run has measured and writes it up: numbers, tables and
// plots. It does not choose: what is lost is printed beside what is won.
package report

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"slices"
)

// Metric is something that is measured.
type Metric struct {
	ID    string `json:"id"`
	Title string `json:"title"`
	Unit  string `json:"unit"`
	More  bool   `json:"moreIsBetter"`
}

// Series is what one client got in one case: a value for each round in which it got one.
type Series struct {
	Metric string    `json:"metric"`
	Case   string    `json:"case"`
	Client string    `json:"client"`
	Rounds []int     `json:"rounds"` // of the values, ascending
	Values []float64 `json:"values"`
}

// at gives the value of a round.
func (s *Series) at(round int) (value float64, ok bool) {
	i, found := slices.BinarySearch(s.Rounds, round)
	if !found {
		return 0, false
	}
	return s.Values[i], true
}

// Share is a part of a profile.
type Share struct {
	Name  string  `json:"name"`
	Share float64 `json:"share"` // of the time in which the page's thread was not idle
}

// Profile is where the page's thread of kiiweb spends its time in one case.
type Profile struct {
	Case      string  `json:"case"`
	Groups    []Share `json:"groups"`
	Functions []Share `json:"functions"`
	Unit      string  `json:"unit"`  // what Calls are counted for: a frame, or a message
	Calls     []Share `json:"calls"` // of the module to JavaScript, for each of those
}

// Fact is a line about the run: a version, the machine, a setting.
type Fact struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Results is a run.
type Results struct {
	Facts    []Fact    `json:"facts"`
	Rounds   int       `json:"rounds"`
	Subjects []string  `json:"subjects"` // the clients that the others are compared with
	Clients  []string  `json:"clients"`  // in the tables' order
	Marks    []string  `json:"marks"`    // those of them that are no clients but marks to measure by
	Metrics  []Metric  `json:"metrics"`
	Series   []*Series `json:"series"`
	Profiles []Profile `json:"profiles,omitempty"`
	Failures []string  `json:"failures,omitempty"`

	round int // the current one
}

// Begin says to which round the values that follow belong, the first being 1.
func (r *Results) Begin(round int) { r.round = round }

// Add notes a value of the current round. What is no number, as a rate of what took no time that the clock
// could tell, is a failure: JSON has no word for it.
func (r *Results) Add(m Metric, kase, client string, value float64) {
	if math.IsNaN(value) || math.IsInf(value, 0) {
		r.Failures = append(r.Failures, fmt.Sprintf("%s, %s: %s is not a number in round %d", m.Title, kase, client, r.round))
		return
	}
	if !slices.Contains(r.Metrics, m) {
		r.Metrics = append(r.Metrics, m)
	}
	if s := r.Find(m.ID, kase, client); s != nil {
		s.Rounds, s.Values = append(s.Rounds, r.round), append(s.Values, value)
		return
	}
	r.Series = append(r.Series, &Series{m.ID, kase, client, []int{r.round}, []float64{value}})
}

// Find gives a series, or nil.
func (r *Results) Find(metric, kase, client string) *Series {
	for _, s := range r.Series {
		if s.Metric == metric && s.Case == kase && s.Client == client {
			return s
		}
	}
	return nil
}

// Cases gives the cases of a metric in the order in which they were first measured.
func (r *Results) Cases(metric string) []string {
	var cases []string
	for _, s := range r.Series {
		if s.Metric == metric && !slices.Contains(cases, s.Case) {
			cases = append(cases, s.Case)
		}
	}
	return cases
}

// Write writes the results as JSON.
func (r *Results) Write(path string) error {
	text, err := json.MarshalIndent(r, "", "\t")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(text, '\n'), 0o644)
}

// Read reads what Write wrote.
func Read(path string) (*Results, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var r Results
	if err := json.Unmarshal(text, &r); err != nil {
		return nil, err
	}
	for _, s := range r.Series {
		if len(s.Rounds) != len(s.Values) {
			return nil, fmt.Errorf("%s does not say which rounds its values are of: measure anew", path)
		}
	}
	return &r, nil
}
