package rest

import (
	"context"
	"errors"
	"strings"

	"github.com/kiiweb/kiiweb/pkg/kiicloud/store"
)

const (
	typeObjectCreated = "application/vnd.kii.ObjectCreationResponse+json"
	typeObjectUpdated = "application/vnd.kii.ObjectUpdateResponse+json"
	typeQueried       = "application/vnd.kii.QueryResponse+json"
)

// bucketRoutes are the calls about buckets. A bucket is there from its first object or
// subscription on.
func bucketRoutes() []Route {
	return scoped(func(scope string) []Route {
		bucket := scope + "/buckets/{bucket}"
		object := bucket + "/objects/{object}"
		subscriptions := bucket + "/filters/{filter}/push/subscriptions"
		user, thing := subscriptions+"/users/{subscriberUserID}", subscriptions+"/things/{subscriberThingID}"
		return []Route{
			{"DELETE", bucket, byAnyToken, 204, "", "delete a bucket with its objects and subscriptions", (*API).deleteBucket},
			{"POST", bucket + "/query", byAnyToken, 200, typeQueried, "list or count a bucket's objects", (*API).queryBucket},
			{"POST", bucket + "/objects", byAnyToken, 201, typeObjectCreated, "create an object", (*API).createObject},
			{"GET", object, byAnyToken, 200, typeJSON, "read an object", (*API).readObject},
			{"PUT", object, byAnyToken, 200, typeObjectUpdated, "replace an object, or create it with this id", (*API).replaceObject},
			{"PATCH", object, byAnyToken, 200, typeJSON, "set some fields of an object", (*API).updateObject},
			{"DELETE", object, byAnyToken, 204, "", "delete an object", (*API).deleteObject},
			{"POST", subscriptions + "/users", ByUser, 204, "", "subscribe the calling user to a bucket", (*API).subscribeCallerToBucket},
			{"PUT", subscriptions + "/users", ByUser, 204, "", "the same, as Kii's guide has it", (*API).subscribeCallerToBucket},
			{"POST", subscriptions + "/things", ByThing, 204, "", "subscribe the calling thing to a bucket", (*API).subscribeCallerToBucket},
			{"PUT", subscriptions + "/things", ByThing, 204, "", "the same, as Kii's guide has it", (*API).subscribeCallerToBucket},
			{"PUT", user, byAnyToken, 204, "", "subscribe a user to a bucket", (*API).subscribeToBucket},
			{"GET", user, byAnyToken, 204, "", "tell whether a user has subscribed to a bucket", (*API).subscribedToBucket},
			{"DELETE", user, byAnyToken, 204, "", "end a user's subscription to a bucket", (*API).unsubscribeFromBucket},
			{"PUT", thing, byAnyToken, 204, "", "subscribe a thing to a bucket", (*API).subscribeToBucket},
			{"GET", thing, byAnyToken, 204, "", "tell whether a thing has subscribed to a bucket", (*API).subscribedToBucket},
			{"DELETE", thing, byAnyToken, 204, "", "end a thing's subscription to a bucket", (*API).unsubscribeFromBucket},
		}
	})
}

// BucketStore keeps objects and who has subscribed to their buckets. What store.Told names
// is in the queues already, and is for the engine to deliver.
type BucketStore interface {
	ObjectByID(ctx context.Context, b store.Bucket, id string) (store.Object, error)
	Objects(ctx context.Context, b store.Bucket, after string, limit, maxBytes int) (page []store.Object, more bool, err error)
	CountObjects(ctx context.Context, b store.Bucket) (int, error)
	ChangeObject(ctx context.Context, b store.Bucket, id string, decide func(old *store.Object) (store.ObjectChange, error)) (store.Told, error)
	DeleteBucket(ctx context.Context, b store.Bucket, event store.Push) (store.Told, error)
	SubscribeToBucket(ctx context.Context, b store.Bucket, who store.Owner) error
	UnsubscribeFromBucket(ctx context.Context, b store.Bucket, who store.Owner) error
	SubscribedToBucket(ctx context.Context, b store.Bucket, who store.Owner) (bool, error)
}

// bucket gives the bucket that the path names, for a caller who may read it, add to it and
// subscribe to it: the owner of its scope, or all who are logged in where that is the app.
func (a *API) bucket(c *call) (store.Bucket, error) {
	s, err := a.scope(c)
	b := store.Bucket{Scope: s, Name: c.r.PathValue("bucket")}
	if err == nil && !isName(b.Name, 2, 64, "-_") {
		err = invalidInput("A bucket's name has 2 to 64 letters, digits, hyphens and underscores.").with("bucketID", b.Name)
	}
	return b, err
}

// mayChange tells whether the caller may change or delete the object.
func (c *call) mayChange(o *store.Object) bool { return c.owns(o.Bucket.Scope) || c.who == o.Owner }

func (a *API) deleteBucket(c *call) (any, error) {
	b, err := a.bucket(c)
	if err != nil {
		return nil, err
	}
	if !c.owns(b.Scope) {
		return nil, c.notYours("Only administrators can delete the app's buckets.")
	}
	push, err := event{kind: bucketDeleted, bucket: b, by: c.who, at: a.Now()}.push()
	if err != nil {
		return nil, err
	}
	told, err := a.Store.DeleteBucket(c.ctx(), b, push)
	if errors.Is(err, store.ErrNotFound) {
		return nil, ofBucket(notFound("BUCKET_NOT_FOUND", "There is no such bucket: it has neither objects nor subscriptions."), b)
	}
	if err != nil {
		return nil, err
	}
	a.Engine.Stored(told)
	return nil, nil
}

// ofBucket adds which bucket a failure is about.
func ofBucket(f *failure, b store.Bucket) *failure {
	return f.with("bucketID", b.Name).with("objectScope", describeScope(b.Scope))
}

// isName tells whether s has low to high ASCII letters, digits and characters of more.
func isName(s string, low, high int, more string) bool {
	if len(s) < low || len(s) > high {
		return false
	}
	for _, r := range s {
		letter := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
		if !letter && !strings.ContainsRune(more, r) {
			return false
		}
	}
	return true
}
