package interop

import (
	"sync"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	// soon bounds every wait for something that is to happen, however slow the machine.
	soon = 2 * time.Minute
	// hopeless bounds a publish that is expected to get no answer.
	hopeless = 10 * time.Second
	tick     = 10 * time.Millisecond
	// subscribeAgain is how long a message that is kept may take before the broker is asked for it again.
	subscribeAgain = 5 * time.Second
)

// sideBySide calls f for each number below n, some at a time: these tests mostly wait.
func sideBySide(n, atATime int, f func(i int)) {
	var running sync.WaitGroup
	numbers := make(chan int)
	for range atATime {
		running.Go(func() {
			for i := range numbers {
				f(i)
			}
		})
	}
	for i := range n {
		numbers <- i
	}
	close(numbers)
	running.Wait()
}

// await waits for a condition.
func (s *stage) await(condition func() bool, what string, args ...any) {
	s.Helper()
	require.Eventuallyf(s, condition, soon, tick, what, args...)
}
