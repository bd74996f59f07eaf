package store

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Of each kind there may be so many and no more; what is there already is told apart from what
// does not fit, one who has gone makes room, and somebody else is not concerned.
func TestLimits(t *testing.T) {
	onEach(t, func(t *testing.T, open opener) {
		ctx := context.Background()
		s := open(t, t.TempDir(), nil)
		s.limits = Limits{Topics: 3, Subscriptions: 3, Objects: 3}.withDefaults()
		user := func(id string) Scope { return Scope{"app", ScopeUser, id} }
		bucket := func(n int) Bucket { return Bucket{Scope{"app", ScopeApp, ""}, fmt.Sprintf("b%d", n)} }
		topic := func(n int) string {
			name := fmt.Sprintf("t%d", n)
			if _, err := s.CreateTopic(ctx, Topic{Scope: Scope{"app", ScopeApp, ""}, Name: name, ID: name}); err != nil {
				require.ErrorIs(t, err, ErrExists, "of the app's own topics there is no limit")
			}
			return name
		}
		for _, c := range []struct {
			name   string
			add    func(who string, n int) error
			remove func(who string, n int) error
			again  error // adding what is there
		}{
			{"topics", func(who string, n int) error {
				_, err := s.CreateTopic(ctx, Topic{Scope: user(who), Name: fmt.Sprint(n)})
				return err
			}, func(who string, n int) error { return s.DeleteTopic(ctx, user(who), fmt.Sprint(n)) }, ErrExists},
			{"subscriptions to topics", func(who string, n int) error { return s.SubscribeToTopic(ctx, topic(n), owner(who)) },
				func(who string, n int) error { return s.UnsubscribeFromTopic(ctx, topic(n), owner(who)) }, ErrExists},
			{"subscriptions to buckets", func(who string, n int) error { return s.SubscribeToBucket(ctx, bucket(n), owner(who)) },
				func(who string, n int) error { return s.UnsubscribeFromBucket(ctx, bucket(n), owner(who)) }, ErrExists},
			{"objects", func(who string, n int) error { return putBy(s, bucket(n), owner(who), "of-"+who) },
				func(who string, n int) error { return remove(s, bucket(n), "of-"+who) }, nil},
		} {
			t.Run(c.name, func(t *testing.T) {
				for n := range 3 {
					require.NoError(t, c.add("ann", n))
				}
				var full *FullError
				require.ErrorAs(t, c.add("ann", 3), &full)
				assert.Equal(t, 3, full.Limit)
				assert.ErrorIs(t, c.add("ann", 0), c.again)
				assert.NoError(t, c.add("bob", 0))
				require.NoError(t, c.remove("ann", 1))
				assert.NoError(t, c.add("ann", 3))
				assert.ErrorAs(t, c.add("ann", 1), &full)
			})
		}
		for n := range 5 {
			require.NoError(t, putBy(s, bucket(n), Owner{"app", OwnerAdmin, "root"}, "admin's"), "an administrator's objects are not counted")
		}
	})
}

// putBy is put by somebody, which may fail.
func putBy(s *SQL, b Bucket, by Owner, id string) error {
	_, err := s.ChangeObject(context.Background(), b, id, func(*Object) (ObjectChange, error) {
		return ObjectChange{Next: &Object{Owner: by, CreatedAt: s.now(), ModifiedAt: s.now()}, Event: event(id)}, nil
	})
	return err
}

// One write that does not fit does not undo those that share its transaction.
func TestWhatDoesNotFitLeavesTheOthersAlone(t *testing.T) {
	onEach(t, func(t *testing.T, open opener) {
		s := open(t, t.TempDir(), nil)
		s.limits = Limits{Topics: 1}.withDefaults()
		errs := make(chan error, 64)
		for n := range cap(errs) {
			go func() {
				_, err := s.CreateTopic(context.Background(), Topic{Scope: Scope{"app", ScopeUser, fmt.Sprint(n % 8)}, Name: fmt.Sprint(n)})
				errs <- err
			}()
		}
		fit := 0
		for range cap(errs) {
			var full *FullError
			if err := <-errs; err == nil {
				fit++
			} else {
				assert.ErrorAs(t, err, &full)
			}
		}
		assert.Equal(t, 8, fit)
		assert.Equal(t, 8, s.count(t, "topics"))
	})
}
