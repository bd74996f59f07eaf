package store

import (
	"context"
	"slices"
	"strconv"
	"strings"
)

// A push to many installations works on them in groups, with one statement for a whole group.
// The sizes are few, since each makes statements of its own that are prepared once and kept.
const (
	smallGroup = 10
	largeGroup = 100
)

// groupQueries are the statements for a group of n installations. Their ids are the last
// parameters; an id that is there twice counts once.
type groupQueries struct{ next, insert, full string }

var (
	oneQueries   = makeGroupQueries(1)
	smallQueries = makeGroupQueries(smallGroup)
	largeQueries = makeGroupQueries(largeGroup)
)

func makeGroupQueries(n int) groupQueries {
	return groupQueries{
		next: `UPDATE installations SET last_seq = last_seq + 1 WHERE id IN (` + parameters(1, n) + `)`,
		insert: `INSERT INTO queue (installation_id, seq, message_id, payload, created_at, expires_at)
			SELECT id, last_seq, $1, $2, $3, $4 FROM installations WHERE id IN (` + parameters(5, n) + `)`,
		// Places ascend and do not repeat, so a queue can hold too much only when the first
		// and the last one are this far apart.
		full: `SELECT id FROM installations WHERE last_seq - $1 >=
			(SELECT MIN(seq) FROM queue WHERE installation_id = installations.id) AND id IN (` + parameters(2, n) + `)`,
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
	size := 1
	switch {
	case len(ids) > smallGroup:
		q, size = largeQueries, largeGroup
	case len(ids) > 1:
		q, size = smallQueries, smallGroup
	default:
		q = oneQueries
	}
	n := min(size, len(ids))
	params = make([]any, size)
	for i := range params {
		params[i] = ids[min(i, n-1)]
	}
	return q, params, ids[n:]
}

// EnqueueAll is Enqueue for many installations, all in one transaction: when it fails, none
// of them has p. An installation that is gone is left out, one that is named twice gets p
// once. dropped has the number of pushes that newer ones pushed out of a full queue, by
// installation, for those that lost any. p.InstallationID is ignored.
func (s *SQL) EnqueueAll(ctx context.Context, p Push, installationIDs []string) (dropped map[string]int, err error) {
	now := s.now()
	p.complete(now)
	ids := slices.Compact(slices.Sorted(slices.Values(installationIDs)))
	err = s.writer.do(ctx, func(t tx) error {
		dropped = map[string]int{}
		for rest := ids; len(rest) > 0; {
			var q groupQueries
			var params []any
			q, params, rest = group(rest)
			if err := t.enqueueGroup(q, params, p, millis(now), dropped); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, wrap("enqueue a push for many", err)
	}
	return dropped, nil
}

// enqueueGroup puts p into the queues of a group.
func (t tx) enqueueGroup(q groupQueries, ids []any, p Push, now int64, dropped map[string]int) error {
	if err := t.exec(q.next, ids...); err != nil {
		return err
	}
	if err := t.exec(q.insert, append([]any{p.MessageID, p.Payload, millis(p.CreatedAt), millis(p.ExpiresAt)}, ids...)...); err != nil {
		return err
	}
	full, err := t.texts(q.full, append([]any{QueueMax}, ids...)...)
	if err != nil {
		return err
	}
	for _, id := range full {
		n, err := t.affected(trimQueue, id, now, QueueMax)
		if err != nil {
			return err
		}
		if n > 0 {
			dropped[id] = int(n)
		}
	}
	return nil
}

// texts runs a query for one column of text.
func (t tx) texts(query string, args ...any) (column []string, err error) {
	st, err := t.w.prepared.get(context.Background(), query)
	if err != nil {
		return nil, err
	}
	rows, err := st.Query(args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			return nil, err
		}
		column = append(column, s)
	}
	return column, rows.Err()
}
