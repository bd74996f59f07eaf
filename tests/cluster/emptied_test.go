//go:build linux

package cluster

import (
	"context"
	"os"
	"path/filepath"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/pkg/kiiweb"
)

// emptied: RabbitMQ has lost all that it had, and the processes of the cloud are started again, as docs/operating.md
// says. The database has the installations: pushes are taken at once, and a client that fetches its endpoint gets them. One that was
// connected does so by itself.
func emptied(s *stage, f *figures) {
	u := s.newUser()
	u.install(0)
	conn := u.connect(0, 0)
	u.flow(context.Background(), 20, 0, 1, 2)
	u.receivesAll()
	require.NoError(s, conn.Close(context.Background()))
	stays := s.newUser()
	stays.install(1)
	kept := stays.connect(1, 1)
	stays.flow(context.Background(), 20, 0, 1, 2)
	stays.receivesAll()

	lost := time.Now()
	for _, n := range s.nodes {
		n.Kill()
	}
	for _, n := range s.nodes {
		require.NoError(s, os.RemoveAll(filepath.Join(n.Dir, "data")))
		n.Launch()
	}
	for _, n := range s.nodes {
		n.Await()
	}
	for _, c := range s.clouds {
		c.Stop()
		c.Restart()
	}
	s.whole()
	stays.onlineAfter(lost) // nobody has pushed to it
	stays.flow(context.Background(), 20, 0, 1, 2)
	stays.receivesAll()
	require.Equal(s, kiiweb.StateOnline, kept.State().State)
	u.flow(context.Background(), 20, 0, 1, 2) // they wait
	conn = u.connect(0, 0)
	u.flow(context.Background(), 100, 0, 1, 2)
	f.add("RabbitMQ has lost all that it had", u, u.receivesAll())
	require.Equal(s, kiiweb.StateOnline, conn.State().State)
}
