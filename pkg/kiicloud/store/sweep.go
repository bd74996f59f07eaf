package store

import (
	"context"
	"time"
)

// How often expired rows are removed, and how many at a time: the writer must not be
// held for long.
const (
	sweepEvery = 10 * time.Minute
	sweepChunk = 500
)

const (
	sweepQueue = `DELETE FROM queue WHERE (installation_id, seq) IN
		(SELECT installation_id, seq FROM queue WHERE expires_at <= $1 LIMIT $2)`
	sweepTokens = `DELETE FROM tokens WHERE hash IN
		(SELECT hash FROM tokens WHERE expires_at <> 0 AND expires_at <= $1 LIMIT $2)`
)

// sweeper removes what has expired, at the start and then at intervals. Nothing
// depends on it but space: reading leaves expired rows out.
type sweeper struct {
	cancel context.CancelFunc
	done   chan struct{}
}

func startSweeper(s *SQL) *sweeper {
	ctx, cancel := context.WithCancel(context.Background())
	w := &sweeper{cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(w.done)
		tick := time.NewTicker(sweepEvery)
		defer tick.Stop()
		for {
			s.Sweep(ctx) // what it could not remove now, it removes the next time
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
		}
	}()
	return w
}

func (w *sweeper) stop() {
	w.cancel()
	<-w.done
}

// Sweep removes expired pushes and tokens now and tells how many.
func (s *SQL) Sweep(ctx context.Context) (removed int, err error) {
	for _, query := range []string{sweepQueue, sweepTokens} {
		for {
			var n int64
			err := s.writer.do(ctx, func(t tx) (err error) {
				n, err = t.affected(query, millis(s.now()), sweepChunk)
				return err
			})
			if err != nil {
				return removed, wrap("remove what has expired", err)
			}
			removed += int(n)
			if n < sweepChunk {
				break
			}
		}
	}
	return removed, wrap("remove payloads that nobody waits for", s.sweepBodies(ctx))
}
