//go:build linux

package cluster

import (
	"context"
	"errors"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/pkg/kiiweb"
)

// unanswered: RabbitMQ tells clients that their passwords are bad while it cannot ask the cloud. Who was connected before comes back
// when it can again, whether the cloud's API was there meanwhile or not; who connects for the first time is told what it can retry.
func unanswered(s *stage, f *figures) {
	u := s.newUser()
	u.install(0)
	conn := u.connect(0, 0)
	stranger := s.newUser()
	stranger.install(1)
	endpoint := stranger.endpoint(context.Background(), 1)
	u.flow(context.Background(), 10, 0, 1, 2)
	u.receivesAll()

	// The API is there, and gives endpoints.
	answer := s.auth.disable()
	cut := time.Now()
	s.tcp.hangUp()
	_, err := stranger.clients[1].Connect(context.Background(), endpoint, kiiweb.ConnectOptions{Transport: kiiweb.TransportTCP, Protocol: 5, Timeout: patience})
	require.Equal(s, kiiweb.CodeBadCredentials, kiiweb.CodeOf(err), "%v", err)
	var told *kiiweb.Error
	require.True(s, errors.As(err, &told))
	assert.True(s, told.Retryable)
	u.flow(context.Background(), 10, 0, 1, 2) // which wait
	require.Eventually(s, func() bool { return u.refusals(cut) > 3 }, patience, 50*time.Millisecond, "more than end a client that was never let in")
	answer()
	u.onlineAfter(time.Now())
	u.flow(context.Background(), 10, 0, 1, 2)
	u.receivesAll()

	// Nothing of the cloud is there.
	for _, c := range s.clouds {
		c.Kill()
	}
	cut = time.Now()
	s.tcp.hangUp()
	require.Eventually(s, func() bool { return u.refusals(cut) > 0 }, patience, 50*time.Millisecond)
	u.changed(cut, func(state kiiweb.State) bool { return state == kiiweb.StateWaiting })
	wait(context.Background(), 10*time.Second) // some attempts to fetch an endpoint
	for _, c := range s.clouds {
		c.Restart()
	}
	u.onlineAfter(time.Now())
	s.whole()
	u.flow(context.Background(), 10, 0, 1, 2)
	f.add("RabbitMQ cannot ask the cloud", u, u.receivesAll())
	require.Equal(s, kiiweb.StateOnline, conn.State().State)
}

// refusals counts what the client was told of its password after a moment.
func (u *user) refusals(moment time.Time) (n int) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, c := range u.changes {
		if c.at.After(moment) && c.Code == kiiweb.CodeBadCredentials {
			n++
		}
	}
	return n
}
