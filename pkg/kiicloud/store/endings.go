package store

import (
	"context"
	"time"
)

// EndingKind says why a connection is to end at a broker that is another process.
type EndingKind string

// The kinds of ending.
const (
	EndingLapsed   EndingKind = "LAPSED"   // the password with which the client was let in is good no more
	EndingDisabled EndingKind = "DISABLED" // the installation's thing was disabled
	EndingRemoved  EndingKind = "REMOVED"  // the installation has ended: its queue is to go, too
)

// Ending is something that the broker is to be told of an installation, by whichever process comes to it. There is one
// of a kind for an installation.
type Ending struct {
	Kind           EndingKind
	InstallationID string
	Topic          string
	DueAt          time.Time
}

// endingGrace is what the process that has ended an installation has for telling the broker itself.
const endingGrace = 30 * time.Second

const (
	putEnding = `INSERT INTO endings (installation_id, kind, topic, due_at) VALUES ($1, $2, $3, $4)` + again
	endingsOf = `INSERT INTO endings (installation_id, kind, topic, due_at)
		SELECT id, CAST($1 AS TEXT), topic, CAST($2 AS BIGINT) FROM installations WHERE `
	again = ` ON CONFLICT (installation_id, kind) DO UPDATE SET due_at = excluded.due_at`

	// Of a thing that is enabled again.
	dropEndingsOfOwner = `DELETE FROM endings WHERE kind = $1 AND installation_id IN
		(SELECT id FROM installations WHERE app_id = $2 AND owner_kind = $3 AND owner_id = $4)`

	endingOfOne    = endingsOf + `app_id = $3 AND id = $4` + again
	endingsOfOwner = endingsOf + `app_id = $3 AND owner_kind = $4 AND owner_id = $5` + again

	takeEndings = `UPDATE endings SET due_at = $1 WHERE (installation_id, kind) IN
		(SELECT installation_id, kind FROM endings WHERE due_at <= $2 ORDER BY due_at LIMIT $3)
		RETURNING installation_id, kind, topic, due_at`
	dropEnding  = `DELETE FROM endings WHERE installation_id = $1 AND kind = $2 AND due_at = $3`
	dropEndings = `DELETE FROM endings WHERE installation_id = $1`
)

// note notes endings in the transaction that is their reason, where the store is told to (Options.Endings).
func (s *SQL) note(t tx, query string, kind EndingKind, args ...any) error {
	if !s.endings {
		return nil
	}
	return t.exec(query, append([]any{string(kind), millis(s.now().Add(endingGrace))}, args...)...)
}

// PutEnding notes an ending. One of the same kind gets its time.
func (s *SQL) PutEnding(ctx context.Context, e Ending) error {
	err := s.writer.do(ctx, func(t tx) error {
		return t.exec(putEnding, e.InstallationID, string(e.Kind), e.Topic, millis(e.DueAt))
	})
	return wrap("note an ending", err)
}

// TakeEndings gives up to limit endings that are due, the oldest first, and puts them off until a time, so that others
// do not see to them, too, unless whoever has taken them dies.
func (s *SQL) TakeEndings(ctx context.Context, until time.Time, limit int) (taken []Ending, err error) {
	var due int64 // most looks find nothing and write nothing
	err = s.row(ctx, `SELECT COUNT(*) FROM (SELECT 1 FROM endings WHERE due_at <= $1 LIMIT 1) AS found`, millis(s.now())).Scan(&due)
	if err == nil && due > 0 {
		err = s.writer.do(ctx, func(t tx) error {
			rows, err := t.rows(takeEndings, millis(until), millis(s.now()), limit)
			taken, err = collect(rows, err, scanEnding)
			return err
		})
	}
	return taken, wrap("look for endings", err)
}

// DropEnding forgets an ending that was seen to, if nobody has given it another time meanwhile. All of an installation that
// was removed are forgotten, whenever they are due.
func (s *SQL) DropEnding(ctx context.Context, e Ending) error {
	err := s.writer.do(ctx, func(t tx) error {
		if e.Kind == EndingRemoved {
			return t.exec(dropEndings, e.InstallationID)
		}
		return t.exec(dropEnding, e.InstallationID, string(e.Kind), millis(e.DueAt))
	})
	return wrap("forget an ending", err)
}

func scanEnding(r scanner) (e Ending, err error) {
	var kind string
	var due int64
	err = r.Scan(&e.InstallationID, &kind, &e.Topic, &due)
	e.Kind, e.DueAt = EndingKind(kind), fromMillis(due)
	return e, err
}
