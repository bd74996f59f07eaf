package store

import (
	"errors"
	"fmt"
)

// Limits bound what one user or thing can fill the store with, and so how long the writer is
// busy when all of it is deleted at once. Of administrators nothing is counted. A value of 0
// means that of DefaultLimits.
type Limits struct {
	Topics        int // in a user's or thing's scope
	Subscriptions int // of a user or thing to topics; and as many to buckets
	Objects       int // that a user or thing has created, in whichever scope
}

// DefaultLimits are far above what an app needs that means well.
var DefaultLimits = Limits{Topics: 1000, Subscriptions: 1000, Objects: 10_000}

func (l Limits) withDefaults() Limits {
	for _, v := range []struct {
		value *int
		def   int
	}{{&l.Topics, DefaultLimits.Topics}, {&l.Subscriptions, DefaultLimits.Subscriptions}, {&l.Objects, DefaultLimits.Objects}} {
		if *v.value <= 0 {
			*v.value = v.def
		}
	}
	return l
}

// FullError means that one of the limits is reached: nothing was stored.
type FullError struct {
	What  string // what there are too many of, such as "topics in this scope"
	Limit int
}

// Error says what there is too much of.
func (e *FullError) Error() string { return fmt.Sprintf("there are %d %s already", e.Limit, e.What) }

// These count no further than to the limit.
const (
	countTopics              = `SELECT COUNT(*) FROM (SELECT 1 FROM topics WHERE app_id = $1 AND scope_kind = $2 AND scope_id = $3 LIMIT $4) AS counted`
	countTopicSubscriptions  = `SELECT COUNT(*) FROM (SELECT 1 FROM topic_subscriptions WHERE app_id = $1 AND owner_kind = $2 AND owner_id = $3 LIMIT $4) AS counted`
	countBucketSubscriptions = `SELECT COUNT(*) FROM (SELECT 1 FROM bucket_subscriptions WHERE app_id = $1 AND owner_kind = $2 AND owner_id = $3 LIMIT $4) AS counted`
	countObjectsBy           = `SELECT COUNT(*) FROM (SELECT 1 FROM objects WHERE app_id = $1 AND owner_kind = $2 AND owner_id = $3 LIMIT $4) AS counted`
)

// room fails with a FullError where a query counts as many of what belongs to (app, kind, id)
// as there may be.
func (t tx) room(count, what string, limit int, appID, kind, id string) error {
	var n int
	if err := t.row(count, appID, kind, id, limit).Scan(&n); err != nil {
		return err
	}
	if n >= limit {
		return &FullError{What: what, Limit: limit}
	}
	return nil
}

func (t tx) roomForObject(by Owner, limit int) error {
	if by.Kind == OwnerAdmin {
		return nil
	}
	return t.room(countObjectsBy, "objects of this creator", limit, by.AppID, string(by.Kind), by.ID)
}

// absent is what a look for something comes to where it shall be made: to have found it is
// ErrExists.
func absent(err error) error {
	switch {
	case err == nil:
		return ErrExists
	case errors.Is(err, ErrNotFound):
		return nil
	}
	return err
}
