package suite

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/kiiweb/kiiweb/bench/replay"
)

// Flooded is how a client got through more messages than its page handles.
type Flooded struct {
	Received, Dropped int
	Before, Peak      int // bytes of memory that the renderer shares with no other
}

// look is how often memory is read in a flood. To read it holds the process up for a moment.
const look = 50 * time.Millisecond

// Flood sends the client n messages as fast as it takes them, to a handler that takes its time with each. It is an
// error when they were not handled in order, or not all either handled or told to be dropped,
// and at QoS 1 when any was dropped.
func (a *Act) Flood(ctx context.Context, shape replay.Shape, n int, work time.Duration) (got Flooded, err error) {
	if n > replay.Period {
		return got, fmt.Errorf("messages are numbered up to %d", replay.Period)
	}
	err = a.perform(ctx, shape, func(ctx context.Context, b burst) error {
		before, err := a.tab.Memory(ctx)
		if err != nil {
			return err
		}
		got.Before, got.Peak = before.Private, before.Private
		plan := b.stream.Plan(n)
		page := make(chan error, 1)
		var count struct{ Received, Dropped, Wrong int }
		go func() {
			page <- a.call(ctx, "flood", map[string]any{"messages": plan.Messages, "micros": work.Microseconds()}, &count)
		}()
		if err := a.await(ctx, "bench.flooding === true"); err != nil {
			return errors.Join(err, <-page)
		}
		sent := make(chan error, 1)
		go func() {
			_, err := b.session.Replay(ctx, b.stream, plan.Messages)
			sent <- err
		}()
		if err := a.peak(page, &got.Peak); err != nil {
			return errors.Join(err, <-sent)
		}
		if err := <-sent; err != nil {
			return err
		}
		got.Received, got.Dropped = count.Received, count.Dropped
		if count.Wrong > 0 || got.Received+got.Dropped != plan.Messages || shape.QoS > 0 && got.Dropped > 0 {
			return fmt.Errorf("%w: of %d messages %d were handled, %d of them out of turn, and %d dropped",
				errInexact, plan.Messages, got.Received, count.Wrong, got.Dropped)
		}
		return nil
	})
	return got, err
}

// peak watches the renderer's memory until the page is done.
func (a *Act) peak(page <-chan error, peak *int) error {
	for {
		select {
		case err := <-page:
			return err
		case <-time.After(look):
		}
		now, err := a.tab.Private()
		if err != nil {
			return errors.Join(err, <-page)
		}
		*peak = max(*peak, now)
	}
}
