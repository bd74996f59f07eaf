package rest

import "slices"

// The words of a line: what nobody, the owner, another user, another thing, an
// administrator, an expired token and another app's token get.
const (
	open       = "ok  ok  ok  ok  ok  ok  ok"  // no token is looked at
	loggedIn   = "401 ok  ok  ok  ok  401 403" // whoever has a token
	ownersOnly = "401 ok  401 401 ok  401 403" // whose it is, and administrators
	adminOnly  = "401 401 401 401 ok  401 403"
	adminToken = "401 403 403 403 ok  401 403" // a call that only administrators have
)

const (
	loginBody   = `{"client_id":"root","client_secret":"root-secret"}`
	pushBody    = `{"data":{"a":1},"mqtt":{"enabled":true}}`
	installBody = `{"deviceType":"MQTT","development":false}`
)

// accessTable says who gets what.
func accessTable() []access {
	return slices.Concat(loginAccess(), userAccess(), thingAccess(), installationAccess(),
		topicAccess("", topicsOfApp), topicAccess("/users/{userID}", topicsOfUser), topicAccess("/things/{thingID}", topicsOfThing),
		bucketAccess("", topicsOfApp), bucketAccess("/users/{userID}", topicsOfUser), bucketAccess("/things/{thingID}", topicsOfThing))
}

func loginAccess() []access {
	return []access{
		{"POST /api/oauth2/token", loginBody, nil, open},
		{"POST /oauth2/token", loginBody, nil, open},
		{"DELETE /api/oauth2/token", "", nil, loggedIn},
		{"DELETE /oauth2/token", "", nil, loggedIn},
	}
}

func userAccess() []access {
	return []access{
		{"POST /users", `{"loginName":"{new}","password":"new-password"}`, nil, open},
		{"GET /users/{userID}", "", nil, loggedIn}, // but addresses and fields only for the user and administrators
		{"POST /users/{userID}", `{"displayName":"x"}`, nil, ownersOnly},
		{"DELETE /users/{userID}", "", nil, ownersOnly},
		{"PUT /users/{userID}/password", `{"oldPassword":"old-password","newPassword":"new-password"}`, nil, ownersOnly},
		{"PUT /users/{userID}/email-address", `{"emailAddress":"{new}@example.com"}`, nil, ownersOnly},
		{"PUT /users/{userID}/phone-number", `{"phoneNumber":"+81{number}"}`, nil, ownersOnly},
		{"POST /users/{userID}/push/messages", pushBody, nil, ownersOnly},
	}
}

func thingAccess() []access {
	return []access{
		{"POST /things", `{"_vendorThingID":"{new}","_password":"new-password"}`, nil, open},
		{"GET /things/{thingID}", "", nil, ownersOnly},
		{"PATCH /things/{thingID}", `{"color":"red"}`, nil, ownersOnly},
		{"DELETE /things/{thingID}", "", nil, ownersOnly},
		{"GET /things/{thingID}/status", "", nil, ownersOnly},
		{"PUT /things/{thingID}/status", `{"disabled":false}`, nil, adminToken},
		{"PUT /things/{thingID}/password", `{"newPassword":"new-password"}`, nil, adminToken},
		{"POST /things/{thingID}/push/messages", pushBody, nil, ownersOnly},
	}
}

func installationAccess() []access {
	return []access{
		// An administrator has to name whom to install.
		{"POST /installations", installBody, nil, "401 ok ok ok 400:INVALID_INPUT_DATA 401 403"},
		{"GET /installations/{id}", "", (*world).installed, ownersOnly},
		{"DELETE /installations/{id}", "", (*world).installed, ownersOnly},
		{"GET /installations/{id}/mqtt-endpoint", "", (*world).installed, ownersOnly},
	}
}

// topicWords is what differs between the scopes.
type topicWords struct {
	read, manage    string // look at topics; make, delete and send to them
	ofUser, ofThing string // the subscription of a user, of a thing: the owner's where it can be
	asUser, asThing string // the subscription of the caller
}

var (
	topicsOfApp = topicWords{
		read: loggedIn, manage: adminOnly,
		ofUser: ownersOnly, ofThing: ownersOnly, // itself
		asUser: "401 ok ok 403 403 401 403", asThing: "401 ok 403 ok 403 401 403",
	}
	topicsOfUser = topicWords{
		read: ownersOnly, manage: ownersOnly,
		ofUser: ownersOnly, ofThing: adminOnly, // a thing is never the scope's owner
		asUser: "401 ok 401 403 403 401 403", asThing: "401 403 403 401 403 401 403",
	}
	topicsOfThing = topicWords{
		read: ownersOnly, manage: ownersOnly,
		ofUser: adminOnly, ofThing: ownersOnly,
		asUser: "401 403 401 403 403 401 403", asThing: "401 ok 403 401 403 401 403",
	}
)

func topicAccess(scope string, w topicWords) []access {
	topic := scope + "/topics/{topicID}"
	user, thing := topic+"/push/subscriptions/users", topic+"/push/subscriptions/things"
	oneUser, oneThing := user+"/{subscriberUserID}", thing+"/{subscriberThingID}"
	return []access{
		{"GET " + scope + "/topics", "", nil, w.read},
		{"PUT " + topic, "", (*world).topicNamed, w.manage},
		{"HEAD " + topic, "", (*world).topic, w.read},
		{"GET " + topic, "", (*world).topic, w.read},
		{"DELETE " + topic, "", (*world).topic, w.manage},
		{"POST " + topic + "/push/messages", pushBody, (*world).topic, w.manage},
		{"PUT " + oneUser, "", (*world).topic, w.ofUser},
		{"GET " + oneUser, "", (*world).subscription, w.ofUser},
		{"DELETE " + oneUser, "", (*world).subscription, w.ofUser},
		{"POST " + user, "", (*world).topic, w.asUser},
		{"PUT " + oneThing, "", (*world).topic, w.ofThing},
		{"GET " + oneThing, "", (*world).subscription, w.ofThing},
		{"DELETE " + oneThing, "", (*world).subscription, w.ofThing},
		{"POST " + thing, "", (*world).topic, w.asThing},
	}
}
