package crash

import (
	"context"
	"database/sql"
	"flag"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/kiiweb/kiiweb/pkg/kiicloud/store"
	"github.com/kiiweb/kiiweb/pkg/kiicloud/store/pgtest"
	"github.com/kiiweb/kiiweb/tests/cloud"
)

var kills = flag.Int("kills", 5, "how often the cloud is killed")

const (
	receivers = 4
	movers    = 4
)

// The cloud is killed at moments of chance, while users push, receive, install and uninstall.
// Each time it starts again by itself, and what it had acknowledged holds.
func TestNothingAcknowledgedIsLostByKills(t *testing.T) {
	t.Run("SQLite", func(t *testing.T) {
		c := series(t)
		intact(t, c.Data)
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		series(t, "-store", pgtest.Shared(t).Schema(t, "t"+strings.ToLower(store.NewID())))
	})
}

// A clean stop in the middle of the same work: besides, every push that arrives was answered.
func TestACleanStopAnswersEverybody(t *testing.T) {
	c := cloud.Start(t)
	count := work(t, c, c.Stop)
	assert.Equal(t, count.accepted.Load(), count.received.Load())
}

// series kills the cloud as often as it is to be, and stops it in the end.
func series(t *testing.T, args ...string) *cloud.Cloud {
	c := cloud.Start(t, args...)
	work(t, c, c.Kill)
	return c
}

// work lets users work while the cloud ends and starts again and again, and checks what it left.
func work(t *testing.T, c *cloud.Cloud, end func()) *tally {
	var count tally
	var rs []*receiver
	var ms []*mover
	ctx := context.Background()
	for range receivers {
		r := &receiver{rest: newRest(c), count: &count, numbers: map[string]int{}, seen: map[string]int{}}
		r.token = c.NewUser().Token
		status, body, err := r.call(ctx, "POST", "/installations", r.token, map[string]any{"deviceType": "MQTT", "development": false})
		require.NoError(t, err)
		require.Equal(t, 201, status)
		r.installation, _ = body["installationID"].(string)
		rs = append(rs, r)
	}
	for range movers {
		ms = append(ms, &mover{rest: newRest(c), count: &count, token: c.NewUser().Token})
	}
	var starts []time.Duration
	ended := 0
	for ; ended < *kills || count.uninstalls.Load() == 0 && ended < 20**kills; ended++ { // a slow machine may need some more
		load(ctx, end, rs, ms)
		began := time.Now()
		c.Restart()
		starts = append(starts, time.Since(began))
		for _, m := range ms {
			require.NoError(t, m.check(ctx))
		}
	}
	last, cancel := context.WithTimeout(ctx, 10*time.Minute)
	defer cancel()
	var wg sync.WaitGroup
	for _, r := range rs {
		wg.Go(func() { r.receive(last, true) })
	}
	wg.Wait()
	for _, r := range rs {
		verify(t, r)
	}
	c.Stop()
	slices.Sort(starts)
	t.Logf("ended %d times: %d pushes sent, %d accepted, %d received (%d of them without an answer to the sender), %d repeats; %d connects, %d installs, %d uninstalls; start after that: median %v, longest %v",
		ended, count.sent.Load(), count.accepted.Load(), count.received.Load(), count.received.Load()-count.accepted.Load(), count.repeats.Load(),
		count.connects.Load(), count.installs.Load(), count.uninstalls.Load(), starts[len(starts)/2].Round(time.Millisecond), starts[len(starts)-1].Round(time.Millisecond))
	require.Positive(t, count.received.Load())
	require.Positive(t, count.uninstalls.Load())
	return &count
}

// load lets everybody work, ends the cloud in the middle of it, and waits for all to notice.
func load(ctx context.Context, end func(), rs []*receiver, ms []*mover) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var wg sync.WaitGroup
	for _, r := range rs {
		wg.Go(func() { r.send(ctx) })
		wg.Go(func() { r.receive(ctx, false) })
	}
	for _, m := range ms {
		wg.Go(func() { m.move(ctx) })
	}
	time.Sleep(time.Duration(30+rand.IntN(600)) * time.Millisecond) // the moment of chance
	end()
	cancel()
	wg.Wait()
}

// verify holds what a receiver got against what its sender was told.
func verify(t *testing.T, r *receiver) {
	t.Helper()
	assert.Empty(t, r.broken)
	for _, id := range r.accepted {
		n, ok := r.seen[id]
		if assert.True(t, ok, "push %d was accepted and has not come", r.numbers[id]) {
			assert.Equal(t, r.numbers[id], n)
		}
	}
	last := -1
	for _, id := range r.got {
		assert.Greater(t, r.seen[id], last, "out of order")
		last = r.seen[id]
	}
}

// intact checks a database that nobody uses.
func intact(t *testing.T, data string) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(data, "kiicloud.db"))
	require.NoError(t, err)
	defer db.Close()
	var verdict string
	require.NoError(t, db.QueryRow("PRAGMA integrity_check").Scan(&verdict))
	assert.Equal(t, "ok", verdict)
}
