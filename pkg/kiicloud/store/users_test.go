package store

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestUserNamesAreUniqueWithinAnApp(t *testing.T) {
	onEach(t, func(t *testing.T, open opener) {
		ctx := context.Background()
		s := open(t, t.TempDir(), newClock().Now)
		_, err := s.CreateUser(ctx, User{AppID: "app", LoginName: "090-1234", Phone: "0123"})
		require.NoError(t, err)
		u, err := s.CreateUser(ctx, User{AppID: "app", LoginName: "ann", Email: "ann@example.com", Phone: "+811", DisplayName: "Ann", PasswordHash: "h"})
		require.NoError(t, err)
		assert.Len(t, u.ID, IDLength)
		cases := []struct {
			name   string
			user   User
			exists bool
		}{
			{"same login name", User{AppID: "app", LoginName: "ann"}, true},
			{"same email", User{AppID: "app", LoginName: "x1", Email: "ann@example.com"}, true},
			{"same phone", User{AppID: "app", LoginName: "x2", Phone: "+811"}, true},
			{"a login name that is another's number", User{AppID: "app", LoginName: "0123"}, true},
			{"a number that is another's login name", User{AppID: "app", LoginName: "x4", Phone: "090-1234"}, true},
			{"a number for a login name", User{AppID: "app", LoginName: "555-0199", Phone: "555-0199"}, false},
			{"same id", User{AppID: "app", ID: u.ID, LoginName: "x3"}, true},
			{"another app", User{AppID: "app2", LoginName: "ann", Email: "ann@example.com", Phone: "+811"}, false},
			{"no names at all", User{AppID: "app"}, false},
			{"no names at all, again", User{AppID: "app"}, false},
		}
		for _, c := range cases {
			got, err := s.CreateUser(ctx, c.user)
			if c.exists {
				require.ErrorIs(t, err, ErrExists, c.name)
				assert.Zero(t, got, c.name)
			} else {
				require.NoError(t, err, c.name)
			}
		}
		finds := map[string]func() (User, error){
			"id":         func() (User, error) { return s.UserByID(ctx, "app", u.ID) },
			"login name": func() (User, error) { return s.UserByName(ctx, "app", UserLoginName, "ann") },
			"email":      func() (User, error) { return s.UserByName(ctx, "app", UserEmail, "ann@example.com") },
			"phone":      func() (User, error) { return s.UserByName(ctx, "app", UserPhone, "+811") },
		}
		renamed := func(change func(*User)) error {
			return s.UpdateUser(ctx, "app", u.ID, func(u *User) error { change(u); return nil })
		}
		assert.ErrorIs(t, renamed(func(u *User) { u.LoginName = "0123" }), ErrExists)
		assert.ErrorIs(t, renamed(func(u *User) { u.Phone = "090-1234" }), ErrExists)
		for name, find := range finds {
			got, err := find()
			require.NoError(t, err, name)
			assert.Equal(t, u, got, name)
		}
		_, err = s.UserByName(ctx, "app", UserEmail, "")
		assert.ErrorIs(t, err, ErrNotFound, "an absent name is not an empty one")
		_, err = s.UserByID(ctx, "app2", u.ID)
		assert.ErrorIs(t, err, ErrNotFound)
	})
}

func TestTokensEndWhenTheyExpire(t *testing.T) {
	onEach(t, func(t *testing.T, open opener) {
		ctx := context.Background()
		clk := newClock()
		s := open(t, t.TempDir(), clk.Now)
		end := clk.Now().Add(time.Hour)
		short := Token{Hash: []byte{1}, Owner: owner("u"), CreatedAt: clk.Now(), ExpiresAt: end}
		forever := Token{Hash: []byte{2}, Owner: Owner{AppID: "app", Kind: OwnerAdmin, ID: "root"}, CreatedAt: clk.Now()}
		_, err := s.CreateUser(ctx, User{AppID: "app", ID: "u", PasswordHash: "h"})
		require.NoError(t, err)
		require.NoError(t, s.PutToken(ctx, short, "h"))
		require.NoError(t, s.PutToken(ctx, forever, ""))

		got, err := s.TokenByHash(ctx, []byte{1})
		require.NoError(t, err)
		assert.Equal(t, short, got)
		clk.Advance(time.Hour)
		_, err = s.TokenByHash(ctx, []byte{1})
		assert.ErrorIs(t, err, ErrNotFound)
		got, err = s.TokenByHash(ctx, []byte{2})
		require.NoError(t, err)
		assert.Equal(t, forever, got)

		removed, err := s.Sweep(ctx)
		require.NoError(t, err)
		assert.Equal(t, 1, removed)
		assert.Error(t, s.PutToken(ctx, forever, ""), "a hash is stored once")
	})
}
