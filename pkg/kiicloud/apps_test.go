package kiicloud

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/pkg/kiicloud/store"
)

// What an app has is told and removed while no cloud runs on it, and of another app nothing.
func TestAnAppIsForgotten(t *testing.T) {
	dir, ctx := t.TempDir(), context.Background()
	apps := func(c *Config) { c.Apps = []App{{ID: "demo", Key: "demo-key"}, {ID: "other", Key: "other-key"}} }
	s := start(t, dir, apps)
	newcomer(t, s.Ready(), "alice").push("waits")
	c := config(dir, apps)
	c.Store, c.Engine = "sqlite", "embedded"
	_, err := AppData(ctx, c, "demo", true)
	require.ErrorIs(t, err, store.ErrLocked, "a cloud runs on it")
	stop(t, s)

	want := []store.Rows{{Table: "queue", Count: 1}, {Table: "installations", Count: 1}, {Table: "tokens", Count: 1}, {Table: "users", Count: 1}}
	rows, err := AppData(ctx, c, "other", true)
	require.NoError(t, err)
	assert.Empty(t, rows)
	for _, remove := range []bool{false, true} {
		rows, err = AppData(ctx, c, "demo", remove)
		require.NoError(t, err)
		assert.Equal(t, want, rows)
	}
	rows, err = AppData(ctx, c, "demo", false)
	require.NoError(t, err)
	assert.Empty(t, rows)
	newcomer(t, start(t, dir, apps).Ready(), "alice") // who may register again

	c.DataDir = t.TempDir()
	_, err = AppData(ctx, c, "demo", false)
	require.ErrorContains(t, err, "there is no database")
}
