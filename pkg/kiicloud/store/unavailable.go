package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/jackc/pgx/v5/pgconn"
	file "modernc.org/sqlite"
	codes "modernc.org/sqlite/lib"
)

// ErrUnavailable means that the database cannot do it now, whoever asks: it is out of reach,
// its disk is full or cannot be written. It may come right without a change here.
var ErrUnavailable = errors.New("the database is not available")

// wrap says what failed, but leaves the errors that callers look for readable as they are.
func wrap(what string, err error) error {
	switch {
	case unchanged(err):
		return err
	case unavailable(err):
		return fmt.Errorf("%s: %w: %w", what, ErrUnavailable, err)
	}
	return fmt.Errorf("%s: %w", what, err)
}

func unavailable(err error) bool {
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) { // the caller's own
		return false
	}
	var local *file.Error
	if errors.As(err, &local) {
		switch local.Code() & 0xFF { // the rest says how exactly
		case codes.SQLITE_FULL, codes.SQLITE_READONLY, codes.SQLITE_IOERR, codes.SQLITE_CANTOPEN:
			return true
		}
		return false
	}
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		switch pg.Code[:2] { // 08: the connection; 53: resources; 57P: the server stops or starts
		case "08", "53", "57":
			return true
		}
		return readOnly(err) || met(err)
	}
	var connect *pgconn.ConnectError
	var network net.Error
	return errors.As(err, &connect) || errors.As(err, &network) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) || pgconn.SafeToRetry(err) ||
		errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) || errors.Is(err, ErrLocked) || errors.Is(err, ErrNewerSchema)
}
