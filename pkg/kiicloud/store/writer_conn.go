package store

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

// How often a transaction is tried that meets another process's, or loses its connection: a few
// times beside the others, then with the others kept out.
const (
	triesBeside = 3
	tries       = 12
	retryBase   = time.Millisecond
	retryMax    = 250 * time.Millisecond
)

// connect takes a connection for writing, where there is none.
func (w *writer) connect(ctx context.Context) error {
	if w.conn != nil {
		return nil
	}
	conn, err := w.db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("open the writing connection: %w", err)
	}
	if w.d.claim != nil {
		if err := w.d.claim(ctx, conn); err != nil {
			return errors.Join(err, conn.Close())
		}
	}
	if w.migrated { // while this process was away, the schema may have changed
		if _, err := checkSchema(ctx, conn, w.d); err != nil {
			return errors.Join(err, conn.Close())
		}
	}
	w.conn = conn
	w.prepared.prepare = conn.PrepareContext
	return nil
}

// lockPatience is how long a start waits for the lock: PostgreSQL may need a moment to notice
// that the process that had it was killed.
var lockPatience = 3 * time.Second

// connectFirst is connect for the start.
func (w *writer) connectFirst(ctx context.Context) error {
	for deadline := time.Now().Add(lockPatience); ; {
		err := w.connect(ctx)
		if !errors.Is(err, ErrLocked) || time.Now().After(deadline) {
			return err
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			return err
		}
	}
}

func (w *writer) disconnect() error {
	if w.conn == nil {
		return nil
	}
	w.prepared.close()
	conn := w.conn
	w.conn = nil
	return conn.Close()
}

// lost tells whether the connection is gone, or of no use after err, and forgets it then.
func (w *writer) lost(err error) bool {
	if w.conn == nil || w.d.alive == nil || w.d.alive(w.conn) && !readOnly(err) {
		return w.conn == nil
	}
	if readOnly(err) && w.d.leave != nil {
		w.d.leave()
	}
	_ = w.disconnect()
	return true
}

// met tells of a transaction that was rolled back because of another one.
func (w *writer) met(err error) bool { return w.d.again != nil && w.d.again(err) }

// mayRetry waits before another attempt, longer each time and by chance, so that two processes
// do not meet again and again. It is false when that were one too many.
func (w *writer) mayRetry(try int) bool {
	if try+1 >= tries {
		return false
	}
	wait := rand.N(min(retryMax, retryBase<<try) + 1)
	select {
	case <-time.After(wait):
		return true
	case <-w.quit: // the store closes: what can be written at once is written
		return try < 2*triesBeside
	}
}
