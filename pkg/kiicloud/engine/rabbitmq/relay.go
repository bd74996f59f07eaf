package rabbitmq

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/kiiweb/kiiweb/pkg/kiicloud/store"
)

const (
	relayPatience = 5 * time.Second  // how long who has stored events waits until RabbitMQ has them
	relayEvery    = 5 * time.Second  // between looks for what was left behind
	relayAge      = 10 * time.Second // what is younger is somebody's work
	relayChunk    = 100              // pushes, or installations, that are read at once
	relayWorkers  = 16
)

// relay carries pushes that were stored in a transaction over to RabbitMQ, in order for each installation: what
// it is told of at once, and what a process has left behind, or the embedded engine, after a while. Two
// processes may carry the same push; both do it in order, and receivers drop the repeat.
type relay struct {
	store   Store
	forward func(context.Context, store.Installation, store.Push) error
	waits   *outage // of who has events that RabbitMQ does not take
	looks   *outage // of the looks for what was left behind

	ctx  context.Context
	stop context.CancelFunc
	wg   sync.WaitGroup
	work chan struct{} // one for each that is being carried

	mu   sync.Mutex
	busy map[string]*carrying // by installation
}

// carrying is the work for one installation.
type carrying struct {
	done chan struct{} // closed when nothing is left, or it failed
	more bool          // something was added meanwhile
}

func startRelay(s Store, forward func(context.Context, store.Installation, store.Push) error, log *slog.Logger) *relay {
	r := &relay{store: s, forward: forward, work: make(chan struct{}, relayWorkers), busy: map[string]*carrying{},
		waits: newOutage(log, "events wait for RabbitMQ", "installation"), looks: newOutage(log, "what waits for RabbitMQ cannot be looked for", "in")}
	r.ctx, r.stop = context.WithCancel(context.Background())
	r.wg.Go(r.sweep)
	return r
}

// close ends the work; what is left stays in the store.
func (r *relay) close() {
	r.stop()
	r.wg.Wait()
}

// carry carries all that is stored for these installations, and waits for that, but not longer than patience.
func (r *relay) carry(to []store.Installation, patience time.Duration) {
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	started := make([]*carrying, 0, len(to))
	for _, inst := range to {
		if c := r.start(inst); c != nil {
			started = append(started, c)
		}
	}
	for _, c := range started {
		select {
		case <-c.done:
		case <-deadline.C:
			return
		}
	}
}

// start has somebody carry what there is for inst. nil: the engine is shut down.
func (r *relay) start(inst store.Installation) *carrying {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ctx.Err() != nil {
		return nil
	}
	if c := r.busy[inst.ID]; c != nil {
		c.more = true
		return c
	}
	c := &carrying{done: make(chan struct{})}
	r.busy[inst.ID] = c
	r.wg.Go(func() {
		defer close(c.done)
		r.run(inst, c)
	})
	return c
}

func (r *relay) run(inst store.Installation, c *carrying) {
	select {
	case r.work <- struct{}{}:
		defer func() { <-r.work }()
	case <-r.ctx.Done():
	}
	for {
		left, err := r.chunk(inst)
		switch {
		case err == nil:
			r.waits.works(inst.ID)
		case r.ctx.Err() == nil:
			r.waits.fails(inst.ID, err)
		}
		if err == nil && left {
			continue
		}
		r.mu.Lock()
		again := c.more && err == nil
		c.more = false
		if !again {
			delete(r.busy, inst.ID)
		}
		r.mu.Unlock()
		if !again {
			return
		}
	}
}

// chunk carries the next pushes. left tells that there may be others.
func (r *relay) chunk(inst store.Installation) (left bool, err error) {
	if err := r.ctx.Err(); err != nil {
		return false, err
	}
	ctx, cancel := context.WithTimeout(r.ctx, confirmTimeout)
	defer cancel()
	pushes, err := r.store.Pending(ctx, inst.ID, 0, relayChunk)
	if err != nil {
		return false, err
	}
	var gone []int64
	for _, p := range pushes {
		if err = r.forward(r.ctx, inst, p); err != nil {
			break
		}
		gone = append(gone, p.Seq)
	}
	if len(gone) > 0 {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(r.ctx), confirmTimeout)
		defer cancel()
		if failed := r.store.Acknowledge(ctx, map[string][]int64{inst.ID: gone}); failed != nil {
			return false, failed
		}
	}
	return len(pushes) == relayChunk, err
}

// sweep looks for what was left behind.
func (r *relay) sweep() {
	for {
		pause(r.ctx, relayEvery/2+rand.N(relayEvery)) // the processes of a cloud take turns, roughly
		if r.ctx.Err() != nil {
			return
		}
		switch err := r.once(); {
		case err == nil:
			r.looks.works(inStore)
		case r.ctx.Err() == nil:
			r.looks.fails(inStore, err)
		}
	}
}

// inStore is where is looked, for the log.
const inStore = "the store"

func (r *relay) once() error {
	begun, tried := time.Now(), map[string]bool{}
	for after := ""; ; {
		ctx, cancel := context.WithTimeout(r.ctx, confirmTimeout)
		found, err := r.store.Waiting(ctx, time.Now().Add(-relayAge), after, relayChunk)
		cancel()
		if err != nil {
			return err
		}
		if len(found) == 0 { // uninstalled, or carried by another process
			r.waits.gone(begun.Add(-relayAge), tried)
			return nil
		}
		for _, inst := range found {
			tried[inst.ID] = true
		}
		r.carry(found, time.Minute)
		after = found[len(found)-1].ID
	}
}
