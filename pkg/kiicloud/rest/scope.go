package rest

import (
	"errors"

	"github.com/kiiweb/kiiweb/pkg/kiicloud/store"
)

// scoped gives the routes of what exists in every scope: once under the app, once under
// a user and once under a thing. The double slash that the official SDK writes behind the
// app's id is gone when a path comes to the router.
func scoped(routes func(scope string) []Route) []Route {
	var all []Route
	for _, prefix := range []string{inApp, inApp + "/users/{userID}", inApp + "/things/{thingID}"} {
		all = append(all, routes(prefix)...)
	}
	return all
}

// scope gives the scope that the path names. It exists, or the error is a failure. A user's
// or thing's scope is for that user or thing and for administrators: others are refused
// here, before anything is looked up that would tell them who exists. Who may do what in the
// app's is for the handler to say.
func (a *API) scope(c *call) (store.Scope, error) {
	s := store.Scope{AppID: c.app.ID, Kind: store.ScopeApp}
	const private = "The topics and buckets of a user or thing are for that user or thing and for administrators."
	if name := c.r.PathValue("userID"); name != "" {
		o, err := a.userFor(c, name, private)
		s.Kind, s.ID = store.ScopeUser, o.ID
		return s, err
	}
	if name := c.r.PathValue("thingID"); name != "" {
		o, err := a.thingFor(c, name, private)
		s.Kind, s.ID = store.ScopeThing, o.ID
		return s, err
	}
	return s, nil
}

// owns tells whether the scope is the caller's: its own user's or thing's, or any for an
// administrator. The app's own is the administrators'.
func (c *call) owns(s store.Scope) bool {
	switch {
	case c.isAdmin():
		return true
	case s.Kind == store.ScopeUser:
		return c.who.Kind == store.OwnerUser && c.who.ID == s.ID
	case s.Kind == store.ScopeThing:
		return c.who.Kind == store.OwnerThing && c.who.ID == s.ID
	}
	return false
}

// subscriber gives the user or thing whose subscription the path names, which is the caller
// or, for an administrator, any that exists: the path ends in users/{subscriberUserID} or
// things/{subscriberThingID}.
func (a *API) subscriber(c *call) (store.Owner, error) {
	const others = "Only an administrator can manage the subscriptions of somebody else."
	if name := c.r.PathValue("subscriberThingID"); name != "" {
		return a.thingFor(c, name, others)
	}
	return a.userFor(c, c.r.PathValue("subscriberUserID"), others)
}

// userFor gives the user that a path names, to a caller who may act for it: the user itself
// or an administrator. To all others it says refusal, whether there is such a user or not.
func (a *API) userFor(c *call, name, refusal string) (store.Owner, error) {
	o, err := c.userNamed(name)
	switch {
	case err != nil:
		return store.Owner{}, err
	case o == c.who: // the token's owner is there
		return o, nil
	case !c.isAdmin():
		return store.Owner{}, c.notYours(refusal)
	}
	_, err = a.findUser(c.ctx(), o)
	return o, err
}

// thingFor is userFor for a thing, which a path names by its id or its vendor's.
func (a *API) thingFor(c *call, name, refusal string) (store.Owner, error) {
	if c.who.Kind == store.OwnerThing && c.who.ID == name {
		return c.who, nil
	}
	t, err := a.ownThing(c, name, refusal)
	return store.Owner{AppID: c.app.ID, Kind: store.OwnerThing, ID: t.ID}, err
}

// ownThing is thingFor with all that is known of the thing.
func (a *API) ownThing(c *call, name, refusal string) (store.Thing, error) {
	t, err := a.findThing(c, name)
	var missing *failure
	if err != nil && !errors.As(err, &missing) {
		return store.Thing{}, err
	}
	if !c.isAdmin() && (missing != nil || c.who.Kind != store.OwnerThing || c.who.ID != t.ID) {
		return store.Thing{}, c.notYours(refusal)
	}
	return t, err
}

// notYours is the answer to a caller who may not do this to somebody else's.
func (c *call) notYours(message string) *failure {
	return unauthorized(message).with("authenticatedAppID", c.app.ID).with("authenticatedPrincipalID", c.who.ID)
}
