package store

import (
	"context"
	"errors"
)

const (
	inBucket = `app_id = $1 AND scope_kind = $2 AND scope_id = $3 AND bucket = $4`

	objectColumns = `id, version, data_type, fields, owner_kind, owner_id, created_at, modified_at`

	selectObject = `SELECT ` + objectColumns + ` FROM objects WHERE ` + inBucket + ` AND id = $5`
	listObjects  = `SELECT ` + objectColumns + ` FROM objects WHERE ` + inBucket + ` AND id > $5 ORDER BY id LIMIT $6`
	countObjects = `SELECT COUNT(*) FROM objects WHERE ` + inBucket

	putObject = `INSERT INTO objects (app_id, scope_kind, scope_id, bucket, ` + objectColumns + `)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
		ON CONFLICT (app_id, scope_kind, scope_id, bucket, id) DO UPDATE
		SET version = excluded.version, data_type = excluded.data_type, fields = excluded.fields, modified_at = excluded.modified_at`

	deleteObject  = `DELETE FROM objects WHERE ` + inBucket + ` AND id = $5`
	deleteObjects = `DELETE FROM objects WHERE ` + inBucket
)

// ObjectChange is what becomes of an object, and what the bucket's subscribers are told.
type ObjectChange struct {
	// Next is the object as it shall be; nil removes it. Of an object that exists the
	// creator and the time of creation stay; the version is the store's to give.
	Next *Object
	// Event has the message id and the payload.
	Event Push
}

// ObjectByID finds an object. The error may be ErrNotFound.
func (s *SQL) ObjectByID(ctx context.Context, b Bucket, id string) (Object, error) {
	o, err := scanObject(b, s.row(ctx, selectObject, b.args(id)...))
	return o, wrap("find an object", err)
}

// Objects gives the objects of a bucket whose id is above after, by ascending id: up to
// limit of them, and fewer where their fields have more than maxBytes bytes together, but
// one at least. more tells whether others follow.
func (s *SQL) Objects(ctx context.Context, b Bucket, after string, limit, maxBytes int) (page []Object, more bool, err error) {
	const what = "list objects"
	rows, err := s.rows(ctx, listObjects, b.args(after, limit+1)...)
	if err != nil {
		return nil, false, wrap(what, err)
	}
	defer rows.Close()
	for size := 0; rows.Next(); {
		o, err := scanObject(b, rows)
		if err != nil {
			return nil, false, wrap(what, err)
		}
		size += len(o.Fields)
		if len(page) == limit || size > maxBytes && len(page) > 0 {
			return page, true, nil
		}
		page = append(page, o)
	}
	return page, false, wrap(what, rows.Err())
}

// CountObjects tells how many objects a bucket has.
func (s *SQL) CountObjects(ctx context.Context, b Bucket) (n int, err error) {
	err = s.row(ctx, countObjects, b.args()...).Scan(&n)
	return n, wrap("count objects", err)
}

// ChangeObject creates, changes or removes the object with this id, as decide says, and puts
// the event into the queues of the bucket's subscribers: both in one transaction, so that
// there is no change without its event, and events come in the order of the changes.
//
// decide gets the object as it is in that transaction, nil when there is none. It may be
// called more than once and must do nothing but decide. Its error leaves everything as it
// was, and is returned as it is. To remove what is not there is ErrNotFound; to create one more
// than its creator may have is a FullError.
func (s *SQL) ChangeObject(ctx context.Context, b Bucket, id string, decide func(old *Object) (ObjectChange, error)) (told Told, err error) {
	now := s.now()
	var declined error
	var full []string
	err = s.writer.doMany(ctx, s.subscribers(ctx, b), func(t tx) error {
		told, declined, full = Told{}, nil, nil
		old, err := t.object(b, id)
		if err != nil {
			return err
		}
		change, err := decide(old)
		if err != nil {
			declined = err
			return nil
		}
		if old == nil && change.Next != nil {
			if err := t.roomForObject(change.Next.Owner, s.limits.Objects); err != nil {
				return err
			}
		}
		if err := t.apply(b, id, old, change.Next); err != nil {
			return err
		}
		change.Event.complete(now)
		told.Push = change.Event
		told.To, full, err = t.tell(b, change.Event)
		return err
	})
	switch {
	case err != nil:
		return Told{}, wrap("change an object", err)
	case declined != nil:
		return Told{}, declined
	}
	told.Dropped = s.trimAll(ctx, full, now)
	return told, nil
}

// object gives an object, or nil where there is none.
func (t tx) object(b Bucket, id string) (*Object, error) {
	o, err := scanObject(b, t.row(selectObject, b.args(id)...))
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	return &o, err
}

// apply writes next in place of old.
func (t tx) apply(b Bucket, id string, old, next *Object) error {
	switch {
	case next == nil && old == nil:
		return ErrNotFound
	case next == nil:
		return t.exec(deleteObject, b.args(id)...)
	}
	next.Bucket, next.ID, next.Version = b, id, 1
	if old != nil {
		next.Version, next.Owner, next.CreatedAt = old.Version+1, old.Owner, old.CreatedAt
	}
	next.Fields = orEmptyObject(next.Fields)
	return t.exec(putObject, b.args(id, next.Version, next.DataType, string(next.Fields),
		string(next.Owner.Kind), next.Owner.ID, millis(next.CreatedAt), millis(next.ModifiedAt))...)
}

// DeleteBucket removes a bucket's objects and subscriptions, and tells those who had
// subscribed. The error is ErrNotFound when there were neither.
func (s *SQL) DeleteBucket(ctx context.Context, b Bucket, event Push) (told Told, err error) {
	now := s.now()
	event.complete(now)
	var full []string
	err = s.writer.doMany(ctx, s.subscribers(ctx, b), func(t tx) (err error) {
		told.Push = event
		if told.To, full, err = t.tell(b, event); err != nil { // while it is known whom
			return err
		}
		objects, err := t.affected(deleteObjects, b.args()...)
		if err != nil {
			return err
		}
		subscriptions, err := t.affected(deleteBucketSubscriptions, b.args()...)
		if err == nil && objects+subscriptions == 0 { // nobody was told either
			return ErrNotFound
		}
		return err
	})
	if err != nil {
		return Told{}, wrap("delete a bucket", err)
	}
	told.Dropped = s.trimAll(ctx, full, now)
	return told, nil
}

// args gives the arguments of a query about a bucket.
func (b Bucket) args(more ...any) []any {
	return append([]any{b.Scope.AppID, string(b.Scope.Kind), b.Scope.ID, b.Name}, more...)
}

func scanObject(b Bucket, r scanner) (Object, error) {
	o := Object{Bucket: b, Owner: Owner{AppID: b.Scope.AppID}}
	var fields, kind string
	var created, modified int64
	if err := r.Scan(&o.ID, &o.Version, &o.DataType, &fields, &kind, &o.Owner.ID, &created, &modified); err != nil {
		return Object{}, notFound(err)
	}
	o.Fields, o.Owner.Kind = []byte(fields), OwnerKind(kind)
	o.CreatedAt, o.ModifiedAt = fromMillis(created), fromMillis(modified)
	return o, nil
}
