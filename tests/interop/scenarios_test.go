package interop

import (
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/pkg/kiiweb"
	"github.com/kiiweb/kiiweb/tests/interop/peer"
)

// outcome is how a scenario ended at a broker: yes, or in a word what happened instead,
// such as the code with which our client failed. What must not happen at all fails the
// scenario's test by itself.
type outcome string

const (
	yes outcome = "yes"
	// notOffered: the other side has no way to do this at this broker.
	notOffered outcome = "not offered"
	fight      outcome = "a fight"
)

// scenario is one row of the table.
type scenario struct {
	name  string
	short bool // belongs to the short form, too
	play  func(s *stage) outcome
}

var scenarios = []scenario{
	{"connect and subscribe", true, connects},
	{"protocol level, when none is asked for", true, negotiates},
	{"a further subscription, and its end", true, subscribes},
	{"QoS 0 in", true, func(s *stage) outcome { return s.in(0, numbered(1, 3)...) }},
	{"QoS 1 in", true, func(s *stage) outcome { return s.in(1, numbered(1, 3)...) }},
	{"QoS 2 in", true, func(s *stage) outcome { return s.in(2, numbered(1, 3)...) }},
	{"QoS 0 out", true, func(s *stage) outcome { return s.out(0, numbered(1, 3)...) }},
	{"QoS 1 out", true, func(s *stage) outcome { return s.out(1, numbered(1, 3)...) }},
	{"QoS 2 out", true, func(s *stage) outcome { return s.out(2, numbered(1, 3)...) }},
	{"4,096 bytes in", true, func(s *stage) outcome { return s.in(1, sized(4096)) }},
	{"4,096 bytes out", true, func(s *stage) outcome { return s.out(1, sized(4096)) }},
	{"1 MiB in", false, func(s *stage) outcome { return s.in(1, sized(1<<20)) }},
	{"1 MiB out", false, func(s *stage) outcome { return s.out(1, sized(1<<20)) }},
	{"empty payload in", true, func(s *stage) outcome { return s.in(1, "") }},
	{"empty payload out", true, func(s *stage) outcome { return s.out(1, "") }},
	{"UTF-8 topic", true, utf8Topic},
	{"retained in", true, retainedIn},
	{"retained out", true, retainedOut},
	{"offline queue", true, offlineQueue},
	{"forced close", true, forcedClose},
	{"takeover", true, takeover},
	{"keep alive while idle", false, keepsAlive},
	{"keep alive expires", false, keepAliveExpires},
	{"wrong password", true, wrongPassword},
	{"10,000 messages in, in order", false, manyIn},
	{"10,000 messages out, in order", false, func(s *stage) outcome { return s.out(1, numbered(1, 10_000)...) }},
}

func connects(s *stage) outcome {
	c := s.connect()
	assert.Equal(s, []byte{byte(s.options.protocol)}, s.tap.Levels(), "the protocol levels in CONNECT")
	s.reaches(c, kiiweb.StateOnline)
	return yes
}

// negotiates tells the protocol level that our client came to.
func negotiates(s *stage) outcome {
	c, code := s.tryConnect(func(o *options) { o.protocol = 0 })
	if code != "" {
		return outcome(code)
	}
	require.Equal(s, yes, s.there.publish(1, false, s.own, numbered(1, 1)...))
	s.receives(c.messages, numbered(1, 1)...)
	levels := s.tap.Levels()
	return outcome(strconv.Itoa(int(levels[len(levels)-1])))
}

func subscribes(s *stage) outcome {
	c, topic := s.connect(), fresh("more")
	granted, code := c.subscribe(topic+"/+", 1)
	if code != "" {
		return outcome(code)
	}
	assert.Equal(s, byte(1), granted)
	s.there.publish(1, false, topic+"/a", numbered(1, 1)...)
	got := s.receives(c.messages, numbered(1, 1)...)
	assert.Equal(s, topic+"/a", got[0].Topic)
	require.Empty(s, c.unsubscribe(topic+"/+"))
	s.there.publish(1, false, topic+"/a", numbered(2, 2)...) // nobody hears this
	s.there.publish(1, false, s.own, numbered(3, 3)...)
	s.receives(c.messages, numbered(1, 1)[0], numbered(3, 3)[0])
	return yes
}

// utf8Topic has characters of two, three and four bytes.
func utf8Topic(s *stage) outcome {
	c, topic := s.connect(), fresh("é/プッシュ/𝄞")
	if _, code := c.subscribe(topic, 1); code != "" {
		return outcome(code)
	}
	s.there.publish(1, false, topic, numbered(1, 1)...)
	got := s.receives(c.messages, numbered(1, 1)...)
	assert.Equal(s, topic, got[0].Topic)
	s.there.hears(topic, 1)
	require.Empty(s, c.publish(1, false, topic, numbered(2, 2)...))
	heard := s.receives(s.there.messages, numbered(2, 2)...)
	assert.Equal(s, topic, heard[0].Topic)
	return yes
}

func retainedIn(s *stage) outcome {
	topic := fresh("kept")
	if o := s.there.publish(1, true, topic, numbered(1, 1)...); o != yes {
		return o
	}
	c := s.connect()
	if _, code := c.subscribe(topic, 1); code != "" {
		return outcome(code)
	}
	s.kept(c.messages, func() {
		_, code := c.subscribe(topic, 1)
		require.Empty(s, code)
	})
	return yes
}

