package store

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func enqueue(t testing.TB, s *SQL, installationID, payload string) (seq int64, dropped []int64) {
	t.Helper()
	seq, dropped, err := s.Enqueue(context.Background(), Push{InstallationID: installationID, MessageID: "m-" + payload, Payload: []byte(payload)})
	require.NoError(t, err)
	return seq, dropped
}

func payloads(t testing.TB, s *SQL, installationID string, after int64, limit int) []string {
	t.Helper()
	pending, err := s.Pending(context.Background(), installationID, after, limit)
	require.NoError(t, err)
	out := []string{}
	for _, p := range pending {
		out = append(out, string(p.Payload))
	}
	return out
}

func TestPendingGivesWhatWasEnqueuedInOrder(t *testing.T) {
	onEach(t, func(t *testing.T, open opener) {
		clk := newClock()
		s := open(t, t.TempDir(), clk.Now)
		a, b := installFor(t, s, "a"), installFor(t, s, "b")
		for i := range 5 {
			enqueue(t, s, a.ID, strconv.Itoa(i))
			enqueue(t, s, b.ID, "b"+strconv.Itoa(i))
		}
		all, err := s.Pending(context.Background(), a.ID, 0, 100)
		require.NoError(t, err)
		require.Len(t, all, 5)
		for i, p := range all {
			assert.Equal(t, Push{
				Seq: int64(i + 1), InstallationID: a.ID, MessageID: "m-" + strconv.Itoa(i), Payload: []byte(strconv.Itoa(i)),
				CreatedAt: clk.Now(), ExpiresAt: clk.Now().Add(QueueTTL),
			}, p)
		}
		assert.Equal(t, []string{"2", "3"}, payloads(t, s, a.ID, all[1].Seq, 2), "after and limit")
		assert.Empty(t, payloads(t, s, a.ID, all[4].Seq, 10))
		assert.Empty(t, payloads(t, s, "nobody", 0, 10))
	})
}

func TestAcknowledgeRemovesExactlyThosePushes(t *testing.T) {
	onEach(t, func(t *testing.T, open opener) {
		s := open(t, t.TempDir(), nil)
		a, b := installFor(t, s, "a"), installFor(t, s, "b")
		for i := range 4 {
			enqueue(t, s, a.ID, strconv.Itoa(i))
			enqueue(t, s, b.ID, strconv.Itoa(i))
		}
		ctx := context.Background()
		require.NoError(t, s.Acknowledge(ctx, map[string][]int64{a.ID: {2, 4, 99}}))
		require.NoError(t, s.Acknowledge(ctx, map[string][]int64{a.ID: {2}}), "twice is no error")
		require.NoError(t, s.Acknowledge(ctx, map[string][]int64{a.ID: nil}))
		assert.Equal(t, []string{"0", "2"}, payloads(t, s, a.ID, 0, 10))
		assert.Len(t, payloads(t, s, b.ID, 0, 10), 4, "another installation's queue has the same numbers")
	})
}

func TestSeqNeverRepeatsAcrossDeletionsAndRestarts(t *testing.T) {
	onEach(t, func(t *testing.T, open opener) {
		dir := t.TempDir()
		s := open(t, dir, nil)
		a := installFor(t, s, "a")
		enqueue(t, s, a.ID, "1")
		last, _ := enqueue(t, s, a.ID, "2")
		require.NoError(t, s.Acknowledge(context.Background(), map[string][]int64{a.ID: {1, 2}}))
		require.NoError(t, s.Close())

		s = open(t, dir, nil)
		seq, _ := enqueue(t, s, a.ID, "3")
		assert.Greater(t, seq, last)
		assert.Equal(t, []string{"3"}, payloads(t, s, a.ID, last, 10))
	})
}

