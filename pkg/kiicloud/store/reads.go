package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// A read may take as long as a transaction, the wait for a connection included: a database elsewhere may stop to answer without
// ending its connections, and who asks, a request of the API for one, would wait for as long as that lasts.

// row runs a query for one row on a reading connection.
func (s *SQL) row(ctx context.Context, query string, args ...any) scanner {
	b := bounded(ctx, s.readTime)
	st, err := s.reads.get(b.inner, query, args)
	if err != nil {
		b.end()
		return failedRow{b.explain(err)}
	}
	return boundRow{st.QueryRowContext(b.inner, args...), b}
}

// rows runs a query on a reading connection; its rows are for collect.
func (s *SQL) rows(ctx context.Context, query string, args ...any) (results, error) {
	b := bounded(ctx, s.readTime)
	st, err := s.reads.get(b.inner, query, args)
	var rows *sql.Rows
	if err == nil {
		rows, err = st.QueryContext(b.inner, args...)
	}
	if err != nil {
		b.end()
		return nil, b.explain(err)
	}
	return boundRows{rows, b}, nil
}

// bound is a caller's context with a limit of the store's own.
type bound struct {
	outer, inner context.Context
	end          context.CancelFunc
}

// bounded gives ctx a limit; 0: none.
func bounded(ctx context.Context, limit time.Duration) bound {
	if limit <= 0 {
		return bound{ctx, ctx, func() {}}
	}
	inner, end := context.WithTimeout(ctx, limit)
	return bound{ctx, inner, end}
}

// explain makes ErrUnavailable of what failed since the limit was reached, and not the caller's own.
func (b bound) explain(err error) error {
	if err == nil || errors.Is(err, sql.ErrNoRows) || !errors.Is(b.inner.Err(), context.DeadlineExceeded) || b.outer.Err() != nil {
		return err
	}
	return fmt.Errorf("%w: it did not answer in time: %w", ErrUnavailable, err)
}

type boundRow struct {
	*sql.Row
	bound
}

// Scan gives what was read.
func (r boundRow) Scan(dest ...any) error {
	err := r.explain(r.Row.Scan(dest...))
	r.end()
	return err
}

type boundRows struct {
	*sql.Rows
	bound
}

// Err is why there are no more rows, if not because there are no more.
func (r boundRows) Err() error { return r.explain(r.Rows.Err()) }

// Close ends the query.
func (r boundRows) Close() error {
	defer r.end()
	return r.Rows.Close()
}

// results are the rows of a query: those of database/sql, or a boundRows.
type results interface {
	scanner
	Next() bool
	Err() error
	Close() error
}

// collect reads and closes the rows of a query, unless that has failed already.
func collect[T any](rows results, err error, scan func(scanner) (T, error)) (all []T, _ error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, rows.Err()
}

// scanner is *sql.Row, *sql.Rows, one with a limit, or a query that could not be prepared.
type scanner interface{ Scan(dest ...any) error }

type failedRow struct{ err error }

// Scan gives the error that kept the query from running.
func (r failedRow) Scan(...any) error { return r.err }
