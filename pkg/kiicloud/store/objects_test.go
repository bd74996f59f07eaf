package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var notes = Bucket{Scope: Scope{AppID: "app", Kind: ScopeUser, ID: "u"}, Name: "notes"}

func event(payload string) Push { return Push{MessageID: "m-" + payload, Payload: []byte(payload)} }

// put creates or replaces an object.
func put(t testing.TB, s *SQL, b Bucket, id, fields string) Told {
	t.Helper()
	told, err := s.ChangeObject(context.Background(), b, id, func(old *Object) (ObjectChange, error) {
		next := &Object{Fields: []byte(fields), Owner: owner("u"), CreatedAt: s.now(), ModifiedAt: s.now()}
		return ObjectChange{Next: next, Event: event(id)}, nil
	})
	require.NoError(t, err)
	return told
}

func remove(s *SQL, b Bucket, id string) error {
	_, err := s.ChangeObject(context.Background(), b, id, func(*Object) (ObjectChange, error) {
		return ObjectChange{Event: event("removed " + id)}, nil
	})
	return err
}

// waitingFor gives what waits for an installation.
func waitingFor(t testing.TB, s *SQL, i Installation) []string {
	t.Helper()
	pushes, err := s.Pending(context.Background(), i.ID, 0, QueueMax)
	require.NoError(t, err)
	all := []string{}
	for _, p := range pushes {
		all = append(all, string(p.Payload))
	}
	return all
}

func TestAnObjectKeepsItsBeginnings(t *testing.T) {
	onEach(t, func(t *testing.T, open opener) {
		ctx := context.Background()
		clock := newClock()
		s := open(t, t.TempDir(), clock.Now)
		began := clock.Now()
		put(t, s, notes, "a", `{"text":"100 %"}`)
		o, err := s.ObjectByID(ctx, notes, "a")
		require.NoError(t, err)
		assert.Equal(t, Object{Bucket: notes, ID: "a", Version: 1, Fields: []byte(`{"text":"100 %"}`), Owner: owner("u"), CreatedAt: began, ModifiedAt: began}, o)

		clock.Advance(time.Minute)
		_, err = s.ChangeObject(ctx, notes, "a", func(old *Object) (ObjectChange, error) {
			require.NotNil(t, old)
			assert.EqualValues(t, 1, old.Version)
			return ObjectChange{Next: &Object{DataType: "memo", Owner: owner("somebody else"), CreatedAt: clock.Now(), ModifiedAt: clock.Now(), Version: 99}}, nil
		})
		require.NoError(t, err)
		o, err = s.ObjectByID(ctx, notes, "a")
		require.NoError(t, err)
		assert.Equal(t, Object{Bucket: notes, ID: "a", Version: 2, DataType: "memo", Fields: []byte(`{}`), Owner: owner("u"), CreatedAt: began, ModifiedAt: clock.Now()}, o)

		require.NoError(t, remove(s, notes, "a"))
		_, err = s.ObjectByID(ctx, notes, "a")
		assert.ErrorIs(t, err, ErrNotFound)
		assert.ErrorIs(t, remove(s, notes, "a"), ErrNotFound)
	})
}

func TestADeclinedChangeLeavesEverything(t *testing.T) {
	onEach(t, func(t *testing.T, open opener) {
		ctx := context.Background()
		s := open(t, t.TempDir(), nil)
		i := installFor(t, s, "u")
		require.NoError(t, s.SubscribeToBucket(ctx, notes, owner("u")))
		put(t, s, notes, "a", `{"n":1}`)
		stale := errors.New("stale")
		_, err := s.ChangeObject(ctx, notes, "a", func(*Object) (ObjectChange, error) {
			return ObjectChange{Next: &Object{}, Event: event("never")}, stale
		})
		assert.Equal(t, stale, err, "as it is, not wrapped")
		o, err := s.ObjectByID(ctx, notes, "a")
		require.NoError(t, err)
		assert.EqualValues(t, 1, o.Version)
		assert.Equal(t, []string{"a"}, waitingFor(t, s, i))
	})
}

