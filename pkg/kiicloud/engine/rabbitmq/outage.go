package rabbitmq

import (
	"log/slog"
	"sync"
	"time"
)

// From the first failure on it takes so long until an outage is told of again, and at each time twice as long, up to a bound.
const (
	outageFirst = time.Minute
	outageMost  = time.Hour
)

// outage tells the log of something that is tried again and again and fails, and fails for others, too: when it begins, now
// and then how many it concerns, and when it is over.
type outage struct {
	log *slog.Logger
	of  string // what fails, as the log shall say
	key string // what the log calls those for whom it does

	mu     sync.Mutex
	begun  time.Time
	again  time.Time
	wait   time.Duration
	failed map[string]time.Time // for whom, and when it last did
}

func newOutage(log *slog.Logger, of, key string) *outage {
	return &outage{log: log, of: of, key: key, failed: map[string]time.Time{}}
}

// fails says that it fails for who.
func (o *outage) fails(who string, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	now := time.Now()
	first := len(o.failed) == 0
	o.failed[who] = now
	switch {
	case first:
		o.begun, o.wait = now, outageFirst
		o.log.Warn(o.of, o.key, who, "error", err)
	case now.Before(o.again):
		return
	default:
		o.log.Warn(o.of+", still", "count", len(o.failed), "for", now.Sub(o.begun).Round(time.Second), o.key, who, "error", err)
		o.wait = min(2*o.wait, outageMost)
	}
	o.again = now.Add(o.wait)
}

// works says that it does not fail for who.
func (o *outage) works(who string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.forget(who)
}

// gone forgets those for whom it has failed before a time and who are not tried any more.
func (o *outage) gone(before time.Time, tried map[string]bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for who, at := range o.failed {
		if at.Before(before) && !tried[who] {
			o.forget(who)
		}
	}
}

func (o *outage) forget(who string) {
	if _, there := o.failed[who]; !there {
		return
	}
	delete(o.failed, who)
	if len(o.failed) == 0 {
		o.log.Info(o.of+": over", "after", time.Since(o.begun).Round(time.Second))
	}
}
