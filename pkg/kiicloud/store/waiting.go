package store

import (
	"context"
	"time"
)

const waiting = selectInstallation + `id > $1 AND id IN
	(SELECT installation_id FROM queue WHERE created_at <= $2 AND expires_at > $3) ORDER BY id LIMIT $4`

// Waiting lists up to limit installations for which pushes wait that were created at or before a time, by
// ascending id, those whose id is above after. It is for an engine whose queues are elsewhere, for which
// the store's are a place to pass through.
func (s *SQL) Waiting(ctx context.Context, before time.Time, after string, limit int) ([]Installation, error) {
	rows, err := s.rows(ctx, waiting, after, millis(before), millis(s.now()), limit)
	all, err := collect(rows, err, scanInstallation)
	return all, wrap("list who has waiting pushes", err)
}