func TestSameIDInOtherBucketsAndScopes(t *testing.T) {
	onEach(t, func(t *testing.T, open opener) {
		ctx := context.Background()
		s := open(t, t.TempDir(), nil)
		buckets := []Bucket{notes,
			{Scope: notes.Scope, Name: "others"},
			{Scope: Scope{AppID: "app", Kind: ScopeApp}, Name: "notes"},
			{Scope: Scope{AppID: "app", Kind: ScopeThing, ID: "u"}, Name: "notes"},
			{Scope: Scope{AppID: "app2", Kind: ScopeUser, ID: "u"}, Name: "notes"},
		}
		for n, b := range buckets {
			put(t, s, b, "a", fmt.Sprintf(`{"n":%d}`, n))
		}
		for n, b := range buckets {
			o, err := s.ObjectByID(ctx, b, "a")
			require.NoError(t, err)
			assert.JSONEq(t, fmt.Sprintf(`{"n":%d}`, n), string(o.Fields))
			count, err := s.CountObjects(ctx, b)
			require.NoError(t, err)
			assert.Equal(t, 1, count)
		}
		require.NoError(t, remove(s, notes, "a"))
		for _, b := range buckets[1:] {
			_, err := s.ObjectByID(ctx, b, "a")
			assert.NoError(t, err)
		}
	})
}

func TestPagesOfObjects(t *testing.T) {
	onEach(t, func(t *testing.T, open opener) {
		ctx := context.Background()
		s := open(t, t.TempDir(), nil)
		for _, id := range []string{"d", "b", "e", "a", "c"} {
			put(t, s, notes, id, `{"f":"`+strings.Repeat("x", 92)+`"}`) // 100 bytes
		}
		for _, tc := range []struct {
			name            string
			after           string
			limit, maxBytes int
			ids             string
			more            bool
		}{
			{"all", "", 10, 1000, "abcde", false},
			{"exactly all", "", 5, 500, "abcde", false},
			{"a page", "", 2, 1000, "ab", true},
			{"the next", "b", 2, 1000, "cd", true},
			{"the last", "d", 2, 1000, "e", false},
			{"after a removed one", "bb", 2, 1000, "cd", true},
			{"behind the end", "e", 2, 1000, "", false},
			{"fewer for their size", "", 5, 299, "ab", true},
			{"one at least", "", 5, 1, "a", true},
			{"the last one is too large", "d", 5, 1, "e", false},
		} {
			t.Run(tc.name, func(t *testing.T) {
				page, more, err := s.Objects(ctx, notes, tc.after, tc.limit, tc.maxBytes)
				require.NoError(t, err)
				ids := ""
				for _, o := range page {
					ids += o.ID
				}
				assert.Equal(t, tc.ids, ids)
				assert.Equal(t, tc.more, more)
			})
		}
	})
}

// Writers that change one object at the same time take turns: each sees what the one before
// made, and the events lie in that order.
func TestConcurrentChangesTakeTurns(t *testing.T) {
	onEach(t, func(t *testing.T, open opener) {
		ctx := context.Background()
		s := open(t, t.TempDir(), nil)
		i := installFor(t, s, "u")
		require.NoError(t, s.SubscribeToBucket(ctx, notes, owner("u")))
		const writers, each = 8, 10
		var wg sync.WaitGroup
		for range writers {
			wg.Go(func() {
				for range each {
					_, err := s.ChangeObject(ctx, notes, "counter", func(old *Object) (ObjectChange, error) {
						n := 0
						if old != nil {
							if _, err := fmt.Sscanf(string(old.Fields), `{"n":%d}`, &n); err != nil {
								return ObjectChange{}, err
							}
						}
						fields := fmt.Sprintf(`{"n":%d}`, n+1)
						return ObjectChange{Next: &Object{Fields: []byte(fields)}, Event: event(fields)}, nil
					})
					assert.NoError(t, err)
				}
			})
		}
		wg.Wait()
		o, err := s.ObjectByID(ctx, notes, "counter")
		require.NoError(t, err)
		assert.EqualValues(t, writers*each, o.Version)
		assert.Equal(t, fmt.Sprintf(`{"n":%d}`, writers*each), string(o.Fields))
		want := []string{}
		for n := range writers * each {
			want = append(want, fmt.Sprintf(`{"n":%d}`, n+1))
		}
		assert.Equal(t, want, waitingFor(t, s, i))
	})
}

// A change and its event are one transaction: when one fails there is neither.
func TestNoChangeWithoutItsEvent(t *testing.T) {
	onEach(t, func(t *testing.T, open opener) {
		ctx := context.Background()
		s := open(t, t.TempDir(), nil)
		i := installFor(t, s, "u")
		require.NoError(t, s.SubscribeToBucket(ctx, notes, owner("u")))
		breakQueue(t, s, `1 = 1`, "the queue is broken")
		_, err := s.ChangeObject(ctx, notes, "a", func(*Object) (ObjectChange, error) {
			return ObjectChange{Next: &Object{}, Event: event("a")}, nil
		})
		require.ErrorContains(t, err, "the queue is broken")
		_, err = s.ObjectByID(ctx, notes, "a")
		assert.ErrorIs(t, err, ErrNotFound)
		assert.Empty(t, waitingFor(t, s, i))
	})
}
