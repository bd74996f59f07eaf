package store

import (
	"context"
	"fmt"
)

// ofApp are the tables whose rows belong to an app, in the order in which they are emptied: first those that refer to others.
// Queues go with their installations, which are counted before.
var ofApp = []string{
	"queue", "bucket_subscriptions", "objects", "topic_subscriptions", "topics", "installations", "tokens", "things", "users",
}

const endingsOfApp = endingsOf + `app_id = $3` + again

// rowsOf is the condition under which a row of the table is the app's.
func rowsOf(table string) string {
	if table == "queue" {
		return ` FROM queue WHERE installation_id IN (SELECT id FROM installations WHERE app_id = $1)`
	}
	return ` FROM ` + table + ` WHERE app_id = $1`
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

// DeleteApp removes all that CountApp counts, in one transaction, and tells what that was. Where the store notes endings, the broker is told of the
// installations.
func (s *SQL) DeleteApp(ctx context.Context, appID string) (counts []Rows, err error) {
	err = s.writer.do(ctx, func(t tx) error {
		counts = nil // it may be run again
		if err := s.note(t, endingsOfApp, EndingRemoved, appID); err != nil {
			return err
		}
		for _, table := range ofApp {
			n, err := t.affected(`DELETE`+rowsOf(table), appID)
			if err != nil {
				return fmt.Errorf("in the table %s: %w", table, err)
			}
			if n > 0 {
				counts = append(counts, Rows{table, n})
			}
		}
		return nil
	})
	if err != nil {
		return nil, wrap("delete an app", err)
	}
	return counts, wrap("remove payloads that nobody waits for", s.sweepBodies(ctx))
}
