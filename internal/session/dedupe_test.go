package session

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestDedupeForgets(t *testing.T) {
	var d dedupe
	d.forget([]byte("nothing yet"))
	id := func(n int) []byte { return []byte("id-" + strconv.Itoa(n)) }
	for n := range seenMax {
		require.False(t, d.repeated(id(n), 0))
	}
	for n := 0; n < seenMax; n += 2 {
		d.forget(id(n))
		d.forget(id(n))
	}
	d.forget(id(-1))
	for n := 1; n < seenMax; n += 2 {
		require.True(t, d.repeated(id(n), 0), "the others stay")
	}
	// All of them go in their turn, forgotten or not.
	for n := seenMax - 2; n >= 0; n -= 2 {
		require.False(t, d.repeated(id(n), 0))
		require.True(t, d.repeated(id(n), 0))
	}
	for n := seenMax; n < 4*seenMax; n++ {
		require.False(t, d.repeated(id(n), 0))
		require.LessOrEqual(t, d.count, seenMax)
	}
	assert.True(t, d.repeated(id(4*seenMax-1), 0))
}
