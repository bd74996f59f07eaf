package rabbitmq

import (
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// reset is what time.Now would have given, had somebody set the machine's clock by some seconds just before: the clock on the wall
// differs, the one that only goes on does not.
func reset(t *testing.T, now time.Time, seconds int64) time.Time {
	t.Helper()
	was := now
	*(*uint64)(unsafe.Pointer(&now)) += uint64(seconds << 30) // package time: nanoseconds in the lower 30 bits, then seconds
	require.Equal(t, time.Duration(seconds)*time.Second, now.Round(0).Sub(was.Round(0)))
	require.Zero(t, now.Sub(was))
	return now
}

func TestAMomentIsNotOnTheClockOnTheWall(t *testing.T) {
	now := time.Now()
	for name, seconds := range map[string]int64{"left alone": 0, "set back": -3600, "set forward": 3600} {
		t.Run(name, func(t *testing.T) {
			var m moment
			assert.False(t, m.sinceThen(now), "it has never happened")
			assert.True(t, m.longAgo(now, confirmTimeout))
			m.set(now)
			after := reset(t, now.Add(time.Second), seconds)
			assert.False(t, m.longAgo(after, confirmTimeout))
			assert.False(t, m.sinceThen(after))
			assert.True(t, m.longAgo(after.Add(confirmTimeout), confirmTimeout))
			m.set(after)
			assert.True(t, m.sinceThen(after), "it has happened again")
			assert.False(t, m.longAgo(after.Add(confirmTimeout), confirmTimeout))
			m.set(now)
			assert.True(t, m.sinceThen(after), "who comes late with an older one changes nothing")
		})
	}
}
