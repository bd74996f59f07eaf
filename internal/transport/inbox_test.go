package transport

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var errEnd, errLater = errors.New("end"), errors.New("later")

func TestInboxGivesDataBeforeTheEnd(t *testing.T) {
	b := newInbox[string](10)
	require.True(t, b.push("one", 1))
	require.True(t, b.push("two", 1))
	require.NoError(t, b.reason())
	b.end(errEnd)
	b.end(errLater)
	require.Equal(t, errEnd, b.reason())
	require.True(t, b.push("late", 1), "ignored, not refused")

	for _, want := range []string{"one", "two"} {
		got, err := b.pop()
		require.NoError(t, err)
		assert.Equal(t, want, got)
	}
	for range 2 {
		_, err := b.pop()
		assert.Equal(t, errEnd, err, "the first reason counts")
	}
}

func TestInboxIsBounded(t *testing.T) {
	b := newInbox[int](10)
	assert.True(t, b.push(1, 50), "an empty inbox takes anything")
	assert.False(t, b.push(2, 1))
	_, _ = b.pop()
	assert.True(t, b.push(3, 6))
	assert.True(t, b.push(4, 4))
	assert.False(t, b.push(5, 1))
}

func TestInboxWakesReaders(t *testing.T) {
	b := newInbox[int](10)
	got := make(chan any, 3)
	for range 3 {
		go func() {
			v, err := b.pop()
			if err != nil {
				got <- err
				return
			}
			got <- v
		}()
	}
	b.push(7, 1)
	assert.Equal(t, 7, <-got)
	b.end(errEnd)
	assert.Equal(t, errEnd, <-got)
	assert.Equal(t, errEnd, <-got)
	<-b.done
}

func TestInboxAbandon(t *testing.T) {
	b := newInbox[int](10)
	b.push(1, 1)
	b.end(errEnd)
	b.abandon(errLater)
	_, err := b.pop()
	assert.Equal(t, errLater, err)
	b.abandon(errLater)
}
