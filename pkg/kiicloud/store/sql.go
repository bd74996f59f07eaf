package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	_ "modernc.org/sqlite" // the driver "sqlite"
)

var (
	// ErrClosed means that the store was closed.
	ErrClosed = errors.New("the store is closed")
	// ErrNotText means that a text cannot be kept or looked for: it is not UTF-8, or holds a NUL,
	// which PostgreSQL does not take.
	ErrNotText = errors.New("a text holds a NUL or is not UTF-8")
)

// readers is how many connections read at the same time as the one that writes.
const readers = 4

// Options say how a store is opened.
type Options struct {
	// Dir is the data folder of SQLite; it is made when it is missing.
	Dir string
	// Shared lets other processes use the same PostgreSQL database, if they share it, too: for
	// an engine that does not deliver by itself.
	Shared bool
	// Endings has the store note, for an engine whose broker is another process, what that is to be told when
	// installations end or things are disabled.
	Endings bool
	// Connections is how many connections to PostgreSQL read at the same time; beside them there
	// is one that writes. 0 means DefaultConnections.
	Connections int
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// Limits bound what one user or thing may store; zero values mean DefaultLimits.
	Limits Limits

	patient bool          // a transaction may take as long as it takes
	timeout time.Duration // of a transaction on PostgreSQL, for tests; 0: postgresTimeout
	steps   []migration   // of PostgreSQL's schema, for tests; nil: postgresSteps
}

// SQL is the store on a relational database. Its methods may be called from any
// goroutine. What a method has written is on the disk when it returns.
type SQL struct {
	name     string // as PostgreSQL knows the connections
	now      func() time.Time
	limits   Limits
	endings  bool
	lock     io.Closer // of the data folder; nil for PostgreSQL
	write    *sql.DB   // one connection, used by the writer alone
	read     *sql.DB
	reads    statements
	readTime time.Duration // how long a read may take; 0: as long as it takes
	writer   *writer
	sweeper  *sweeper

	closing  sync.Once
	closeErr error
}

// OpenSQLite opens, and makes where it is missing, the embedded database of a data
// folder. The folder belongs to one process at a time: the error is ErrLocked when
// another one has it.
func OpenSQLite(ctx context.Context, o Options) (*SQL, error) {
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the data folder (-data says which): %w", err)
	}
	lock, err := lockDir(o.Dir)
	if err != nil {
		return nil, err
	}
	s := newSQL(o)
	s.lock = lock
	err = s.openFile(o.Dir)
	if err == nil {
		err = s.start(ctx, sqlite, readers)
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func newSQL(o Options) *SQL {
	if o.Now == nil {
		o.Now = time.Now
	}
	return &SQL{now: o.Now, limits: o.Limits.withDefaults(), endings: o.Endings}
}

func (s *SQL) openFile(dir string) (err error) {
	if err = ownFile(sqliteFile(dir)); err != nil {
		return err
	}
	if s.write, err = sql.Open("sqlite", sqliteDSN(dir, false)); err != nil {
		return fmt.Errorf("open the database: %w", err)
	}
	if s.read, err = sql.Open("sqlite", sqliteDSN(dir, true)); err != nil {
		return fmt.Errorf("open the database for reading: %w", err)
	}
	return nil
}

// start brings the schema up to date and lets the writer begin.
func (s *SQL) start(ctx context.Context, d dialect, readers int) (err error) {
	s.write.SetMaxOpenConns(1)
	s.read.SetMaxOpenConns(readers)
	s.read.SetMaxIdleConns(readers)
	s.reads.prepare = s.read.PrepareContext
	s.readTime = d.timeout
	w := newWriter(s.write, d)
	if err = w.connectFirst(ctx); err != nil {
		return err
	}
	if err = migrate(ctx, w.conn, d, s.now().UnixMilli()); err != nil { // now that the store is claimed
		return errors.Join(err, w.disconnect())
	}
	w.migrated = true
	go w.loop()
	s.writer = w
	s.sweeper = startSweeper(s)
	return nil
}

// ownFile makes the database file before SQLite does, for the owner's eyes alone: it
// holds password hashes. SQLite gives its other files the same mode.
func ownFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("make the database file: %w", err)
	}
	return errors.Join(f.Chmod(0o600), f.Close())
}

// Close waits for the writes under way, closes the database and gives the data folder
// free. It is idempotent.
func (s *SQL) Close() error {
	s.closing.Do(func() {
		var errs []error
		if s.sweeper != nil {
			s.sweeper.stop()
		}
		if s.writer != nil {
			errs = append(errs, s.writer.stop())
		}
		s.reads.close()
		for _, db := range []*sql.DB{s.read, s.write} { // the writer last: it folds the log into the database
			if db != nil {
				errs = append(errs, db.Close())
			}
		}
		if s.lock != nil {
			errs = append(errs, s.lock.Close())
		}
		s.closeErr = errors.Join(errs...)
	})
	return s.closeErr
}

// statements keeps prepared statements by their text.
type statements struct {
	prepare func(ctx context.Context, query string) (*sql.Stmt, error)
	mu      sync.Mutex
	byText  map[string]*sql.Stmt
}

// get gives the statement of a query that is about to run with these arguments.
func (c *statements) get(ctx context.Context, query string, args []any) (*sql.Stmt, error) {
	for _, a := range args {
		if text, ok := a.(string); ok && (strings.IndexByte(text, 0) >= 0 || !utf8.ValidString(text)) {
			return nil, ErrNotText
		}
	}
	if st := c.known(query); st != nil {
		return st, nil
	}
	st, err := c.prepare(ctx, query) // may wait for a connection, and nobody for that but who needs it
	if err != nil {
		return nil, fmt.Errorf("prepare a query: %w", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if first := c.byText[query]; first != nil {
		st.Close()
		return first, nil
	}
	if c.byText == nil {
		c.byText = map[string]*sql.Stmt{}
	}
	c.byText[query] = st
	return st, nil
}

func (c *statements) known(query string) *sql.Stmt {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.byText[query]
}

func (c *statements) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, st := range c.byText {
		st.Close()
	}
	c.byText = nil
}

// notFound turns the database's "no rows" into ErrNotFound.
func notFound(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return ErrNotFound
	}
	return err
}

// millis and fromMillis carry a time through the database; zero stays zero.
func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func fromMillis(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms)
}
