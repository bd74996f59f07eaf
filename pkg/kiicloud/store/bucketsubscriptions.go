package store

import "context"

const (
	insertBucketSubscription = `INSERT INTO bucket_subscriptions (app_id, scope_kind, scope_id, bucket, owner_kind, owner_id, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING`

	deleteBucketSubscription  = `DELETE FROM bucket_subscriptions WHERE ` + inBucket + ` AND owner_kind = $5 AND owner_id = $6`
	deleteBucketSubscriptions = `DELETE FROM bucket_subscriptions WHERE ` + inBucket

	countSubscribers        = `SELECT COUNT(*) FROM bucket_subscriptions WHERE ` + inBucket
	countBucketSubscription = `SELECT COUNT(*) FROM bucket_subscriptions WHERE ` + inBucket + ` AND owner_kind = $5 AND owner_id = $6`

	// All installations of a bucket's subscribers.
	ofSubscribers = `(app_id, owner_kind, owner_id) IN
		(SELECT app_id, owner_kind, owner_id FROM bucket_subscriptions WHERE ` + inBucket + `)`

	nextOfSubscribers   = `UPDATE installations SET last_seq = last_seq + 1 WHERE ` + ofSubscribers + ` RETURNING ` + installationColumns
	insertOfSubscribers = `INSERT INTO queue (installation_id, seq, message_id, payload, created_at, expires_at)
		SELECT id, last_seq, $5, $6, $7, $8 FROM installations WHERE ` + ofSubscribers
	// Places ascend, so only a queue whose first and last one are this far apart can hold too much.
	fullOfSubscribers = `SELECT id FROM installations WHERE ` + ofSubscribers + `
		AND last_seq - $5 >= (SELECT MIN(seq) FROM queue WHERE installation_id = installations.id)`
)

// Told says whose queues have a new push: the engine does not know of it yet.
type Told struct {
	To      []Installation     // as they are now: the push is at the place LastSeq
	Push    Push               // as it is in each queue, but for what each has of its own; no MessageID: it has to be read
	Dropped map[string][]int64 // places of the pushes that the new one pushed out, by installation, where any
}

// SubscribeToBucket lets a user or thing know of the changes in a bucket. The error is
// ErrExists when it has subscribed already, a FullError when it has as many subscriptions as it
// may.
func (s *SQL) SubscribeToBucket(ctx context.Context, b Bucket, who Owner) error {
	err := s.writer.do(ctx, func(t tx) error {
		var there int
		if err := t.row(countBucketSubscription, b.args(string(who.Kind), who.ID)...).Scan(&there); err != nil {
			return err
		}
		if there > 0 {
			return ErrExists
		}
		if err := t.room(countBucketSubscriptions, "subscriptions to buckets", s.limits.Subscriptions, who.AppID, string(who.Kind), who.ID); err != nil {
			return err
		}
		n, err := t.affected(insertBucketSubscription, b.args(string(who.Kind), who.ID, millis(s.now()))...)
		if err == nil && n == 0 {
			return ErrExists
		}
		return err
	})
	return wrap("subscribe to a bucket", err)
}

// UnsubscribeFromBucket ends a subscription. The error is ErrNotFound when there is none.
func (s *SQL) UnsubscribeFromBucket(ctx context.Context, b Bucket, who Owner) error {
	err := s.writer.do(ctx, func(t tx) error {
		n, err := t.affected(deleteBucketSubscription, b.args(string(who.Kind), who.ID)...)
		if err == nil && n == 0 {
			return ErrNotFound
		}
		return err
	})
	return wrap("unsubscribe from a bucket", err)
}

// SubscribedToBucket tells whether a user or thing has subscribed to a bucket.
func (s *SQL) SubscribedToBucket(ctx context.Context, b Bucket, who Owner) (bool, error) {
	var n int
	err := s.row(ctx, countBucketSubscription, b.args(string(who.Kind), who.ID)...).Scan(&n)
	return n > 0, wrap("look for a subscription", err)
}

// subscribers is how many have subscribed to a bucket, for the time that a transaction may take which tells them: 0 where that
// may take any time, or the database does not say.
func (s *SQL) subscribers(ctx context.Context, b Bucket) (n int) {
	if s.writer.d.timeout == 0 || s.row(ctx, countSubscribers, b.args()...).Scan(&n) != nil {
		return 0
	}
	return n
}

// tell puts an event into the queues of all installations of a bucket's subscribers: a few
// statements, however many they are. Which of the queues may hold too much now is for trimAll.
func (t tx) tell(b Bucket, event Push) (to []Installation, full []string, err error) {
	rows, err := t.rows(nextOfSubscribers, b.args()...)
	if to, err = collect(rows, err, scanInstallation); err != nil || len(to) == 0 {
		return nil, nil, err
	}
	err = t.exec(insertOfSubscribers, b.args(event.MessageID, event.Payload, millis(event.CreatedAt), millis(event.ExpiresAt))...)
	if err != nil {
		return nil, nil, err
	}
	full, err = t.texts(fullOfSubscribers, b.args(QueueMax)...)
	return to, full, err
}
