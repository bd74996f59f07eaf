package suite

import (
	"context"
	"time"

	"github.com/kiiweb/kiiweb/bench/browser"
)

// What counts as quiet: processes that have used less than still of a processor in all during pause. Nobody waits
// longer than patience for it.
const (
	pause    = 20 * time.Millisecond
	still    = pause / 20
	patience = time.Second
)

// Quiet waits until all processes of the browser, and the others that are named, have nothing to do any more: a client
// that collects its garbage, compiles in the background or closes its tab would do so while another one is
// measured. It says whether that came to pass. What does not belong to the bench is not waited for.
func (s *Stage) Quiet(ctx context.Context, others ...int) (bool, error) {
	pids, err := s.Browser.Processes(ctx)
	if err != nil {
		return false, err
	}
	pids = append(pids, others...)
	before := usages(pids)
	return quiet(ctx, func() (spent time.Duration) {
		now := usages(pids)
		for pid, u := range now {
			if then, ok := before[pid]; ok {
				spent += u.Since(then).Total()
			}
		}
		before = now
		return spent
	}, patience)
}

// quiet asks again and again what was used since it asked last.
func quiet(ctx context.Context, spent func() time.Duration, patience time.Duration) (bool, error) {
	for began := time.Now(); ; {
		select {
		case <-ctx.Done():
			return false, ctx.Err()
		case <-time.After(pause):
		}
		if spent() < still {
			return true, nil
		}
		if time.Since(began) > patience {
			return false, nil
		}
	}
}

// usages reads the processor time of those processes that are still there.
func usages(pids []int) map[int]browser.Usage {
	all := make(map[int]browser.Usage)
	for _, pid := range pids {
		if u, err := browser.ReadUsage(pid); err == nil {
			all[pid] = u
		}
	}
	return all
}
