package suite

import (
	"context"
	"fmt"

	"github.com/kiiweb/kiiweb/bench/browser"
	"github.com/kiiweb/kiiweb/bench/replay"
)

// Step is where a page stands after a number of messages in all.
type Step struct {
	Messages int
	Received Received // of the messages since the step before
	Memory   browser.Memory
}

// Grow has the client receive more and more messages on one connection, up to each of the
// sums, and looks at its page after each.
func (a *Act) Grow(ctx context.Context, shape replay.Shape, sums []int) (steps []Step, err error) {
	err = a.perform(ctx, shape, func(ctx context.Context, b burst) error {
		got := 0
		for _, sum := range sums {
			r, err := b.run(ctx, sum-got, false)
			if err != nil {
				return fmt.Errorf("up to %d messages: %w", sum, err)
			}
			got += r.Messages
			m, err := a.tab.Memory(ctx)
			if err != nil {
				return err
			}
			steps = append(steps, Step{got, r, m})
		}
		return nil
	})
	return steps, err
}

// Large has the client receive n small messages, a large one, and n small ones again, and reads what its
// page holds before and after that.
func (a *Act) Large(ctx context.Context, size, n int) (before, after browser.Memory, err error) {
	small := replay.Shape{QoS: 1, Payload: 64, Frames: replay.Large}
	err = a.perform(ctx, small, func(ctx context.Context, b burst) error {
		if _, err := b.run(ctx, n, false); err != nil {
			return err
		}
		if before, err = a.tab.Memory(ctx); err != nil {
			return err
		}
		large := b
		if large.stream, err = a.stage.stream(b.session.Version(), replay.Shape{QoS: 1, Payload: size, Period: 1}); err != nil {
			return err
		}
		if _, err := large.run(ctx, 1, false); err != nil {
			return fmt.Errorf("%d bytes: %w", size, err)
		}
		if _, err := b.run(ctx, n, false); err != nil {
			return err
		}
		after, err = a.tab.Memory(ctx)
		return err
	})
	return before, after, err
}
