package store

import (
	"context"
	"database/sql"
	"time"
)

// dialect is what differs between databases: everything else in this package is one
// set of queries, with $1 parameters, ON CONFLICT and RETURNING, that SQLite and
// PostgreSQL both understand.
type dialect struct {
	name       string
	begin      string      // opens a transaction that may write
	beginAlone string      // the same, and no other process's runs beside it; "" where none ever does
	migrations []migration // oldest first

	// script are the arguments with which the driver takes several statements at once.
	script []any
	// timeout bounds a transaction, and a read: a database elsewhere may stop answering. 0: it cannot.
	timeout time.Duration
	// migrating lets one process at a time change the schema, until done. nil: the folder's
	// lock does.
	migrating func(ctx context.Context, c *sql.Conn) (done func(), err error)
	// others names the other processes that use the store. nil: there are none.
	others func(ctx context.Context, c *sql.Conn) ([]string, error)
	// claim makes a new connection the writer's, and fails with ErrLocked where the store is
	// another process's. nil: the folder's lock does that.
	claim func(ctx context.Context, c *sql.Conn) error
	// again tells that a transaction met another one's, was rolled back, and may succeed when it
	// is run again. nil: there is no other.
	again func(error) bool
	// alive tells that the connection can be used after an error. nil: it always can.
	alive func(c *sql.Conn) bool
	// leave has all connections that there are not used again. nil: there is no other server.
	leave func()
}
