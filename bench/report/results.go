// Package report keeps what a run has measured and writes it up: numbers, tables and
// plots. It does not choose: what is lost is printed beside what is won.
package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"regexp"
	"slices"
)

// Metric is something that is measured.
type Metric struct {
	ID    string `json:"id"`
	Title string `json:"title"`
	Unit  string `json:"unit"`
	More  bool   `json:"moreIsBetter"`
}

// Series is what one client got in one case: a value for each burst of each round in which it got one.
type Series struct {
	Metric string    `json:"metric"`
	Case   string    `json:"case"`
	Client string    `json:"client"`
	Rounds []int     `json:"rounds"`           // of the values, ascending
	Bursts []int     `json:"bursts,omitempty"` // of the values, ascending in a round from 1 on; without any all are the only one
	Values []float64 `json:"values"`
}

// moment is when a value was measured.
type moment struct{ round, burst int }

// moment says when a value was measured.
func (s *Series) moment(i int) moment {
	if len(s.Bursts) == 0 {
		return moment{s.Rounds[i], 1}
	}
	return moment{s.Rounds[i], s.Bursts[i]}
}

// at gives the value of a moment.
func (s *Series) at(when moment) (value float64, ok bool) {
	for i, v := range s.Values {
		if s.moment(i) == when {
			return v, true
		}
	}
	return 0, false
}

// add adds a value.
func (s *Series) add(when moment, value float64) {
	if when.burst > 1 && len(s.Bursts) == 0 {
		s.Bursts = slices.Repeat([]int{1}, len(s.Values))
	}
	if s.Rounds, s.Values = append(s.Rounds, when.round), append(s.Values, value); when.burst > 1 || len(s.Bursts) > 0 {
		s.Bursts = append(s.Bursts, when.burst)
	}
}

// rounds is how many it has values of.
func (s *Series) rounds() int { return len(slices.Compact(slices.Clone(s.Rounds))) }

// Spread is that of the rounds, each of which counts with the median of its bursts.
func (s *Series) Spread() Spread {
	return SpreadOf(byRound(len(s.Values), func(i int) (int, float64) { return s.Rounds[i], s.Values[i] }))
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

	now moment
}

// Begin says to which round the values that follow belong, the first being 1.
func (r *Results) Begin(round int) { r.now = moment{round, 1} }

// Burst says to which burst of the round they belong, the first being 1. Clients' bursts of one number are measured
// one right after the other, and are compared with each other.
func (r *Results) Burst(number int) { r.now.burst = number }

// Add notes a value of the current burst. What is no number, as a rate of what took no time that the clock
// could tell, is a failure: JSON has no word for it.
func (r *Results) Add(m Metric, kase, client string, value float64) {
	if math.IsNaN(value) || math.IsInf(value, 0) {
		r.Failures = append(r.Failures, fmt.Sprintf("%s, %s: %s is not a number in round %d", m.Title, kase, client, r.now.round))
		return
	}
	if !slices.Contains(r.Metrics, m) {
		r.Metrics = append(r.Metrics, m)
	}
	s := r.Find(m.ID, kase, client)
	if s == nil {
		s = &Series{Metric: m.ID, Case: kase, Client: client}
		r.Series = append(r.Series, s)
	}
	s.add(r.now, value)
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

// Bursts is how many values of a case a round has at most.
func (r *Results) Bursts(metric, kase string) int {
	most := 1
	for _, s := range r.Series {
		if s.Metric == metric && s.Case == kase && len(s.Bursts) > 0 {
			most = max(most, slices.Max(s.Bursts))
		}
	}
	return most
}

// numbers is a list of nothing but numbers as json.MarshalIndent writes it, each on a line of its own.
var numbers = regexp.MustCompile(`\[\s+-?\d[-+.,\deE\s]*\]`)

// Write writes the results as JSON, lists of numbers on one line.
func (r *Results) Write(path string) error {
	text, err := json.MarshalIndent(r, "", "\t")
	if err != nil {
		return err
	}
	text = numbers.ReplaceAllFunc(text, func(list []byte) []byte {
		return bytes.ReplaceAll(bytes.Join(bytes.Fields(list), nil), []byte(","), []byte(", "))
	})
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
		if len(s.Rounds) != len(s.Values) || len(s.Bursts) > 0 && len(s.Bursts) != len(s.Values) {
			return nil, fmt.Errorf("%s does not say which rounds its values are of: measure anew", path)
		}
	}
	return &r, nil
}
