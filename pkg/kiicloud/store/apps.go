package store

import (
	"context"
	"fmt"
	"strconv"
)

// ofApp are the tables whose rows belong to an app, in the order in which they are emptied: first those that refer to others.
// Queues go with their installations, which are counted before.
var ofApp = []string{
	"queue", "bucket_subscriptions", "objects", "topic_subscriptions", "topics", "installations", "tokens", "things", "users",
}

// keyOf are the columns that tell a row of such a table from its others.
var keyOf = map[string]string{
	"queue":                "installation_id, seq",
	"bucket_subscriptions": "app_id, scope_kind, scope_id, bucket, owner_kind, owner_id",
	"objects":              "app_id, scope_kind, scope_id, bucket, id",
	"topic_subscriptions":  "topic_id, owner_kind, owner_id",
	"topics":               "id",
	"installations":        "id",
	"tokens":               "hash",
	"things":               "app_id, id",
	"users":                "app_id, id",
}

// appChunk is how many rows of an app are removed in one transaction: on PostgreSQL it has little time, and the writes of others wait for it.
const appChunk = 2000

// endingsOfApp is for the installations that chunkOf removes next.
var endingsOfApp = endingsOf + `id IN (SELECT id FROM installations WHERE app_id = $3 ORDER BY id LIMIT ` + strconv.Itoa(appChunk) + `)` + again

// rowsOf is the condition under which a row of the table is the app's.
func rowsOf(table string) string {
	if table == "queue" {
		return ` FROM queue WHERE installation_id IN (SELECT id FROM installations WHERE app_id = $1)`
	}
	return ` FROM ` + table + ` WHERE app_id = $1`
}

// chunkOf removes some of these rows.
func chunkOf(table string) string {
	key, order := keyOf[table], ""
	if table == "installations" { // as endingsOfApp has them
		order = ` ORDER BY id`
	}
	return `DELETE FROM ` + table + ` WHERE (` + key + `) IN (SELECT ` + key + rowsOf(table) + order + ` LIMIT ` + strconv.Itoa(appChunk) + `)`
}

// Rows tells how many rows of a table something is about.
type Rows struct {
	Table string
	Count int64
}

// CountApp tells what an app has stored: its users, things, tokens, installations with their queues, topics, objects and subscriptions. Tables of which
// it has nothing are left out.
func (s *SQL) CountApp(ctx context.Context, appID string) (counts []Rows, err error) {
	for _, table := range ofApp {
		var n int64
		if err := s.row(ctx, `SELECT COUNT(*)`+rowsOf(table), appID).Scan(&n); err != nil {
			return nil, wrap("count what an app has", fmt.Errorf("in the table %s: %w", table, err))
		}
		if n > 0 {
			counts = append(counts, Rows{table, n})
		}
	}
	return counts, nil
}

// DeleteApp removes all that CountApp counts, some rows at a time, and tells what that was, also beside an error: then the rest is still there, and can be
// removed the same way. Where the store notes endings, the broker is told of the installations.
func (s *SQL) DeleteApp(ctx context.Context, appID string) (counts []Rows, err error) {
	for _, table := range ofApp {
		n, err := s.empty(ctx, table, appID)
		if n > 0 {
			counts = append(counts, Rows{table, n})
		}
		if err != nil {
			return counts, wrap("delete an app", fmt.Errorf("in the table %s: %w", table, err))
		}
	}
	return counts, wrap("remove payloads that nobody waits for", s.sweepBodies(ctx))
}

// empty removes an app's rows from a table and tells how many.
func (s *SQL) empty(ctx context.Context, table, appID string) (removed int64, err error) {
	for {
		var n int64
		err := s.writer.doMany(ctx, appChunk, func(t tx) (err error) {
			if table == "installations" {
				if err := s.note(t, endingsOfApp, EndingRemoved, appID); err != nil {
					return err
				}
			}
			n, err = t.affected(chunkOf(table), appID)
			return err
		})
		if err != nil {
			return removed, err
		}
		if removed += n; n < appChunk {
			return removed, nil
		}
	}
}