func TestQueueDropsTheOldestAboveItsBound(t *testing.T) {
	onEach(t, func(t *testing.T, open opener) {
		clk := newClock()
		s := open(t, t.TempDir(), clk.Now)
		a := installFor(t, s, "a")
		_, _, err := s.Enqueue(context.Background(), Push{InstallationID: a.ID, MessageID: "m", Payload: []byte("gone"), ExpiresAt: clk.Now().Add(time.Second)})
		require.NoError(t, err)
		clk.Advance(time.Second) // expired and not swept yet: neither takes room nor counts
		for i := range QueueMax {
			_, dropped := enqueue(t, s, a.ID, strconv.Itoa(i))
			require.Empty(t, dropped, "push %d", i)
		}
		_, dropped := enqueue(t, s, a.ID, "new")
		assert.Equal(t, []int64{2}, dropped)
		all := payloads(t, s, a.ID, 0, 2*QueueMax)
		require.Len(t, all, QueueMax)
		assert.Equal(t, "1", all[0])
		assert.Equal(t, "new", all[QueueMax-1])

		require.NoError(t, s.Acknowledge(context.Background(), map[string][]int64{a.ID: {500}}))
		_, dropped = enqueue(t, s, a.ID, "fits")
		assert.Empty(t, dropped, "a delivered push makes room")

		clk.Advance(QueueTTL)
		_, dropped = enqueue(t, s, a.ID, "later")
		assert.Empty(t, dropped, "expired pushes take no room and are not counted as dropped")
		assert.Equal(t, []string{"later"}, payloads(t, s, a.ID, 0, 10))
	})
}

func TestExpiredPushesAreNeitherGivenNorKept(t *testing.T) {
	onEach(t, func(t *testing.T, open opener) {
		clk := newClock()
		s := open(t, t.TempDir(), clk.Now)
		a := installFor(t, s, "a")
		enqueue(t, s, a.ID, "old")
		clk.Advance(QueueTTL - time.Millisecond)
		enqueue(t, s, a.ID, "young")
		assert.Equal(t, []string{"old", "young"}, payloads(t, s, a.ID, 0, 10), "a millisecond before its end")
		clk.Advance(time.Millisecond)
		assert.Equal(t, []string{"young"}, payloads(t, s, a.ID, 0, 10))

		removed, err := s.Sweep(context.Background())
		require.NoError(t, err)
		assert.Equal(t, 1, removed)
		assert.Equal(t, []string{"young"}, payloads(t, s, a.ID, 0, 10))
	})
}

func TestSweepWorksThroughManyChunks(t *testing.T) {
	onEach(t, func(t *testing.T, open opener) {
		clk := newClock()
		s := open(t, t.TempDir(), clk.Now)
		const each = sweepChunk/2 + 100
		var wg sync.WaitGroup
		for _, user := range []string{"a", "b", "c"} {
			i := installFor(t, s, user)
			for range each {
				wg.Go(func() {
					_, _, err := s.Enqueue(context.Background(), Push{InstallationID: i.ID, MessageID: "m", Payload: []byte("x")})
					assert.NoError(t, err)
				})
			}
		}
		wg.Wait()
		clk.Advance(QueueTTL)
		removed, err := s.Sweep(context.Background())
		require.NoError(t, err)
		assert.Equal(t, 3*each, removed)
	})
}

func TestEnqueueOnAGoneInstallation(t *testing.T) {
	onEach(t, func(t *testing.T, open opener) {
		s := open(t, t.TempDir(), nil)
		a := installFor(t, s, "a")
		enqueue(t, s, a.ID, "1")
		gone, err := s.DeleteInstallation(context.Background(), "app", a.ID)
		require.NoError(t, err)
		assert.Equal(t, at(a, 1), gone)

		_, _, err = s.Enqueue(context.Background(), Push{InstallationID: a.ID, MessageID: "m", Payload: []byte("x")})
		require.ErrorIs(t, err, ErrNotFound)
		assert.Empty(t, payloads(t, s, a.ID, 0, 10), "its queue went with it")

		again := installFor(t, s, "a")
		assert.NotEqual(t, a.ID, again.ID)
		assert.NotEqual(t, a.Topic, again.Topic)
		assert.Empty(t, payloads(t, s, again.ID, 0, 10), "and does not come back")
	})
}

func TestConcurrentEnqueuesKeepEachSendersOrder(t *testing.T) {
	onEach(t, func(t *testing.T, open opener) {
		s := open(t, t.TempDir(), nil)
		a := installFor(t, s, "a")
		const senders, each = 8, 50
		var wg sync.WaitGroup
		for sender := range senders {
			wg.Go(func() {
				for n := range each {
					_, _, err := s.Enqueue(context.Background(), Push{InstallationID: a.ID, MessageID: "m", Payload: fmt.Appendf(nil, "%d %d", sender, n)})
					assert.NoError(t, err)
				}
			})
		}
		wg.Wait()
		all, err := s.Pending(context.Background(), a.ID, 0, senders*each+1)
		require.NoError(t, err)
		require.Len(t, all, senders*each)
		next := [senders]int{}
		for i, p := range all {
			assert.EqualValues(t, i+1, p.Seq)
			var sender, n int
			_, err := fmt.Sscan(string(p.Payload), &sender, &n)
			require.NoError(t, err)
			assert.Equal(t, next[sender], n)
			next[sender]++
		}
	})
}

