package suite

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestWhoWorksIsWaitedFor(t *testing.T) {
	ctx, asked := context.Background(), 0
	yes, err := quiet(ctx, func() time.Duration {
		if asked++; asked < 4 {
			return 5 * time.Millisecond
		}
		return 0
	}, time.Hour)
	require.NoError(t, err)
	assert.True(t, yes)
	assert.Equal(t, 4, asked)

	yes, err = quiet(ctx, func() time.Duration { return time.Second }, 0)
	require.NoError(t, err)
	assert.False(t, yes, "not for ever")

	ended, cancel := context.WithCancel(ctx)
	cancel()
	_, err = quiet(ended, func() time.Duration { return 0 }, time.Hour)
	require.ErrorIs(t, err, context.Canceled)
}

func TestWhatHasEndedUsesNothing(t *testing.T) {
	all := usages([]int{os.Getpid(), -1})
	assert.Len(t, all, 1)
	assert.Contains(t, all, os.Getpid())
}
