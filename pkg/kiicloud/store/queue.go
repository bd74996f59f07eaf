package store

import (
	"context"
	"time"
)

const (
	// Everything at or below the newest unexpired push that is one too many.
	trimQueue = `DELETE FROM queue WHERE installation_id = $1 AND expires_at > $2 AND seq <= (
		SELECT seq FROM queue WHERE installation_id = $1 AND expires_at > $2 ORDER BY seq DESC LIMIT 1 OFFSET $3)`

	selectPending = `SELECT seq, message_id, COALESCE(bodies.payload, queue.payload), created_at, expires_at
		FROM queue LEFT JOIN bodies ON bodies.id = queue.body_id
		WHERE installation_id = $1 AND seq > $2 AND expires_at > $3 ORDER BY seq LIMIT $4`

	lastSeq = `SELECT last_seq FROM installations WHERE id = $1`

	countQueue = `SELECT COUNT(*) FROM queue`

	// Changes nothing, but has to be able to.
	touch = `UPDATE schema_migrations SET version = version WHERE version = 1`

	deletePush = `DELETE FROM queue WHERE installation_id = $1 AND seq = $2`
)

// Enqueue puts p at the end of its installation's queue. When it returns, p is on the
// disk, at position seq. A queue keeps QueueMax pushes: dropped tells how many of the
// oldest had to go. A zero CreatedAt means now, a zero ExpiresAt QueueTTL later.
// The error is ErrNotFound when the installation is gone.
func (s *SQL) Enqueue(ctx context.Context, p Push) (seq int64, dropped int, err error) {
	now := s.now()
	p.complete(now)
	err = s.writer.do(ctx, func(t tx) error {
		full, err := t.enqueueGroup(oneQueries, []any{p.InstallationID}, p, nil)
		if err != nil {
			return err
		}
		dropped = 0
		if len(full) > 0 {
			if dropped, err = t.trim(p.InstallationID, now); err != nil {
				return err
			}
		}
		return notFound(t.row(lastSeq, p.InstallationID).Scan(&seq)) // when it is gone, nothing was changed
	})
	if err != nil {
		return 0, 0, wrap("enqueue a push", err)
	}
	return seq, dropped, nil
}

// complete sets what was left out.
func (p *Push) complete(now time.Time) {
	if p.CreatedAt.IsZero() {
		p.CreatedAt = now
	}
	if p.ExpiresAt.IsZero() {
		p.ExpiresAt = p.CreatedAt.Add(QueueTTL)
	}
	if p.Payload == nil {
		p.Payload = []byte{}
	}
}

// Pending gives up to limit unexpired pushes of an installation whose Seq is above
// after, oldest first.
func (s *SQL) Pending(ctx context.Context, installationID string, after int64, limit int) ([]Push, error) {
	rows, err := s.rows(ctx, selectPending, installationID, after, millis(s.now()), limit)
	pending, err := collect(rows, err, func(r scanner) (Push, error) {
		p := Push{InstallationID: installationID}
		var created, expires int64
		err := r.Scan(&p.Seq, &p.MessageID, &p.Payload, &created, &expires)
		p.CreatedAt, p.ExpiresAt = fromMillis(created), fromMillis(expires)
		return p, err
	})
	return pending, wrap("read a queue", err)
}

// QueueLength counts the pushes that wait, of all installations, those that have expired and are
// not yet swept among them.
func (s *SQL) QueueLength(ctx context.Context) (n int64, err error) {
	err = s.row(ctx, countQueue).Scan(&n)
	return n, wrap("count the queues", err)
}

// Check tells whether the store can be read and written now.
func (s *SQL) Check(ctx context.Context) error {
	var one int
	if err := s.row(ctx, `SELECT 1`).Scan(&one); err != nil {
		return wrap("read", err)
	}
	return wrap("write", s.writer.do(ctx, func(t tx) error { return t.exec(touch) }))
}

// Acknowledge removes delivered pushes. Those that are gone already are no error.
func (s *SQL) Acknowledge(ctx context.Context, installationID string, seqs []int64) error {
	if len(seqs) == 0 {
		return nil
	}
	err := s.writer.do(ctx, func(t tx) error {
		for _, seq := range seqs {
			if err := t.exec(deletePush, installationID, seq); err != nil {
				return err
			}
		}
		return nil
	})
	return wrap("remove delivered pushes", err)
}
