package session

import "time"

// backoff spreads reconnections in time: full jitter below a bound that doubles with
// each failure and is capped. A crowd that lost its broker at one moment so comes
// back evenly, and two clients that evict each other slow down.
type backoff struct {
	base, cap time.Duration
}

// delay gives the time to wait before the attempt that follows the given number of
// earlier failures (0 for the first), for r evenly spread in [0, 1).
func (b backoff) delay(failures int, r float64) time.Duration {
	return time.Duration(r * float64(b.bound(failures)))
}

// bound gives the longest delay at that number of failures.
func (b backoff) bound(failures int) time.Duration {
	d := b.base
	for ; failures > 0 && d < b.cap; failures-- {
		d *= 2
	}
	return min(d, b.cap)
}
