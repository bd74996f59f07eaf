package rabbitmq

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/kiiweb/kiiweb/pkg/kiicloud/store"
)

const (
	endTimeout = 15 * time.Second // for one ending
	endRetry   = 5 * time.Second  // until those that failed are tried again
	endsMost   = 100_000          // that are remembered
)

// ending is an installation's connection that is to end, and its queue, where it is for good.
type ending struct {
	inst    store.Installation
	forGood bool
}

// ends performs endings, and remembers those that RabbitMQ could not be told of until it could. A process
// that stops forgets them: then a connection may stay, which receives nothing any more, and a queue
// that nothing is put into.
type ends struct {
	run func(context.Context, ending) error
	log *slog.Logger

	ctx  context.Context
	stop context.CancelFunc
	done chan struct{}

	mu   sync.Mutex
	left map[string]ending // by installation
}

func startEnds(run func(context.Context, ending) error, log *slog.Logger) *ends {
	e := &ends{run: run, log: log, done: make(chan struct{}), left: map[string]ending{}}
	e.ctx, e.stop = context.WithCancel(context.Background())
	go e.retry()
	return e
}

func (e *ends) close() {
	e.stop()
	<-e.done
	if n := len(e.waiting()); n > 0 {
		e.log.Error("RabbitMQ was not told of installations that have ended", "installations", n)
	}
}

func (e *ends) do(ctx context.Context, what ending) error {
	err := e.run(ctx, what)
	e.mu.Lock()
	defer e.mu.Unlock()
	id := what.inst.ID
	if err == nil {
		if what.forGood || !e.left[id].forGood { // that one came meanwhile, and is still to be done
			delete(e.left, id)
		}
		return nil
	}
	what.forGood = what.forGood || e.left[id].forGood
	if len(e.left) < endsMost || e.left[id].inst.ID == id {
		e.left[id] = what
	}
	return err
}

func (e *ends) waiting() []ending {
	e.mu.Lock()
	defer e.mu.Unlock()
	all := make([]ending, 0, len(e.left))
	for _, what := range e.left {
		all = append(all, what)
	}
	return all
}

// retry is the goroutine. After one that fails the others wait for the next time.
func (e *ends) retry() {
	defer close(e.done)
	for {
		pause(e.ctx, endRetry)
		for _, what := range e.waiting() {
			ctx, cancel := context.WithTimeout(e.ctx, endTimeout)
			err := e.do(ctx, what)
			cancel()
			if err != nil {
				break
			}
		}
		if e.ctx.Err() != nil {
			return
		}
	}
}
