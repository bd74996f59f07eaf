package rest

import "github.com/kiiweb/kiiweb/pkg/kiicloud/store"

// bucketAccess says who gets what of the buckets of a scope: as of its topics, but that in
// the app's everybody adds objects, which are then their creator's.
func bucketAccess(scope string, w topicWords) []access {
	bucket := scope + "/buckets/{bucket}"
	object := bucket + "/objects/{object}"
	all := bucket + "/filters/{filter}/push/subscriptions"
	user, thing := all+"/users", all+"/things"
	oneUser, oneThing := user+"/{subscriberUserID}", thing+"/{subscriberThingID}"
	return []access{
		{"DELETE " + bucket, "", (*world).object, w.manage},
		{"POST " + bucket + "/query", `{"bucketQuery":{"clause":{"type":"all"}}}`, (*world).object, w.read},
		{"POST " + bucket + "/objects", `{"a":1}`, (*world).bucket, w.read},
		{"GET " + object, "", (*world).object, w.read},
		{"PUT " + object, `{"a":1}`, (*world).object, ownersOnly},
		{"PATCH " + object, `{"a":1}`, (*world).object, ownersOnly},
		{"DELETE " + object, "", (*world).object, ownersOnly},
		{"POST " + user, "", (*world).bucket, w.asUser},
		{"PUT " + user, "", (*world).bucket, w.asUser},
		{"POST " + thing, "", (*world).bucket, w.asThing},
		{"PUT " + thing, "", (*world).bucket, w.asThing},
		{"PUT " + oneUser, "", (*world).bucket, w.ofUser},
		{"GET " + oneUser, "", (*world).bucketSubscription, w.ofUser},
		{"DELETE " + oneUser, "", (*world).bucketSubscription, w.ofUser},
		{"PUT " + oneThing, "", (*world).bucket, w.ofThing},
		{"GET " + oneThing, "", (*world).bucketSubscription, w.ofThing},
		{"DELETE " + oneThing, "", (*world).bucketSubscription, w.ofThing},
	}
}

// bucket names one that is empty.
func (w *world) bucket() {
	w.values["bucket"], w.values["filter"] = "bucket-"+store.NewID(), everything
}

// object is the owner's.
func (w *world) object() {
	w.bucket()
	w.values["object"] = "object-" + store.NewID()
	path := w.scopePath() + "/buckets/" + w.values["bucket"] + "/objects/" + w.values["object"]
	a := w.call("PUT", path, w.tokens["the owner"], `{"a":0}`)
	if a.StatusCode != 201 {
		w.t.Fatal(a.text)
	}
}

func (w *world) bucketSubscription() {
	w.bucket()
	w.do("PUT", w.path(w.pattern), "")
}
