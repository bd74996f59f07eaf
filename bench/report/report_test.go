package report

import (
	"encoding/xml"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var (
	rate = Metric{"rate", "Messages a second", "messages/s", true}
	time = Metric{"time", "Time", "ms", false}
)

// sample is a run in which kiiweb wins against A, loses against B, and is even with C.
func sample() *Results {
	r := &Results{
		Facts: []Fact{{"Browser", "Chromium"}}, Rounds: 3, Subjects: []string{"kiiweb"},
		Clients: []string{"kiiweb", "A", "B", "C", "mark"}, Marks: []string{"mark"},
		Profiles: []Profile{{"1 packet per frame", []Share{{"the browser", 0.5}}, []Share{{"f<g>", 0.25}, {"rare", 0.001}}, "frame", []Share{{"now", 18.25}, {"rare", 0.01}}}},
	}
	for client, values := range map[string][]float64{
		"kiiweb": {100, 110, 120}, "A": {50, 60, 50}, "B": {200, 220, 260}, "C": {90, 120, 110}, "mark": {1000, 1000, 1000},
	} {
		for i, v := range values {
			r.Begin(i + 1)
			r.Add(rate, "1 packet per frame", client, v)
			r.Add(time, "cold", client, 1/v)
		}
	}
	return r
}

func TestSpread(t *testing.T) {
	assert.Equal(t, Spread{2, 1, 9}, SpreadOf([]float64{9, 1, 2}))
	assert.Equal(t, Spread{1.5, 1, 2}, SpreadOf([]float64{2, 1}))
	assert.True(t, math.IsNaN(SpreadOf(nil).Median))
	assert.Equal(t, Spread{4.5, 2, 7}, SpreadOf([]float64{8, 7, 6, 5, 4, 3, 2, 1}), "of eight, one at each end may be what it will")
	assert.Equal(t, Spread{4.5, 2, 7}, SpreadOf([]float64{8000, 7, 6, 5, 4, 3, 2, -1}))
	assert.Equal(t, Spread{6, 3, 9}, SpreadOf([]float64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}))
}

func TestRange(t *testing.T) {
	assert.Equal(t, Spread{4.5, -1, 8000}, RangeOf([]float64{8000, 7, 6, 5, 4, 3, 2, -1}))
	assert.True(t, math.IsNaN(RangeOf(nil).Low))
}

// The binomial distribution's numbers, as tables of the sign test have them.
func TestConfidence(t *testing.T) {
	for n, want := range map[int]float64{1: 0, 2: 0.5, 3: 0.75, 5: 0.9375, 7: 0.984375, 8: 0.9296875, 10: 0.978515625, 11: 0.9345703125} {
		assert.InDelta(t, want, Confidence(n), 1e-12, "%d", n)
	}
	for n := 5; n < 200; n++ {
		assert.GreaterOrEqual(t, Confidence(n), 0.9, "%d", n)
	}
	assert.Equal(t, "Of 8 rounds it goes without the lowest and the highest, which holds the median in 93 of 100 runs.", confidence(8))
	assert.Contains(t, confidence(11), "without the 2 lowest and the 2 highest")
	assert.Equal(t, "Of 1 round there is none.", confidence(1))
}

// TestBurstsArePaired has a machine that is slower by half in every second burst: by values that spreads,
// by pairs it does not.
func TestBurstsArePaired(t *testing.T) {
	r := &Results{}
	for round := 1; round <= 5; round++ {
		r.Begin(round)
		for burst, speed := range []float64{1, 0.5, 1, 0.1} {
			r.Burst(burst + 1)
			r.Add(rate, "case", "kiiweb", 300*speed)
			if round == 2 && burst == 1 {
				continue // A has failed
			}
			r.Add(rate, "case", "A", 200*speed)
		}
	}
	c, ok := Compare(rate, r.Find("rate", "case", "kiiweb"), r.Find("rate", "case", "A"))
	require.True(t, ok)
	assert.InDelta(t, 1.5, c.Factor.Low, 1e-9)
	assert.InDelta(t, 1.5, c.Factor.High, 1e-9)
	assert.Equal(t, Won, c.Verdict)
	assert.Equal(t, Spread{225, 225, 225}, r.Find("rate", "case", "kiiweb").Spread(), "the median of a round's bursts")
	assert.Equal(t, Spread{150, 150, 200}, r.Find("rate", "case", "A").Spread())
	assert.Equal(t, "5 × 4", r.counts("rate", "case"))

	path := filepath.Join(t.TempDir(), "results.json")
	require.NoError(t, r.Write(path))
	assert.Contains(t, read(t, path), `"bursts": [1, 2, 3, 4, 1, 3, 4, 1,`)
	again, err := Read(path)
	require.NoError(t, err)
	assert.Equal(t, r.Series, again.Series)
}

func TestGoalsAreOpenWhereNoiseDecides(t *testing.T) {
	s := Spread{2, 1, 3}
	for goal, want := range map[float64]outcome{0.9: met, 1: met, 1.1: open, 2: open, 3: open, 3.1: notMet} {
		assert.Equal(t, want, atLeast(s, goal), "%v", goal)
	}
	for limit, want := range map[float64]outcome{3.1: met, 3: met, 2: open, 1: open, 0.9: notMet} {
		assert.Equal(t, want, atMost(s, limit), "%v", limit)
	}
	assert.Equal(t, unknown, atLeast(SpreadOf(nil), 1))
	assert.Equal(t, unknown, atMost(SpreadOf(nil), 1))
}

func TestSlope(t *testing.T) {
	assert.InDelta(t, 2.0, Slope([]float64{1, 2, 3, 4}, []float64{7, 9, 11, 13}), 1e-9)
	assert.InDelta(t, 0.0, Slope([]float64{1, 2, 3}, []float64{5, 9, 5}), 1e-9)
	assert.True(t, math.IsNaN(Slope([]float64{1}, []float64{5})))
}

