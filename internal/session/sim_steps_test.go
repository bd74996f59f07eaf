package session

import (
	"errors"
	"fmt"
	"testing/synctest"
	"time"

	"github.com/kiiweb/kiiweb/internal/fault"
	"github.com/kiiweb/kiiweb/internal/mqtt"
	"github.com/kiiweb/kiiweb/internal/transport"
)

// step does one thing that the dice choose.
func (w *world) step(n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	dice := w.r.IntN(100)
	switch {
	case dice < 30:
		w.pump(w.chance(3))
	case dice < 44:
		w.user.publish(n)
	case dice < 50:
		w.user.ask([]string{"more/a", "more/b"}[w.r.IntN(2)], !w.chance(4))
	case dice < 66:
		w.brokerPublishes(n)
	case dice < 72:
		w.busy = !w.busy && w.chance(2)
		w.note("handlers are busy: %v", w.busy)
		w.moved.Broadcast()
	case dice < 80:
		w.fault()
	case dice < 86:
		w.trouble()
	case dice < 88:
		w.user.cancel()
	case dice < 90:
		go w.s.Wake("the dice")
	case dice == 90:
		go w.s.Pause("the dice")
	case dice < 93:
		w.note("take back")
		go func() { _ = w.s.TakeBack() }()
	case dice == 93:
		w.sleep()
	case dice == 94:
		w.jump()
	default:
		w.pass(w.nap(), w.chance(2))
	}
}

// pass lets time pass, with a network that works or one that stands still.
func (w *world) pass(d time.Duration, live bool) {
	w.note("%v pass, network %v", d, live)
	steps := 1
	if live {
		steps = max(1, int(d/(400*time.Millisecond)))
	}
	for range steps {
		w.mu.Unlock()
		time.Sleep(d / time.Duration(steps))
		synctest.Wait()
		w.mu.Lock()
		if live {
			w.pump(false)
		}
		if p := w.broker.peer; !live || w.bursting || p == nil || p.c.stalled || p.c.silent || !p.c.live() {
			w.stood = w.nanos()
		}
		if w.broker.peer != nil {
			w.broker.peer.overdue()
		}
	}
}

// pump brings bytes along on all connections, or some of them.
func (w *world) pump(some bool) {
	for _, c := range w.wires {
		up, down := len(c.up), len(c.down)
		if some {
			up, down = w.r.IntN(up+1), w.r.IntN(down+1)
		}
		if !c.stalled {
			c.pumpUp(up)
		}
		c.pumpDown(down)
	}
}

func (w *world) brokerPublishes(n int) {
	same := w.chance(4) // a push in several copies, as by overlapping subscriptions
	for i := range 1 + w.r.IntN(4) {
		m := &item{name: fmt.Sprintf("b%d", n*10+i), topic: []string{"me", "me", "more/a", "more/b"}[w.r.IntN(4)], qos: byte(w.r.IntN(3))}
		if w.chance(15) {
			m.size = []int{400, 1000}[w.r.IntN(2)]
		}
		if same && m.size < 400 {
			m.push = fmt.Sprintf("push-%d", n)
		} else if m.size < 400 && w.chance(4) {
			m.push = fmt.Sprintf("push-%d", n-w.r.IntN(2))
		}
		w.broker.publish(m)
	}
}

// fault is something that the network does.
func (w *world) fault() {
	if len(w.wires) == 0 {
		return
	}
	c := w.wires[len(w.wires)-1]
	switch w.r.IntN(6) {
	case 0, 1:
		if c.live() {
			w.note("cut of connection %d", c.n)
			c.cut([]error{&transport.CloseError{Code: 1006}, &transport.CloseError{Cause: errReset}, errReset}[w.r.IntN(3)])
		}
	case 2:
		w.note("connection %d swallows", c.n)
		c.swallow()
	case 3:
		c.stalled = !c.stalled
		w.note("connection %d is stalled: %v", c.n, c.stalled)
		w.moved.Broadcast()
	case 4:
		if c.live() {
			w.note("connection %d is cut here, and the broker is not told", c.n)
			c.up, c.down, c.end = nil, nil, &transport.CloseError{Code: 1006}
			w.moved.Broadcast()
		}
	case 5:
		w.dialErr, w.dialSlow = w.obstacle()
		w.note("dial: %v, %v", w.dialErr, w.dialSlow)
	}
}

