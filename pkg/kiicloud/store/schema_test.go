package store

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTheDatabaseRunsAsConfigured(t *testing.T) {
	s := open(t, t.TempDir(), nil)
	for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "busy_timeout": "5000"} {
		var got string
		require.NoError(t, s.writer.do(context.Background(), func(x tx) error { return x.row("PRAGMA " + pragma).Scan(&got) }))
		assert.Equal(t, want, got, pragma)
	}
	_, err := s.read.Exec(`DELETE FROM users`)
	assert.Error(t, err, "a reading connection cannot write")
}

func TestAFolderNameMayHoldAnything(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a b?c=d&e#f%20")
	s := open(t, dir, nil)
	installFor(t, s, "u")
	_, err := os.Stat(filepath.Join(dir, "kiicloud.db"))
	assert.NoError(t, err)
}

func TestTheDatabaseIsForTheOwnersEyesAlone(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.Chmod(dir, 0o755)) // a folder that somebody else has made
	s := open(t, dir, nil)
	installFor(t, s, "u")
	files, err := filepath.Glob(filepath.Join(dir, "kiicloud.db*"))
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(files), 2, "the database and its log")
	for _, f := range files {
		info, err := os.Stat(f)
		require.NoError(t, err)
		assert.Equal(t, os.FileMode(0o600), info.Mode().Perm(), f)
	}
}

func TestMigrationsRunOnceAndInOrder(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	s := open(t, dir, nil)
	installFor(t, s, "u")
	d := sqlite
	d.migrations = append([]string{}, sqlite.migrations...)
	d.migrations = append(d.migrations, `CREATE TABLE extra (a TEXT) STRICT; INSERT INTO extra VALUES ('x')`)
	newest := len(d.migrations)
	s.sweeper.stop()
	require.NoError(t, s.writer.stop()) // gives its connection back
	s.sweeper, s.writer = nil, nil
	for range 2 {
		require.NoError(t, migrate(ctx, s.write, d, 1))
	}
	var rows, version int
	require.NoError(t, s.write.QueryRow(`SELECT COUNT(*) FROM extra`).Scan(&rows))
	require.NoError(t, s.write.QueryRow(`SELECT MAX(version) FROM schema_migrations`).Scan(&version))
	assert.Equal(t, 1, rows)
	assert.Equal(t, newest, version)

	d.migrations = append(d.migrations, `CREATE TABLE half (a TEXT); nonsense`)
	require.Error(t, migrate(ctx, s.write, d, 1))
	assert.Error(t, s.write.QueryRow(`SELECT COUNT(*) FROM half`).Scan(&rows), "a failed step leaves nothing")
	require.NoError(t, s.Close())

	_, err := OpenSQLite(ctx, Options{Dir: dir})
	assert.ErrorContains(t, err, "use a newer program")
	again, err := lockDir(dir)
	require.NoError(t, err, "a failed open gives the folder free")
	require.NoError(t, again.Close())
}

func TestIDsAreSafeEverywhere(t *testing.T) {
	safe := regexp.MustCompile(`^[0-9A-Za-z]+$`)
	seen := map[string]bool{}
	for range 1000 {
		id := NewID()
		require.Len(t, id, IDLength)
		require.Regexp(t, safe, id)
		require.False(t, seen[id])
		seen[id] = true
	}
	assert.Len(t, RandomString(200), 200)
}
