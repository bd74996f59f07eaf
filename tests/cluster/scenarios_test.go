//go:build linux

package cluster

import (
	"context"
	"strconv"
	"sync"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/pkg/kiiweb"
)

// takeover: a page connects to node 1, gets what is pushed through clouds 2 and 3, and is told when the
// same user connects to node 2.
func takeover(s *stage, f *figures) {
	u := s.newUser()
	p := u.open(0, 0)
	u.flow(context.Background(), times(30, 300), 1, 2)
	p.hasAll()
	f.add("a browser on node 1, pushes through clouds 2 and 3", u, u.receivesAll())

	twin := u.twin()
	twin.install(1)
	conn := twin.connect(1, 1)
	p.await("states.some((s) => s.state === 'displaced' && s.code === 'DISPLACED')")
	twin.flow(context.Background(), times(10, 100), 0, 1, 2)
	f.add("then another client of the same user on node 2", twin, twin.receivesAll())
	require.Equal(s, kiiweb.StateOnline, conn.State().State)
	before := len(u.got)
	p.fetch()
	require.Len(s, u.got, before, "the page got pushes after it was displaced")
	p.Close()
}

// uninstall: what ends at cloud 3 ends on node 1, for a connection whose endpoint came from cloud 1.
func uninstall(s *stage, f *figures) {
	for range times(2, 10) {
		u := s.newUser()
		u.install(0)
		conn := u.connect(0, 0)
		u.flow(context.Background(), 3, 1)
		u.receivesAll()
		begun := time.Now()
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		require.NoError(s, u.clients[2].UninstallByInstallationID(ctx, u.inst.InstallationID))
		answered := time.Since(begun)
		cancel()
		select {
		case <-conn.Done():
		case <-time.After(patience):
			require.FailNow(s, "the connection goes on", "%+v", conn.State())
		}
		f.uninstalls.add(answered)
		f.ends.add(u.offlineAfter(begun))
		f.known.add(time.Since(begun))
		require.Equal(s, kiiweb.CodeRevoked, conn.State().Code, "%+v", conn.State())
		s.queueIs(u, false)
	}
}

// race: installs at all clouds at once give one installation; of uninstalls at all clouds at once one
// finds it; after both at once the installation either is there and takes pushes, or is not.
func race(s *stage, f *figures) {
	u := s.newUser()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for range times(5, 50) {
		var ids [size]kiiweb.Installation
		s.atOnce(func(i int) {
			var err error
			ids[i], err = u.clients[i].InstallMQTT(ctx, false)
			assert.NoError(s, err)
		})
		require.Equal(s, ids[0], ids[1])
		require.Equal(s, ids[0], ids[2])
		u.inst = ids[0]
		s.queueIs(u, true)
		f.installs += size

		var mu sync.Mutex
		ended := 0
		s.atOnce(func(i int) {
			err := u.clients[i].UninstallByInstallationID(ctx, u.inst.InstallationID)
			if kiiweb.CodeOf(err) == kiiweb.CodeNotFound {
				return
			}
			if assert.NoError(s, err) {
				mu.Lock()
				ended++
				mu.Unlock()
			}
		})
		require.Equal(s, 1, ended, "one uninstall finds the installation")
		s.queueIs(u, false)
		f.ended += size

		u.install(0)
		old := u.inst
		var again kiiweb.Installation
		s.atOnce(func(i int) {
			switch i {
			case 0:
				err := u.clients[i].UninstallByInstallationID(ctx, old.InstallationID)
				assert.NoError(s, err)
			case 1:
				var err error
				again, err = u.clients[i].InstallMQTT(ctx, false)
				assert.NoError(s, err)
			case 2: // whatever becomes of it
				_, _ = u.clients[i].SendToMe(ctx, kiiweb.PushMessage{Data: map[string]any{"n": -1}})
			}
		})
		_, err := u.clients[2].MQTTEndpoint(ctx, again.InstallationID)
		if again == old && kiiweb.CodeOf(err) == kiiweb.CodeNotFound {
			continue // the install came first
		}
		require.NoError(s, err, "an install that was acknowledged last")
		u.inst = again
		s.queueIs(u, true)
		require.NoError(s, u.clients[2].UninstallByInstallationID(ctx, again.InstallationID))
	}
}

// atOnce calls what for each cloud, at the same time.
func (s *stage) atOnce(what func(i int)) {
	var running sync.WaitGroup
	start := make(chan struct{})
	for i := range size {
		running.Go(func() {
			<-start
			what(i)
		})
	}
	close(start)
	running.Wait()
}

