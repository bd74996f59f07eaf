package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// moved are the tables, those that others refer to first.
var moved = []string{
	"users", "things", "tokens", "installations", "bodies", "queue", "topics", "topic_subscriptions", "objects", "bucket_subscriptions",
	"endings",
}

// errNotEmpty means that a database has something in it already.
var errNotEmpty = errors.New("the database to move to is not empty: give it a new one, or a new schema by ?search_path=")

// Moved tells how many rows of a table were copied.
type Moved struct {
	Table string
	Rows  int64
}

// MoveToPostgres copies all that the database of a data folder holds into an empty one of
// PostgreSQL's: all of it in one transaction, or nothing. Neither may be in use. The folder's
// database stays as it is.
func MoveToPostgres(ctx context.Context, dir, url string) (counts []Moved, err error) {
	if _, err := os.Stat(sqliteFile(dir)); err != nil {
		return nil, fmt.Errorf("there is no database in %s: %w", dir, err)
	}
	from, err := OpenSQLite(ctx, Options{Dir: dir}) // which brings its schema up to date
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	to, err := OpenPostgres(ctx, url, Options{patient: true})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, to.Close()) }()
	err = to.writer.do(ctx, func(t tx) (err error) {
		counts, err = t.copyAll(ctx, from)
		return err
	})
	return counts, wrap("move to PostgreSQL", err)
}

func (t tx) copyAll(ctx context.Context, from *SQL) ([]Moved, error) {
	source, err := from.read.BeginTx(ctx, nil) // one moment of it, whoever sweeps meanwhile
	if err != nil {
		return nil, err
	}
	defer source.Rollback()
	counts := make([]Moved, 0, len(moved))
	for _, table := range moved {
		var there int64
		if err := t.row(`SELECT COUNT(*) FROM (SELECT 1 FROM ` + table + ` LIMIT 1) AS found`).Scan(&there); err != nil {
			return nil, err
		}
		if there > 0 {
			return nil, errNotEmpty
		}
	}
	for _, table := range moved {
		n, err := t.copyTable(ctx, source, table)
		if err != nil {
			return nil, fmt.Errorf("copy the table %s: %w", table, err)
		}
		counts = append(counts, Moved{table, n})
	}
	return counts, nil
}

func (t tx) copyTable(ctx context.Context, source *sql.Tx, table string) (n int64, err error) {
	rows, err := source.QueryContext(ctx, `SELECT * FROM `+table)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return 0, err
	}
	next := func() ([]any, error) {
		if !rows.Next() {
			if err := rows.Err(); err != nil {
				return nil, err
			}
			return nil, io.EOF
		}
		values := make([]any, len(columns))
		at := make([]any, len(columns))
		for i := range values {
			at[i] = &values[i]
		}
		return values, rows.Scan(at...)
	}
	err = t.w.conn.Raw(func(driver any) (err error) {
		n, err = driver.(*stdlib.Conn).Conn().CopyFrom(ctx, pgx.Identifier{table}, columns, &rowSource{next: next})
		return err
	})
	return n, err
}

// rowSource is a pgx.CopyFromSource.
type rowSource struct {
	next   func() ([]any, error)
	values []any
	err    error
}

// Next is part of pgx.CopyFromSource.
func (s *rowSource) Next() bool {
	s.values, s.err = s.next()
	return s.err == nil
}

// Values is part of pgx.CopyFromSource.
func (s *rowSource) Values() ([]any, error) { return s.values, nil }

// Err is part of pgx.CopyFromSource.
func (s *rowSource) Err() error {
	if s.err == io.EOF {
		return nil
	}
	return s.err
}
