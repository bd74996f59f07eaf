package store

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func installMany(t testing.TB, s *SQL, n int) (ids []string) {
	t.Helper()
	for i := range n {
		ids = append(ids, installFor(t, s, strconv.Itoa(i)).ID)
	}
	return ids
}

func enqueueAll(t testing.TB, s *SQL, payload string, ids ...string) map[string][]int64 {
	t.Helper()
	done, err := s.EnqueueAll(context.Background(), Push{MessageID: "m-" + payload, Payload: []byte(payload)}, ids)
	require.NoError(t, err)
	require.Equal(t, payload, string(done.Push.Payload))
	require.False(t, done.Push.ExpiresAt.IsZero())
	for id, seq := range done.Places {
		found, err := s.Pending(context.Background(), id, seq-1, 1)
		require.NoError(t, err)
		require.Len(t, found, 1)
		require.Equal(t, seq, found[0].Seq)
		require.Equal(t, payload, string(found[0].Payload))
	}
	return done.Dropped
}

func TestEnqueueAllReachesEachInstallationOnce(t *testing.T) {
	onEach(t, func(t *testing.T, open opener) {
		const most = 2*largeGroup + smallGroup + 1
		s := open(t, t.TempDir(), nil)
		ids := installMany(t, s, most)
		for _, n := range []int{0, 1, 2, smallGroup, smallGroup + 1, largeGroup, largeGroup + 1, most} {
			t.Run(fmt.Sprintf("%d receivers", n), func(t *testing.T) {
				payload := strconv.Itoa(n)
				require.Empty(t, enqueueAll(t, s, payload, ids[:n]...))
				for i, id := range ids {
					pending, err := s.Pending(context.Background(), id, 0, 100)
					require.NoError(t, err)
					got := 0
					for _, p := range pending {
						if string(p.Payload) == payload {
							got++
							assert.Equal(t, "m-"+payload, p.MessageID)
							assert.Equal(t, p.CreatedAt.Add(QueueTTL), p.ExpiresAt)
						}
					}
					want := 0
					if i < n {
						want = 1
					}
					require.Equal(t, want, got, "installation %d", i)
				}
			})
		}
	})
}

func TestEnqueueAllLeavesOutWhoIsGone(t *testing.T) {
	onEach(t, func(t *testing.T, open opener) {
		s := open(t, t.TempDir(), nil)
		ids := installMany(t, s, 3)
		_, err := s.DeleteInstallation(context.Background(), "app", ids[1])
		require.NoError(t, err)
		require.Empty(t, enqueueAll(t, s, "x", ids[0], ids[1], "never there", ids[2], ids[2]))
		assert.Equal(t, []string{"x"}, payloads(t, s, ids[0], 0, 10))
		assert.Empty(t, payloads(t, s, ids[1], 0, 10))
		assert.Equal(t, []string{"x"}, payloads(t, s, ids[2], 0, 10), "named twice, stored once")
		require.Empty(t, enqueueAll(t, s, "y", ids[1]), "nobody is left")
	})
}

func TestEnqueueAllKeepsTheOrderOfEachQueue(t *testing.T) {
	onEach(t, func(t *testing.T, open opener) {
		s := open(t, t.TempDir(), nil)
		ids := installMany(t, s, 3)
		enqueue(t, s, ids[0], "a")
		enqueueAll(t, s, "b", ids...)
		enqueue(t, s, ids[0], "c")
		enqueueAll(t, s, "d", ids[:2]...)
		assert.Equal(t, []string{"a", "b", "c", "d"}, payloads(t, s, ids[0], 0, 10))
		assert.Equal(t, []string{"b", "d"}, payloads(t, s, ids[1], 0, 10))
		assert.Equal(t, []string{"b"}, payloads(t, s, ids[2], 0, 10))
	})
}

