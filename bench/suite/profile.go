package suite

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/kiiweb/kiiweb/bench/replay"
)

// Spent is the time that a function was found at the top of the stack.
type Spent struct {
	Function string
	Self     time.Duration
}

// profile is a CPU profile as the Profiler domain gives it.
type profile struct {
	Nodes      []node
	Samples    []int
	TimeDeltas []int64 // microseconds
}

// node is a function on one way to it.
type node struct {
	ID        int
	CallFrame struct{ FunctionName, URL string }
}

// sampling is the distance of the profiler's samples, in microseconds.
const sampling = 200

// ProfileReceive measures where the page's thread spends its time while n messages come, longest first.
func (a *Act) ProfileReceive(ctx context.Context, shape replay.Shape, warm, n int) (spent []Spent, err error) {
	err = a.perform(ctx, shape, func(ctx context.Context, b burst) error {
		if _, err := b.run(ctx, warm, false); err != nil {
			return err
		}
		spent, err = a.profile(ctx, func() error {
			_, err := b.run(ctx, n, false)
			return err
		})
		return err
	})
	return spent, err
}

// ProfilePublish does so while the page publishes n messages.
func (a *Act) ProfilePublish(ctx context.Context, qos byte, warm, n int) (spent []Spent, err error) {
	err = a.perform(ctx, replay.Shape{Payload: 64}, func(ctx context.Context, b burst) error {
		s := sending{a, b.session, qos}
		if _, err := s.run(ctx, warm, warm); err != nil {
			return err
		}
		spent, err = a.profile(ctx, func() error {
			_, err := s.run(ctx, n, warm+n)
			return err
		})
		return err
	})
	return spent, err
}

// profile has the profiler watch the page's thread during play.
func (a *Act) profile(ctx context.Context, play func() error) ([]Spent, error) {
	for _, step := range []struct {
		method string
		params any
	}{
		{"Profiler.enable", nil},
		{"Profiler.setSamplingInterval", map[string]any{"interval": sampling}},
		{"Profiler.start", nil},
	} {
		if err := a.tab.Call(ctx, step.method, step.params, nil); err != nil {
			return nil, err
		}
	}
	if err := play(); err != nil {
		return nil, err
	}
	var got struct{ Profile profile }
	if err := a.tab.Call(ctx, "Profiler.stop", nil, &got); err != nil {
		return nil, err
	}
	return got.Profile.selfTimes(), a.tab.Call(ctx, "Profiler.disable", nil, nil)
}

// selfTimes adds up the samples by function.
func (p profile) selfTimes() []Spent {
	names := make(map[int]string)
	for _, n := range p.Nodes {
		name := n.CallFrame.FunctionName
		if name == "" {
			name = "(anonymous)"
		}
		if i := strings.LastIndexByte(n.CallFrame.URL, '/'); i >= 0 && !strings.Contains(n.CallFrame.URL, "wasm") {
			name += " " + n.CallFrame.URL[i+1:]
		}
		names[n.ID] = name
	}
	sums := make(map[string]time.Duration)
	for i, id := range p.Samples {
		if i+1 < len(p.TimeDeltas) { // a sample lasts until the next one
			sums[names[id]] += time.Duration(p.TimeDeltas[i+1]) * time.Microsecond
		}
	}
	var list []Spent
	for name, self := range sums {
		list = append(list, Spent{name, self})
	}
	slices.SortFunc(list, func(x, y Spent) int { return cmp.Or(cmp.Compare(y.Self, x.Self), cmp.Compare(x.Function, y.Function)) })
	return list
}
