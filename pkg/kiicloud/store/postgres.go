package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

// DefaultConnections is how many connections to PostgreSQL read, unless configured otherwise.
const DefaultConnections = 8

const (
	postgresTimeout = 15 * time.Second // of one transaction, and of a read
	connectTimeout  = 10 * time.Second
	connIdle        = 5 * time.Minute // an idle reading connection is closed after this

	// A process that stands still in the middle of a transaction loses its connection, in milliseconds:
	// others may wait for it.
	idleInTransaction = "10000"
)

// The advisory locks that processes hold in PostgreSQL, for the schema that they use: whose
// engine delivers from the store, and who changes the tables. The first number is ours.
const (
	lockStore  = "1802070117, hashtext('store ' || current_schema())"
	lockSchema = "1802070117, hashtext('schema ' || current_schema())"
)

var postgresSteps = []migration{{postgresV1, 1}, {endingsTable, 1}, {installationsRoom, 1}}

// processName begins the name under which a process is known in the database. What follows is
// the version of the schema that it knows, its host, its number and something of its own.
const processName = "kiicloud/"

func nameProcess(known int) string {
	host, _ := os.Hostname()
	host = host[:min(len(host), 24)] // PostgreSQL cuts names after 63 bytes
	return fmt.Sprintf("%s%d %s %d %s", processName, known, host, os.Getpid(), RandomString(6))
}

// OpenPostgres opens the database that a URL names (postgres://user:password@host/database),
// and makes the tables where they are missing. Unless it is to be Shared, it belongs to this
// process alone: the error is ErrLocked when another one has it.
func OpenPostgres(ctx context.Context, url string, o Options) (*SQL, error) {
	conf, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("the address of the database: %w", withoutURL(err))
	}
	steps := postgresSteps
	if o.steps != nil {
		steps = o.steps
	}
	name := nameProcess(len(steps))
	s := newSQL(o)
	s.name = name
	writes := map[string]string{"application_name": name, "synchronous_commit": "on", "idle_in_transaction_session_timeout": idleInTransaction}
	if o.patient {
		delete(writes, "idle_in_transaction_session_timeout")
	}
	var era atomic.Int64
	s.write = postgresDB(conf, &era, writes)
	s.read = postgresDB(conf, &era, map[string]string{"application_name": name + " reads", "default_transaction_read_only": "on"})
	s.read.SetConnMaxIdleTime(connIdle)
	if o.Connections <= 0 {
		o.Connections = DefaultConnections
	}
	if err = checkPostgres(ctx, s.read); err == nil {
		d := postgres(name, o.Shared)
		d.leave = func() { era.Add(1) }
		d.migrations = steps
		switch {
		case o.patient:
			d.timeout = 0
		case o.timeout > 0:
			d.timeout = o.timeout
		}
		err = s.start(ctx, d, o.Connections)
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// withoutURL leaves out what pgx quotes of an address that it cannot read.
func withoutURL(err error) error {
	var parse *pgconn.ParseConfigError
	if errors.As(err, &parse) {
		return errors.New("it cannot be read; it looks like postgres://user:password@host:5432/database?sslmode=verify-full")
	}
	return err
}

// eraKey is where a connection has the era in which it was made: each ends when a server has turned out to be a replica.
const eraKey = "kiicloud era"

// postgresDB makes a pool of connections with these settings, besides those of the address. Those of an era that is over are not used again. A
// server notices within a minute that a client is gone, and lets go of what it had locked.
//
// Of several hosts in the address the one counts that can be written, for reads as well: they have to see what was
// written. That a server can be written is asked before the settings are made, which may forbid it, and those
// are made by SET: a pool in between, such as PgBouncer, takes few of them at a connection's start.
func postgresDB(conf *pgx.ConnConfig, era *atomic.Int64, settings map[string]string) *sql.DB {
	c := conf.Copy()
	if c.ConnectTimeout == 0 {
		c.ConnectTimeout = connectTimeout
	}
	if c.ValidateConnect == nil {
		c.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsReadWrite
	}
	var set strings.Builder
	for _, more := range []map[string]string{{"tcp_keepalives_idle": "30", "tcp_keepalives_interval": "10", "tcp_keepalives_count": "3"}, settings} {
		for _, name := range slices.Sorted(maps.Keys(more)) {
			fmt.Fprintf(&set, "SET %s = '%s';", name, strings.ReplaceAll(more[name], "'", "''"))
		}
	}
	c.AfterConnect = func(ctx context.Context, conn *pgconn.PgConn) error {
		conn.CustomData()[eraKey] = era.Load()
		return conn.Exec(ctx, set.String()).Close()
	}
	return stdlib.OpenDB(*c, stdlib.OptionResetSession(func(_ context.Context, conn *pgx.Conn) error {
		if conn.PgConn().CustomData()[eraKey] != era.Load() {
			return driver.ErrBadConn
		}
		return nil
	}))
}

// checkPostgres refuses a server on which the queries would not mean what they say.
func checkPostgres(ctx context.Context, db *sql.DB) error {
	var version int
	var encoding string
	var schema sql.NullString
	err := db.QueryRowContext(ctx, `SELECT current_setting('server_version_num')::int, current_setting('server_encoding'), current_schema()`).Scan(&version, &encoding, &schema)
	switch {
	case err != nil:
		return fmt.Errorf("connect to PostgreSQL: %w", err)
	case version < 140000:
		return fmt.Errorf("PostgreSQL %d is too old: 14 is the oldest that is supported", version/10000)
	case encoding != "UTF8":
		return fmt.Errorf("the database's encoding is %s: make it with ENCODING 'UTF8'", encoding)
	case !schema.Valid:
		return errors.New("the database has no schema of the name that search_path gives: make it with CREATE SCHEMA")
	}
	return nil
}

// postgres is the dialect of one process.
//
// Every write runs as a SERIALIZABLE transaction. So each behaves as if no other process
// wrote meanwhile, which is what SQLite's one writer gives, and what several of the writes
// stand on: a token is not issued for a password that is being changed, a name is not taken
// twice, an event reaches who has subscribed. Where that cannot be, PostgreSQL rolls one of
// the two back, and it is run again. Within a process all writes follow each other, so only
// those of different processes can meet. A read is a single query, and sees what was committed.
//
// Of two processes that always write to the same rows one could be rolled back each time, however
// often it tries. So whoever has been a few times asks for a turn of its own: everybody holds a lock while
// writing that all can hold at once, and whoever wants to be alone takes it against the others.
// PostgreSQL gives it in the order in which it was asked for, so those who write have finished then
// and those who come later wait. Nobody can get in the way of the transaction: it ends.
// Locks on the rows themselves, or on one installation or user, would have had to be taken by each of the
// writes, in one order for all, and before PostgreSQL takes its picture of the data; and to let one process
// at a time write, always, would have them share what one connection can do. The lock is one on
// a table since LOCK, unlike the functions for advisory locks, can come before that picture is taken.
// Programs that do not know it, in the middle of an upgrade, are kept apart as before: by being rolled back.
func postgres(name string, shared bool) dialect {
	p := &claimer{name: name, shared: shared}
	return dialect{
		name:       "postgres",
		begin:      "BEGIN ISOLATION LEVEL SERIALIZABLE; LOCK TABLE schema_migrations IN ROW SHARE MODE",
		beginAlone: "BEGIN ISOLATION LEVEL SERIALIZABLE; LOCK TABLE schema_migrations IN EXCLUSIVE MODE",
		migrations: postgresSteps,
		script:     []any{pgx.QueryExecModeSimpleProtocol},
		timeout:    postgresTimeout,
		migrating: func(ctx context.Context, c *sql.Conn) (func(), error) {
			_, err := c.ExecContext(ctx, "SELECT pg_advisory_lock("+lockSchema+")")
			return func() {
				ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), connectTimeout)
				defer cancel()
				_, _ = c.ExecContext(ctx, "SELECT pg_advisory_unlock("+lockSchema+")") // and the connection's end does it
			}, err
		},
		others: others,
		claim:  p.claim,
		again:  met,
		alive: func(c *sql.Conn) bool {
			return c.Raw(func(c any) error {
				if c.(*stdlib.Conn).Conn().IsClosed() {
					return sql.ErrConnDone
				}
				return nil
			}) == nil
		},
	}
}

