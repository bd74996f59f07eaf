//go:build linux

package contract_test

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/mqtt"
	"github.com/kiiweb/kiiweb/pkg/kiicloud/engine"
	"github.com/kiiweb/kiiweb/pkg/kiicloud/engine/rabbitmq"
	"github.com/kiiweb/kiiweb/pkg/kiicloud/guard/guardtest"
	"github.com/kiiweb/kiiweb/pkg/kiicloud/store"
)

// prompt is much less than a push may take that RabbitMQ says nothing about.
const prompt = 5 * time.Second

// refusedOrUnknown tells whether an error lets the sender know that the push was not accepted.
func refusedOrUnknown(err error) bool {
	return errors.Is(err, engine.ErrUnavailable) || errors.Is(err, engine.ErrUnconfirmed)
}

// shortOfMemory: above its limit RabbitMQ reads no pushes. They are refused at once, nothing else is.
func shortOfMemory(l lab) {
	inst := l.install()
	c := l.online(inst)
	require.NoError(l, l.publish(inst, "before"))
	require.Equal(l, "before", received(c))

	crowd, short := l.crowd(8)
	l.b.Ctl("set_vm_memory_high_watermark", "0.0001")
	over := false
	enough := func() {
		if !over {
			over = true
			l.b.Ctl("set_vm_memory_high_watermark", "0.6")
		}
	}
	defer enough()
	require.Eventually(l, func() bool { return l.e.Check(l.ctx()) != nil }, time.Minute, 100*time.Millisecond,
		"/readyz says so, before anything is pushed")
	require.ErrorContains(l, l.e.Check(l.ctx()), "memory")
	short()

	var accepted []string
	var last error
	for i := range 20 { // RabbitMQ takes the first of a connection, and says then that it takes no more
		id, begun := fmt.Sprint("during ", i), time.Now()
		if last = l.publish(inst, id); last == nil {
			accepted = append(accepted, id)
		} else {
			require.True(l, refusedOrUnknown(last), "%v", last)
		}
		require.Less(l, time.Since(begun), prompt)
	}
	require.ErrorIs(l, last, engine.ErrUnavailable)
	l.Logf("accepted while RabbitMQ was short of memory: %v; then: %v", accepted, last)

	c.ExpectAlive()
	l.install()
	gone, err := l.st.DeleteInstallation(l.ctx(), "app", l.install().ID)
	require.NoError(l, err)
	require.NoError(l, l.e.Revoke(l.ctx(), gone))
	_, there := l.queue(gone)
	require.False(l, there)

	enough()
	require.Eventually(l, func() bool { return l.e.Check(l.ctx()) == nil }, time.Minute, 100*time.Millisecond)
	require.Eventually(l, func() bool { return l.publish(inst, "after") == nil }, time.Minute, 100*time.Millisecond)
	for id := ""; id != "after"; {
		id = received(c)
		if len(accepted) > 0 && id == accepted[0] {
			accepted = accepted[1:]
		}
	}
	require.Empty(l, accepted, "an accepted push did not arrive")
	refused := crowd()
	l.Logf("refused or not confirmed in the crowd: %d", refused)
	require.Positive(l, refused)
}

// crowd has pushes flow to n installations, one after the other to each, until the end, which tells how many were not accepted, and
// that those that were have arrived, in order. Until short says that RabbitMQ takes no more, they leave room in their queues; it returns
// when one of them was not accepted.
func (l lab) crowd(n int) (end func() (refused int64), short func()) {
	var flows sync.WaitGroup
	var over, tight atomic.Bool
	var refused atomic.Int64
	all, accepted := make([]store.Installation, n), make([][]string, n)
	for i := range all {
		all[i] = l.install()
		flows.Go(func() {
			for k := 0; !over.Load() && len(accepted[i]) < store.QueueMax/2; k++ {
				for !tight.Load() && !over.Load() && len(accepted[i]) >= store.QueueMax/4 {
					time.Sleep(time.Millisecond)
				}
				id, begun := fmt.Sprint("crowd ", k), time.Now()
				if err := l.publish(all[i], id); err == nil {
					accepted[i] = append(accepted[i], id)
				} else {
					assert.True(l, refusedOrUnknown(err), "%v", err)
					refused.Add(1)
					time.Sleep(10 * time.Millisecond) // no faster than a sender who is told to come again
				}
				assert.Less(l, time.Since(begun), prompt)
			}
		})
	}
	short = func() {
		tight.Store(true)
		require.Eventually(l, func() bool { return refused.Load() > 0 }, time.Minute, time.Millisecond, "RabbitMQ takes everything")
	}
	return func() int64 {
		over.Store(true)
		flows.Wait()
		for i, inst := range all {
			require.Eventually(l, func() bool { return l.publish(inst, "last") == nil }, time.Minute, 100*time.Millisecond)
			c := l.online(inst)
			for id := ""; id != "last"; {
				if id = received(c); len(accepted[i]) > 0 && id == accepted[i][0] {
					accepted[i] = accepted[i][1:]
				}
			}
			require.Empty(l, accepted[i], "an accepted push did not arrive, or not in order")
		}
		return refused.Load()
	}, short
}

