package store

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// life is an owner with one of everything that can be an owner's.
type life struct {
	owner        Owner
	installation Installation
	token        []byte
}

func (s *SQL) count(t *testing.T, table string) (n int) {
	t.Helper()
	require.NoError(t, s.read.QueryRow(`SELECT COUNT(*) FROM `+table).Scan(&n))
	return n
}

// live makes an owner who has a row in each table, in the scope of its own and, as the
// owner, in the app's.
func live(t *testing.T, s *SQL, o Owner) life {
	t.Helper()
	ctx := context.Background()
	var err error
	if o.Kind == OwnerUser {
		_, err = s.CreateUser(ctx, User{AppID: o.AppID, ID: o.ID, PasswordHash: "h"})
	} else {
		_, err = s.CreateThing(ctx, Thing{AppID: o.AppID, ID: o.ID, VendorThingID: "v-" + o.ID, PasswordHash: "h"})
	}
	require.NoError(t, err)
	l := life{owner: o, token: []byte(o.AppID + string(o.Kind) + o.ID)}
	require.NoError(t, s.PutToken(ctx, Token{Hash: l.token, Owner: o}, "h"))
	l.installation, _, err = s.Install(ctx, Installation{Owner: o, DeviceType: "MQTT"})
	require.NoError(t, err)
	l.installation.LastSeq, _, err = s.Enqueue(ctx, Push{InstallationID: l.installation.ID, MessageID: "m", Payload: []byte("{}")})
	require.NoError(t, err)
	require.NoError(t, s.writer.do(ctx, func(x tx) error {
		for _, scope := range []Scope{{o.AppID, ScopeApp, ""}, {o.AppID, ScopeKind(o.Kind), o.ID}} {
			id := NewID()
			for _, insert := range [][]any{
				{`INSERT INTO topics (id, app_id, scope_kind, scope_id, name, created_at) VALUES ($1, $2, $3, $4, $1, 0)`, id, scope.AppID, string(scope.Kind), scope.ID},
				{`INSERT INTO topic_subscriptions (topic_id, app_id, owner_kind, owner_id, created_at) VALUES ($1, $2, $3, $4, 0)`, id, o.AppID, string(o.Kind), o.ID},
				{`INSERT INTO objects (app_id, scope_kind, scope_id, bucket, id, version, fields, owner_kind, owner_id, created_at, modified_at)
					VALUES ($1, $2, $3, 'b', $4, 1, '{}', $5, $6, 0, 0)`, scope.AppID, string(scope.Kind), scope.ID, id, string(o.Kind), o.ID},
				{`INSERT INTO bucket_subscriptions (app_id, scope_kind, scope_id, bucket, owner_kind, owner_id, created_at)
					VALUES ($1, $2, $3, 'b', $4, $5, 0)`, scope.AppID, string(scope.Kind), scope.ID, string(o.Kind), o.ID},
			} {
				if err := x.exec(insert[0].(string), insert[1:]...); err != nil {
					return err
				}
			}
		}
		return nil
	}))
	return l
}

func TestDeleteOwner(t *testing.T) {
	onEach(t, func(t *testing.T, open opener) {
		ctx := context.Background()
		// Of what an owner has made in the app's scope, topic and object stay; the app owns them.
		left := map[string]int{"tokens": 0, "installations": 0, "queue": 0, "topics": 1, "topic_subscriptions": 0, "objects": 1, "bucket_subscriptions": 0}
		perOwner := map[string]int{"tokens": 1, "installations": 1, "queue": 1, "topics": 2, "topic_subscriptions": 2, "objects": 2, "bucket_subscriptions": 2}
		owners := []Owner{{"app", OwnerUser, "x"}, {"app", OwnerThing, "x"}, {"app", OwnerUser, "y"}, {"app2", OwnerUser, "x"}, {"app2", OwnerThing, "y"}}
		for i, o := range owners {
			t.Run(o.AppID+" "+string(o.Kind)+" "+o.ID, func(t *testing.T) {
				s := open(t, t.TempDir(), newClock().Now)
				lives := make([]life, len(owners))
				for j, other := range owners {
					lives[j] = live(t, s, other)
				}
				gone, err := s.DeleteOwner(ctx, o)
				require.NoError(t, err)
				assert.Equal(t, []Installation{lives[i].installation}, gone)
				for table, want := range left {
					assert.Equal(t, want+perOwner[table]*(len(owners)-1), s.count(t, table), table)
				}
				for j, l := range lives {
					_, err := s.TokenByHash(ctx, l.token)
					_, err2 := s.InstallationByID(ctx, l.owner.AppID, l.installation.ID)
					if j == i {
						assert.ErrorIs(t, err, ErrNotFound)
						assert.ErrorIs(t, err2, ErrNotFound)
					} else {
						assert.NoError(t, err)
						assert.NoError(t, err2)
					}
				}
				_, err = s.DeleteOwner(ctx, o)
				assert.ErrorIs(t, err, ErrNotFound)
				assert.ErrorIs(t, s.PutToken(ctx, Token{Hash: []byte("late"), Owner: o}, "h"), ErrNotFound, "a login that began before cannot end after")
				assert.ErrorIs(t, s.SetPassword(ctx, o, "", "h2", nil), ErrNotFound)
			})
		}
	})
}

