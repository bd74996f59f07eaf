package main

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/bench/report"
	"github.com/kiiweb/kiiweb/bench/suite"
)

// TestTurns has three clients, one of which does not fit, measured in six turns of a case.
func TestTurns(t *testing.T) {
	ctx, waits := context.Background(), 0
	r := &runner{turns: make(map[string]int), results: &report.Results{}, still: func(context.Context) (bool, error) {
		waits++
		return waits%2 == 0, nil
	}}
	c := &company{r: r}
	for _, name := range []string{"A", "B", "C"} {
		c.acts = append(c.acts, &suite.Act{Client: suite.Client{Name: name, Reads: name != "B"}})
	}
	metric := report.Metric{ID: "rate", More: true}
	said := ""
	r.results.Begin(1)
	require.NoError(t, c.turns(ctx, readers, "case", 3, func(a *suite.Act) error {
		said += a.Client.Name
		r.results.Add(metric, "case", a.Client.Name, float64(len(said)))
		return nil
	}))
	require.NoError(t, c.each(ctx, readers, "another case", func(*suite.Act) error { return nil }))
	require.NoError(t, c.turns(ctx, readers, "case", 1, func(a *suite.Act) error {
		said += a.Client.Name
		return nil
	}))
	assert.Equal(t, "ACCAACCA", said, "in turn, whatever else there is between")
	assert.Equal(t, 3+3+2+2, waits, "before each")
	assert.Equal(t, 5, r.unquiet)
	series := r.results.Find("rate", "case", "C")
	assert.Equal(t, []int{1, 2, 3}, series.Bursts)
	assert.Equal(t, []float64{2, 3, 6}, series.Values)
	assert.Len(t, c.who(everybody), 3)
	assert.Nil(t, r.results.Find("rate", "case", "B"))
}

func TestMillionsAreForFewRounds(t *testing.T) {
	r := &runner{options: options{full: true}, number: longRounds}
	another := suite.Client{Name: "another"}
	assert.Equal(t, grownTo, r.late(another)[len(r.late(another))-1])
	r.number++
	assert.Equal(t, []int{settled}, r.late(another))
	kiiweb := suite.Clients()[0]
	assert.Equal(t, grownTo, r.late(kiiweb)[len(r.late(kiiweb))-1])
	r.options.full = false
	assert.Equal(t, []int{settled}, r.late(kiiweb))
}