// obstacle is what is in the way of a request: nothing half of the time.
func (w *world) obstacle() (failure error, wait time.Duration) {
	switch w.r.IntN(4) {
	case 0:
		failure = fault.New(fault.Network, "no way")
	case 1:
		wait = w.nap()
	}
	return failure, wait
}

// trouble is something that the broker or the endpoint's server does.
func (w *world) trouble() {
	b := w.broker
	switch w.r.IntN(11) {
	case 0:
		w.note("the broker restarts")
		b.end(mqtt.ServerShuttingDown, &transport.CloseError{Code: []int{1001, 1006, 1012}[w.r.IntN(3)]})
	case 1:
		w.note("the broker loses the session")
		b.end(mqtt.ServerShuttingDown, &transport.CloseError{Code: 1006})
		b.forget()
	case 2:
		w.note("another client takes over")
		b.end(mqtt.SessionTakenOver, &transport.CloseError{Code: 1006})
	case 3:
		b.refuse = w.refusal()
		w.note("the broker refuses with %v", b.refuse)
	case 4:
		b.deaf = !b.deaf
		w.note("the broker is deaf to SUBSCRIBE: %v", b.deaf)
	case 5:
		filter := []string{"more/a", "more/b"}[w.r.IntN(2)]
		b.rude[filter] = !b.rude[filter]
		w.user.doubt(filter)
		w.note("the broker refuses %s: %v", filter, b.rude[filter])
	case 6:
		w.fetchErr, w.fetchSlow = w.obstacle()
		w.note("endpoint: %v, %v", w.fetchErr, w.fetchSlow)
	case 7:
		if b.session != nil && b.peer != nil {
			w.note("the broker blames what was sent")
			b.end(mqtt.TopicNameInvalid, &transport.CloseError{Code: 1003})
			clear(b.session.uses)
		}
	case 8:
		if b.peer != nil {
			w.note("the broker closes without a word")
			b.end(mqtt.Success, errors.New("EOF"))
		}
	case 9:
		w.dismiss()
	case 10:
		w.misbehave()
	}
}

// doubt notes that nobody knows what becomes of a filter.
func (u *user) doubt(filter string) {
	if u.filters[filter] == nil {
		u.filters[filter] = &wish{latest: &called{done: true, err: errReset}}
	}
	u.filters[filter].unsure = true
}

// sleep has the machine stand still: the loop comes to nothing, and finds its timer late.
func (w *world) sleep() {
	w.note("the machine sleeps")
	gate := make(chan struct{})
	go w.s.post(func(*loop) { <-gate })
	w.pass(time.Hour, false)
	close(gate)
}

// burst has some things happen while the loop is busy, so that it finds them all at once.
func (w *world) burst(n int) {
	gate := make(chan struct{})
	go w.s.post(func(*loop) { <-gate })
	synctest.Wait()
	w.bursting = true
	for i := range 1 + w.r.IntN(4) {
		w.step(n + i)
	}
	w.bursting = false
	close(gate)
	synctest.Wait()
}

// heal ends all faults and troubles.
func (w *world) heal() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.note("HEAL")
	w.dialErr, w.dialSlow, w.fetchErr, w.fetchSlow, w.busy = nil, 0, nil, 0, false
	b := w.broker
	b.refuse, b.deaf = mqtt.Success, false
	clear(b.rude)
	for _, c := range w.wires {
		c.stalled = false
		if c.silent && c.live() {
			c.cut(&transport.CloseError{Code: 1006})
		}
	}
	w.moved.Broadcast()
}
