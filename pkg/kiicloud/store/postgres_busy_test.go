package store

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Two processes write to the same installation without a pause, so that there is hardly a moment at which a
// third one does not meet one of them. It comes through all the same, and so do they.
func TestNobodyIsAlwaysRolledBack(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	busy, other := []*SQL{share(t, dir), share(t, dir)}, share(t, dir)
	i := installFor(t, other, "u")
	var wg sync.WaitGroup
	stop := make(chan struct{})
	tried := make([]int, len(busy))
	for n, s := range busy {
		wg.Go(func() {
			for done := 0; ; done++ {
				select {
				case <-stop:
					t.Logf("%d transactions, %d attempts", done, tried[n])
					return
				default:
				}
				err := s.writer.do(ctx, func(x tx) error {
					tried[n]++
					if err := x.exec(`UPDATE installations SET last_seq = last_seq + 1 WHERE id = $1`, i.ID); err != nil {
						return err
					}
					return x.exec(`SELECT pg_sleep(0.03)`)
				})
				if !assert.NoError(t, err) {
					return
				}
			}
		})
	}
	var last int64
	for n := range 4 {
		seq, _, err := other.Enqueue(ctx, Push{InstallationID: i.ID, MessageID: fmt.Sprint(n), Payload: []byte("x")})
		if !assert.NoError(t, err) {
			break
		}
		assert.Greater(t, seq, last)
		last = seq
	}
	close(stop)
	wg.Wait()
}

// Many who share a transaction come through together, and each of them once.
func TestABusyStoreDoesNotBreakABatch(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	stores := []*SQL{share(t, dir), share(t, dir), share(t, dir)}
	i := installFor(t, stores[0], "u")
	const each, rounds = 20, 5
	var wg sync.WaitGroup
	var mu sync.Mutex
	places := map[int64]bool{}
	for _, s := range stores {
		for range each {
			wg.Go(func() {
				for range rounds {
					seq, _, err := s.Enqueue(ctx, Push{InstallationID: i.ID, MessageID: NewID(), Payload: []byte("x")})
					if !assert.NoError(t, err) {
						return
					}
					mu.Lock()
					assert.False(t, places[seq], "place %d was given twice", seq)
					places[seq] = true
					mu.Unlock()
				}
			})
		}
	}
	wg.Wait()
	want := len(stores) * each * rounds
	assert.Len(t, places, want)
	assert.Equal(t, want, count(t, stores[0], `SELECT COUNT(*) FROM queue`))
}

// A process that stands still in the middle of a transaction, with everybody kept out, keeps them out for
// so long and no longer. Where it goes on, nothing of that transaction is there, and it can write again.
func TestAProcessThatStandsStillHoldsNobodyUp(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	still, other := share(t, dir), share(t, dir)
	i := installFor(t, other, "u")
	require.NoError(t, still.writer.do(ctx, func(x tx) error { return x.exec(`SET idle_in_transaction_session_timeout = 200`) }))
	entered, goOn := make(chan struct{}, 20), make(chan struct{})
	stuck := make(chan error, 1)
	go func() {
		stuck <- still.writer.do(ctx, func(x tx) error {
			err := x.exec(`LOCK TABLE schema_migrations IN EXCLUSIVE MODE`)
			if err == nil {
				err = x.exec(`UPDATE installations SET last_seq = 1000 WHERE id = $1`, i.ID)
			}
			entered <- struct{}{}
			<-goOn
			return err
		})
	}()
	<-entered
	seq, _, err := other.Enqueue(ctx, Push{InstallationID: i.ID, MessageID: "m", Payload: []byte("x")})
	require.NoError(t, err)
	assert.EqualValues(t, 1, seq, "what was not committed is not there")
	close(goOn)
	select {
	case <-stuck: // done again over a new connection, or not at all
	case <-time.After(time.Minute):
		t.Fatal("it does not end")
	}
	_, _, err = still.Enqueue(ctx, Push{InstallationID: i.ID, MessageID: "n", Payload: []byte("x")})
	assert.NoError(t, err)
}