func TestEnqueueAllDropsTheOldestOfTheFullQueuesAlone(t *testing.T) {
	onEach(t, func(t *testing.T, open opener) {
		clk := newClock()
		s := open(t, t.TempDir(), clk.Now)
		ids := installMany(t, s, 3)
		full, gaps, short := ids[0], ids[1], ids[2]
		for i := range QueueMax {
			enqueueAll(t, s, strconv.Itoa(i), full, gaps)
		}
		require.NoError(t, s.Acknowledge(context.Background(), map[string][]int64{gaps: {500}})) // its places are as far apart as the full one's
		assert.Equal(t, map[string][]int64{full: {1}}, enqueueAll(t, s, "new", ids...))
		for id, want := range map[string]struct {
			first string
			n     int
		}{full: {"1", QueueMax}, gaps: {"0", QueueMax}, short: {"new", 1}} {
			all := payloads(t, s, id, 0, 2*QueueMax)
			require.Len(t, all, want.n)
			assert.Equal(t, want.first, all[0])
			assert.Equal(t, "new", all[want.n-1])
		}
		assert.Equal(t, map[string][]int64{full: {2}, gaps: {1}}, enqueueAll(t, s, "newer", ids...))
		clk.Advance(QueueTTL)
		assert.Empty(t, enqueueAll(t, s, "later", ids...), "what has expired takes no room and is not counted as dropped")
		assert.Equal(t, []string{"later"}, payloads(t, s, full, 0, 10))
	})
}

func TestEnqueueAllIsAllOrNothing(t *testing.T) {
	onEach(t, func(t *testing.T, open opener) {
		s := open(t, t.TempDir(), nil)
		ids := installMany(t, s, largeGroup+smallGroup)
		ctx := context.Background()
		breakQueue(t, s, `NEW.message_id = 'refused' AND NEW.installation_id = (SELECT MAX(id) FROM installations)`, "the disk is full")
		release := holdWriter(t, s) // all of what follows shares one transaction
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				_, err := s.EnqueueAll(ctx, Push{MessageID: "refused", Payload: []byte("refused")}, ids)
				assert.ErrorContains(t, err, "the disk is full")
			})
			wg.Go(func() {
				_, err := s.EnqueueAll(ctx, Push{MessageID: "good", Payload: []byte("good")}, ids)
				assert.NoError(t, err)
			})
		}
		require.Eventually(t, func() bool { return len(s.writer.ops) >= 6 }, time.Minute, time.Millisecond)
		release()
		wg.Wait()
		for _, id := range ids {
			require.Equal(t, []string{"good", "good", "good"}, payloads(t, s, id, 0, 10))
		}
	})
}

func TestEnqueueAllEndsWithItsCallerOrTheStore(t *testing.T) {
	onEach(t, func(t *testing.T, open opener) {
		s := open(t, t.TempDir(), nil)
		ids := installMany(t, s, 2)
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		release := holdWriter(t, s)
		_, err := s.EnqueueAll(ctx, Push{MessageID: "m"}, ids)
		require.ErrorIs(t, err, context.Canceled)
		release()
		require.NoError(t, s.Close())
		_, err = s.EnqueueAll(context.Background(), Push{MessageID: "m"}, ids)
		require.True(t, errors.Is(err, ErrClosed), "%v", err)
	})
}

func count(t testing.TB, s *SQL, query string) (n int) {
	t.Helper()
	require.NoError(t, s.read.QueryRow(query).Scan(&n))
	return n
}

func TestAPayloadForManyIsStoredOnce(t *testing.T) {
	onEach(t, func(t *testing.T, open opener) {
		clk := newClock()
		s := open(t, t.TempDir(), clk.Now)
		ids := installMany(t, s, 2*smallGroup)
		payload := strings.Repeat("x", 4096)
		enqueueAll(t, s, "few", ids[:smallGroup]...)
		assert.Zero(t, count(t, s, `SELECT COUNT(*) FROM bodies`))
		enqueueAll(t, s, payload, ids...)
		assert.Equal(t, 1, count(t, s, `SELECT COUNT(*) FROM bodies`))
		assert.Less(t, count(t, s, `SELECT SUM(LENGTH(payload)) FROM queue`), len(payload))
		assert.Equal(t, []string{"few", payload}, payloads(t, s, ids[0], 0, 10))
		assert.Equal(t, []string{payload}, payloads(t, s, ids[smallGroup], 0, 10))

		sweep := func(want int) {
			t.Helper()
			_, err := s.Sweep(context.Background())
			require.NoError(t, err)
			assert.Equal(t, want, count(t, s, `SELECT COUNT(*) FROM bodies`))
		}
		enqueueAll(t, s, "delivered to all", ids...)
		for i, id := range ids {
			seq := int64(2)
			if i < smallGroup {
				seq = 3
			}
			sweep(2)
			require.NoError(t, s.Acknowledge(context.Background(), map[string][]int64{id: {seq}}))
		}
		sweep(1)
		assert.Equal(t, []string{payload}, payloads(t, s, ids[len(ids)-1], 0, 10), "what somebody waits for stays")
		for _, id := range ids[1:] {
			_, err := s.DeleteInstallation(context.Background(), "app", id)
			require.NoError(t, err)
		}
		sweep(1)
		clk.Advance(QueueTTL)
		sweep(0)
	})
}