// withoutLeader: a queue that confirms nothing keeps nobody else waiting, whether the others have pushes of their own or
// the same.
func withoutLeader(l lab) {
	dead := l.install()
	var well []store.Installation
	for range 40 {
		well = append(well, l.install())
	}
	require.NoError(l, l.publish(dead, "zero"))
	server := fmt.Sprintf("{'%%2F_mqtt-subscription-%sqos1', node()}", dead.Topic)
	l.b.Ctl("eval", "ok = ra:stop_server(quorum_queues, "+server+").")

	var sending sync.WaitGroup
	for i := range 100 {
		sending.Go(func() {
			err := l.publish(dead, fmt.Sprint("held ", i))
			assert.True(l, refusedOrUnknown(err), "%v", err)
		})
	}
	over := make(chan struct{})
	go func() { sending.Wait(); close(over) }()
	taken, slowest := 0, time.Duration(0)
	for held := true; held; taken++ {
		select {
		case <-over:
			held = false
		default:
		}
		begun := time.Now()
		require.NoError(l, l.publish(well[0], fmt.Sprint(taken)))
		slowest = max(slowest, time.Since(begun))
	}
	l.Logf("%d pushes to another queue meanwhile, the slowest took %v", taken, slowest)
	require.Greater(l, taken, 10)
	require.Less(l, slowest, prompt)

	begun := time.Now()
	err := l.publish(dead, "refused")
	require.ErrorIs(l, err, engine.ErrUnavailable, "its queue has enough to confirm already")
	require.Less(l, time.Since(begun), prompt)

	err = l.e.Publish(l.ctx(), append([]store.Installation{dead}, well[1:]...), store.Push{MessageID: "for all", Payload: []byte(`{}`), CreatedAt: time.Now()})
	require.ErrorIs(l, err, engine.ErrUnconfirmed)
	require.ErrorContains(l, err, "39 of 40 have it")
	for _, inst := range well[37:] {
		require.Equal(l, "for all", received(l.online(inst)))
	}

	l.b.Ctl("eval", "ok = ra:restart_server(quorum_queues, "+server+").")
	require.Eventually(l, func() bool { return l.publish(dead, "last") == nil }, time.Minute, 100*time.Millisecond)
	c := l.online(dead)
	require.Equal(l, "zero", received(c))
	for received(c) != "last" {
	}
}

// holdsUp: the first push that a connection brings to a queue which does not answer has RabbitMQ do nothing else for its channel, for a
// minute. Others on that channel wait for some seconds, once: from then on such a queue, the same one or another, has a channel for itself.
func holdsUp(l lab) {
	silent := []store.Installation{l.install(), l.install(), l.install()}
	well := make([]store.Installation, 64) // so that one of them is on each channel
	for i := range well {
		well[i] = l.install()
	}
	process := func(inst store.Installation) string {
		return fmt.Sprintf("whereis('%%2F_mqtt-subscription-%sqos1')", inst.Topic)
	}
	for _, inst := range silent {
		l.b.Ctl("eval", "ok = sys:suspend("+process(inst)+").")
	}
	for round, held := range [][]store.Installation{silent[:1], silent[:1], silent} {
		over := make(chan struct{})
		var holding sync.WaitGroup
		for _, inst := range held {
			holding.Go(func() {
				err := l.publish(inst, "held")
				assert.True(l, refusedOrUnknown(err), "%v", err)
			})
		}
		go func() { holding.Wait(); close(over) }()
		if round == 0 { // else one that was written just before it, and is not confirmed for it, may be taken for it
			l.b.Ctl("eval", "F = fun W() -> {messages, M} = process_info("+process(silent[0])+", messages), "+
				"case [x || {'$gen_call', _, _} <- M] of [] -> timer:sleep(10), W(); _ -> ok end end, ok = F().")
		}
		var sending sync.WaitGroup
		var failed atomic.Int64
		for i, inst := range well {
			sending.Go(func() {
				for k := 0; !isOver(over) && k < store.QueueMax/4; k++ {
					begun := time.Now()
					if err := l.publish(inst, fmt.Sprint(round, k)); err != nil {
						failed.Add(1)
						assert.True(l, refusedOrUnknown(err), "%v", err)
					}
					assert.True(l, round == 0 || time.Since(begun) < prompt, "round %d: push %d to %d waited for %v", round, k, i, time.Since(begun))
				}
			})
		}
		<-over
		sending.Wait()
		l.Logf("not confirmed in round %d: %d", round, failed.Load())
		require.True(l, round == 0 || failed.Load() == 0)
	}
	for _, inst := range silent {
		l.b.Ctl("eval", "ok = sys:resume("+process(inst)+").")
	}
	for _, inst := range silent {
		require.Eventually(l, func() bool { return l.publish(inst, "last") == nil }, 2*time.Minute, 100*time.Millisecond)
		c := l.online(inst)
		for received(c) != "last" {
		}
	}
}

