package store

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

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
	d.migrations = append([]migration{}, sqlite.migrations...)
	d.migrations = append(d.migrations, migration{`CREATE TABLE extra (a TEXT) STRICT; INSERT INTO extra VALUES ('x')`, len(d.migrations)})
	newest := len(d.migrations)
	s.sweeper.stop()
	require.NoError(t, s.writer.stop()) // gives its connection back
	s.sweeper, s.writer = nil, nil
	conn, err := s.write.Conn(ctx)
	require.NoError(t, err)
	for range 2 {
		require.NoError(t, migrate(ctx, conn, d, 1))
	}
	var rows, version int
	require.NoError(t, conn.QueryRowContext(ctx, `SELECT COUNT(*) FROM extra`).Scan(&rows))
	require.NoError(t, conn.QueryRowContext(ctx, `SELECT MAX(version) FROM schema_migrations`).Scan(&version))
	assert.Equal(t, 1, rows)
	assert.Equal(t, newest, version)

	d.migrations = append(d.migrations, migration{`CREATE TABLE half (a TEXT); nonsense`, newest})
	require.Error(t, migrate(ctx, conn, d, 1))
	assert.Error(t, conn.QueryRowContext(ctx, `SELECT COUNT(*) FROM half`).Scan(&rows), "a failed step leaves nothing")
	require.NoError(t, errors.Join(conn.Close(), s.Close()))

	s, err = OpenSQLite(ctx, Options{Dir: dir})
	require.NoError(t, err, "what a newer program has added can be left alone")
	d.migrations[newest] = migration{`DROP TABLE extra`, newest}
	s.sweeper.stop()
	require.NoError(t, s.writer.stop())
	s.sweeper, s.writer = nil, nil
	conn, err = s.write.Conn(ctx)
	require.NoError(t, err)
	require.NoError(t, migrate(ctx, conn, d, 1))
	require.NoError(t, errors.Join(conn.Close(), s.Close()))

	_, err = OpenSQLite(ctx, Options{Dir: dir})
	require.ErrorIs(t, err, ErrNewerSchema, "what it has taken away cannot")
	again, err := lockDir(dir)
	require.NoError(t, err, "a failed open gives the folder free")
	require.NoError(t, again.Close())
}

// What was stored before there were topics and things is all there after the upgrade.
func TestAFolderOfTheFirstSchemaIsUpgraded(t *testing.T) {
	ctx := context.Background()
	clk := newClock()
	dir := t.TempDir()
	db, err := sql.Open("sqlite", sqliteDSN(dir, false))
	require.NoError(t, err)
	first := sqlite
	first.migrations = sqlite.migrations[:1]
	conn, err := db.Conn(ctx)
	require.NoError(t, err)
	require.NoError(t, migrate(ctx, conn, first, 1))
	for _, insert := range []string{
		`INSERT INTO users (app_id, id, login_name, display_name, password_hash, created_at) VALUES ('app', 'u', 'ann', 'Ann', 'h', 1)`,
		`INSERT INTO tokens (hash, app_id, owner_kind, owner_id, created_at, expires_at) VALUES (X'01', 'app', 'USER', 'u', 1, 0)`,
		`INSERT INTO installations (id, registration_id, app_id, owner_kind, owner_id, device_type, development, topic, created_at, ready_at, last_seq)
			VALUES ('i', 'r', 'app', 'USER', 'u', 'MQTT', 0, 't', 1, 1, 1)`,
		`INSERT INTO queue (installation_id, seq, message_id, payload, created_at, expires_at) VALUES ('i', 1, 'm', X'7B7D', 1, 9999999999999)`,
	} {
		_, err := db.Exec(insert)
		require.NoError(t, err)
	}
	require.NoError(t, errors.Join(conn.Close(), db.Close()))

	s := open(t, dir, clk.Now)
	u, err := s.UserByName(ctx, "app", UserLoginName, "ann")
	require.NoError(t, err)
	assert.Equal(t, User{AppID: "app", ID: "u", LoginName: "ann", DisplayName: "Ann", PasswordHash: "h", Fields: []byte("{}"), CreatedAt: time.UnixMilli(1)}, u)
	_, err = s.TokenByHash(ctx, []byte{1})
	require.NoError(t, err)
	i, err := s.InstallationByTopic(ctx, "t")
	require.NoError(t, err)
	_, err = s.EnqueueAll(ctx, Push{MessageID: "m2", Payload: []byte("2")}, []string{i.ID})
	require.NoError(t, err)
	assert.Equal(t, []string{"{}", "2"}, waitingFor(t, s, i))
	require.NoError(t, s.UpdateUser(ctx, "app", "u", func(u *User) error { u.Fields = []byte(`{"a":1}`); return nil }))
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
