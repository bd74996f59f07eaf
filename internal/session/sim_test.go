package session

// A simulation: a session between an application, a network and a broker that do what a seed
// says, in a bubble of testing/synctest, where time costs nothing. TestSimulation plays many of them:
//
//	go test ./internal/session -run TestSimulation -seeds 20000    # more of them
//	go test ./internal/session -run TestSimulation -seed 17 -v     # one, with its log
//
// sim_wire_test.go is the network, sim_broker_test.go and sim_packets_test.go the broker, which judges what
// the session sends, sim_user_test.go the application's calls, sim_world_test.go its hooks, and
// sim_steps_test.go what may happen, with what a broker and a clock should not do in sim_mischief_test.go. A seed that fails is played again with fewer steps, until
// the fewest that fail are found. What a seed does not say is the order in which the loop takes in what is ready at the same
// time, as in a burst: a seed that fails once is played several times.

import (
	"context"
	"flag"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kiiweb/kiiweb/internal/fault"
)

var (
	seeds   = flag.Int("seeds", 300, "how many seeds TestSimulation plays")
	oneSeed = flag.Int("seed", -1, "the only seed that it plays")
)

// simSteps is how many things happen before everything is made good.
const simSteps = 80

func TestSimulation(t *testing.T) {
	first, count := 0, *seeds
	if *oneSeed >= 0 {
		first, count = *oneSeed, 1
	}
	for seed := first; seed < first+count; seed++ {
		failed, log := simulate(t, uint64(seed), simSteps)
		if failed == "" {
			if *oneSeed >= 0 {
				t.Log(strings.Join(log, "\n"))
			}
			continue
		}
		steps := simSteps
		for least := 0; least < steps; { // the fewest steps
			half := (least + steps) / 2
			if f, l := simulate(t, uint64(seed), half); f != "" {
				steps, failed, log = half, f, l
			} else {
				least = half + 1
			}
		}
		t.Errorf("seed %d, %d steps: %s\n%s", seed, steps, failed, strings.Join(log, "\n"))
		if t.Failed() && *oneSeed >= 0 {
			return
		}
	}
}

// simulate plays a seed and gives the first rule that was broken, "" for none.
func simulate(t *testing.T, seed uint64, steps int) (failed string, log []string) {
	var w *world
	defer func() {
		if v := recover(); v != nil {
			failed, log = fmt.Sprint("panic: ", v), w.log
		}
	}()
	synctest.Test(t, func(*testing.T) {
		w = newWorld(seed)
		w.play(steps)
	})
	return w.failed, w.log
}

func (w *world) play(steps int) {
	synctest.Wait()
	for n := 1; n <= steps && w.broken() == ""; n++ {
		if w.chance(8) {
			w.burst(n * 10)
		} else {
			w.step(n * 10)
			synctest.Wait()
		}
	}
	w.heal()
	if !w.chance(10) { // otherwise it is closed in the middle
		w.recovers()
	}
	w.close()
}

func (w *world) broken() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.failed
}

// recovers demands that a session whose surroundings are sound comes online and has nothing
// left to do, and stays so.
func (w *world) recovers() {
	for round := 0; ; round++ {
		synctest.Wait()
		w.mu.Lock()
		w.pump(false)
		done := w.failed != "" || w.atRest()
		w.mu.Unlock()
		synctest.Wait()
		state := w.s.State()
		switch {
		case done && (state.State == Online || w.broken() != ""):
			w.rests()
			return
		case state.State == Failed || state.State == Closed:
			return
		case round == 4000:
			w.mu.Lock()
			w.fail("the session does not come to rest: %+v, %s", state, w.left())
			w.mu.Unlock()
			return
		case state.State == Displaced:
			_ = w.s.TakeBack()
		case state.RetryIn < 0:
			w.s.Wake("recovery")
		default:
			w.mu.Lock()
			w.pass(time.Second, true)
			w.mu.Unlock()
		}
	}
}

// left says what is not done yet.
func (w *world) left() string {
	var left []string
	for _, c := range w.user.calls {
		if !c.done {
			left = append(left, c.name)
		}
	}
	if k := w.broker.session; k != nil {
		for _, m := range append(k.queue[:len(k.queue):len(k.queue)], k.flight...) {
			left = append(left, m.name)
		}
	}
	return strings.Join(left, ", ")
}

// atRest tells whether nothing is left to do.
func (w *world) atRest() bool { return w.broker.peer != nil && w.left() == "" }

// rests demands that nothing happens for ten minutes, and that everything is as it should be.
func (w *world) rests() {
	w.mu.Lock()
	defer w.mu.Unlock()
	connections := len(w.wires)
	for range 20 {
		w.pass(30*time.Second, true)
	}
	if w.failed != "" {
		return
	}
	if n := len(w.wires); n != connections && w.ttl == 0 {
		w.fail("connection %d ended for no reason", connections)
	}
	w.user.judge()
	w.user.judgeFilters()
	for name, m := range w.accepted {
		if w.acknowledged(m) != nil && m.qos > 0 && !w.lost[name] {
			w.fail("%s at QoS %d was never handled", name, m.qos)
		}
	}
}

// close closes the session and demands that all of it ends.
func (w *world) close() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	closed := make(chan error, 1)
	go func() { closed <- w.s.Close(ctx) }()
	for range 5 {
		synctest.Wait()
		w.mu.Lock()
		w.pass(4*time.Second, true)
		w.mu.Unlock()
	}
	synctest.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	select {
	case err := <-closed:
		if err != nil {
			w.fail("Close: %v", err)
		}
	default:
		w.fail("Close does not return")
	}
	if !w.user.settled() {
		w.fail("a call does not return: %s", w.left())
	}
	if last := w.changes[len(w.changes)-1]; last.State != w.s.State().State || last.State != Closed && last.State != Failed {
		w.fail("the last change is %s, the state %s", last.State, w.s.State().State)
	} else if last.State == Failed && last.Code != fault.BadCredentials && !w.condemned {
		w.fail("the session has failed: %v", last.Err)
	}
}
