package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync/atomic"
	"time"
)

// maxBatch is how many writes share one transaction at most, so that the first of them
// does not wait long for its answer.
const maxBatch = 256

// writer runs all writes on one connection, one after the other. Writes that arrive
// while an earlier transaction goes to the disk share the next one: the cost of a
// commit is the disk's, so sharing it is what lets many callers write at once.
type writer struct {
	db       *sql.DB
	d        dialect
	conn     *sql.Conn // nil after it was lost, until the next write
	migrated bool      // the schema was brought up to date, or found to be newer
	away     error     // why there was no connection last; nil: there was
	late     int       // how many transactions of the batch have had their whole time
	prepared statements
	rows     atomic.Int64 // of the large writes that wait or are under way
	ops      chan *op
	quit     chan struct{}
	done     chan struct{}
}

// op is one write. run may be called more than once, after a rollback, and so must
// set its results by assignment.
type op struct {
	run   func(tx) error
	rows  int // how many it works on, where that is many
	state atomic.Int32
	err   error
	done  chan struct{}
}

const (
	opWaiting int32 = iota
	opTaken
	opAbandoned
)

func newWriter(db *sql.DB, d dialect) *writer {
	return &writer{db: db, d: d, ops: make(chan *op, maxBatch), quit: make(chan struct{}), done: make(chan struct{})}
}

// turns is how many transactions may have their whole time before a write that waits is given up. As a rule two suffice: the one
// under way, and the next, which takes along what waits.
const turns = 2

// do runs f in a transaction and returns when that is committed. When ctx ends before
// f has begun, f is not run; once it has begun, its outcome is waited for. It is not run, either, when the
// database does not come to it for long.
func (w *writer) do(ctx context.Context, f func(tx) error) error {
	return w.doMany(ctx, 0, f)
}

// doMany is do for a write of so many rows that it may take longer than others.
func (w *writer) doMany(ctx context.Context, rows int, f func(tx) error) error {
	o := &op{run: f, rows: rows, done: make(chan struct{})}
	before := w.rows.Add(int64(rows))
	defer w.rows.Add(-int64(rows))
	b := bounded(ctx, w.patience(before))
	defer b.end()
	select {
	case w.ops <- o:
	case <-w.quit:
		return ErrClosed
	case <-b.inner.Done():
		return b.explain(b.inner.Err())
	}
	select {
	case <-o.done:
	case <-w.done: // the loop has ended; it may have answered this one before
		if o.state.CompareAndSwap(opWaiting, opAbandoned) {
			return ErrClosed
		}
		<-o.done
	case <-b.inner.Done():
		if o.state.CompareAndSwap(opWaiting, opAbandoned) {
			return b.explain(b.inner.Err())
		}
		<-o.done
	}
	return o.err
}

// patience is how long a write may wait until it has begun, with large ones of so many rows before it; 0: as long as it takes.
func (w *writer) patience(rows int64) time.Duration {
	if w.d.timeout <= 0 {
		return 0
	}
	return turns*w.d.timeout + time.Duration(rows)*timePerRow
}

func (w *writer) stop() error {
	close(w.quit)
	<-w.done
	return w.disconnect()
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
	w.late = 0
	if !w.transact(ops) { // one of them failed: each alone, so that it fails alone
		for i, o := range ops {
			w.transact([]*op{o})
			if why := w.vain(); why != nil { // the others need not find that out one after the other
				for _, o := range ops[i+1:] {
					o.err = why
				}
				break
			}
		}
	}
	for _, o := range ops {
		close(o.done)
	}
}

// vain is why what is left of a batch is not tried, or nil. One write may wait for something that the others do not need; when a second one has
// waited for all its time, too, they may all need it: a table that somebody has locked, or the database's disk.
func (w *writer) vain() error {
	switch {
	case w.away != nil:
		return w.away
	case w.late > turns:
		return errHeldUp
	}
	return nil
}

var errHeldUp = fmt.Errorf("%w: others that were to be written with this were not done in time", ErrUnavailable)