func TestSweepRemovesManyPayloads(t *testing.T) {
	onEach(t, func(t *testing.T, open opener) {
		s := open(t, t.TempDir(), nil)
		require.NoError(t, s.writer.do(context.Background(), func(x tx) error {
			for id := range 2*sweepChunk + 1 {
				if err := x.exec(insertBody, id, []byte("x")); err != nil {
					return err
				}
			}
			return nil
		}))
		_, err := s.Sweep(context.Background())
		require.NoError(t, err)
		assert.Zero(t, count(t, s, `SELECT COUNT(*) FROM bodies`))
	})
}

// breakQueue makes every insert into the queue fail for which a condition holds.
func breakQueue(t testing.TB, s *SQL, when, message string) {
	t.Helper()
	statements := []string{`CREATE TRIGGER broken BEFORE INSERT ON queue WHEN ` + when + ` BEGIN SELECT RAISE(ABORT, '` + message + `'); END`}
	if s.writer.d.name == "postgres" {
		statements = []string{
			`CREATE FUNCTION break_queue() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
				IF ` + when + ` THEN RAISE EXCEPTION '` + message + `'; END IF; RETURN NEW; END $$`,
			`CREATE TRIGGER broken BEFORE INSERT ON queue FOR EACH ROW EXECUTE FUNCTION break_queue()`,
		}
	}
	require.NoError(t, s.writer.do(context.Background(), func(x tx) (err error) {
		for _, statement := range statements {
			err = errors.Join(err, x.exec(statement))
		}
		return err
	}))
}

// fill puts n pushes into each queue there is, faster than by accepting them.
func fill(t testing.TB, s *SQL, n int) {
	t.Helper()
	require.NoError(t, s.writer.do(context.Background(), func(x tx) error {
		err := x.exec(`INSERT INTO queue (installation_id, seq, message_id, payload, created_at, expires_at)
			WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1)
			SELECT id, i, 'm-' || i, $4, $2, $3 FROM n, installations WHERE i <= $1`,
			n, millis(s.now()), millis(s.now().Add(QueueTTL)), []byte("{}"))
		if err != nil {
			return err
		}
		return x.exec(`UPDATE installations SET last_seq = last_seq + $1`, n)
	}))
}

func TestEnqueueAllTrimsManyFullQueues(t *testing.T) {
	onEach(t, func(t *testing.T, open opener) {
		s := open(t, t.TempDir(), nil)
		ids := installMany(t, s, trimChunk+1)
		fill(t, s, QueueMax)
		want := map[string][]int64{}
		for _, id := range ids {
			want[id] = []int64{1}
		}
		assert.Equal(t, want, enqueueAll(t, s, "new", ids...))
		assert.Equal(t, len(ids)*QueueMax, count(t, s, `SELECT COUNT(*) FROM queue`))
		assert.Zero(t, count(t, s, `SELECT COUNT(*) FROM queue WHERE seq = 1`))
	})
}

// BenchmarkEnqueueAll measures one push to 1,000 installations, whose queues hold nothing at
// the start or are full.
func BenchmarkEnqueueAll(b *testing.B) {
	for _, bench := range []struct {
		name    string
		waiting int // pushes in each queue at the start
	}{{"empty queues", 0}, {"full queues", QueueMax}} {
		b.Run(bench.name, func(b *testing.B) {
			s := open(b, b.TempDir(), nil)
			ids := installMany(b, s, 1000)
			fill(b, s, bench.waiting)
			payload := string(make([]byte, 4096))
			for b.Loop() {
				enqueueAll(b, s, payload, ids...)
			}
		})
	}
}

// A push to so many that a busy server takes longer for it than for all else is not given up in the middle, and refused for ever.
func TestAPushToManyHasTimeForThemAll(t *testing.T) {
	s := openPostgres(t, t.TempDir(), nil)
	ids := installMany(t, s, 1)
	for range 3000 {
		ids = append(ids, NewID()) // who is gone counts, too
	}
	s.writer.d.timeout = time.Nanosecond
	_, _, err := s.Enqueue(context.Background(), Push{InstallationID: ids[0], MessageID: "one"})
	require.ErrorIs(t, err, ErrUnavailable)
	done, err := s.EnqueueAll(context.Background(), Push{MessageID: "many"}, ids)
	require.NoError(t, err)
	assert.Len(t, done.Places, 1)
}