func TestWhoHasNothingIsDeleted(t *testing.T) {
	onEach(t, func(t *testing.T, open opener) {
		ctx := context.Background()
		s := open(t, t.TempDir(), nil)
		u, err := s.CreateUser(ctx, User{AppID: "app"})
		require.NoError(t, err)
		gone, err := s.DeleteOwner(ctx, Owner{"app", OwnerUser, u.ID})
		require.NoError(t, err)
		assert.Empty(t, gone)
		_, err = s.DeleteOwner(ctx, Owner{"app", OwnerAdmin, "root"})
		assert.Error(t, err)
		assert.NotErrorIs(t, err, ErrNotFound)
		assert.Error(t, s.SetPassword(ctx, Owner{"app", OwnerAdmin, "root"}, "", "h", nil))
	})
}

func TestSetPassword(t *testing.T) {
	onEach(t, func(t *testing.T, open opener) {
		for _, kind := range []OwnerKind{OwnerUser, OwnerThing} {
			t.Run(string(kind), func(t *testing.T) {
				ctx := context.Background()
				s := open(t, t.TempDir(), nil)
				x := live(t, s, Owner{"app", kind, "x"})
				other := live(t, s, Owner{"app", kind, "y"})
				put := func(hash, password string) error {
					return s.PutToken(ctx, Token{Hash: []byte(hash), Owner: x.owner}, password)
				}
				alive := func(hash []byte) bool {
					_, err := s.TokenByHash(ctx, hash)
					return err == nil
				}
				require.NoError(t, put("keep", "h"))
				assert.ErrorIs(t, s.SetPassword(ctx, x.owner, "h0", "stolen", []byte("keep")), ErrNotFound, "somebody else was faster")
				assert.True(t, alive(x.token))
				require.NoError(t, s.SetPassword(ctx, x.owner, "h", "h2", []byte("keep")))
				assert.False(t, alive(x.token))
				assert.True(t, alive([]byte("keep")))
				assert.True(t, alive(other.token))
				assert.ErrorIs(t, put("old", "h"), ErrNotFound, "a login by the old password that is still under way fails")
				require.NoError(t, put("new", "h2"))
				require.NoError(t, s.SetPassword(ctx, x.owner, "", "h3", nil))
				assert.False(t, alive([]byte("keep")))
				assert.False(t, alive([]byte("new")))
				assert.True(t, alive(other.token))
			})
		}
	})
}

func TestATokenIsForAnOwner(t *testing.T) {
	onEach(t, func(t *testing.T, open opener) {
		s := open(t, t.TempDir(), nil)
		ctx := context.Background()
		assert.Error(t, s.PutToken(ctx, Token{Hash: []byte{1}, Owner: Owner{"app", "", "x"}}, ""))
		require.NoError(t, s.PutToken(ctx, Token{Hash: []byte{2}, Owner: Owner{"app", OwnerAdmin, "root"}}, ""))
		require.NoError(t, s.DeleteToken(ctx, []byte{2}))
		require.NoError(t, s.DeleteToken(ctx, []byte{2}), "ending it twice is no error")
		_, err := s.TokenByHash(ctx, []byte{2})
		assert.ErrorIs(t, err, ErrNotFound)
	})
}
