package store

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestThingNamesAreUniqueWithinAnApp(t *testing.T) {
	onEach(t, func(t *testing.T, open opener) {
		ctx := context.Background()
		s := open(t, t.TempDir(), newClock().Now)
		thing, err := s.CreateThing(ctx, Thing{AppID: "app", VendorThingID: "v", PasswordHash: "h", Fields: []byte(`{"a":"100%"}`)})
		require.NoError(t, err)
		assert.Len(t, thing.ID, IDLength)
		for _, c := range []struct {
			name  string
			thing Thing
			err   error
		}{
			{"same vendor's id", Thing{AppID: "app", VendorThingID: "v"}, ErrExists},
			{"same id", Thing{AppID: "app", ID: thing.ID, VendorThingID: "w"}, ErrExists},
			{"same vendor's id in other letters", Thing{AppID: "app", VendorThingID: "V"}, nil},
			{"another app", Thing{AppID: "app2", ID: thing.ID, VendorThingID: "v"}, nil},
		} {
			got, err := s.CreateThing(ctx, c.thing)
			require.ErrorIs(t, err, c.err, c.name)
			assert.Equal(t, err != nil, got.ID == "", c.name)
		}
		got, err := s.ThingByID(ctx, "app", thing.ID)
		require.NoError(t, err)
		assert.Equal(t, thing, got)
		got, err = s.ThingByVendorID(ctx, "app", "v")
		require.NoError(t, err)
		assert.Equal(t, thing, got)
		_, err = s.ThingByVendorID(ctx, "app3", "v")
		assert.ErrorIs(t, err, ErrNotFound)
		_, err = s.ThingByID(ctx, "app", "v")
		assert.ErrorIs(t, err, ErrNotFound)
	})
}

func TestUpdateThing(t *testing.T) {
	onEach(t, func(t *testing.T, open opener) {
		ctx := context.Background()
		s := open(t, t.TempDir(), nil)
		l := live(t, s, Owner{"app", OwnerThing, "x"})
		other := live(t, s, Owner{"app", OwnerThing, "y"})
		require.NoError(t, s.UpdateThing(ctx, "app", "x", func(u *Thing) error { u.Fields = []byte(`{"a":1}`); return nil }))
		got, err := s.ThingByID(ctx, "app", "x")
		require.NoError(t, err)
		assert.JSONEq(t, `{"a":1}`, string(got.Fields))
		_, err = s.TokenByHash(ctx, l.token)
		require.NoError(t, err, "an update of the fields does not log the thing out")

		refusal := errors.New("no")
		assert.Equal(t, refusal, s.UpdateThing(ctx, "app", "x", func(u *Thing) error { u.Disabled = true; return refusal }))
		assert.ErrorIs(t, s.UpdateThing(ctx, "app", "z", func(*Thing) error { return nil }), ErrNotFound)
		got, err = s.ThingByID(ctx, "app", "x")
		require.NoError(t, err)
		assert.False(t, got.Disabled)

		require.NoError(t, s.UpdateThing(ctx, "app", "x", func(u *Thing) error { u.Disabled = true; return nil }))
		_, err = s.TokenByHash(ctx, l.token)
		assert.ErrorIs(t, err, ErrNotFound)
		_, err = s.TokenByHash(ctx, other.token)
		assert.NoError(t, err)
		assert.ErrorIs(t, s.PutToken(ctx, Token{Hash: []byte("late"), Owner: l.owner}, "h"), ErrNotFound)
		require.NoError(t, s.UpdateThing(ctx, "app", "x", func(u *Thing) error { u.Disabled = false; return nil }))
		assert.NoError(t, s.PutToken(ctx, Token{Hash: []byte("late"), Owner: l.owner}, "h"))
	})
}

func TestUpdateUser(t *testing.T) {
	onEach(t, func(t *testing.T, open opener) {
		ctx := context.Background()
		s := open(t, t.TempDir(), newClock().Now)
		ann, err := s.CreateUser(ctx, User{AppID: "app", LoginName: "ann", Email: "ann@example.com", Phone: "+1", PasswordHash: "h", Fields: []byte(`{"a":1}`)})
		require.NoError(t, err)
		_, err = s.CreateUser(ctx, User{AppID: "app", LoginName: "bob", Email: "bob@example.com", Phone: "+2"})
		require.NoError(t, err)
		_, err = s.CreateUser(ctx, User{AppID: "app2", LoginName: "carl"})
		require.NoError(t, err)
		refusal := errors.New("no")
		for _, c := range []struct {
			name   string
			change func(*User) error
			err    error
			want   func(*User)
		}{
			{"fields", func(u *User) error { u.Fields = []byte(`{"b":2}`); return nil }, nil, func(u *User) { u.Fields = []byte(`{"b":2}`) }},
			{"no fields", func(u *User) error { u.Fields = nil; return nil }, nil, func(u *User) { u.Fields = []byte(`{}`) }},
			{"names and password", func(u *User) error {
				u.LoginName, u.Email, u.Phone, u.DisplayName, u.PasswordHash = "carl", "", "+3", "Carl", "h2"
				return nil
			}, nil, func(u *User) {
				u.LoginName, u.Email, u.Phone, u.DisplayName, u.PasswordHash = "carl", "", "+3", "Carl", "h2"
			}},
			{"refused", func(u *User) error { u.LoginName = "dora"; return refusal }, refusal, nil},
			{"login name of another", func(u *User) error { u.LoginName = "bob"; return nil }, ErrExists, nil},
			{"email of another", func(u *User) error { u.Email = "bob@example.com"; return nil }, ErrExists, nil},
			{"phone of another", func(u *User) error { u.Phone = "+2"; return nil }, ErrExists, nil},
			{"what it is already", func(u *User) error { return nil }, nil, func(*User) {}},
		} {
			t.Run(c.name, func(t *testing.T) {
				want, err := s.UserByID(ctx, "app", ann.ID)
				require.NoError(t, err)
				require.Equal(t, c.err, s.UpdateUser(ctx, "app", ann.ID, c.change))
				if c.err == nil {
					c.want(&want)
				}
				got, err := s.UserByID(ctx, "app", ann.ID)
				require.NoError(t, err)
				assert.Equal(t, want, got)
			})
		}
		assert.ErrorIs(t, s.UpdateUser(ctx, "app2", ann.ID, func(*User) error { return nil }), ErrNotFound)
	})
}

// A refusal must not undo what others write in the same transaction.
func TestARefusedUpdateLeavesOthersAlone(t *testing.T) {
	onEach(t, func(t *testing.T, open opener) {
		ctx := context.Background()
		s := open(t, t.TempDir(), nil)
		u, err := s.CreateUser(ctx, User{AppID: "app"})
		require.NoError(t, err)
		refusal := errors.New("no")
		const n = 50
		done := make(chan error, 2*n)
		for range n {
			go func() { done <- s.UpdateUser(ctx, "app", u.ID, func(*User) error { return refusal }) }()
			go func() {
				_, err := s.CreateUser(ctx, User{AppID: "app"})
				done <- err
			}()
		}
		refused := 0
		for range 2 * n {
			if err := <-done; err != nil {
				require.Equal(t, refusal, err)
				refused++
			}
		}
		assert.Equal(t, n, refused)
		assert.Equal(t, n+1, s.count(t, "users"))
	})
}
