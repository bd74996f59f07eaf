package store

import (
	"context"
	"database/sql"
	"fmt"
)

// migrate brings the schema to the newest version, each step in a transaction of its
// own, and refuses a database that a newer program has written. Of several processes that
// start at once, one does it.
func migrate(ctx context.Context, db *sql.Conn, d dialect, now int64) error {
	if d.migrating != nil {
		done, err := d.migrating(ctx, db)
		if err != nil {
			return fmt.Errorf("wait for the right to change the schema: %w", err)
		}
		defer done()
	}
	return migrateAll(ctx, db, d, now)
}

func migrateAll(ctx context.Context, db *sql.Conn, d dialect, now int64) error {
	const table = `CREATE TABLE IF NOT EXISTS schema_migrations (version INTEGER NOT NULL PRIMARY KEY, applied_at BIGINT NOT NULL)`
	if _, err := db.ExecContext(ctx, table); err != nil {
		return fmt.Errorf("create the migrations table: %w", err)
	}
	var version int
	if err := db.QueryRowContext(ctx, `SELECT COALESCE(MAX(version), 0) FROM schema_migrations`).Scan(&version); err != nil {
		return fmt.Errorf("read the schema version: %w", err)
	}
	if version > len(d.migrations) {
		return fmt.Errorf("the database has schema version %d, this program knows up to %d: use a newer program", version, len(d.migrations))
	}
	for v := version + 1; v <= len(d.migrations); v++ {
		if err := migrateStep(ctx, db, d, v, now); err != nil {
			return fmt.Errorf("migrate the schema to version %d: %w", v, err)
		}
	}
	return nil
}

func migrateStep(ctx context.Context, db *sql.Conn, d dialect, version int, now int64) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if _, err := tx.ExecContext(ctx, d.migrations[version-1], d.script...); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO schema_migrations (version, applied_at) VALUES ($1, $2)`, version, now); err != nil {
		return err
	}
	return tx.Commit()
}
