package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync/atomic"
)

// maxBatch is how many writes share one transaction at most, so that the first of them
// does not wait long for its answer.
const maxBatch = 256

// writer runs all writes on one connection, one after the other. Writes that arrive
// while an earlier transaction goes to the disk share the next one: the cost of a
// commit is the disk's, so sharing it is what lets many callers write at once.
type writer struct {
	conn     *sql.Conn
	prepared statements
	begin    string
	ops      chan *op
	quit     chan struct{}
	done     chan struct{}
}

// op is one write. run may be called more than once, after a rollback, and so must
// set its results by assignment.
type op struct {
	run   func(tx) error
	state atomic.Int32
	err   error
	done  chan struct{}
}

const (
	opWaiting int32 = iota
	opTaken
	opAbandoned
)

func startWriter(ctx context.Context, db *sql.DB, d dialect) (*writer, error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("open the writing connection: %w", err)
	}
	w := &writer{conn: conn, begin: d.begin, ops: make(chan *op, maxBatch), quit: make(chan struct{}), done: make(chan struct{})}
	w.prepared.prepare = conn.PrepareContext
	go w.loop()
	return w, nil
}

// do runs f in a transaction and returns when that is committed. When ctx ends before
// f has begun, f is not run; once it has begun, its outcome is waited for.
func (w *writer) do(ctx context.Context, f func(tx) error) error {
	o := &op{run: f, done: make(chan struct{})}
	select {
	case w.ops <- o:
	case <-w.quit:
		return ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case <-o.done:
	case <-w.done: // the loop has ended; it may have answered this one before
		if o.state.CompareAndSwap(opWaiting, opAbandoned) {
			return ErrClosed
		}
		<-o.done
	case <-ctx.Done():
		if o.state.CompareAndSwap(opWaiting, opAbandoned) {
			return ctx.Err()
		}
		<-o.done
	}
	return o.err
}

func (w *writer) stop() error {
	close(w.quit)
	<-w.done
	w.prepared.close()
	return w.conn.Close()
}

func (w *writer) loop() {
	defer close(w.done)
	for {
		select {
		case o := <-w.ops:
			w.batch(o)
		case <-w.quit:
			for { // what was handed over before the end is still written
				select {
				case o := <-w.ops:
					w.batch(o)
				default:
					return
				}
			}
		}
	}
}

// batch runs first and whatever else is waiting in one transaction.
func (w *writer) batch(first *op) {
	ops := make([]*op, 0, 16)
	for o := first; o != nil; {
		if o.state.CompareAndSwap(opWaiting, opTaken) {
			ops = append(ops, o)
		}
		o = nil
		if len(ops) < maxBatch {
			select {
			case o = <-w.ops:
			default:
			}
		}
	}
	if len(ops) == 0 {
		return
	}
	if !w.transact(ops) { // one of them failed: each alone, so that it fails alone
		for _, o := range ops {
			w.transact([]*op{o})
		}
	}
	for _, o := range ops {
		close(o.done)
	}
}

// transact runs ops in one transaction and sets their errors. It is false when it was
// rolled back and there is a point in trying the ops apart.
func (w *writer) transact(ops []*op) bool {
	t := tx{w}
	fail := func(err error) {
		for _, o := range ops {
			o.err = err
		}
	}
	if err := t.exec(w.begin); err != nil {
		fail(fmt.Errorf("begin a transaction: %w", err))
		return true
	}
	for _, o := range ops {
		o.err = o.run(t)
		if !unchanged(o.err) {
			err := o.err
			if rb := t.exec("ROLLBACK"); rb != nil {
				err = errors.Join(err, rb)
			}
			fail(err)
			return len(ops) == 1
		}
	}
	if err := t.exec("COMMIT"); err != nil {
		t.exec("ROLLBACK") // where the database has done so already, this fails and harms nothing
		fail(fmt.Errorf("commit: %w", err))
	}
	return true
}

// unchanged tells whether a write that ended with err leaves the transaction as it should be.
func unchanged(err error) bool {
	var full *FullError
	return err == nil || errors.Is(err, ErrNotFound) || errors.Is(err, ErrExists) || errors.As(err, &full)
}

// tx is the writing connection inside a transaction. A function that fails with
// ErrNotFound, ErrExists or a FullError must have changed nothing: the transaction goes on.
type tx struct{ w *writer }

// The statements run without a context on purpose: a transaction shared by several
// callers must not be interrupted by one of them, and each is short.

func (t tx) exec(query string, args ...any) error {
	_, err := t.affected(query, args...)
	return err
}

func (t tx) affected(query string, args ...any) (int64, error) {
	st, err := t.w.prepared.get(context.Background(), query)
	if err != nil {
		return 0, err
	}
	res, err := st.Exec(args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

func (t tx) row(query string, args ...any) scanner {
	st, err := t.w.prepared.get(context.Background(), query)
	if err != nil {
		return failedRow{err}
	}
	return st.QueryRow(args...)
}

// rows runs a query whose rows are read, and closed, before the transaction goes on.
func (t tx) rows(query string, args ...any) (*sql.Rows, error) {
	st, err := t.w.prepared.get(context.Background(), query)
	if err != nil {
		return nil, err
	}
	return st.Query(args...)
}
