package store

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestEndingsAreNotedWithTheirReason(t *testing.T) {
	onEach(t, func(t *testing.T, open opener) {
		ctx, clk := context.Background(), newClock()
		s := open(t, t.TempDir(), clk.Now)
		silent := installFor(t, s, "silent")
		_, err := s.DeleteInstallation(ctx, "app", silent.ID)
		require.NoError(t, err)
		assert.Zero(t, count(t, s, `SELECT COUNT(*) FROM endings`), "with the embedded engine there is nobody to tell")

		s.endings = true
		_, err = s.DeleteInstallation(ctx, "app", silent.ID)
		require.ErrorIs(t, err, ErrNotFound)
		one := installFor(t, s, "one")
		_, err = s.DeleteInstallation(ctx, "app", one.ID)
		require.NoError(t, err)
		user, err := s.CreateUser(ctx, User{AppID: "app", LoginName: "two", PasswordHash: "h"})
		require.NoError(t, err)
		two := installFor(t, s, user.ID)
		_, err = s.DeleteOwner(ctx, owner(user.ID))
		require.NoError(t, err)
		thing, err := s.CreateThing(ctx, Thing{AppID: "app", VendorThingID: "v", PasswordHash: "h"})
		require.NoError(t, err)
		three, _, err := s.Install(ctx, Installation{Owner: Owner{AppID: "app", Kind: OwnerThing, ID: thing.ID}, DeviceType: "MQTT"})
		require.NoError(t, err)
		for range 2 { // there is one of a kind
			require.NoError(t, s.UpdateThing(ctx, "app", thing.ID, func(t *Thing) error { t.Disabled = true; return nil }))
		}

		due, err := s.TakeEndings(ctx, clk.Now(), 10)
		require.NoError(t, err)
		assert.Empty(t, due, "who has ended it tells the broker first")
		clk.Advance(endingGrace)
		until := clk.Now().Add(time.Minute)
		due, err = s.TakeEndings(ctx, until, 10)
		require.NoError(t, err)
		assert.ElementsMatch(t, []Ending{
			{EndingRemoved, one.ID, one.Topic, until}, {EndingRemoved, two.ID, two.Topic, until}, {EndingDisabled, three.ID, three.Topic, until},
		}, due)
	})
}

// A thing that is enabled again keeps its connection, and one that is changed while it is disabled has none.
func TestNoEndingOutlivesItsReason(t *testing.T) {
	onEach(t, func(t *testing.T, open opener) {
		ctx, clk := context.Background(), newClock()
		s := open(t, t.TempDir(), clk.Now)
		s.endings = true
		thing, err := s.CreateThing(ctx, Thing{AppID: "app", VendorThingID: "v", PasswordHash: "h"})
		require.NoError(t, err)
		inst, _, err := s.Install(ctx, Installation{Owner: Owner{AppID: "app", Kind: OwnerThing, ID: thing.ID}, DeviceType: "MQTT"})
		require.NoError(t, err)
		change := func(disabled bool) {
			t.Helper()
			require.NoError(t, s.UpdateThing(ctx, "app", thing.ID, func(t *Thing) error {
				t.Fields, t.Disabled = []byte(`{"n":1}`), disabled
				return nil
			}))
		}
		due := func() []Ending {
			t.Helper()
			clk.Advance(endingGrace)
			taken, err := s.TakeEndings(ctx, clk.Now().Add(time.Minute), 10)
			require.NoError(t, err)
			return taken
		}
		change(true)
		change(false)
		assert.Empty(t, due(), "it is enabled")

		change(true)
		first := due()
		require.Len(t, first, 1)
		change(false)
		change(true)
		require.NoError(t, s.DropEnding(ctx, first[0]), "which is over")
		second := due()
		require.Len(t, second, 1, "it was disabled again")
		require.NoError(t, s.DropEnding(ctx, second[0]))
		change(true)
		assert.Empty(t, due(), "it was disabled before")

		require.NoError(t, s.PutEnding(ctx, Ending{EndingLapsed, inst.ID, inst.Topic, clk.Now()}))
		change(false)
		assert.Len(t, due(), 1, "a password is another reason")
	})
}

func TestEndingsAreSeenToOnce(t *testing.T) {
	onEach(t, func(t *testing.T, open opener) {
		ctx, clk := context.Background(), newClock()
		s := open(t, t.TempDir(), clk.Now)
		for _, id := range []string{"a", "b", "c", "d"} {
			require.NoError(t, s.PutEnding(ctx, Ending{EndingLapsed, id, "topic", clk.Now().Add(time.Minute)}))
		}
		clk.Advance(time.Minute)
		until := clk.Now().Add(time.Minute)
		var mu sync.Mutex
		var all []string
		var wg sync.WaitGroup
		for range 8 { // as processes would
			wg.Go(func() {
				taken, err := s.TakeEndings(ctx, until, 1)
				assert.NoError(t, err)
				mu.Lock()
				defer mu.Unlock()
				for _, e := range taken {
					all = append(all, e.InstallationID)
				}
			})
		}
		wg.Wait()
		assert.ElementsMatch(t, []string{"a", "b", "c", "d"}, all)

		// a was seen to; b's client came back with a newer password; whoever had c has died; d is removed.
		later := clk.Now().Add(time.Hour)
		require.NoError(t, s.DropEnding(ctx, Ending{EndingLapsed, "a", "topic", until}))
		require.NoError(t, s.PutEnding(ctx, Ending{EndingLapsed, "b", "topic", later}))
		require.NoError(t, s.DropEnding(ctx, Ending{EndingLapsed, "b", "topic", until}))
		require.NoError(t, s.PutEnding(ctx, Ending{EndingRemoved, "d", "topic", later}))
		require.NoError(t, s.DropEnding(ctx, Ending{Kind: EndingRemoved, InstallationID: "d"}))
		clk.Advance(time.Minute)
		due, err := s.TakeEndings(ctx, until, 10)
		require.NoError(t, err)
		assert.Equal(t, []Ending{{EndingLapsed, "c", "topic", until}}, due)
		clk.Advance(time.Hour)
		due, err = s.TakeEndings(ctx, later, 10)
		require.NoError(t, err)
		assert.Len(t, due, 2, "b and c")
	})
}
