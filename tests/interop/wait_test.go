package interop

import (
	"time"

	"github.com/stretchr/testify/require"
)

const (
	// soon bounds every wait for something that is to happen, however slow the machine.
	soon = 2 * time.Minute
	// hopeless bounds a publish that is expected to get no answer.
	hopeless = 10 * time.Second
	tick     = 10 * time.Millisecond
)

// await waits for a condition.
func (s *stage) await(condition func() bool, what string, args ...any) {
	s.Helper()
	require.Eventuallyf(s, condition, soon, tick, what, args...)
}
