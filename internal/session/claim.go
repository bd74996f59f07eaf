package session

import "github.com/kiiweb/kiiweb/internal/mqtt"

// claim is about whose session it is that a server says to have kept. It need not be the one that this side
// knows: a CONNECT whose answer never came may have begun a new one, after the server had lost that,
// and so may another client that took over. The next CONNACK says of it that it is present, all the same.
type claim struct {
	asked  bool // CONNECT went out, and no answer to it has come
	unsure bool // the server may have begun another session since it was heard of last
	stale  bool // the identifiers of messages at QoS 2 that were received may be those of an earlier session
}

// asks notes that CONNECT goes out.
func (c *claim) asks() { c.asked, c.unsure = true, c.unsure || c.asked }

// resolve takes in that a connection was accepted, and tells whether the subscriptions are there.
// MQTT 3.1 does not say anything.
func (c *claim) resolve(present bool, v mqtt.Version) (known bool) {
	known = present && !c.unsure
	c.stale = v == mqtt.V31 || present && (c.unsure || c.stale)
	c.unsure = false
	return known
}
