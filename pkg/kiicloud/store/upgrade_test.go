package store

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// openSteps opens the schema of a folder as a program would that knows it as far as these steps.
func openSteps(t *testing.T, dir string, steps []migration) (*SQL, error) {
	t.Helper()
	s, err := OpenPostgres(context.Background(), postgresURL(t, dir), Options{Shared: true, steps: steps})
	if err == nil {
		t.Cleanup(func() { require.NoError(t, s.Close()) })
	}
	return s, err
}

// oneDay is what a process does all day. Two that do nothing else get in each other's way more often than a
// store has patience for, which a caller answers by asking again.
func oneDay(s *SQL, name string) error {
	ctx := context.Background()
	o := owner(name)
	scope := Scope{AppID: "app", Kind: ScopeUser, ID: name}
	b := Bucket{Scope: scope, Name: "b"}
	var i Installation
	var places []int64
	for _, step := range []func() error{
		func() error {
			_, err := s.CreateUser(ctx, User{AppID: "app", ID: name, LoginName: name, PasswordHash: "h"})
			return err
		},
		func() error { return s.PutToken(ctx, Token{Hash: []byte(name), Owner: o}, "h") },
		func() (err error) {
			i, _, err = s.Install(ctx, Installation{Owner: o, DeviceType: "MQTT"})
			return err
		},
		func() error { _, err := s.CreateTopic(ctx, Topic{Scope: scope, Name: "t"}); return err },
		func() error { return s.SubscribeToBucket(ctx, b, o) },
		func() error { return putBy(s, b, o, "object") },
		func() error {
			_, err := s.EnqueueAll(ctx, Push{MessageID: "m", Payload: []byte("{}")}, []string{i.ID})
			return err
		},
		func() error {
			pushes, err := s.Pending(ctx, i.ID, 0, 10)
			if err == nil && len(pushes) != 2 {
				return fmt.Errorf("%d pushes", len(pushes))
			}
			for _, p := range pushes {
				places = append(places, p.Seq)
			}
			return err
		},
		func() error { return s.Acknowledge(ctx, map[string][]int64{i.ID: places}) },
		func() error { _, err := s.DeleteOwner(ctx, o); return err },
	} {
		err := step()
		for met(err) {
			err = step()
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// A cluster is upgraded one process after the other: a newer program adds to the schema while older
// ones are at work, and none of them notices.
func TestOlderProcessesGoOnWhileANewerOneAddsToTheSchema(t *testing.T) {
	dir := t.TempDir()
	old, known := make([]*SQL, 2), len(postgresSteps)
	for n := range old {
		var err error
		old[n], err = openSteps(t, dir, nil)
		require.NoError(t, err)
	}
	var days atomic.Int64
	var wg sync.WaitGroup
	stop := make(chan struct{})
	end := sync.OnceFunc(func() { close(stop); wg.Wait() })
	defer end()
	for n, s := range old {
		wg.Go(func() {
			for day := 0; ; day++ {
				select {
				case <-stop:
					return
				default:
				}
				if !assert.NoError(t, oneDay(s, fmt.Sprintf("old%d-%d", n, day))) {
					return
				}
				days.Add(1)
			}
		})
	}
	more := func(n int64) {
		t.Helper()
		for until := days.Load() + n; days.Load() < until && !t.Failed(); {
			_ = old[0].Check(context.Background())
		}
	}
	more(3)
	steps := append(postgresSteps[:known:known],
		migration{`ALTER TABLE users ADD COLUMN nickname TEXT NOT NULL DEFAULT ''; CREATE TABLE devices (id TEXT NOT NULL PRIMARY KEY)`, known},
		migration{`ALTER TABLE queue ADD COLUMN priority BIGINT NOT NULL DEFAULT 0; CREATE INDEX queue_priority ON queue (priority);
			ALTER TABLE installations ADD COLUMN seen_at BIGINT`, known})
	newer, err := openSteps(t, dir, steps)
	require.NoError(t, err)
	more(3)
	require.NoError(t, oneDay(newer, "newer"))
	late, err := openSteps(t, dir, nil)
	require.NoError(t, err, "an older program may start on it, too")
	require.NoError(t, oneDay(late, "late"))

	// What older programs need is not taken away while they run.
	less := append(steps[:len(steps):len(steps)], migration{`ALTER TABLE users DROP COLUMN display_name`, known + 1})
	_, err = openSteps(t, dir, less)
	require.ErrorContains(t, err, "older programs are running")
	require.ErrorContains(t, err, old[0].name)
	require.ErrorContains(t, err, old[1].name)
	require.NotContains(t, err.Error(), newer.name, "which knows enough")
	more(3)
	end()
	for _, s := range append(old, late) {
		require.NoError(t, s.Close())
	}
	_, err = openSteps(t, dir, less)
	require.NoError(t, err)
	_, err = openSteps(t, dir, nil)
	require.ErrorIs(t, err, ErrNewerSchema)
}

// A process that was cut off while the schema changed does not write with what it knows.
func TestAProcessThatWasAwayLooksAtTheSchemaAgain(t *testing.T) {
	dir := t.TempDir()
	s, err := openSteps(t, dir, nil)
	require.NoError(t, err)
	installFor(t, s, "u")
	known := len(postgresSteps)
	require.NoError(t, s.writer.do(context.Background(), func(x tx) error {
		return x.exec(`INSERT INTO schema_migrations (version, applied_at, needs) VALUES ($1, 0, $2)`, known+1, known+1)
	}))
	other := openPostgres(t, t.TempDir(), nil) // a hand in the same database
	require.Eventually(t, func() bool {
		return count(t, other, `SELECT COUNT(*) FROM pg_stat_activity, LATERAL pg_terminate_backend(pid) WHERE application_name = '`+s.name+`'`) == 0
	}, time.Minute, time.Millisecond)
	_, _, err = s.Install(context.Background(), Installation{Owner: owner("v"), DeviceType: "MQTT"})
	require.ErrorIs(t, err, ErrNewerSchema)
	require.ErrorIs(t, err, ErrUnavailable, "which is answered by 503")
}
