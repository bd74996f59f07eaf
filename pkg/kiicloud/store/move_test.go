package store

import (
	"context"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A table that is new has to be moved, too.
func TestEveryTableIsMoved(t *testing.T) {
	for name, query := range map[string]string{
		"SQLite":     `SELECT name FROM sqlite_master WHERE type = 'table'`,
		"PostgreSQL": `SELECT tablename FROM pg_tables WHERE schemaname = current_schema()`,
	} {
		open := open
		if name == "PostgreSQL" {
			open = openPostgres
		}
		s := open(t, t.TempDir(), nil)
		rows, err := s.rows(context.Background(), query)
		tables, err := collect(rows, err, scanOne[string])
		require.NoError(t, err)
		assert.ElementsMatch(t, append(slices.Clone(moved), "schema_migrations"), tables, name)
	}
}

// What cannot be copied as a whole is not copied at all.
func TestAMoveIsWholeOrNothing(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	s := open(t, dir, nil)
	i := installFor(t, s, "u")
	enqueue(t, s, i.ID, "x")
	require.NoError(t, s.writer.do(ctx, func(x tx) error { // a text that PostgreSQL does not take
		return x.exec(`INSERT INTO objects SELECT 'app', 'APP', '', 'b', 'id', 1, 'a' || char(0), '{}', 'USER', 'u', 1, 1`)
	}))
	require.NoError(t, s.Close())
	url := postgresURL(t, dir)
	_, err := MoveToPostgres(ctx, dir, url)
	require.ErrorContains(t, err, "copy the table objects")
	to := openPostgres(t, dir, nil)
	assert.Zero(t, count(t, to, `SELECT COUNT(*) FROM installations`))
	assert.Equal(t, []string{"x"}, payloads(t, open(t, dir, nil), i.ID, 0, 10), "the folder is as it was")
}
