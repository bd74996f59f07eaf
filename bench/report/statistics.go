package report

import (
	"math"
	"slices"
)

// Spread is the middle and the ends of some values.
type Spread struct{ Median, Min, Max float64 }

// SpreadOf gives the spread of values; without any it is not a number.
func SpreadOf(values []float64) Spread {
	if len(values) == 0 {
		return Spread{math.NaN(), math.NaN(), math.NaN()}
	}
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return Spread{(sorted[(n-1)/2] + sorted[n/2]) / 2, sorted[0], sorted[n-1]}
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

// The verdicts. Open: not the same in every round, so the spread does not allow to say.
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

// Compare compares a subject with another client, round by round: what happened to the
// machine in a round happened to both. A round in which one of them has failed is left out. ok is
// false when there is nothing to compare.
func Compare(m Metric, subject, other *Series) (c Comparison, ok bool) {
	if subject == nil || other == nil {
		return c, false
	}
	var factors []float64
	for i, value := range subject.Values {
		rival, there := other.at(subject.Rounds[i])
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
		factors = append(factors, factor)
	}
	if len(factors) == 0 {
		return c, false
	}
	c.Factor = SpreadOf(factors)
	switch {
	case c.Factor.Min > 1:
		c.Verdict = Won
	case c.Factor.Max < 1:
		c.Verdict = Lost
	}
	return c, true
}
