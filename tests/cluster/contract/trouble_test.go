//go:build linux

package contract_test

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/pkg/kiicloud/engine"
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
	require.ErrorContains(l, l.e.Check(l.ctx()), "short of memory")

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
}

// withoutLeader: a queue that confirms nothing keeps nobody else waiting, whether the others have pushes of their own or
// the same.
func withoutLeader(l lab) {
	dead := l.install()
	var well []store.Installation
	for range 3 {
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

	err = l.e.Publish(l.ctx(), []store.Installation{dead, well[1], well[2]}, store.Push{MessageID: "for all", Payload: []byte(`{}`), CreatedAt: time.Now()})
	require.ErrorIs(l, err, engine.ErrUnconfirmed)
	require.ErrorContains(l, err, "2 of 3 have it")
	for _, inst := range well[1:] {
		require.Equal(l, "for all", received(l.online(inst)))
	}

	l.b.Ctl("eval", "ok = ra:restart_server(quorum_queues, "+server+").")
	require.Eventually(l, func() bool { return l.publish(dead, "last") == nil }, time.Minute, 100*time.Millisecond)
	c := l.online(dead)
	require.Equal(l, "zero", received(c))
	for received(c) != "last" {
	}
}
