package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/pkg/kiicloud/store/pgtest"
)

// childDir names the data folder on which a re-executed test binary works until it is killed,
// childWork what it does there.
const (
	childDir  = "KIIWEB_STORE_CHILD_DIR"
	childWork = "KIIWEB_STORE_CHILD_WORK"
)

var childWorks = map[string]func(dir string) error{"enqueue": childEnqueues, "fan out": childFansOut}

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		if err := childWorks[os.Getenv(childWork)](dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	lockPatience = 200 * time.Millisecond
	os.Exit(pgtest.Main(m))
}

// clock is a clock that stands still until it is moved.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.UnixMilli(1_700_000_000_000)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// opener opens a store that a test knows by a folder, and closes it at the test's end.
type opener func(t testing.TB, dir string, now func() time.Time) *SQL

func open(t testing.TB, dir string, now func() time.Time) *SQL {
	t.Helper()
	s, err := OpenSQLite(context.Background(), Options{Dir: dir, Now: now})
	require.NoError(t, err)
	s.sweeper.stop() // what is swept, and when, is the test's to say
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

// openPostgres opens a schema that belongs to the folder as the database of SQLite would.
func openPostgres(t testing.TB, dir string, now func() time.Time) *SQL {
	t.Helper()
	s, err := OpenPostgres(context.Background(), postgresURL(t, dir), Options{Now: now})
	require.NoError(t, err)
	s.sweeper.stop() // what is swept, and when, is the test's to say
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

func postgresURL(t testing.TB, dir string) string {
	t.Helper()
	sum := sha256.Sum256([]byte(dir))
	return pgtest.Shared(t).Schema(t, "t"+hex.EncodeToString(sum[:8]))
}

// onEach runs a test of what every store must do on each implementation.
func onEach(t *testing.T, test func(t *testing.T, open opener)) {
	t.Run("SQLite", func(t *testing.T) { test(t, open) })
	t.Run("PostgreSQL", func(t *testing.T) { test(t, openPostgres) })
}

// at is i after its queue has given the place seq.
func at(i Installation, seq int64) Installation {
	i.LastSeq = seq
	return i
}

func owner(id string) Owner { return Owner{AppID: "app", Kind: OwnerUser, ID: id} }

func installFor(t testing.TB, s *SQL, user string) Installation {
	t.Helper()
	i, _, err := s.Install(context.Background(), Installation{Owner: owner(user), DeviceType: "MQTT"})
	require.NoError(t, err)
	return i
}
