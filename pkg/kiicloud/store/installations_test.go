package store

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestInstallIsIdempotentPerOwnerAndDeviceType(t *testing.T) {
	onEach(t, func(t *testing.T, open opener) {
		ctx := context.Background()
		clk := newClock()
		s := open(t, t.TempDir(), clk.Now)
		ready := clk.Now().Add(time.Second)
		first, created, err := s.Install(ctx, Installation{Owner: owner("u"), DeviceType: "MQTT", ReadyAt: ready})
		require.NoError(t, err)
		assert.True(t, created)
		assert.Len(t, first.ID, IDLength)
		assert.NotEqual(t, first.ID, first.RegistrationID)
		assert.NotEqual(t, first.ID, first.Topic)
		assert.True(t, first.ReadyAt.Equal(ready))

		clk.Advance(time.Hour)
		again, created, err := s.Install(ctx, Installation{Owner: owner("u"), DeviceType: "MQTT", Development: true, ReadyAt: clk.Now()})
		require.NoError(t, err)
		assert.False(t, created)
		want := first
		want.Development = true
		assert.Equal(t, want, again, "same ids, topic and times; the last development wins")

		others := []Installation{
			{Owner: owner("v"), DeviceType: "MQTT"},
			{Owner: owner("u"), DeviceType: "OTHER"},
			{Owner: Owner{AppID: "app", Kind: OwnerThing, ID: "u"}, DeviceType: "MQTT"},
			{Owner: Owner{AppID: "app2", Kind: OwnerUser, ID: "u"}, DeviceType: "MQTT"},
		}
		for _, o := range others {
			got, created, err := s.Install(ctx, o)
			require.NoError(t, err)
			assert.True(t, created, "%+v", o)
			assert.NotEqual(t, first.ID, got.ID)
		}
		mine, err := s.InstallationsOf(ctx, owner("u"))
		require.NoError(t, err)
		assert.Len(t, mine, 2)
	})
}

func TestInstallationLookups(t *testing.T) {
	onEach(t, func(t *testing.T, open opener) {
		ctx := context.Background()
		s := open(t, t.TempDir(), newClock().Now)
		i := installFor(t, s, "u")
		cases := []struct {
			name string
			find func() (Installation, error)
			ok   bool
		}{
			{"by id", func() (Installation, error) { return s.InstallationByID(ctx, "app", i.ID) }, true},
			{"by id in another app", func() (Installation, error) { return s.InstallationByID(ctx, "app2", i.ID) }, false},
			{"by registration", func() (Installation, error) {
				return s.InstallationByRegistration(ctx, "app", "MQTT", i.RegistrationID)
			}, true},
			{"by registration of another type", func() (Installation, error) {
				return s.InstallationByRegistration(ctx, "app", "OTHER", i.RegistrationID)
			}, false},
			{"by registration in another app", func() (Installation, error) {
				return s.InstallationByRegistration(ctx, "app2", "MQTT", i.RegistrationID)
			}, false},
			{"by topic", func() (Installation, error) { return s.InstallationByTopic(ctx, i.Topic) }, true},
			{"by an unknown topic", func() (Installation, error) { return s.InstallationByTopic(ctx, i.ID) }, false},
			{"delete in another app", func() (Installation, error) { return s.DeleteInstallation(ctx, "app2", i.ID) }, false},
			{"delete", func() (Installation, error) { return s.DeleteInstallation(ctx, "app", i.ID) }, true},
			{"delete again", func() (Installation, error) { return s.DeleteInstallation(ctx, "app", i.ID) }, false},
			{"by id afterwards", func() (Installation, error) { return s.InstallationByID(ctx, "app", i.ID) }, false},
		}
		for _, c := range cases { // in order: the last ones delete
			got, err := c.find()
			if c.ok {
				require.NoError(t, err, c.name)
				assert.Equal(t, i, got, c.name)
			} else {
				require.ErrorIs(t, err, ErrNotFound, c.name)
				assert.Zero(t, got, c.name)
			}
		}
	})
}

// A push is either in the queue of an installation that exists, or refused: whatever
// installs, uninstalls and pushes run at once.
func TestConcurrentInstallUninstallAndPush(t *testing.T) {
	onEach(t, func(t *testing.T, open opener) {
		ctx := context.Background()
		s := open(t, t.TempDir(), nil)
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for range 50 {
					i, _, err := s.Install(ctx, Installation{Owner: owner("u"), DeviceType: "MQTT"})
					if !assert.NoError(t, err) {
						return
					}
					if _, _, err := s.Enqueue(ctx, Push{InstallationID: i.ID, MessageID: "m", Payload: []byte("x")}); err != nil {
						assert.ErrorIs(t, err, ErrNotFound)
					}
					if _, err := s.DeleteInstallation(ctx, "app", i.ID); err != nil {
						assert.ErrorIs(t, err, ErrNotFound)
					}
				}
			})
		}
		wg.Wait()
		var installations, orphans int
		require.NoError(t, s.row(ctx, `SELECT COUNT(*) FROM installations`).Scan(&installations))
		require.NoError(t, s.row(ctx, `SELECT COUNT(*) FROM queue`).Scan(&orphans))
		assert.Zero(t, installations)
		assert.Zero(t, orphans)
	})
}

func TestConcurrentInstallsOfOneOwnerAgree(t *testing.T) {
	onEach(t, func(t *testing.T, open opener) {
		s := open(t, t.TempDir(), nil)
		const n = 16
		got := make([]Installation, n)
		var wg sync.WaitGroup
		for i := range n {
			wg.Go(func() {
				var err error
				got[i], _, err = s.Install(context.Background(), Installation{Owner: owner("u"), DeviceType: "MQTT"})
				assert.NoError(t, err)
			})
		}
		wg.Wait()
		for _, g := range got {
			assert.Equal(t, got[0], g)
		}
	})
}
