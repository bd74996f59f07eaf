package store

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

const (
	// Everything at or below the newest unexpired push that is one too many.
	trimQueue = `DELETE FROM queue WHERE installation_id = $1 AND expires_at > $2 AND seq <= (
		SELECT seq FROM queue WHERE installation_id = $1 AND expires_at > $2 ORDER BY seq DESC LIMIT 1 OFFSET $3) RETURNING seq`

	selectPending = `SELECT seq, message_id, COALESCE(bodies.payload, queue.payload), created_at, expires_at
		FROM queue LEFT JOIN bodies ON bodies.id = queue.body_id
		WHERE installation_id = $1 AND seq > $2 AND expires_at > $3 ORDER BY seq LIMIT $4`

	countQueue = `SELECT COUNT(*) FROM queue`

	// Changes nothing, but has to be able to.
	touch = `UPDATE schema_migrations SET version = version WHERE version = 1`
)

// deletePushes removes a group of so many, which installation and place in the queue name.
var deletePushes = map[int]string{1: makeDeletePushes(1), smallGroup: makeDeletePushes(smallGroup), largeGroup: makeDeletePushes(largeGroup)}

func makeDeletePushes(n int) string {
	rows := make([]string, n)
	for i := range rows {
		rows[i] = fmt.Sprintf("($%d, CAST($%d AS BIGINT))", 2*i+1, 2*i+2)
	}
	return `DELETE FROM queue WHERE (installation_id, seq) IN (VALUES ` + strings.Join(rows, ", ") + `)`
}

// Enqueue puts p at the end of its installation's queue. When it returns, p is on the
// disk, at position seq. A queue keeps QueueMax pushes: dropped are the places of the
// oldest that had to go. A zero CreatedAt means now, a zero ExpiresAt QueueTTL later.
// The error is ErrNotFound when the installation is gone.
func (s *SQL) Enqueue(ctx context.Context, p Push) (seq int64, dropped []int64, err error) {
	now := s.now()
	p.complete(now)
	err = s.writer.do(ctx, func(t tx) error {
		places := map[string]int64{}
		full, err := t.enqueueGroup(oneQueries, []any{p.InstallationID}, p, nil, places)
		if err != nil {
			return err
		}
		var there bool
		if seq, there = places[p.InstallationID]; !there {
			return ErrNotFound // and nothing was changed
		}
		dropped = nil
		if len(full) > 0 {
			dropped, err = t.trim(p.InstallationID, now)
		}
		return err
	})
	if err != nil {
		return 0, nil, wrap("enqueue a push", err)
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

// acknowledgeChunk is how many pushes are removed in one transaction, so that other writers get in between.
const acknowledgeChunk = 2000

// Acknowledge removes delivered pushes, named by installation and place in its queue. Those that are gone already are no
// error. Where it fails some may be removed. Once it has begun it goes on when ctx ends, as long as the store takes it: whoever tries
// again begins anew, and might never come to an end.
func (s *SQL) Acknowledge(ctx context.Context, delivered map[string][]int64) error {
	var places []any
	for _, id := range slices.Sorted(maps.Keys(delivered)) { // as they are on the disk
		for _, seq := range delivered[id] {
			places = append(places, id, seq)
		}
	}
	for chunk := range slices.Chunk(places, 2*acknowledgeChunk) {
		if err := s.writer.do(ctx, func(t tx) error { return t.acknowledge(chunk) }); err != nil {
			return wrap("remove delivered pushes", err)
		}
		ctx = context.WithoutCancel(ctx)
	}
	return nil
}

// acknowledge removes pushes, of which each is an installation and a place.
func (t tx) acknowledge(places []any) error {
	for rest := places; len(rest) > 0; {
		size, n := groupSize(len(rest) / 2)
		params := make([]any, 0, 2*size)
		for i := range size { // the last group is filled up with a place that it has already
			k := 2 * min(i, n-1)
			params = append(params, rest[k], rest[k+1])
		}
		if err := t.exec(deletePushes[size], params...); err != nil {
			return err
		}
		rest = rest[2*n:]
	}
	return nil
}