func TestQuantile(t *testing.T) {
	values := []float64{5, 1, 4, 2, 3}
	assert.Equal(t, 3.0, Quantile(values, 0.5))
	assert.Equal(t, 5.0, Quantile(values, 0.99))
	assert.Equal(t, 1.0, Quantile(values, 0))
	assert.True(t, math.IsNaN(Quantile(nil, 0.5)))
}

func TestCompare(t *testing.T) {
	r := sample()
	for other, want := range map[string]Verdict{"A": Won, "B": Lost, "C": Open} {
		for metric, kase := range map[Metric]string{rate: "1 packet per frame", time: "cold"} {
			c, ok := Compare(metric, r.Find(metric.ID, kase, "kiiweb"), r.Find(metric.ID, kase, other))
			require.True(t, ok)
			assert.Equal(t, want, c.Verdict, "%s beside %s", metric.ID, other)
		}
	}
	series := func(values ...float64) *Series {
		s := &Series{Values: values}
		for i := range values {
			s.Rounds = append(s.Rounds, i+1)
		}
		return s
	}
	c, _ := Compare(rate, series(10, 30), series(5, 10))
	assert.Equal(t, Spread{2.5, 2, 3}, c.Factor)
	gap := &Series{Rounds: []int{1, 3}, Values: []float64{10, 30}}
	c, _ = Compare(rate, gap, series(5, 1, 10))
	assert.Equal(t, Spread{2.5, 2, 3}, c.Factor, "the round that failed is left out")
	c, _ = Compare(rate, series(10, 100, 30), &Series{Rounds: []int{3}, Values: []float64{15}})
	assert.Equal(t, Spread{2, 2, 2}, c.Factor)
	_, ok := Compare(rate, r.Series[0], nil)
	assert.False(t, ok)
	_, ok = Compare(rate, series(0), series(1))
	assert.False(t, ok)
	_, ok = Compare(rate, &Series{Rounds: []int{1}, Values: []float64{1}}, &Series{Rounds: []int{2}, Values: []float64{1}})
	assert.False(t, ok, "never in the same round")
}

func TestNumber(t *testing.T) {
	for v, want := range map[float64]string{
		0: "0", 0.1234: "0.123", 1.005: "1", 2.345: "2.35", 12.34: "12.3", 99.96: "100", 123.4: "123", 12345: "12,300", 1234567: "1,230,000",
		-12345: "-12,300", 0.0004: "0", math.NaN(): "–",
	} {
		assert.Equal(t, want, number(v), "%v", v)
	}
	assert.Equal(t, "2 <sub>1–3</sub>", Spread{2, 1, 3}.String())
	assert.Equal(t, "2", Spread{2, 2, 2}.String())
}

func TestResultsAreKept(t *testing.T) {
	r, path := sample(), filepath.Join(t.TempDir(), "results.json")
	require.NoError(t, r.Write(path))
	again, err := Read(path)
	require.NoError(t, err)
	again.Begin(3)
	assert.Equal(t, r, again)
	assert.Equal(t, []string{"cold"}, again.Cases("time"))
	assert.Nil(t, again.Find("time", "cold", "nobody"))
}

func TestWhatIsNoNumberIsAFailure(t *testing.T) {
	r := sample()
	r.Add(rate, "1 packet per frame", "A", math.Inf(1))
	r.Add(rate, "nothing", "A", math.NaN())
	assert.Len(t, r.Failures, 2)
	assert.Nil(t, r.Find("rate", "nothing", "A"))
	require.NoError(t, r.Write(filepath.Join(t.TempDir(), "results.json")))
}

func TestDocumentSaysWhatIsLost(t *testing.T) {
	r := sample()
	r.Failures = []string{"B: it broke"}
	folder := t.TempDir()
	require.NoError(t, r.Document(folder, Goals{}, []Section{
		{Title: "Receiving", Text: "How it is.", Tables: []Table{{Metric: "rate", Plot: true}}},
		{Title: "Start", Tables: []Table{{Metric: "time"}}},
	}))
	text := read(t, filepath.Join(folder, "performance.md"))
	for _, want := range []string{
		"# Performance", "| Browser | Chromium |", "## Receiving", "How it is.", "(performance/rate.svg)",
		"1 packet per frame", "B: it broke", "`f<g>` 25.0%", "| 110 <sub>100–120</sub> |",
		"for each frame **18** calls (`now` 18.2)", "| the browser | 50.0% |", "Of 3 rounds it goes from the lowest to the highest, which holds the median in 75 of 100 runs.",
	} {
		assert.Contains(t, text, want)
	}
	won, lost := strings.Index(text, "A 2×"), strings.Index(text, "B 0.5×")
	even := strings.Index(text, "C 1")
	assert.Greater(t, lost, strings.Index(text, "### What kiiweb loses"))
	assert.Greater(t, won, strings.Index(text, "### What kiiweb wins"))
	assert.Greater(t, even, strings.Index(text, "### What stays open"))
	assert.NotContains(t, text, "mark 0")
}

func TestPlotIsXML(t *testing.T) {
	plot := sample().Plot(rate, []string{"1 packet per frame"})
	d := xml.NewDecoder(strings.NewReader(plot))
	bars := 0
	for {
		token, err := d.Token()
		if err == io.EOF {
			break
		}
		require.NoError(t, err)
		if start, ok := token.(xml.StartElement); ok && start.Name.Local == "rect" {
			bars++
		}
	}
	assert.Equal(t, 1+5, bars, "the ground and a bar for each client")
}

func read(t *testing.T, path string) string {
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(text)
}
