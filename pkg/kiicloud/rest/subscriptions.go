package rest

import (
	"errors"
	"net/http"

	"github.com/kiiweb/kiiweb/pkg/kiicloud/store"
)

func subscriptionRoutes() []Route {
	return scoped(func(scope string) []Route {
		all := scope + "/topics/{topicID}/push/subscriptions"
		user, thing := all+"/users/{subscriberUserID}", all+"/things/{subscriberThingID}"
		return []Route{
			{"PUT", user, byAnyToken, 204, "", "subscribe a user to a topic; me is the caller", (*API).subscribe},
			{"GET", user, byAnyToken, 204, "", "tell whether a user is subscribed to a topic", (*API).isSubscribed},
			{"DELETE", user, byAnyToken, 204, "", "end a user's subscription to a topic", (*API).unsubscribe},
			{"POST", all + "/users", ByUser, 204, "", "subscribe the calling user to a topic", (*API).subscribeCaller},
			{"PUT", thing, byAnyToken, 204, "", "subscribe a thing to a topic", (*API).subscribe},
			{"GET", thing, byAnyToken, 204, "", "tell whether a thing is subscribed to a topic", (*API).isSubscribed},
			{"DELETE", thing, byAnyToken, 204, "", "end a thing's subscription to a topic", (*API).unsubscribe},
			{"POST", all + "/things", ByThing, 204, "", "subscribe the calling thing to a topic", (*API).subscribeCaller},
		}
	})
}

func (a *API) subscribe(c *call) (any, error) {
	t, o, err := a.subscription(c)
	if err != nil {
		return nil, err
	}
	return nil, a.subscribeOwner(c, t, o)
}

func (a *API) subscribeCaller(c *call) (any, error) {
	t, err := a.topic(c)
	if err != nil {
		return nil, err
	}
	return nil, a.subscribeOwner(c, t, c.who)
}

func (a *API) subscribeOwner(c *call, t store.Topic, o store.Owner) error {
	err := a.Store.SubscribeToTopic(c.ctx(), t.ID, o)
	switch {
	case errors.Is(err, store.ErrExists):
		f := fail(http.StatusConflict, "PUSH_SUBSCRIPTION_ALREADY_EXISTS", "The subscription to this topic exists already.")
		return ofTopic(f, t.Scope, t.Name).with("subject", subject(o))
	case errors.Is(err, store.ErrNotFound): // deleted after it was found
		return topicNotFound(t.Scope, t.Name)
	}
	return err
}

func (a *API) isSubscribed(c *call) (any, error) {
	t, o, err := a.subscription(c)
	if err != nil {
		return nil, err
	}
	return nil, explainSubscription(a.Store.TopicSubscription(c.ctx(), t.ID, o), t, o)
}

func (a *API) unsubscribe(c *call) (any, error) {
	t, o, err := a.subscription(c)
	if err != nil {
		return nil, err
	}
	return nil, explainSubscription(a.Store.UnsubscribeFromTopic(c.ctx(), t.ID, o), t, o)
}

// subscription gives what the path names: a topic, and a subscriber that the caller may act
// for.
func (a *API) subscription(c *call) (t store.Topic, o store.Owner, err error) {
	if o, err = a.subscriber(c); err == nil {
		t, err = a.topic(c)
	}
	return t, o, err
}

func explainSubscription(err error, t store.Topic, o store.Owner) error {
	if errors.Is(err, store.ErrNotFound) {
		f := notFound("PUSH_SUBSCRIPTION_NOT_FOUND", "There is no subscription to this topic.")
		return ofTopic(f, t.Scope, t.Name).with("subject", subject(o))
	}
	return err
}

// subject names a subscriber as the path of its subscription does.
func subject(o store.Owner) string {
	if o.Kind == store.OwnerThing {
		return "things/" + o.ID
	}
	return "users/" + o.ID
}