// met tells of a transaction that another one got in the way of: serialization_failure and
// deadlock_detected, and what the same comes to where a row is gone, or there, that the
// transaction did not see so.
func met(err error) bool {
	var pg *pgconn.PgError
	if !errors.As(err, &pg) {
		return false
	}
	switch pg.Code {
	case "40001", "40P01", "23503", "23505":
		return true
	}
	return false
}

// readOnly tells of a server that was the one to write to and is another one's replica now: some
// managed services leave such a one's connections open. Another connection finds the new one. Those that read
// have to go, too: what they see ends with the change, or comes late.
func readOnly(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == "25006" // read_only_sql_transaction
}

// claimer takes the store for this process. The lock is the writing connection's, and nothing
// is written but over that: so who has lost the lock cannot write.
type claimer struct {
	name   string
	shared bool
	before int // the server's process behind the former connection
}

func (p *claimer) claim(ctx context.Context, c *sql.Conn) error {
	if p.before != 0 { // the server may not have noticed that it is gone
		_, err := c.ExecContext(ctx, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = $1 AND application_name = $2`, p.before, p.name)
		if err != nil {
			return fmt.Errorf("end the former connection: %w", err)
		}
	}
	lock := "pg_try_advisory_lock("
	if p.shared {
		lock = "pg_try_advisory_lock_shared("
	}
	var mine bool
	var pid int
	if err := c.QueryRowContext(ctx, "SELECT "+lock+lockStore+"), pg_backend_pid()").Scan(&mine, &pid); err != nil {
		return fmt.Errorf("lock the store: %w", err)
	}
	if !mine {
		return fmt.Errorf("%w: %s has it; stop that, or give this one another database or schema with -store", ErrLocked, holder(ctx, c))
	}
	p.before = pid
	return nil
}

// holders are the processes that have the lock on the store, but for the one that asks.
const holders = `SELECT a.application_name FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
	WHERE l.locktype = 'advisory' AND l.granted AND l.classid = 1802070117 AND l.objid = hashtext('store ' || current_schema())::bigint::bit(32)::bigint::oid
	AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND l.pid <> pg_backend_pid()`

func others(ctx context.Context, c *sql.Conn) ([]string, error) {
	rows, err := c.QueryContext(ctx, holders)
	return collect(rows, err, scanOne[string])
}

// holder names who has the lock, for the message.
func holder(ctx context.Context, c *sql.Conn) string {
	var name string
	err := c.QueryRowContext(ctx, holders+` LIMIT 1`).Scan(&name)
	if err != nil || name == "" {
		return "another process"
	}
	return "the process \"" + name + "\""
}
