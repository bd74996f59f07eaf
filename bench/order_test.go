package main

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestNobodyAlwaysFollowsTheSameOne(t *testing.T) {
	for n := range 10 {
		turns := n
		if n%2 == 1 {
			turns = 2 * n
		}
		places, pairs := make(map[[2]int]int), make(map[[2]int]int)
		for turn := range turns {
			order := inTurn(n, 7*turns+turn) // from any turn on that is a multiple
			assert.Len(t, order, n)
			everybody := slices.Sorted(slices.Values(order))
			for i, who := range order {
				assert.Equal(t, i, everybody[i], "each once")
				places[[2]int{who, i}]++
				if i > 0 {
					pairs[[2]int{order[i-1], who}]++
				}
			}
		}
		assert.Len(t, places, n*n)
		for _, times := range places {
			assert.Equal(t, turns/max(n, 1), times)
		}
		if n > 1 {
			assert.Len(t, pairs, n*(n-1), "of %d", n)
			for pair, times := range pairs {
				assert.Equal(t, turns/n, times, "%v of %d", pair, n)
			}
		}
	}
}
