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

// drops counts the pushes that newer ones have pushed out of full queues, and logs it: the first at once, those of the minute after that
// together.
type drops struct {
	count *atomic.Int64
	log   *slog.Logger

	mu     sync.Mutex
	quiet  *time.Timer // runs out when the next line may be logged; nil: it may be now
	closed bool

	// Since the last line, of one of them the installation.
	dropped, times int
	installation   string
}

// note notes how many were dropped, by installation; 0 is none.
func (d *drops) note(dropped map[string]int) {
	if len(dropped) == 0 { // as nearly always
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for id, k := range dropped {
		if k > 0 {
			d.count.Add(int64(k))
			d.dropped, d.times, d.installation = d.dropped+k, d.times+1, id
		}
	}
	if d.quiet == nil || d.closed {
		d.say()
	}
}

// say logs what there is to say, and that ends the line's minute. The caller holds mu.
func (d *drops) say() {
	d.quiet = nil
	if d.dropped == 0 {
		return
	}
	d.log.Warn("queues are full: oldest pushes dropped", "installation", d.installation, "times", d.times, "dropped", d.dropped)
	d.dropped, d.times = 0, 0
	if !d.closed {
		d.quiet = time.AfterFunc(dropsEvery, func() {
			d.mu.Lock()
			defer d.mu.Unlock()
			if !d.closed {
				d.say()
			}
		})
	}
}

// close logs what is left.
func (d *drops) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = true
	if d.quiet != nil {
		d.quiet.Stop()
	}
	d.say()
}
