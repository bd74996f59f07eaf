package suite

import (
	"context"
	"maps"
	"slices"

	"github.com/kiiweb/kiiweb/bench/replay"
)

// countCalls has the page count what the module calls of JavaScript, from its start on.
const countCalls = `(() => {
	const instantiate = WebAssembly.instantiate;
	globalThis.calls = {};
	WebAssembly.instantiate = (module, imports) => {
		for (const [name, f] of Object.entries(imports.gojs)) {
			imports.gojs[name] = (sp) => { calls[name] = (calls[name] ?? 0) + 1; return f(sp); };
		}
		return instantiate(module, imports);
	};
	return true;
})()`

// crossings sets the count to nothing, plays, and gives the calls by name for each of n things.
func (a *Act) crossings(ctx context.Context, n int, play func() error) ([]Group, error) {
	if err := a.tab.Eval(ctx, "(calls = {}, true)", nil); err != nil {
		return nil, err
	}
	if err := play(); err != nil {
		return nil, err
	}
	var calls map[string]float64
	if err := a.tab.Eval(ctx, "calls", &calls); err != nil {
		return nil, err
	}
	var list []Group
	for _, name := range slices.Sorted(maps.Keys(calls)) {
		list = append(list, Group{name, calls[name] / float64(n)})
	}
	sortGroups(list)
	return list, nil
}

// CrossingsReceive counts how often the module calls JavaScript for each frame that comes. That does
// not depend on how busy the machine is. The client is kiiweb with its module in the page, not online yet.
func (a *Act) CrossingsReceive(ctx context.Context, shape replay.Shape, frames int) (calls []Group, err error) {
	if err := a.tab.Eval(ctx, countCalls, nil); err != nil {
		return nil, err
	}
	err = a.perform(ctx, shape, func(ctx context.Context, b burst) error {
		n := frames * b.stream.Plan(1).Messages
		if _, err := b.run(ctx, n, false); err != nil { // once before, so that all has begun
			return err
		}
		calls, err = a.crossings(ctx, b.stream.Plan(n).Frames, func() error {
			_, err := b.run(ctx, n, false)
			return err
		})
		return err
	})
	return calls, err
}

// CrossingsPublish does so for each of n messages that are published.
func (a *Act) CrossingsPublish(ctx context.Context, qos byte, n int) (calls []Group, err error) {
	if err := a.tab.Eval(ctx, countCalls, nil); err != nil {
		return nil, err
	}
	err = a.perform(ctx, replay.Shape{Payload: 64}, func(ctx context.Context, b burst) error {
		s := sending{a, b.session, qos}
		if _, err := s.run(ctx, n, n); err != nil {
			return err
		}
		calls, err = a.crossings(ctx, n, func() error {
			_, err := s.run(ctx, n, 2*n)
			return err
		})
		return err
	})
	return calls, err
}
