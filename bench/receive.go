package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/kiiweb/kiiweb/bench/replay"
	"github.com/kiiweb/kiiweb/bench/suite"
)

// sizes are how many messages of 64 bytes make a burst; of 1 KiB in large frames, a quarter. They are long enough for
// what is done once for each burst to be a small part, and short enough for several.
var sizes = map[replay.Coalescing]int{replay.OnePacket: 4_000, replay.Small: 12_000, replay.Large: 32_000}

// burstsSingle and bursts are how many a client has in a round: with one packet per frame, where the browser, its network's
// process and the scheduler decide and one burst may take half as long again as the next, and with several.
const burstsSingle, bursts = 4, 2

var forms = []replay.Coalescing{replay.OnePacket, replay.Small, replay.Large}

func caseOf(s replay.Shape) string {
	size := "64 B"
	if s.Payload == 1024 {
		size = "1 KiB"
	}
	return fmt.Sprintf("%s, QoS %d, %v", size, s.QoS, s.Frames)
}

// burst is how many messages of a shape there are in a burst.
func (r *runner) burst(s replay.Shape) int {
	n := r.scaled(sizes[s.Frames])
	if s.Payload > 64 && s.Frames != replay.OnePacket {
		n /= 4
	}
	return max(1, n)
}

// receiveShapes are all forms in which messages are received.
func receiveShapes() []replay.Shape {
	var shapes []replay.Shape
	for _, payload := range []int{64, 1024} {
		for qos := range byte(2) {
			for _, frames := range forms {
				shapes = append(shapes, replay.Shape{QoS: qos, Payload: payload, Frames: frames})
			}
		}
	}
	return shapes
}

// receiveSingle is how fast messages are received that come one in a frame.
func (r *runner) receiveSingle(ctx context.Context, c *company) error {
	return r.receiveAll(ctx, c, burstsSingle, func(f replay.Coalescing) bool { return f == replay.OnePacket })
}

// receive is how fast messages are received that come several in a frame.
func (r *runner) receive(ctx context.Context, c *company) error {
	return r.receiveAll(ctx, c, bursts, func(f replay.Coalescing) bool { return f != replay.OnePacket })
}

// receiveAll has so many bursts in all forms whose frames fit and that the options name.
func (r *runner) receiveAll(ctx context.Context, c *company, bursts int, fits func(replay.Coalescing) bool) error {
	for _, shape := range receiveShapes() {
		if !fits(shape.Frames) || !r.options.forms.MatchString(caseOf(shape)) {
			continue
		}
		if err := r.receiveInTurns(ctx, c, shape, bursts); err != nil {
			return err
		}
	}
	return nil
}

// receiveInTurns has all clients online at once, and each gets a burst in each turn. Half of one, at first, warms up and
// does not count.
func (r *runner) receiveInTurns(ctx context.Context, c *company, shape replay.Shape, bursts int) (err error) {
	kase, n := caseOf(shape), r.burst(shape)
	joined := make(map[*suite.Act]*suite.Joined)
	defer func() {
		for act, j := range joined {
			if left := j.Leave(ctx); slices.Contains(c.acts, act) { // else it has failed, and was told of
				err = errors.Join(err, left)
			}
		}
	}()
	err = c.each(ctx, everybody, "joining for "+kase, func(a *suite.Act) error {
		j, err := a.Join(ctx, shape, max(1, n/2))
		if err == nil {
			joined[a] = j
		}
		return err
	})
	if err != nil {
		return err
	}
	return c.turns(ctx, everybody, kase, bursts, func(a *suite.Act) error {
		got, err := joined[a].Receive(ctx, n)
		if err == nil {
			r.received(receiveCPU, receiveMain, receiveWall, kase, a, got)
		}
		return err
	})
}
