package engine

import (
	"context"
	"log/slog"
	"maps"
	"sync"
	"time"
)

// settleDelay is how long an acknowledgement waits for others, to share a transaction with them, and
// for a push to many to be delivered, which it would hold up. Nobody waits for it, and a crash meanwhile
// repeats the push, as one does at any time.
const settleDelay = 50 * time.Millisecond

// keepSettled is how many places a settlement may have to be remembered until the next one.
const keepSettled = 4096

// settler tells the queue what the clients of all connections have acknowledged. A goroutine
// does it, while there is something to tell.
type settler struct {
	queue Queue
	log   *slog.Logger

	mu      sync.Mutex
	now     *settlement // being told; nil: none
	next    *settlement // gathering; nil: none
	last    *settlement // that was told; nil where it was large, for the memory's sake
	running bool
	closed  bool
	wg      sync.WaitGroup
}

// settlement is what the queue is told at once: places, by installation.
type settlement struct {
	places map[string][]int64
	n      int           // of places
	hurry  chan struct{} // closed when somebody waits for it
	done   chan struct{} // closed when it was tried
	err    error         // how that went
}

func newSettler(queue Queue, log *slog.Logger) *settler { return &settler{queue: queue, log: log} }

// add notes places in an installation's queue that it need not keep any more.
func (s *settler) add(installation string, seqs ...int64) {
	if len(seqs) == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gather(installation, seqs)
	if !s.running {
		s.running = true
		s.wg.Add(1)
		go s.run()
	}
}

// gather adds to the next settlement. The caller holds mu.
func (s *settler) gather(installation string, seqs []int64) {
	if s.next == nil {
		s.next = &settlement{places: map[string][]int64{}, hurry: make(chan struct{}), done: make(chan struct{})}
		if s.closed {
			close(s.next.hurry)
		}
	}
	s.next.n += len(seqs)
	s.next.places[installation] = append(s.next.places[installation], seqs...)
}

// flush returns when everything that was added before has been tried, with the error of that.
// What fails is tried again later.
func (s *settler) flush() error {
	s.mu.Lock()
	now, next := s.now, s.next
	if next != nil {
		next.hasten()
	}
	s.mu.Unlock()
	var err error
	for _, t := range []*settlement{now, next} {
		if t != nil {
			<-t.done
			err = t.err
		}
	}
	return err
}

// hasten ends the wait for more. The caller holds the settler's mu.
func (t *settlement) hasten() {
	select {
	case <-t.hurry:
	default:
		close(t.hurry)
	}
}

// close returns when all was tried, and nothing is tried again.
func (s *settler) close() {
	s.mu.Lock()
	s.closed = true
	if s.next != nil {
		s.next.hasten()
	}
	s.mu.Unlock()
	s.wg.Wait()
}

func (s *settler) run() {
	defer s.wg.Done()
	for delay := settleDelay; ; {
		t := s.begin(delay)
		if t == nil {
			return
		}
		ctx, cancel := context.WithTimeout(context.Background(), storeTimeout)
		t.err = s.queue.Acknowledge(ctx, t.places)
		cancel()
		if delay = settleDelay; t.err != nil {
			delay = storeRetry
		}
		s.end(t)
	}
}

// begin waits for company and gives what to tell now, nil when there is nothing.
func (s *settler) begin(delay time.Duration) *settlement {
	s.mu.Lock()
	t := s.next
	if t == nil {
		s.running = false
	}
	s.mu.Unlock()
	if t == nil {
		return nil
	}
	wait := time.NewTimer(delay)
	defer wait.Stop()
	select {
	case <-wait.C:
	case <-t.hurry:
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now, s.next = t, nil
	return t
}

// end answers those who wait for t, and keeps what failed.
func (s *settler) end(t *settlement) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now, s.last = nil, nil
	switch {
	case t.err == nil && t.n <= keepSettled:
		s.last = t
	case t.err == nil:
	case s.closed:
		s.log.Warn("acknowledged pushes may be repeated", "error", t.err, "installations", len(t.places))
	default:
		s.log.Warn("the store does not take acknowledgements; trying again", "error", t.err, "in", storeRetry)
		for installation, seqs := range maps.All(t.places) {
			s.gather(installation, seqs)
		}
	}
	close(t.done)
}
