package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
)

// BackupSQLite writes the database of a data folder, as it is at one moment, into another folder,
// where it must not exist yet. It may run while a cloud works on the folder, in any process.
func BackupSQLite(ctx context.Context, dir, to string) error {
	if _, err := os.Stat(sqliteFile(dir)); err != nil {
		return fmt.Errorf("there is no database in %s: %w", dir, err)
	}
	db, err := sql.Open("sqlite", sqliteDSN(dir, true))
	if err != nil {
		return err
	}
	defer db.Close()
	target := sqliteFile(to)
	if err := newOwnFile(target); err != nil {
		return err
	}
	if err := copyInto(ctx, db, target); err != nil {
		return errors.Join(fmt.Errorf("copy the database: %w", err), os.Remove(target))
	}
	return nil
}

// newOwnFile makes an empty file, which SQLite takes for a new database, for the owner's eyes alone.
func newOwnFile(path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

func copyInto(ctx context.Context, db *sql.DB, target string) error {
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := conn.ExecContext(ctx, "PRAGMA query_only = 0"); err != nil { // it would keep the copy from being written
		return err
	}
	if _, err := conn.ExecContext(ctx, "VACUUM INTO $1", target); err != nil {
		return err
	}
	f, err := os.OpenFile(target, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
