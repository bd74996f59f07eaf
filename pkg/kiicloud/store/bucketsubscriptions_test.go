package store

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestBucketSubscriptions(t *testing.T) {
	onEach(t, func(t *testing.T, open opener) {
		ctx := context.Background()
		s := open(t, t.TempDir(), nil)
		thing := Owner{AppID: "app", Kind: OwnerThing, ID: "u"} // the same id as the user's
		subscribed := func(who Owner) bool {
			t.Helper()
			ok, err := s.SubscribedToBucket(ctx, notes, who)
			require.NoError(t, err)
			return ok
		}
		assert.False(t, subscribed(owner("u")))
		assert.ErrorIs(t, s.UnsubscribeFromBucket(ctx, notes, owner("u")), ErrNotFound)
		require.NoError(t, s.SubscribeToBucket(ctx, notes, owner("u")))
		assert.True(t, subscribed(owner("u")))
		assert.False(t, subscribed(thing))
		assert.ErrorIs(t, s.SubscribeToBucket(ctx, notes, owner("u")), ErrExists)
		require.NoError(t, s.SubscribeToBucket(ctx, notes, thing))
		require.NoError(t, s.UnsubscribeFromBucket(ctx, notes, owner("u")))
		assert.False(t, subscribed(owner("u")))
		assert.True(t, subscribed(thing))
	})
}

func TestEventsReachEverySubscribersInstallation(t *testing.T) {
	onEach(t, func(t *testing.T, open opener) {
		ctx := context.Background()
		s := open(t, t.TempDir(), nil)
		thing := Owner{AppID: "app", Kind: OwnerThing, ID: "u"}
		install := func(o Owner, development bool) Installation {
			i, _, err := s.Install(ctx, Installation{Owner: o, DeviceType: "MQTT", Development: development})
			require.NoError(t, err)
			return i
		}
		user, other, machine := install(owner("u"), false), install(owner("v"), false), install(thing, true)
		otherApp := install(Owner{AppID: "app2", Kind: OwnerUser, ID: "u"}, false)

		assert.Empty(t, put(t, s, notes, "before", `{}`).To, "nobody has subscribed")
		for _, who := range []Owner{owner("u"), thing, owner("not installed")} {
			require.NoError(t, s.SubscribeToBucket(ctx, notes, who))
		}
		told := put(t, s, notes, "a", `{}`)
		assert.ElementsMatch(t, []Installation{at(user, 1), at(machine, 1)}, told.To)
		assert.Equal(t, "m-a", told.Push.MessageID)
		assert.Empty(t, told.Dropped)
		put(t, s, Bucket{Scope: notes.Scope, Name: "others"}, "b", `{}`)
		require.NoError(t, remove(s, notes, "a"))

		want := []string{"a", "removed a"}
		assert.Equal(t, want, waitingFor(t, s, user))
		assert.Equal(t, want, waitingFor(t, s, machine))
		assert.Empty(t, waitingFor(t, s, other))
		assert.Empty(t, waitingFor(t, s, otherApp))
	})
}

func TestAFullQueueLosesItsOldestToAnEvent(t *testing.T) {
	onEach(t, func(t *testing.T, open opener) {
		ctx := context.Background()
		s := open(t, t.TempDir(), nil)
		i := installFor(t, s, "u")
		require.NoError(t, s.SubscribeToBucket(ctx, notes, owner("u")))
		for n := range QueueMax {
			_, _, err := s.Enqueue(ctx, Push{InstallationID: i.ID, MessageID: fmt.Sprint(n)})
			require.NoError(t, err)
		}
		told := put(t, s, notes, "a", `{}`)
		assert.Equal(t, map[string][]int64{i.ID: {1}}, told.Dropped)
		waiting := waitingFor(t, s, i)
		assert.Len(t, waiting, QueueMax)
		assert.Equal(t, "a", waiting[QueueMax-1])
	})
}

func TestDeletingABucketTellsItsSubscribersAndForgetsThem(t *testing.T) {
	onEach(t, func(t *testing.T, open opener) {
		ctx := context.Background()
		s := open(t, t.TempDir(), nil)
		i := installFor(t, s, "u")
		others := Bucket{Scope: notes.Scope, Name: "others"}
		_, err := s.DeleteBucket(ctx, notes, event("gone"))
		require.ErrorIs(t, err, ErrNotFound)

		for _, b := range []Bucket{notes, others} {
			put(t, s, b, "a", `{}`)
			require.NoError(t, s.SubscribeToBucket(ctx, b, owner("u")))
		}
		told, err := s.DeleteBucket(ctx, notes, event("gone"))
		require.NoError(t, err)
		assert.Equal(t, []Installation{at(i, 1)}, told.To)
		assert.Equal(t, []string{"gone"}, waitingFor(t, s, i))
		n, err := s.CountObjects(ctx, notes)
		require.NoError(t, err)
		assert.Zero(t, n)
		ok, err := s.SubscribedToBucket(ctx, notes, owner("u"))
		require.NoError(t, err)
		assert.False(t, ok)

		n, err = s.CountObjects(ctx, others)
		require.NoError(t, err)
		assert.Equal(t, 1, n)
		ok, err = s.SubscribedToBucket(ctx, others, owner("u"))
		require.NoError(t, err)
		assert.True(t, ok)

		require.NoError(t, s.SubscribeToBucket(ctx, notes, owner("u")), "a subscription makes a bucket, too")
		_, err = s.DeleteBucket(ctx, notes, event("gone again"))
		require.NoError(t, err)
	})
}

// The receivers of an event are found by indexes alone: looking through a table would hold
// the writer for as long as there are installations.
func TestBucketReceiversAreFoundByIndex(t *testing.T) {
	s := open(t, t.TempDir(), nil)
	for _, query := range []string{nextOfSubscribers, insertOfSubscribers, fullOfSubscribers} {
		require.NoError(t, s.writer.do(context.Background(), func(x tx) error {
			rows, err := x.rows(`EXPLAIN QUERY PLAN `+query, notes.args("m", "payload", 1, 2)[:strings.Count(query, "$")]...)
			if err != nil {
				return err
			}
			defer rows.Close()
			for rows.Next() {
				var id, parent, unused int
				var detail string
				if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
					return err
				}
				assert.NotContains(t, detail, "SCAN", query)
			}
			return rows.Err()
		}))
	}
}

// A change that so many are told of that a busy server takes longer for it than for all else is not given up in the middle, and refused for ever.
func TestAnEventForManyHasTimeForThemAll(t *testing.T) {
	ctx := context.Background()
	s := openPostgres(t, t.TempDir(), nil)
	i := installFor(t, s, "u")
	require.NoError(t, s.SubscribeToBucket(ctx, notes, owner("u")))
	put(t, s, notes, "a", `{}`)
	require.NoError(t, s.writer.do(ctx, func(x tx) error { // who has no installation counts, too
		return x.exec(`INSERT INTO bucket_subscriptions (app_id, scope_kind, scope_id, bucket, owner_kind, owner_id, created_at)
			SELECT $1::text, $2::text, $3::text, $4::text, 'user', 'u' || n, 0 FROM generate_series(1, 3000) n`, notes.args()...)
	}))
	s.writer.d.timeout = time.Nanosecond
	_, _, err := s.Enqueue(ctx, Push{InstallationID: i.ID, MessageID: "one"})
	require.ErrorIs(t, err, ErrUnavailable)
	assert.Len(t, put(t, s, notes, "b", `{}`).To, 1)
	told, err := s.DeleteBucket(ctx, notes, Push{MessageID: "over"})
	require.NoError(t, err)
	assert.Len(t, told.To, 1)
}
