package store

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// manyChildren is how many installations a killed fan-out is for.
const manyChildren = 1000

// childFansOut is the child process: it pushes to all installations, and changes objects whose
// bucket they have subscribed to, and prints each when, and only when, the store has it.
func childFansOut(dir string) error {
	ctx := context.Background()
	s, err := OpenSQLite(ctx, Options{Dir: dir})
	if err != nil {
		return err
	}
	errs := make(chan error, manyChildren)
	ids := make([]string, manyChildren)
	var made sync.WaitGroup
	for n := range ids {
		made.Go(func() { // together: they share commits
			i, _, err := s.Install(ctx, Installation{Owner: owner(fmt.Sprint(n)), DeviceType: "MQTT"})
			if ids[n] = i.ID; err == nil {
				err = s.SubscribeToBucket(ctx, notes, owner(fmt.Sprint(n)))
			}
			if err != nil {
				errs <- err
			}
		})
	}
	made.Wait()
	var out sync.Mutex
	report := func(id string, err error) {
		if err != nil {
			errs <- err
			return
		}
		out.Lock()
		defer out.Unlock()
		fmt.Println(id)
	}
	for worker := range 2 {
		go func() {
			for n := 0; ; n++ {
				id := fmt.Sprintf("push-%d-%d", worker, n)
				_, err := s.EnqueueAll(ctx, Push{MessageID: id, Payload: []byte("{}")}, ids)
				report(id, err)
			}
		}()
		go func() {
			for n := 0; ; n++ {
				id := fmt.Sprintf("object-%d-%d", worker, n)
				_, err := s.ChangeObject(ctx, notes, id, func(*Object) (ObjectChange, error) {
					return ObjectChange{Next: &Object{Owner: owner("u"), CreatedAt: s.now(), ModifiedAt: s.now()}, Event: Push{MessageID: id, Payload: []byte("{}")}}, nil
				})
				report(id, err)
			}
		}()
	}
	return <-errs
}

// What is for many is there for all of them or for none, and for all of them when it was
// accepted; and an object is there with its event, or neither.
func TestAFanOutIsWholeAfterAKill(t *testing.T) {
	dir := t.TempDir()
	cmd, lines := startChild(t, dir, "fan out")
	accepted := []string{}
	for len(accepted) < 10 && lines.Scan() {
		accepted = append(accepted, lines.Text())
	}
	require.NoError(t, cmd.Process.Kill()) // four of them are under way
	for lines.Scan() {
		accepted = append(accepted, lines.Text())
	}
	cmd.Wait()
	require.GreaterOrEqual(t, len(accepted), 10)

	s := open(t, dir, nil)
	rows, err := s.rows(context.Background(), `SELECT message_id || ' ' || COUNT(*) FROM queue GROUP BY message_id`)
	found, err := collect(rows, err, scanOne[string])
	require.NoError(t, err)
	whole := map[string]bool{}
	for _, line := range found {
		var id string
		var n int
		_, err := fmt.Sscan(line, &id, &n)
		require.NoError(t, err)
		assert.Equal(t, manyChildren, n, id)
		whole[id] = true
	}
	for _, id := range accepted {
		assert.True(t, whole[id], "%s was accepted", id)
	}
	rows, err = s.rows(context.Background(), `SELECT id FROM objects`)
	objects, err := collect(rows, err, scanOne[string])
	require.NoError(t, err)
	for _, id := range objects {
		assert.True(t, whole[id], "%s is stored without its event", id)
		delete(whole, id)
	}
	for id := range whole {
		assert.NotContains(t, id, "object", "an event of what is not stored")
	}
}
