package engine

import (
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// dropsEvery is how often it is logged at most that full queues lose pushes. One line for each would fill the log when somebody who is
// away is sent much, or many are away who have subscribed to a topic.
const dropsEvery = time.Minute

// drops counts the pushes that newer ones have pushed out of full queues, and logs it.
type drops struct {
	count *atomic.Int64
	log   *slog.Logger
	now   func() time.Time

	mu     sync.Mutex
	logged time.Time
	since  int // how many there were since, before those of the next line
}

// note notes how many were dropped, by installation; 0 is none.
func (d *drops) note(dropped map[string]int) {
	n, queues, first := 0, 0, ""
	for id, k := range dropped {
		if k > 0 {
			n, queues, first = n+k, queues+1, id
		}
	}
	if n == 0 {
		return
	}
	d.count.Add(int64(n))
	d.mu.Lock()
	defer d.mu.Unlock()
	if now := d.now(); d.logged.IsZero() || now.Sub(d.logged) >= dropsEvery {
		d.log.Warn("queues are full: oldest pushes dropped", "installation", first, "queues", queues, "dropped", n, "before", d.since)
		d.logged, d.since = now, 0
		return
	}
	d.since += n
}