// kept awaits the message that a broker keeps for who subscribes. nats-server acknowledges before it does: who has subscribed in
// between is sent it when it subscribes again [MQTT-3.8.4-3].
func (s *stage) kept(messages func() []peer.Message, again func()) {
	s.Helper()
	last, deadline := time.Now(), time.Now().Add(soon)
	for ; len(messages()) == 0; time.Sleep(tick) {
		require.True(s, time.Now().Before(deadline), "the message that the broker keeps")
		if time.Since(last) > subscribeAgain {
			again()
			last = time.Now()
		}
	}
	got := messages()[0]
	assert.Equal(s, numbered(1, 1)[0], got.Payload)
	assert.True(s, got.Retain)
}

func retainedOut(s *stage) outcome {
	c, topic := s.connect(), fresh("kept")
	if s.private {
		topic = s.own
	}
	if code := c.publish(1, true, topic, numbered(1, 1)...); code != "" {
		return s.refused(c, code)
	}
	s.there.hears(topic, 1)
	s.kept(s.there.messages, func() { s.there.hears(topic, 1) })
	return yes
}

// offlineQueue: what is sent after our client said goodbye waits for it.
func offlineQueue(s *stage) outcome {
	c := s.connect()
	before, _ := s.tap.Passed()
	require.Equal(s, yes, s.there.publish(1, false, s.own, numbered(1, 2)...))
	s.receives(c.messages, numbered(1, 2)...)
	s.await(func() bool { up, _ := s.tap.Passed(); return up.Bytes >= before.Bytes+2*4 }, "both are acknowledged")
	c.close()
	// nats-server goes on sending to a connection that has ended until it has noticed, and sends that
	// again behind what comes later: that is no matter of the client.
	if b, ok := s.venue.(public); ok && b.Delivers != nil {
		s.await(func() bool { return !b.Delivers(s.TB, s.own) }, "the broker has noticed")
	}
	sent := numbered(3, 50)
	require.Equal(s, yes, s.there.publish(1, false, s.own, sent...))
	c = s.connect()
	s.await(func() bool { return len(c.messages()) >= len(sent) }, "%d messages", len(sent))
	if told := s.told(); !slices.Equal(told, sent) && len(told) == len(sent) {
		s.Logf("the broker sent them in this order: %v", told)
	}
	s.receives(c.messages, sent...)
	return yes
}

// told gives the payloads, as numbered makes them, that the broker has sent on the latest connection.
func (s *stage) told() (list []string) {
	for _, m := range payload.FindAll(s.tap.Told(), -1) {
		list = append(list, string(m))
	}
	return list
}

// payload finds one, where what is said is not compressed.
var payload = regexp.MustCompile(`\{"n":"\d+"\}`)

// forcedClose: the network fails twice, and what is sent then arrives all the same.
func forcedClose(s *stage) outcome {
	c := s.connect()
	for n := 1; n <= 2; n++ {
		s.tap.Cut()
		require.Equal(s, yes, s.there.publish(1, false, s.own, numbered(n, n)...))
		s.await(func() bool { return count(c.states(), kiiweb.StateOnline) == n+1 }, "online for the %d. time", n+1)
		s.receives(c.messages, numbered(1, n)...)
	}
	return yes
}

// takeover: of two that are the same to the broker one is left, the other is told so.
func takeover(s *stage) outcome {
	one := s.connect()
	two := s.connect()
	displaced := func(c client) bool { return last(c.states()) == kiiweb.StateDisplaced }
	fighting := func() bool { // three brief connections of one are enough for it to give way
		return count(one.states(), kiiweb.StateOnline)+count(two.states(), kiiweb.StateOnline) > 10
	}
	s.await(func() bool { return displaced(one) || displaced(two) || fighting() }, "one is displaced")
	if fighting() {
		return fight
	}
	if displaced(two) {
		one, two = two, one
	}
	s.reaches(two, kiiweb.StateOnline)
	require.Equal(s, yes, s.there.publish(1, false, s.own, numbered(1, 1)...))
	s.receives(two.messages, numbered(1, 1)...)
	assert.True(s, displaced(one), "no fighting")
	return yes
}

// keepsAlive: four times half the keep alive go by, in each of which there is a PINGREQ
// and its answer, and nothing else.
func keepsAlive(s *stage) outcome {
	c := s.connect(func(o *options) { o.keepAlive = 4 })
	up, down := s.tap.Passed()
	s.await(func() bool {
		u, d := s.tap.Passed()
		return u.Pieces >= up.Pieces+4 && d.Pieces >= down.Pieces+4
	}, "four pings")
	assert.Equal(s, 1, count(c.states(), kiiweb.StateOnline), "one connection all the time: %v", c.states())
	assert.Equal(s, 1, s.tap.Opened())
	return yes
}

// keepAliveExpires: nothing comes through any more, and no end is told. Our client
// notices, connects again, and gets what was sent meanwhile.
func keepAliveExpires(s *stage) outcome {
	c := s.connect(func(o *options) { o.keepAlive = 2 })
	s.tap.Mute(true)
	require.Equal(s, yes, s.there.publish(1, false, s.own, numbered(1, 3)...))
	s.await(func() bool { return count(c.states(), kiiweb.StateWaiting) > 0 }, "the silence is noticed")
	s.tap.Mute(false)
	s.await(func() bool { return count(c.states(), kiiweb.StateOnline) >= 2 }, "online again")
	s.receives(c.messages, numbered(1, 3)...)
	return yes
}

func manyIn(s *stage) outcome {
	c, many := s.connect(), numbered(1, 10_000)
	require.Equal(s, yes, s.there.publish(1, false, s.own, many...))
	s.receives(c.messages, many...)
	return yes
}

func wrongPassword(s *stage) outcome {
	s.endpoint.Password = "wrong"
	_, code := s.tryConnect()
	return outcome(code)
}
