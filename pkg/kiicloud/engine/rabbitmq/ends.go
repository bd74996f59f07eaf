package rabbitmq

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kiiweb/kiiweb/pkg/kiicloud/store"
)

const (
	endTimeout = 15 * time.Second // for one ending
	endRetry   = 5 * time.Second  // until one is tried again that the process could not tell RabbitMQ of
	endEvery   = 5 * time.Second  // between looks for what is due
	endChunk   = 16               // that a look takes,
	endWorkers = 8                // and that are seen to at the same time
	endLease   = 2 * endTimeout   // how long they are this process's
)

// Endings is what the engine needs of the store to remember what RabbitMQ is to be told.
type Endings interface {
	// PutEnding notes an ending. One of the same kind gets its time.
	PutEnding(ctx context.Context, e store.Ending) error
	// TakeEndings gives up to limit endings that are due, and puts them off until a time.
	TakeEndings(ctx context.Context, until time.Time, limit int) ([]store.Ending, error)
	// DropEnding forgets an ending that was seen to, unless it has got another time meanwhile.
	DropEnding(ctx context.Context, e store.Ending) error
}

// ends tells RabbitMQ which connections and queues have ended. The store remembers those of which it was not told yet,
// so that another process tells it when this one dies, and the passwords that will lapse. Two processes may see to
// the same ending; that does no harm.
type ends struct {
	run   func(context.Context, store.Ending) error
	store Endings
	log   *slog.Logger
	waits *outage // of the endings of which RabbitMQ cannot be told
	looks *outage // of the looks for them

	ctx  context.Context
	stop context.CancelFunc
	done chan struct{}
}

func startEnds(run func(context.Context, store.Ending) error, s Endings, log *slog.Logger) *ends {
	e := &ends{run: run, store: s, log: log, done: make(chan struct{}),
		waits: newOutage(log, "connections cannot be ended yet", "at"), looks: newOutage(log, "what is to end at RabbitMQ cannot be looked for", "in")}
	e.ctx, e.stop = context.WithCancel(context.Background())
	go e.sweep()
	return e
}

// close ends the work; what is left stays in the store.
func (e *ends) close() {
	e.stop()
	<-e.done
}

// do sees to an ending now, or has it seen to later.
func (e *ends) do(ctx context.Context, what store.Ending) error {
	err := e.run(ctx, what)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), endTimeout) // which may have gone by
	defer cancel()
	if err == nil {
		if what.Kind != store.EndingDisabled { // what the store noted with that is for who was just connecting
			e.drop(ctx, what)
		}
		return nil
	}
	what.DueAt = time.Now().Add(endRetry)
	return errors.Join(err, e.store.PutEnding(ctx, what))
}

func (e *ends) drop(ctx context.Context, what store.Ending) {
	if err := e.store.DropEnding(ctx, what); err != nil && e.ctx.Err() == nil {
		e.log.Warn("RabbitMQ will be told twice that a connection has ended", "installation", what.InstallationID, "error", err)
	}
}

// sweep is the goroutine.
func (e *ends) sweep() {
	defer close(e.done)
	for {
		pause(e.ctx, endEvery/2+rand.N(endEvery)) // the processes of a cloud take turns, roughly
		for e.once() {
		}
		if e.ctx.Err() != nil {
			return
		}
	}
}

// once sees to some of what is due, and tells whether there may be more. What fails is due again when the lease is over.
func (e *ends) once() (more bool) {
	ctx, cancel := context.WithTimeout(e.ctx, endTimeout)
	taken, err := e.store.TakeEndings(ctx, time.Now().Add(endLease), endChunk)
	cancel()
	e.tell(e.looks, inStore, err)
	var failed atomic.Pointer[error]
	var working sync.WaitGroup
	room := make(chan struct{}, endWorkers)
	for _, what := range taken {
		room <- struct{}{}
		if failed.Load() != nil || e.ctx.Err() != nil {
			break
		}
		working.Go(func() {
			defer func() { <-room }()
			ctx, cancel := context.WithTimeout(e.ctx, endTimeout)
			defer cancel()
			if err := e.run(ctx, what); err != nil {
				failed.Store(&err)
				return
			}
			e.drop(ctx, what)
		})
	}
	working.Wait()
	switch why := failed.Load(); {
	case why != nil:
		e.tell(e.waits, atRabbitMQ, *why)
	case len(taken) > 0:
		e.tell(e.waits, atRabbitMQ, nil)
	}
	return len(taken) == endChunk && failed.Load() == nil && e.ctx.Err() == nil
}

// atRabbitMQ is where connections are ended, for the log.
const atRabbitMQ = "RabbitMQ"

// tell tells the log whether something fails.
func (e *ends) tell(o *outage, where string, err error) {
	switch {
	case err == nil:
		o.works(where)
	case e.ctx.Err() == nil:
		o.fails(where, err)
	}
}
