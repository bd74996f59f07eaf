package report

import (
	"math"
	"slices"
)

// Spread is the median of some values and an interval for it: the median of all values that there might
// have been is in it with the Confidence of so many.
//
// It is the one that is made of the values' order alone (H. A. David, H. N. Nagaraja: Order Statistics, 7.1), as
// benchstat has it: nothing is supposed of how values are distributed, but that each was measured
// by itself. So the values are one for each round, in which pages are new, and not one for each burst.
type Spread struct{ Median, Low, High float64 }

// SpreadOf gives the spread of values, one of each round; without any it is not a number.
func SpreadOf(values []float64) Spread {
	if len(values) == 0 {
		return Spread{math.NaN(), math.NaN(), math.NaN()}
	}
	sorted := slices.Sorted(slices.Values(values))
	out, n := cut(len(sorted)), len(sorted)
	return Spread{middle(sorted), sorted[out], sorted[n-1-out]}
}

// RangeOf gives the median of values with the lowest and the highest of them instead.
func RangeOf(values []float64) Spread {
	s := SpreadOf(values)
	if len(values) > 0 {
		s.Low, s.High = slices.Min(values), slices.Max(values)
	}
	return s
}

// confident is how sure an interval is at least, where there are values enough.
const confident = 0.9

// cut is how many values at each end are outside of the interval: as many as leave it confident enough.
func cut(n int) int {
	out := 0
	for 2*(out+1) < n && covered(n, out+1) >= confident {
		out++
	}
	return out
}

// covered is how likely the median is between the values from which so many at each end are left out: not out or fewer
// of n values are on one side of it, which is as with a coin.
func covered(n, out int) float64 {
	missed, ways := 0.0, 1.0 // ways to have i of n on one side
	for i := range out + 1 {
		missed += ways
		ways *= float64(n-i) / float64(i+1)
	}
	return 1 - 2*missed/math.Pow(2, float64(n))
}

// Confidence is how likely an interval of n values holds the median.
func Confidence(n int) float64 { return max(0, covered(n, cut(n))) }

// middle is the median of values in order.
func middle(sorted []float64) float64 {
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// byRound gives one value for each round, in the order in which they come: the median of those that n of have.
func byRound(n int, of func(i int) (round int, value float64)) []float64 {
	values := make(map[int][]float64)
	var rounds []int
	for i := range n {
		round, value := of(i)
		if values[round] == nil {
			rounds = append(rounds, round)
		}
		values[round] = append(values[round], value)
	}
	medians := make([]float64, 0, len(rounds))
	for _, round := range rounds {
		medians = append(medians, middle(slices.Sorted(slices.Values(values[round]))))
	}
	return medians
}

// Quantile gives the value below which a part of the values lies: the smallest that is
// not below it.
func Quantile(values []float64, part float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(values))
	i := int(math.Ceil(part*float64(len(sorted)))) - 1
	return sorted[min(max(i, 0), len(sorted)-1)]
}

// Slope is that of the straight line that is nearest to the points, by least squares; NaN for fewer than two.
func Slope(x, y []float64) float64 {
	var sx, sy, sxx, sxy float64
	n := float64(len(x))
	for i := range x {
		sx, sy = sx+x[i], sy+y[i]
		sxx, sxy = sxx+x[i]*x[i], sxy+x[i]*y[i]
	}
	return (n*sxy - sx*sy) / (n*sxx - sx*sx)
}

// Verdict says how a comparison came out.
type Verdict int

// The verdicts. Open: the interval has both sides, so it cannot be said.
const (
	Open Verdict = iota
	Won
	Lost
)

// Comparison is the subject beside another client.
type Comparison struct {
	Factor  Spread // how many times better than the other the subject is: below 1, it is worse
	Verdict Verdict
}

// Compare compares a subject with another client, burst by burst: what happened to the machine just then happened to
// both. A round counts with the median of its bursts' factors. A burst that one of them has not
// got is left out. ok is false when there is nothing to compare.
func Compare(m Metric, subject, other *Series) (c Comparison, ok bool) {
	if subject == nil || other == nil {
		return c, false
	}
	var factors []float64
	var rounds []int
	for i, value := range subject.Values {
		rival, there := other.at(subject.moment(i))
		if !there {
			continue
		}
		if value <= 0 || rival <= 0 {
			return c, false
		}
		factor := value / rival
		if !m.More {
			factor = 1 / factor
		}
		factors, rounds = append(factors, factor), append(rounds, subject.Rounds[i])
	}
	if len(factors) == 0 {
		return c, false
	}
	c.Factor = SpreadOf(byRound(len(factors), func(i int) (int, float64) { return rounds[i], factors[i] }))
	switch {
	case c.Factor.Low > 1:
		c.Verdict = Won
	case c.Factor.High < 1:
		c.Verdict = Lost
	}
	return c, true
}