// transact runs ops in one transaction and sets their errors. It is false when it was
// rolled back and there is a point in trying the ops apart.
func (w *writer) transact(ops []*op) bool {
	fail := func(err error) {
		for _, o := range ops {
			o.err = err
		}
	}
	for try := 0; ; try++ {
		apart, again, err := w.attempt(ops, try >= triesBeside)
		switch {
		case err == nil:
			return true
		case again && w.mayRetry(try):
			continue
		}
		fail(err)
		return !apart || len(ops) == 1
	}
}

// timePerRow is what a transaction may take longer for each row of a large write: four times what was seen of PostgreSQL
// on a machine with fifteen times as much to do as it can.
const timePerRow = 2 * time.Millisecond

func timeFor(ops []*op) (d time.Duration) {
	for _, o := range ops {
		d += time.Duration(o.rows) * timePerRow
	}
	return d
}

// attempt runs ops in one transaction, beside those of other processes or alone, and sets the errors
// of those that leave it as it should be. Where it fails as a whole, apart tells that the ops may
// succeed one by one, again that nothing was changed and the same may succeed later.
func (w *writer) attempt(ops []*op, alone bool) (apart, again bool, _ error) {
	ctx := context.Background()
	if w.d.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, w.d.timeout+timeFor(ops))
		defer func() {
			if ctx.Err() != nil {
				w.late++
			}
			cancel()
		}()
	}
	if w.away = w.connect(ctx); w.away != nil {
		return false, false, w.away
	}
	t := tx{w, ctx}
	if err := t.begin(alone); err != nil {
		again := ctx.Err() == nil // where the connection is lost
		if !w.lost(err) {
			t.exec("ROLLBACK") // it may have begun, and got no lock
			again = w.met(err)
		}
		return false, again, fmt.Errorf("begin a transaction: %w", err)
	}
	for _, o := range ops {
		o.err = o.run(t)
		if unchanged(o.err) {
			continue
		}
		err := o.err
		if w.lost(err) {
			return true, ctx.Err() == nil, err
		}
		if rb := t.exec("ROLLBACK"); rb != nil {
			err = errors.Join(err, rb)
			w.lost(rb)
		}
		return true, w.met(err), err
	}
	if err := t.exec("COMMIT"); err != nil {
		if !w.lost(err) { // a connection that is lost now leaves open whether it was done
			t.exec("ROLLBACK") // where the database has done so already, this fails and harms nothing
			again = w.met(err)
		}
		return again, again, fmt.Errorf("commit: %w", err)
	}
	return false, false, nil
}

// unchanged tells whether a write that ended with err leaves the transaction as it should be.
func unchanged(err error) bool {
	var full *FullError
	return err == nil || errors.Is(err, ErrNotFound) || errors.Is(err, ErrExists) || errors.Is(err, ErrNotText) || errors.As(err, &full)
}

// tx is the writing connection inside a transaction. A function that fails with
// ErrNotFound, ErrExists, ErrNotText or a FullError must have changed nothing: the transaction goes on.
type tx struct {
	w   *writer
	ctx context.Context
}

// The statements run without a caller's context on purpose: a transaction shared by several
// callers must not be interrupted by one of them, and each is short.

// begin opens the transaction. Where that takes several statements they go in one message.
func (t tx) begin(alone bool) error {
	query := t.w.d.begin
	if alone && t.w.d.beginAlone != "" {
		query = t.w.d.beginAlone
	}
	if t.w.d.script == nil {
		return t.exec(query)
	}
	_, err := t.w.conn.ExecContext(t.ctx, query, t.w.d.script...)
	return err
}

func (t tx) exec(query string, args ...any) error {
	_, err := t.affected(query, args...)
	return err
}

func (t tx) affected(query string, args ...any) (int64, error) {
	st, err := t.w.prepared.get(t.ctx, query, args)
	if err != nil {
		return 0, err
	}
	res, err := st.ExecContext(t.ctx, args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

func (t tx) row(query string, args ...any) scanner {
	st, err := t.w.prepared.get(t.ctx, query, args)
	if err != nil {
		return failedRow{err}
	}
	return st.QueryRowContext(t.ctx, args...)
}

// rows runs a query whose rows are read, and closed, before the transaction goes on.
func (t tx) rows(query string, args ...any) (*sql.Rows, error) {
	st, err := t.w.prepared.get(t.ctx, query, args)
	if err != nil {
		return nil, err
	}
	return st.QueryContext(t.ctx, args...)
}
