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

	costReport = flag.String("costs", "", "write the costs into this `file`, from the module's folder: docs/scaling.md")
)

// callers is how many requests are under way at once where many are made.
const callers = 16

// manySenders is how many senders push at once.
var manySenders = [...]int{1, 8, 32}

// costs measures what docs/scaling.md reckons with: what an installation and a connection take of memory,
// what a call takes of the database, how many calls and pushes a second go through.
func costs(s *stage, _ *figures) {
	n := *costUsers
	f := &bill{users: n, idle: s.weigh()}
	owners := make([]*owner, n)
	f.registrations = f.rate(n, s.each(n, func(i int) error {
		c := s.clouds[i%size]
		id, token, err := c.PseudoUser()
		owners[i] = &owner{cloud: c, id: id, token: token}
		return err
	}))
	f.installs = f.rate(n, s.each(n, func(i int) error { return owners[i].install() }))
	f.installed = s.weigh()
	f.connects = f.rate(n, s.each(n, func(i int) error { return owners[i].connect(s, i) }))
	f.connected = s.weigh()

	for _, o := range owners {
		o.close()
	}
	f.reconnects = f.rate(n, s.each(n, func(i int) error { return owners[i].dial(s, i+1) }))

	u := s.newUser()
	logins := 20 * size
	f.logins = f.rate(logins, s.each(logins, func(i int) error {
		_, err := u.clients[i%size].Sibling().Login(context.Background(), u.name, password)
		return err
	}))

	for i, senders := range manySenders {
		for j, clouds := range []int{1, size} {
			accepted, took := s.pushes(owners, senders, clouds)
			require.Positive(s, accepted)
			f.pushes[i][j] = f.rate(accepted, took)
		}
	}
	f.statements = s.statements()
	for _, o := range owners {
		o.close()
	}
	s.Log("\n" + f.figures() + "\n" + f.arithmetic())
	if *costReport != "" && !s.Failed() {
		f.write(s, *costReport)
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