func isOver(c chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// policyDeleted: whoever finds the policy missing sets it again, at the next connection at the latest.
func policyDeleted(l lab) {
	status, err := l.b.Manage(l.ctx(), http.MethodDelete, "/policies/%2F/kiicloud", nil, nil)
	require.NoError(l, err)
	require.Equal(l, http.StatusNoContent, status)
	status, err = l.b.Manage(l.ctx(), http.MethodDelete, "/connections/username/"+l.b.User, nil, nil)
	require.NoError(l, err)
	require.Equal(l, http.StatusNoContent, status)
	require.Eventually(l, func() bool {
		status, err := l.b.Manage(l.ctx(), http.MethodGet, "/policies/%2F/kiicloud", nil, nil)
		return err == nil && status == http.StatusOK
	}, time.Minute, 100*time.Millisecond)
	inst := l.install()
	require.Eventually(l, func() bool { q, _ := l.queue(inst); return q.Policy == "kiicloud" }, time.Minute, 100*time.Millisecond)
	require.Eventually(l, func() bool { return l.publish(inst, "after") == nil }, time.Minute, 100*time.Millisecond)
}

// lapses: a connection ends with its password, and what one process could not tell RabbitMQ another one does.
func lapses(l lab) {
	lapsing, staying, removed := l.install(), l.install(), l.install()
	credentials, err := engine.NewCredentials(secret)
	require.NoError(l, err)
	brief := guardtest.DialTCP(l, mqtt.V5, fmt.Sprintf("127.0.0.1:%d", l.b.MQTT))
	brief.Send(guardtest.Connect(mqtt.V5, guardtest.Hello{ClientID: lapsing.Topic, Username: lapsing.ID,
		Password: credentials.Issue(lapsing.ID, lapsing.Topic, 5*time.Second), KeepAlive: 60, Session: true, Properties: expiry(0xFFFFFFFF)}))
	require.Equal(l, mqtt.Success, brief.Expect(mqtt.CONNACK).Code())
	stays, ends := l.online(staying), l.online(removed)

	a := l.b.address(l, "")
	a.Management = []string{"http://127.0.0.1:1"}
	cut, err := rabbitmq.New(rabbitmq.Config{Address: a, Store: l.st, Secret: secret, Logger: slog.New(slog.DiscardHandler)})
	require.NoError(l, err)
	_, err = l.st.DeleteInstallation(l.ctx(), "app", removed.ID)
	require.NoError(l, err)
	require.Error(l, cut.Revoke(l.ctx(), removed))
	require.NoError(l, cut.Shutdown(l.ctx()))

	for name, c := range map[string]*guardtest.Client{"whose installation was removed": ends, "whose password has lapsed": brief} {
		select {
		case <-c.Gone():
		case <-time.After(time.Minute):
			require.FailNow(l, "a client is still connected "+name)
		}
	}
	require.Eventually(l, func() bool { _, there := l.queue(removed); return !there }, time.Minute, 100*time.Millisecond)
	stays.ExpectAlive()
	require.NoError(l, l.publish(lapsing, "waits"))
	require.Equal(l, "waits", received(l.online(lapsing)), "with a newer password")
}
