package store

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/pkg/kiicloud/store/pgtest"
)

// What PgBouncer takes at a connection's start without being told to: other parameters end the connection.
var pooled = []string{"user", "database", "application_name", "client_encoding", "datestyle", "timezone", "standard_conforming_strings"}

func TestAPoolInBetweenIsAskedForNothingItRefuses(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	got := make(chan *pgproto3.StartupMessage, 16)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_ = c.SetDeadline(time.Now().Add(time.Minute))
			m, err := pgproto3.NewBackend(c, c).ReceiveStartupMessage()
			if start, ok := m.(*pgproto3.StartupMessage); err == nil && ok {
				select {
				case got <- start:
				default:
				}
			}
			c.Close()
		}
	}()
	_, err = OpenPostgres(context.Background(), "postgres://u:p@"+l.Addr().String()+"/d?sslmode=disable", Options{})
	require.Error(t, err)
	for name := range (<-got).Parameters {
		assert.Contains(t, pooled, strings.ToLower(name))
	}
}

// The settings are made all the same, and only on a server that can be written.
func TestConnectionsHaveTheirSettings(t *testing.T) {
	ctx := context.Background()
	for _, attrs := range []string{"", "&target_session_attrs=read-write", "&target_session_attrs=primary"} {
		s, err := OpenPostgres(ctx, pgtest.Fresh(t)+attrs, Options{})
		require.NoError(t, err, attrs)
		for name, want := range map[string]string{"application_name": s.name + " reads", "default_transaction_read_only": "on"} {
			var is string
			require.NoError(t, s.row(ctx, `SELECT current_setting($1)`, name).Scan(&is))
			assert.Equal(t, want, is, name)
		}
		require.NoError(t, s.writer.do(ctx, func(x tx) error {
			for name, want := range map[string]string{
				"application_name": s.name, "default_transaction_read_only": "off", "synchronous_commit": "on", "idle_in_transaction_session_timeout": "10s",
			} {
				var is string
				if err := x.row(`SELECT current_setting($1)`, name).Scan(&is); err != nil {
					return err
				}
				assert.Equal(t, want, is, name)
			}
			return nil
		}))
		require.NoError(t, s.Close())
	}
}

// Of several hosts the one that can be written is found, and a single one that cannot is refused.
func TestAReplicaIsNotTheStore(t *testing.T) {
	_, err := OpenPostgres(context.Background(), pgtest.Fresh(t)+"&options=-c%20default_transaction_read_only%3Don", Options{})
	require.ErrorContains(t, err, "read only")
}

// A server that has become a replica, and keeps its connections, loses all of them: those that read would see no change any more.
func TestAServerThatBecomesAReplicaIsLeft(t *testing.T) {
	ctx := context.Background()
	s := openPostgres(t, t.TempDir(), nil)
	hold(t, s, "u")
	readers := func() (pids []int) {
		for range DefaultConnections {
			c, err := s.read.Conn(ctx)
			require.NoError(t, err)
			defer c.Close()
			var pid int
			require.NoError(t, c.QueryRowContext(ctx, `SELECT pg_backend_pid()`).Scan(&pid))
			pids = append(pids, pid)
		}
		return pids
	}
	before := readers()
	require.NoError(t, s.writer.do(ctx, func(x tx) error { return x.exec(`SET default_transaction_read_only = on`) }))
	require.NoError(t, s.Check(ctx), "over another connection")
	for _, pid := range readers() {
		require.NotContains(t, before, pid)
	}
	require.NoError(t, s.Check(ctx))
}
