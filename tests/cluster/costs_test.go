//go:build linux

package cluster

import (
	"context"
	"flag"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var (
	costUsers = flag.Int("users", 30, "how many users the costs are measured with")
	costTime  = flag.Duration("time", 300*time.Millisecond, "how long pushes are sent for each figure of the costs")
)

// callers is how many requests are under way at once where many are made.
const callers = 16

// costs measures what docs/scaling.md reckons with: what an installation and a connection take of memory,
// what a call takes of the database, how many pushes a second go through.
func costs(s *stage, _ *figures) {
	n := *costUsers
	idle := s.weigh()
	s.Logf("nothing there: %v", idle)

	owners := make([]*owner, n)
	took := s.each(n, func(i int) error {
		c := s.clouds[i%size]
		id, token, err := c.PseudoUser()
		owners[i] = &owner{cloud: c, id: id, token: token}
		return err
	})
	s.Logf("%d registrations: %.0f a second", n, float64(n)/took.Seconds())
	took = s.each(n, func(i int) error { return owners[i].install() })
	s.Logf("%d installs: %.0f a second", n, float64(n)/took.Seconds())
	installed := s.weigh()
	s.Logf("all installed: %v", installed)
	s.Logf("an installation: %v", installed.minus(idle).by(n))

	took = s.each(n, func(i int) error { return owners[i].connect(s, i) })
	s.Logf("%d endpoints and connections: %.0f a second", n, float64(n)/took.Seconds())
	connected := s.weigh()
	s.Logf("all connected: %v", connected)
	s.Logf("a connection: %v", connected.minus(installed).by(n))

	u := s.newUser()
	logins := 20 * size
	took = s.each(logins, func(i int) error {
		_, err := u.clients[i%size].Sibling().Login(context.Background(), u.name, password)
		return err
	})
	s.Logf("%d logins with a password: %.0f a second", logins, float64(logins)/took.Seconds())

	for _, senders := range []int{1, 8, 32} {
		for _, clouds := range []int{1, size} {
			accepted, took := s.pushes(owners, senders, clouds)
			s.Logf("%d senders, %d clouds: %.0f pushes a second, %v each", senders, clouds,
				float64(accepted)/took.Seconds(), round(took*time.Duration(senders)/time.Duration(max(accepted, 1))))
			require.Positive(s, accepted)
		}
	}
	s.statements()
	for _, o := range owners {
		o.close()
	}
}

// each calls do for 0 to n-1, some at a time, and tells how long that took.
func (s *stage) each(n int, do func(i int) error) time.Duration {
	s.Helper()
	begun := time.Now()
	var next atomic.Int64
	var running sync.WaitGroup
	for range callers {
		running.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				if !assert.NoError(s, do(i)) {
					return
				}
			}
		})
	}
	running.Wait()
	require.False(s, s.Failed())
	return time.Since(begun)
}

// pushes has some senders push, each to owners of its own, through the first clouds, and waits until all has
// arrived.
func (s *stage) pushes(owners []*owner, senders, clouds int) (accepted int, took time.Duration) {
	s.Helper()
	var before, after, count int64
	for _, o := range owners {
		before += o.received.Load()
	}
	begun := time.Now()
	var running sync.WaitGroup
	var total atomic.Int64
	for k := range senders {
		running.Go(func() {
			for i := k; time.Since(begun) < *costTime; i += senders {
				if !assert.NoError(s, owners[i%len(owners)].push(s.clouds[i%clouds])) {
					return
				}
				total.Add(1)
			}
		})
	}
	running.Wait()
	took, count = time.Since(begun), total.Load()
	require.Eventually(s, func() bool {
		after = 0
		for _, o := range owners {
			after += o.received.Load()
		}
		return after-before >= count
	}, patience, 20*time.Millisecond)
	return int(count), took
}
