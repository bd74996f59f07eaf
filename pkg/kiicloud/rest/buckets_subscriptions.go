package rest

import (
	"errors"
	"net/http"

	"github.com/kiiweb/kiiweb/pkg/kiicloud/store"
)

// everything is the one filter of a bucket: all its changes.
const everything = "all"

func (a *API) subscribeToBucket(c *call) (any, error) {
	b, o, err := a.bucketSubscription(c)
	if err != nil {
		return nil, err
	}
	return nil, a.subscribeOwnerToBucket(c, b, o)
}

func (a *API) subscribeCallerToBucket(c *call) (any, error) {
	b, err := a.filteredBucket(c)
	if err != nil {
		return nil, err
	}
	return nil, a.subscribeOwnerToBucket(c, b, c.who)
}

func (a *API) subscribeOwnerToBucket(c *call, b store.Bucket, o store.Owner) error {
	err := a.Store.SubscribeToBucket(c.ctx(), b, o)
	if errors.Is(err, store.ErrExists) {
		f := fail(http.StatusConflict, "PUSH_SUBSCRIPTION_ALREADY_EXISTS", "The subscription to this bucket exists already.")
		return ofBucket(f, b).with("subject", subject(o))
	}
	return err
}

func (a *API) unsubscribeFromBucket(c *call) (any, error) {
	b, o, err := a.bucketSubscription(c)
	if err != nil {
		return nil, err
	}
	err = a.Store.UnsubscribeFromBucket(c.ctx(), b, o)
	if errors.Is(err, store.ErrNotFound) {
		return nil, notSubscribedToBucket(b, o)
	}
	return nil, err
}

func (a *API) subscribedToBucket(c *call) (any, error) {
	b, o, err := a.bucketSubscription(c)
	if err != nil {
		return nil, err
	}
	ok, err := a.Store.SubscribedToBucket(c.ctx(), b, o)
	if err == nil && !ok {
		return nil, notSubscribedToBucket(b, o)
	}
	return nil, err
}

// bucketSubscription gives what the path names: a bucket, and a subscriber that the caller
// may act for.
func (a *API) bucketSubscription(c *call) (b store.Bucket, o store.Owner, err error) {
	if o, err = a.subscriber(c); err == nil {
		b, err = a.filteredBucket(c)
	}
	return b, o, err
}

func (a *API) filteredBucket(c *call) (store.Bucket, error) {
	b, err := a.bucket(c)
	if filter := c.r.PathValue("filter"); err == nil && filter != everything {
		err = ofBucket(notFound("FILTER_NOT_FOUND", "A bucket has one filter only: all."), b).with("filterID", filter)
	}
	return b, err
}

func notSubscribedToBucket(b store.Bucket, o store.Owner) *failure {
	return ofBucket(notFound("PUSH_SUBSCRIPTION_NOT_FOUND", "There is no subscription to this bucket."), b).with("subject", subject(o))
}
