//go:build linux

package cluster

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/pkg/kiicloud/engine"
	"github.com/kiiweb/kiiweb/pkg/kiicloud/engine/rabbitmq"
	"github.com/kiiweb/kiiweb/pkg/kiicloud/store"
)

// cutOff: a node is parted from the other two while pushes flow to a client that is connected to it. The client and the
// processes of the cloud move to the others, and who knows the lone node alone gets nothing accepted. When the
// network is whole again nothing that was accepted is missing.
func cutOff(s *stage, f *figures) {
	for turn := range times(1, 3) {
		cut := turn % size
		u := s.newUser()
		u.install(cut)
		u.connect((cut+1)%size, cut)
		faithful := s.newUser()
		faithful.install((cut + 1) % size)
		faithful.endpoint(context.Background(), (cut+1)%size)
		lone := s.lone(cut)

		ctx, stop := context.WithTimeout(context.Background(), 2*patience)
		var flow sync.WaitGroup
		failed := 0
		flow.Go(func() { failed = u.flow(ctx, 0, 0, 1, 2) })
		u.awaitAccepted(0, times(30, 200))
		for range 10 {
			require.NoError(s, faithful.through(ctx, lone))
		}

		s.nodes[cut].CutOff()
		parted := time.Now()
		refused := 0
		for refused < times(2, 5) { // one after the other, the first of them perhaps before the node knows
			begun := time.Now()
			if err := faithful.through(ctx, lone); err != nil {
				refused++
			}
			require.Less(s, time.Since(begun), 20*time.Second)
			require.Less(s, time.Since(parted), patience, "a node without the others takes pushes")
		}
		require.Error(s, lone.Check(ctx))
		u.awaitAccepted(u.count(), times(50, 300))
		f.moved.add(u.onlineAfter(parted))

		s.nodes[cut].Heal()
		s.whole()
		for faithful.through(ctx, lone) != nil {
			require.NoError(s, ctx.Err())
			wait(ctx, 100*time.Millisecond)
		}
		u.awaitAccepted(u.count(), times(30, 200))
		stop()
		flow.Wait()
		require.NoError(s, lone.Shutdown(context.Background()))
		faithful.connect(cut, cut)
		name := "node " + strconv.Itoa(cut+1) + " is cut off"
		f.add(name, u, u.receivesAll())
		f.add(name+", pushes of who knows no other", faithful, faithful.receivesAll())
		f.refused += failed
	}
}

// hangs: a node stands still, as a machine does whose disk is gone, and is taken for alive by who is connected to it. Processes
// of the cloud find that out and move to another; queues that it led choose another leader.
func hangs(s *stage, f *figures) {
	hung := 1
	u := s.newUser()
	u.install(0)
	u.connect(0, (hung+1)%size)
	var others [size]*user // a new queue takes all nodes, and so waits until the others have given the hung one up
	for i := range others {
		others[i] = s.newUser()
		others[i].install(i)
	}
	ctx, stop := context.WithTimeout(context.Background(), 2*patience)
	defer stop()
	var flow sync.WaitGroup
	failed := 0
	flow.Go(func() { failed = u.flow(ctx, 0, 0, 1, 2) })
	u.awaitAccepted(0, 100)
	require.NoError(s, syscall.Kill(s.nodes[hung].Pid(), syscall.SIGSTOP))
	stopped := time.Now()
	s.atOnce(func(i int) {
		failed := others[i].flow(ctx, 10, i)
		s.Logf("process %d took 10 pushes %v after node %d stood still, and did not take %d", i+1, round(time.Since(stopped)), hung+1, failed)
	})
	f.unstuck.add(time.Since(stopped))
	require.NoError(s, ctx.Err())
	u.awaitAccepted(u.count(), 100)
	require.NoError(s, syscall.Kill(s.nodes[hung].Pid(), syscall.SIGCONT))
	s.whole()
	u.awaitAccepted(u.count(), 100)
	stop()
	flow.Wait()
	f.add("node "+strconv.Itoa(hung+1)+" hangs", u, u.receivesAll())
	for i, other := range others {
		other.connect(i, i)
		other.receivesAll()
	}
	f.refused += failed
}

// lone is an engine that knows one node only.
func (s *stage) lone(node int) *rabbitmq.Engine {
	n := s.nodes[node]
	a, err := rabbitmq.ParseAddress(fmt.Sprintf("rabbitmq://%s:%s@127.0.0.1:%d/?management=http://127.0.0.1:%d", n.User, n.Password, n.AMQP, n.Management))
	require.NoError(s, err)
	st, err := store.OpenSQLite(context.Background(), store.Options{Dir: s.TempDir()})
	require.NoError(s, err)
	s.Cleanup(func() { require.NoError(s, st.Close()) })
	e, err := rabbitmq.New(rabbitmq.Config{Address: a, Store: st, Secret: make([]byte, engine.MinSecret), Logger: slog.New(slog.DiscardHandler)})
	require.NoError(s, err)
	require.Eventually(s, func() bool { return e.Check(context.Background()) == nil }, patience, 50*time.Millisecond)
	return e
}

// through sends the next number by an engine.
func (u *user) through(ctx context.Context, e *rabbitmq.Engine) error {
	m := u.nextMessage()
	to := store.Installation{ID: u.inst.InstallationID, Topic: u.topic}
	m.id = rand.Text()
	err := e.Publish(ctx, []store.Installation{to}, store.Push{MessageID: m.id, Payload: fmt.Appendf(nil, `{"n":%d}`, m.n), CreatedAt: m.begun})
	if err == nil {
		u.mu.Lock()
		defer u.mu.Unlock()
		u.accepted = append(u.accepted, m.n)
		u.taken[m.n] = sending{m.id, m.begun, time.Since(m.begun)}
	}
	return err
}
