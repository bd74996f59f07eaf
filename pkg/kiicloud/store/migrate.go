package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
)

// migration is a step of the schema. A released one never changes.
//
// Programs of several versions may use a database at the same time, while a cluster is upgraded. So
// a step adds what the programs before it do not know and can leave alone: tables, columns with
// a default, indexes. What such a program needs goes in a later step, which says in needs how far a
// program has to know the schema to do without it. That step waits until no other program is running.
type migration struct {
	ddl   string
	needs int // the schema version that a program has to know to use the database after this step
}

// ErrNewerSchema means that a newer program has changed the database so that this one cannot use it.
var ErrNewerSchema = errors.New("a newer program has changed the database: use that")

// migrate brings the schema to the newest version that this program knows, each step in a
// transaction of its own, and refuses a database from which a newer program has taken what this one
// needs. Of several processes that start at once, one does it.
func migrate(ctx context.Context, db *sql.Conn, d dialect, now int64) error {
	if d.migrating != nil {
		done, err := d.migrating(ctx, db)
		if err != nil {
			return fmt.Errorf("wait for the right to change the schema: %w", err)
		}
		defer done()
	}
	if err := migrationsTable(ctx, db); err != nil {
		return fmt.Errorf("create the migrations table: %w", err)
	}
	version, err := checkSchema(ctx, db, d)
	if err != nil {
		return err
	}
	for v := version + 1; v <= len(d.migrations); v++ {
		if err := migrateStep(ctx, db, d, v, now); err != nil {
			return fmt.Errorf("migrate the schema to version %d: %w", v, err)
		}
	}
	return nil
}

// migrationsTable makes the table of the steps that were done, or adds to one that does not tell
// what they need.
func migrationsTable(ctx context.Context, db *sql.Conn) error {
	const table = `CREATE TABLE IF NOT EXISTS schema_migrations (version INTEGER NOT NULL PRIMARY KEY, applied_at BIGINT NOT NULL, needs INTEGER NOT NULL DEFAULT 0)`
	if _, err := db.ExecContext(ctx, table); err != nil {
		return err
	}
	var n int
	if db.QueryRowContext(ctx, `SELECT COUNT(needs) FROM schema_migrations`).Scan(&n) == nil {
		return nil
	}
	_, err := db.ExecContext(ctx, `ALTER TABLE schema_migrations ADD COLUMN needs INTEGER NOT NULL DEFAULT 0`)
	return err
}

// checkSchema gives the schema's version. The error is ErrNewerSchema where it is too new.
func checkSchema(ctx context.Context, db *sql.Conn, d dialect) (version int, err error) {
	var needs int
	err = db.QueryRowContext(ctx, `SELECT COALESCE(MAX(version), 0), COALESCE(MAX(needs), 0) FROM schema_migrations`).Scan(&version, &needs)
	switch known := len(d.migrations); {
	case err != nil:
		return 0, fmt.Errorf("read the schema version: %w", err)
	case needs > known:
		return 0, fmt.Errorf("%w (the schema's version is %d, and programs have to know version %d; this one knows %d)", ErrNewerSchema, version, needs, known)
	}
	return version, nil
}

// stepTries is how often a step is tried that met transactions of processes that are running.
const stepTries = 10

func migrateStep(ctx context.Context, db *sql.Conn, d dialect, version int, now int64) error {
	step := d.migrations[version-1]
	if err := alone(ctx, db, d, step.needs); err != nil {
		return err
	}
	for try := 1; ; try++ {
		err := migrateOnce(ctx, db, d, version, now)
		if err == nil || try == stepTries || d.again == nil || !d.again(err) {
			return err
		}
	}
}

func migrateOnce(ctx context.Context, db *sql.Conn, d dialect, version int, now int64) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	step := d.migrations[version-1]
	if _, err := tx.ExecContext(ctx, step.ddl, d.script...); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO schema_migrations (version, applied_at, needs) VALUES ($1, $2, $3)`, version, now, step.needs); err != nil {
		return err
	}
	return tx.Commit()
}

// alone fails while a process that knows less of the schema than needs is using the database.
func alone(ctx context.Context, db *sql.Conn, d dialect, needs int) error {
	if d.others == nil {
		return nil
	}
	names, err := d.others(ctx, db)
	if err != nil {
		return fmt.Errorf("look for other processes: %w", err)
	}
	var old []string
	for _, name := range names {
		var known int
		_, _ = fmt.Sscanf(name, processName+"%d ", &known) // 0 where it does not say
		if known < needs {
			old = append(old, `"`+name+`"`)
		}
	}
	if len(old) > 0 {
		return fmt.Errorf("older programs are running that the new schema would break: stop %s first, or go over the version in between (docs/operating.md)", strings.Join(old, ", "))
	}
	return nil
}
