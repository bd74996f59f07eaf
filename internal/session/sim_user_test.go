package session

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/kiiweb/kiiweb/internal/fault"
)

// user is the application's calls, and what is to come of them.
type user struct {
	w       *world
	calls   []*called
	filters map[string]*wish
}

// called is one call.
type called struct {
	name   string
	qos    byte
	cancel context.CancelFunc
	done   bool
	err    error
	gaveUp bool // its context has ended
}

// wish is what the latest requests about a topic filter make of it.
type wish struct {
	latest *called
	on     bool
	unsure bool // the latest one has failed, or the broker may have refused it
}

// call runs f in a goroutine of its own and notes how it ends.
func (u *user) call(name string, f func(context.Context) error) *called {
	ctx, cancel := context.WithCancel(context.Background())
	c := &called{name: name, cancel: cancel}
	u.calls = append(u.calls, c)
	go func() {
		defer cancel()
		err := f(ctx)
		u.w.mu.Lock()
		defer u.w.mu.Unlock()
		c.done, c.err, c.gaveUp = true, err, ctx.Err() != nil
		u.w.note("  %s: %v", name, err)
	}()
	return c
}

func (u *user) publish(n int) {
	name, qos := fmt.Sprintf("u%d", n), byte(u.w.r.IntN(3))
	size := len(name)
	if u.w.chance(12) {
		size = 250
	}
	c := u.call(name, func(ctx context.Context) error {
		return u.w.s.Publish(ctx, Message{Topic: "out", Payload: []byte(name + strings.Repeat(".", size-len(name))), QoS: qos})
	})
	c.qos = qos
}

func (u *user) ask(filter string, on bool) {
	qos := byte(u.w.r.IntN(3))
	c := u.call(fmt.Sprintf("subscribe %s %v", filter, on), func(ctx context.Context) error {
		if on {
			_, err := u.w.s.Subscribe(ctx, filter, qos)
			return err
		}
		return u.w.s.Unsubscribe(ctx, filter)
	})
	u.filters[filter] = &wish{latest: c, on: on, unsure: u.w.bursting || u.filters[filter] != nil && u.filters[filter].unsure}
}

// cancel has a call give up that is under way.
func (u *user) cancel() {
	for _, c := range u.calls {
		if !c.done && u.w.chance(2) {
			c.cancel()
			return
		}
	}
}

// settled tells whether all calls have come back.
func (u *user) settled() bool {
	for _, c := range u.calls {
		if !c.done {
			return false
		}
	}
	return true
}

// judge holds what the calls said against what the broker has.
func (u *user) judge() {
	for _, c := range u.calls {
		if !strings.HasPrefix(c.name, "u") {
			continue
		}
		came := 0
		for name, n := range u.w.arrived {
			if strings.TrimRight(name, ".") == c.name {
				came = n
			}
		}
		text := ""
		if c.err != nil {
			text = c.err.Error()
		}
		switch {
		case c.err == nil && c.qos > 0 && came == 0:
			u.w.fail("%s was confirmed at QoS %d and has not arrived", c.name, c.qos)
		case c.qos == 2 && came > 1 && u.w.forgotten == 0 || c.qos == 0 && came > 1:
			u.w.fail("%s has arrived %d times at QoS %d", c.name, came, c.qos)
		case came > 0 && (fault.CodeOf(c.err) == fault.QueueFull || strings.Contains(text, "could not be sent")):
			u.w.fail("%s has arrived, and its error is %v", c.name, c.err)
		}
	}
}

// judgeFilters does so for subscriptions, once the session is online and at rest.
func (u *user) judgeFilters() {
	k := u.w.broker.session
	if k == nil {
		u.w.fail("the session is online, and the broker has none")
		return
	}
	if _, ok := k.filters["me"]; !ok {
		u.w.fail("the own subscription is not there")
	}
	for filter, wish := range u.filters {
		if _, there := k.filters[filter]; !wish.unsure && wish.latest.err == nil && there != wish.on {
			u.w.fail("subscribed to %s: %v, and it was %v that was asked for and confirmed", filter, there, wish.on)
		}
	}
}

// nap is a length of time at random: mostly short.
func (w *world) nap() time.Duration {
	return []time.Duration{time.Millisecond, 300 * time.Millisecond, time.Second, 3 * time.Second, 11 * time.Second, 45 * time.Second, 4 * time.Minute}[w.r.IntN(7)]
}