// holdWriter keeps the writer inside a transaction until release is called, so that
// what is written meanwhile shares the next one.
func holdWriter(t *testing.T, s *SQL) (release func()) {
	t.Helper()
	began, hold, ended := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- s.writer.do(context.Background(), func(tx) error {
			close(began)
			<-hold
			return nil
		})
	}()
	<-began
	release = sync.OnceFunc(func() {
		close(hold)
		assert.NoError(t, <-ended)
	})
	t.Cleanup(release)
	return release
}

func TestAFailingWriteDoesNotHarmItsNeighbours(t *testing.T) {
	onEach(t, func(t *testing.T, open opener) {
		s := open(t, t.TempDir(), nil)
		a := installFor(t, s, "a")
		release := holdWriter(t, s)
		var wg sync.WaitGroup
		for i := range 10 {
			wg.Go(func() {
				_, _, err := s.Enqueue(context.Background(), Push{InstallationID: a.ID, MessageID: "m", Payload: []byte(strconv.Itoa(i))})
				assert.NoError(t, err)
			})
			wg.Go(func() {
				err := s.writer.do(context.Background(), func(x tx) error {
					if err := x.exec(deleteInstallation, "app", a.ID); err != nil {
						return err
					}
					return x.exec("INSERT INTO nowhere VALUES (1)")
				})
				assert.ErrorContains(t, err, "nowhere")
			})
		}
		require.Eventually(t, func() bool { return len(s.writer.ops) >= 20 }, time.Minute, time.Millisecond)
		release()
		wg.Wait()
		assert.Len(t, payloads(t, s, a.ID, 0, 100), 10)
	})
}

func TestAWriteWhoseCallerLeftIsNotBegun(t *testing.T) {
	onEach(t, func(t *testing.T, open opener) {
		s := open(t, t.TempDir(), nil)
		a := installFor(t, s, "a")
		release := holdWriter(t, s)
		ctx, cancel := context.WithCancel(context.Background())
		left := make(chan error, 1)
		go func() {
			_, _, err := s.Enqueue(ctx, Push{InstallationID: a.ID, MessageID: "m", Payload: []byte("x")})
			left <- err
		}()
		cancel()
		require.ErrorIs(t, <-left, context.Canceled)
		release()
		enqueue(t, s, a.ID, "next")
		assert.Equal(t, []string{"next"}, payloads(t, s, a.ID, 0, 10))
	})
}

func TestWritesAfterCloseAreRefused(t *testing.T) {
	onEach(t, func(t *testing.T, open opener) {
		s := open(t, t.TempDir(), nil)
		a := installFor(t, s, "a")
		require.NoError(t, s.Close())
		_, _, err := s.Enqueue(context.Background(), Push{InstallationID: a.ID, MessageID: "m", Payload: []byte("x")})
		assert.ErrorIs(t, err, ErrClosed)
		_, err = s.Pending(context.Background(), a.ID, 0, 1)
		assert.Error(t, err)
		assert.NoError(t, s.Close(), "twice is no error")
	})
}

// BenchmarkEnqueue measures accepted pushes per second: one caller pays a disk flush
// for each, many callers share it.
func BenchmarkEnqueue(b *testing.B) {
	for _, callers := range []int{1, 8, 64} {
		b.Run(strconv.Itoa(callers)+" callers", func(b *testing.B) {
			s := open(b, b.TempDir(), nil)
			var ids []string
			for i := range 64 {
				ids = append(ids, installFor(b, s, strconv.Itoa(i)).ID)
			}
			payload := make([]byte, 200)
			work := make(chan int)
			var wg sync.WaitGroup
			for range callers {
				wg.Go(func() {
					for i := range work {
						seq, _, err := s.Enqueue(context.Background(), Push{InstallationID: ids[i%len(ids)], MessageID: NewID(), Payload: payload})
						assert.NoError(b, err)
						if i%2 == 0 {
							assert.NoError(b, s.Acknowledge(context.Background(), map[string][]int64{ids[i%len(ids)]: {seq}}))
						}
					}
				})
			}
			b.ResetTimer()
			for i := range b.N {
				work <- i
			}
			close(work)
			wg.Wait()
		})
	}
}
