package rest

import "github.com/kiiweb/kiiweb/pkg/kiicloud/store"

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

// scope gives the scope that the path names. It exists, or the error is a failure; whether
// the caller may use it is for the handler to say, by owns.
func (a *API) scope(c *call) (store.Scope, error) {
	s := store.Scope{AppID: c.app.ID, Kind: store.ScopeApp}
	switch {
	case c.r.PathValue("userID") != "":
		o, err := c.userInPath()
		if err != nil {
			return s, err
		}
		s.Kind, s.ID = store.ScopeUser, o.ID
		if o == c.who { // the token's owner is there
			return s, nil
		}
		_, err = a.findUser(c.ctx(), o)
		return s, err
	case c.r.PathValue("thingID") != "":
		t, err := a.findThing(c, c.r.PathValue("thingID"))
		s.Kind, s.ID = store.ScopeThing, t.ID
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

// subscriber gives the user or thing whose subscription the path names: the path ends in
// users/{subscriberUserID} or things/{subscriberThingID}.
func (a *API) subscriber(c *call) (store.Owner, error) {
	if name := c.r.PathValue("subscriberThingID"); name != "" {
		t, err := a.findThing(c, name)
		return store.Owner{AppID: c.app.ID, Kind: store.OwnerThing, ID: t.ID}, err
	}
	o, err := c.userNamed(c.r.PathValue("subscriberUserID"))
	if err != nil || o == c.who {
		return o, err
	}
	_, err = a.findUser(c.ctx(), o)
	return o, err
}

// notYours is the answer to a caller who may not do this to somebody else's.
func (c *call) notYours(message string) *failure {
	return unauthorized(message).with("authenticatedAppID", c.app.ID).with("authenticatedPrincipalID", c.who.ID)
}