// nodeDies: the node of the clients is killed while pushes flow to them, natively and in a browser. It
// comes back, and the next one is killed.
func nodeDies(s *stage, f *figures) {
	for turn := range times(1, 6) {
		victim := turn % size
		native, inPage := s.newUser(), s.newUser()
		native.install(1)
		native.connect((victim+1)%size, victim)
		p := inPage.open((victim+2)%size, victim)

		ctx, stop := context.WithTimeout(context.Background(), 2*patience)
		robbed, holder := s.robbed(ctx, victim)

		var flows sync.WaitGroup
		var failed [2]int
		for i, u := range []*user{native, inPage} {
			flows.Go(func() { failed[i] = u.flow(ctx, 0, 0, 1, 2) })
		}
		for _, u := range []*user{native, inPage} {
			u.awaitAccepted(0, times(30, 200))
		}
		killed := time.Now()
		s.nodes[victim].Kill()
		robbed.connect((victim+1)%size, (victim+1)%size)
		robbed.flow(ctx, 20, 0, 1, 2)
		holder.close()
		before := native.count()
		for _, u := range []*user{native, inPage} {
			u.awaitAccepted(u.count(), times(50, 300))
		}
		f.handOver.add(native.onlineAfter(killed))
		stop()
		flows.Wait()
		p.hasAll()
		f.handOverInPage.add(inPage.onlineAfter(killed))
		name := "node " + strconv.Itoa(victim+1) + " dies"
		f.add(name+", native client", native, native.receivesAll())
		f.add(name+", client in a browser", inPage, inPage.receivesAll())
		f.add(name+" with pushes that nobody had acknowledged", robbed, robbed.receivesAll())
		f.refused += failed[0] + failed[1]
		call, delivery := native.slowest(killed)
		f.slowCall.add(call)
		f.slowDelivery.add(delivery)
		require.Greater(s, native.count(), before)

		p.Close()
		begun := time.Now()
		s.nodes[victim].Restart()
		f.nodeBack.add(time.Since(begun))
		s.whole()
	}
}

// robbed is a user whose pushes were sent to a client on a node that acknowledges none of them.
func (s *stage) robbed(ctx context.Context, node int) (*user, *owner) {
	s.Helper()
	u := s.newUser()
	u.install(0)
	login, _ := u.clients[0].Current()
	holder := &owner{cloud: s.clouds[0], token: login.Token, installation: u.inst.InstallationID, mute: true}
	require.NoError(s, holder.connect(s, node))
	const held = 30 // fewer than a node sends ahead of acknowledgements
	u.flow(ctx, held, 0, 1, 2)
	require.Eventually(s, func() bool { return holder.received.Load() == held }, patience, 5*time.Millisecond)
	return u, holder
}

// cloudDies: a process of the cloud is killed while pushes flow through all three. Clients do not notice.
func cloudDies(s *stage, f *figures) {
	for turn := range times(1, 6) {
		victim := turn % size
		u := s.newUser()
		u.install(0)
		conn := u.connect((victim+1)%size, 0)
		ctx, stop := context.WithTimeout(context.Background(), 2*patience)
		var flow sync.WaitGroup
		failed := 0
		flow.Go(func() { failed = u.flow(ctx, 0, 0, 1, 2) })
		u.awaitAccepted(0, times(30, 200))
		s.clouds[victim].Kill()
		u.awaitAccepted(u.count(), times(50, 300))

		// Somebody who comes now is let in: the nodes ask another process.
		newcomer := s.newUser()
		newcomer.install((victim + 1) % size)
		newcomer.connect((victim+1)%size, 1)
		newcomer.flow(ctx, 1, (victim+1)%size)
		newcomer.receivesAll()

		begun := time.Now()
		s.clouds[victim].Restart()
		f.cloudBack.add(time.Since(begun))
		u.awaitAccepted(u.count(), times(30, 200))
		stop()
		flow.Wait()
		require.Positive(s, failed, "nothing was sent to the process that was dead")
		f.refused += failed
		f.add("cloud "+strconv.Itoa(victim+1)+" dies", u, u.receivesAll())
		require.Equal(s, kiiweb.StateOnline, conn.State().State)
	}
}

// twoNodesDead: without a majority nothing can be stored, so nothing is accepted, whichever process is
// asked. When the nodes are back all goes on, and what was accepted before is there.
func twoNodesDead(s *stage, f *figures) {
	for turn := range times(1, 3) {
		u := s.newUser()
		u.install(0)
		conn := u.connect(0, turn%size)
		u.flow(context.Background(), times(20, 100), 0, 1, 2)
		u.receivesAll()
		require.NoError(s, conn.Close(context.Background()))
		u.flow(context.Background(), times(20, 100), 0, 1, 2) // these wait in the queue

		s.nodes[turn%size].Kill()
		s.nodes[(turn+1)%size].Kill()
		dead := time.Now()
		var messages [size]*message
		var mu sync.Mutex
		s.atOnce(func(i int) {
			m, begun := u.nextMessage(), time.Now()
			is, err := u.offer(context.Background(), i, m)
			mu.Lock()
			defer mu.Unlock()
			messages[i] = m
			assert.Contains(s, []outcome{refused, unconfirmed}, is, "a push that two dead nodes cannot store: %v", err)
			f.refusal.add(time.Since(begun))
			f.refusedDead++
		})
		require.False(s, s.Failed())
		s.whole()
		// Whatever became of it: sent again under its id, it arrives once.
		again := messages[turn%size]
		for is, err := u.offer(context.Background(), 0, again); is != accepted; is, err = u.offer(context.Background(), 0, again) {
			require.Less(s, time.Since(dead), 2*patience, "%s: %v", is, err)
			wait(context.Background(), 100*time.Millisecond)
		}
		conn = u.connect(0, 0)
		u.flow(context.Background(), times(20, 100), 0, 1, 2)
		f.add("two nodes dead", u, u.receivesAll())
		require.Equal(s, kiiweb.StateOnline, conn.State().State)
	}
}
