package rest

import (
	"time"

	"github.com/kiiweb/kiiweb/pkg/kiicloud/store"
)

// eventKind is the type that a bucket's subscribers are told.
type eventKind string

const (
	objectCreated eventKind = "DATA_OBJECT_CREATED"
	objectUpdated eventKind = "DATA_OBJECT_UPDATED"
	objectDeleted eventKind = "DATA_OBJECT_DELETED"
	bucketDeleted eventKind = "BUCKET_DELETED"
)

// bucketType is what Kii calls the usual kind of bucket, which is the only one here.
const bucketType = "rw"

// event is a change in a bucket.
type event struct {
	kind     eventKind
	bucket   store.Bucket
	objectID string // empty when the whole bucket is gone
	by       store.Owner
	at       time.Time
}

// push makes what the subscribers receive. Nothing of it grows with the object: all
// values are ids and names of bounded length, far below MaxPush bytes together.
func (e event) push() (store.Push, error) {
	object := map[string]any{
		"type":       string(e.kind),
		"origin":     "EVENT",
		"appID":      e.bucket.Scope.AppID,
		"when":       e.at.UnixMilli(),
		"bucketID":   e.bucket.Name,
		"bucketType": bucketType,
		"sourceURI":  bucketURI(e.bucket),
		"senderURI":  ownerURI(e.by),
	}
	if e.by.Kind != store.OwnerAdmin {
		object["sender"] = e.by.ID
	}
	if e.objectID != "" {
		object["objectID"] = e.objectID
		object["modifiedAt"] = e.at.UnixMilli()
		object["sourceURI"] = bucketURI(e.bucket) + "/objects/" + e.objectID
	}
	scopeKeys(object, e.bucket.Scope)
	payload, err := compact(object)
	return store.Push{MessageID: store.NewID(), Payload: payload, CreatedAt: e.at}, err
}

func bucketURI(b store.Bucket) string { return scopeURI(b.Scope) + "buckets/" + b.Name }
