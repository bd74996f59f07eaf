package store

import (
	"context"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A push to many installations works on them in groups, with one statement for a whole group.
// The sizes are few, since each makes statements of its own that are prepared once and kept.
const (
	smallGroup = 10
	largeGroup = 100

	trimChunk = 100 // queues trimmed in one transaction
)

const (
	insertBody = `INSERT INTO bodies (id, payload) VALUES ($1, $2)`

	// A body gets its rows in the transaction that makes it, and none later: what has none
	// left can go.
	unusedBodies = `SELECT id FROM bodies WHERE NOT EXISTS (SELECT 1 FROM queue WHERE body_id = bodies.id) LIMIT $1`
	deleteBody   = `DELETE FROM bodies WHERE id = $1`
)

// groupQueries are the statements for a group of n installations. Their ids are the last
// parameters; an id that is there twice counts once.
type groupQueries struct{ next, insert string }

// Enqueued is what became of a push to many.
type Enqueued struct {
	Push    Push               // as it is in the queues, but for what each has of its own
	Places  map[string]int64   // Push.Seq by installation; one that is gone has none
	Dropped map[string][]int64 // places of the pushes that this one pushed out of a full queue, by installation, where any
}

var (
	oneQueries   = makeGroupQueries(1)
	smallQueries = makeGroupQueries(smallGroup)
	largeQueries = makeGroupQueries(largeGroup)

	queriesOf = map[int]groupQueries{1: oneQueries, smallGroup: smallQueries, largeGroup: largeQueries}
)

func makeGroupQueries(n int) groupQueries {
	return groupQueries{
		// Places ascend and do not repeat, so a queue can hold too much only when its first place and
		// the one that is given now are this far apart.
		next: `UPDATE installations SET last_seq = last_seq + 1 WHERE id IN (` + parameters(2, n) + `) RETURNING id, last_seq,
			CASE WHEN last_seq - $1 >= (SELECT MIN(seq) FROM queue WHERE installation_id = installations.id) THEN 1 ELSE 0 END`,
		insert: `INSERT INTO queue (installation_id, seq, message_id, payload, body_id, created_at, expires_at)
			SELECT id, last_seq, $1, $2, $3, $4, $5 FROM installations WHERE id IN (` + parameters(6, n) + `)`,
	}
}

// parameters is "$first, …" for n parameters.
func parameters(first, n int) string {
	names := make([]string, n)
	for i := range names {
		names[i] = "$" + strconv.Itoa(first+i)
	}
	return strings.Join(names, ", ")
}

// group takes the next installations off ids, as parameters for its queries. The last group
// is filled up with an id that it has already.
func group(ids []string) (q groupQueries, params []any, rest []string) {
	size, n := groupSize(len(ids))
	q = queriesOf[size]
	params = make([]any, size)
	for i := range params {
		params[i] = ids[min(i, n-1)]
	}
	return q, params, ids[n:]
}

// groupSize is which size of group comes next of so many, and how many it holds.
func groupSize(left int) (size, n int) {
	switch {
	case left > smallGroup:
		size = largeGroup
	case left > 1:
		size = smallGroup
	default:
		size = 1
	}
	return size, min(size, left)
}

// EnqueueAll is Enqueue for many installations, all in one transaction: when it fails, none
// of them has p. An installation that is gone is left out, one that is named twice gets p
// once. p.InstallationID is ignored.
func (s *SQL) EnqueueAll(ctx context.Context, p Push, installationIDs []string) (done Enqueued, err error) {
	now := s.now()
	p.complete(now)
	ids := slices.Compact(slices.Sorted(slices.Values(installationIDs)))
	var full []string
	err = s.writer.doMany(ctx, len(ids), func(t tx) error {
		full, done.Places = nil, make(map[string]int64, len(ids))
		bodyID, err := t.share(p.Payload, len(ids))
		if err != nil {
			return err
		}
		for rest := ids; len(rest) > 0; {
			var q groupQueries
			var params []any
			q, params, rest = group(rest)
			more, err := t.enqueueGroup(q, params, p, bodyID, done.Places)
			if err != nil {
				return err
			}
			full = append(full, more...)
		}
		return nil
	})
	if err != nil {
		return Enqueued{}, wrap("enqueue a push for many", err)
	}
	done.Push, done.Dropped = p, s.trimAll(ctx, full, now)
	return done, nil
}

// share stores a payload apart from the queues where that saves writing it very often, and
// gives its id, else nil.
func (t tx) share(payload []byte, receivers int) (bodyID any, err error) {
	if receivers <= smallGroup {
		return nil, nil
	}
	id := rand.Int64()
	return id, t.exec(insertBody, id, payload)
}

// enqueueGroup puts p into the queues of a group, notes its places there, and tells which of them
// may hold too much now. A payload that is shared is not written again.
func (t tx) enqueueGroup(q groupQueries, ids []any, p Push, bodyID any, places map[string]int64) (full []string, err error) {
	if bodyID != nil {
		p.Payload = []byte{}
	}
	rows, err := t.rows(q.next, append([]any{QueueMax}, ids...)...)
	_, err = collect(rows, err, func(r scanner) (struct{}, error) {
		var id string
		var seq int64
		var mayBeFull bool
		if err := r.Scan(&id, &seq, &mayBeFull); err != nil {
			return struct{}{}, err
		}
		places[id] = seq
		if mayBeFull {
			full = append(full, id)
		}
		return struct{}{}, nil
	})
	if err != nil {
		return nil, err
	}
	err = t.exec(q.insert, append([]any{p.MessageID, p.Payload, bodyID, millis(p.CreatedAt), millis(p.ExpiresAt)}, ids...)...)
	return full, err
}

// trimAll brings full queues back to their bound. It counts through each of them, which for
// many takes longer than all the rest of a push. So it does a few at a time and lets other
// writers in between. The push is accepted already: what cannot be trimmed now, because the
// store closes, the next push will trim.
func (s *SQL) trimAll(ctx context.Context, ids []string, now time.Time) map[string][]int64 {
	dropped := map[string][]int64{}
	for chunk := range slices.Chunk(ids, trimChunk) {
		places := make([][]int64, len(chunk))
		err := s.writer.do(context.WithoutCancel(ctx), func(t tx) (err error) {
			for i, id := range chunk {
				if places[i], err = t.trim(id, now); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			break
		}
		for i, gone := range places {
			if len(gone) > 0 {
				dropped[chunk[i]] = gone
			}
		}
	}
	return dropped
}

// trim removes the oldest pushes that a queue holds too many and gives their places.
func (t tx) trim(id string, now time.Time) (dropped []int64, err error) {
	rows, err := t.rows(trimQueue, id, millis(now), QueueMax)
	return collect(rows, err, scanOne[int64])
}

// texts runs a query for one column of text.
func (t tx) texts(query string, args ...any) ([]string, error) {
	rows, err := t.rows(query, args...)
	return collect(rows, err, scanOne[string])
}

// scanOne reads a row of one column.
func scanOne[T any](r scanner) (v T, err error) {
	err = r.Scan(&v)
	return v, err
}

// sweepBodies removes the payloads that no queue needs any more. It looks for them beside
// the writer, which has only to delete.
func (s *SQL) sweepBodies(ctx context.Context) error {
	for {
		ids, err := s.unusedBodies(ctx)
		if err != nil || len(ids) == 0 {
			return err
		}
		err = s.writer.do(ctx, func(t tx) error {
			for _, id := range ids {
				if err := t.exec(deleteBody, id); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil || len(ids) < sweepChunk {
			return err
		}
	}
}

func (s *SQL) unusedBodies(ctx context.Context) ([]int64, error) {
	rows, err := s.rows(ctx, unusedBodies, sweepChunk)
	return collect(rows, err, scanOne[int64])
}
