package session

import (
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/fault"
	"github.com/kiiweb/kiiweb/internal/mqtt"
)

var t0 = time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)

func sec(n float64) time.Time { return t0.Add(time.Duration(n * float64(time.Second))) }

func TestKeepAlivePings(t *testing.T) {
	for name, c := range map[string]struct {
		does func(k *keepAlive)
		next time.Time
	}{
		"when nothing happens":                {func(*keepAlive) {}, sec(30)},
		"when only this side sends":           {func(k *keepAlive) { k.wrote(sec(20), 100) }, sec(30)},
		"when only the server sends":          {func(k *keepAlive) { k.heard(sec(20)) }, sec(30)},
		"later when both do":                  {func(k *keepAlive) { k.wrote(sec(20), 100); k.heard(sec(25)) }, sec(50)},
		"not while an answer is outstanding":  {func(k *keepAlive) { k.pinged(sec(30)) }, sec(40)},
		"but if that takes long":              {func(k *keepAlive) { k.pinged(sec(30)); k.heard(sec(39)); k.heard(sec(55)) }, sec(60)},
		"half a keep alive after its answer":  {func(k *keepAlive) { k.wrote(sec(30), 100); k.pinged(sec(30)); k.heard(sec(31)); k.answered() }, sec(60)},
		"never when it is off":                {func(k *keepAlive) { k.start(t0, 0) }, time.Time{}},
		"an answer is due within half of it":  {func(k *keepAlive) { k.start(t0, 8); k.pinged(sec(4)) }, sec(8)},
		"an answer is due within ten seconds": {func(k *keepAlive) { k.start(t0, 600); k.pinged(sec(300)) }, sec(310)},
	} {
		t.Run(name, func(t *testing.T) {
			var k keepAlive
			k.start(t0, 60)
			c.does(&k)
			assert.Equal(t, c.next, k.next())
			if k.half > 0 {
				assert.False(t, k.pingDue(c.next.Add(-1)))
				assert.True(t, k.pingDue(c.next) || k.dead(c.next))
			} else {
				assert.False(t, k.pingDue(c.next.Add(time.Hour)))
			}
		})
	}
}

func TestKeepAliveDeath(t *testing.T) {
	var k keepAlive
	k.start(t0, 60)
	assert.False(t, k.dead(sec(1000)), "nothing is outstanding")
	k.pinged(sec(30))
	assert.False(t, k.dead(sec(39.9)))
	assert.True(t, k.dead(sec(40)))
	k.heard(sec(35))
	assert.False(t, k.dead(sec(44.9)), "a server that sends gets its time again")
	assert.True(t, k.dead(sec(45)))
	k.answered()
	assert.False(t, k.dead(sec(1000)))
}

func TestProbe(t *testing.T) {
	var k keepAlive
	k.start(t0, 600)
	assert.True(t, k.probe(sec(10)))
	assert.False(t, k.probe(sec(11)), "one PINGREQ is enough")
	assert.True(t, k.dead(sec(15)), "and the first deadline stays")

	k.start(t0, 600)
	k.pinged(sec(300))
	assert.False(t, k.probe(sec(301)))
	assert.True(t, k.dead(sec(306)), "the answer outstanding gets the short deadline")
	assert.False(t, k.probe(sec(1000)), "the deadline passed during sleep")
	assert.False(t, k.dead(sec(1000)), "so it is moved")
	assert.False(t, k.probe(sec(2000)))
	assert.True(t, k.dead(sec(2000)), "but only once")

	k.start(t0, 0)
	assert.True(t, k.probe(sec(10)), "also with the keep alive off")
	assert.Equal(t, sec(15), k.next())
}

func TestDedupe(t *testing.T) {
	var d dedupe
	assert.False(t, d.repeated([]byte("a"), 0))
	assert.True(t, d.repeated([]byte("a"), 0))
	assert.False(t, d.repeated(nil, 0), "no id, no repeat")
	assert.False(t, d.repeated(nil, 0))
	long := make([]byte, seenBytes+1)
	assert.False(t, d.repeated(long, 0))
	assert.False(t, d.repeated(long, 0), "ids beyond the bound are not kept")

	for n := range 3 * seenMax {
		require.False(t, d.repeated([]byte("id-"+strconv.Itoa(n)), 0))
		require.LessOrEqual(t, d.count, seenMax)
	}
	assert.False(t, d.repeated([]byte("a"), 0), "the oldest made room")
	assert.True(t, d.repeated([]byte("id-"+strconv.Itoa(3*seenMax-1)), 0))
	assert.True(t, d.repeated([]byte("id-"+strconv.Itoa(2*seenMax+1)), 0), "the most recent ones are all there")
}

func TestPushIDIsTheFirstOfItsName(t *testing.T) {
	const expiry = "\x02\x00\x09\x3a\x80"
	user := func(key, value string) string {
		return "\x26\x00" + string(rune(len(key))) + key + "\x00" + string(rune(len(value))) + value
	}
	for _, c := range []struct{ properties, want string }{
		{expiry + user(messageIDKey, "1"), "1"},
		{expiry + user(messageIDKey, ""), ""},
		{user(messageIDKey, "1"), "1"},
		{user(messageIDKey, "1") + expiry, "1"},
		{expiry + user(messageIDKey, "1") + user(messageIDKey, "2"), "1"},
		{expiry + user("other", "0") + user(messageIDKey, "1"), "1"},
		{expiry + "\x0b\x07" + user(messageIDKey, "1"), "1"},
		{expiry + user("PushMessageID", "1"), "none"},
		{expiry, "none"},
		{"", "none"},
	} {
		id, ok := pushID([]byte(c.properties))
		assert.Equal(t, c.want != "none", ok, "%q", c.properties)
		if ok {
			assert.Equal(t, c.want, string(id), "%q", c.properties)
		}
	}
}

func TestHashesOfIDsSpread(t *testing.T) {
	chains := make(map[uint32]int)
	most := 0
	for n := range seenMax {
		i := hashOf([]byte("3f0c1d8e-0000-4000-8000-"+strconv.Itoa(100_000_000_000+n))) % seenMax
		chains[i]++
		most = max(most, chains[i])
	}
	assert.Less(t, most, 12, "ids that differ in their end alone are not all in a few chains")
}

func TestDedupeAllocatesNothingForRepeats(t *testing.T) {
	var d dedupe
	id := []byte("3f0c1d8e-0000-4000-8000-000000000000")
	d.repeated(id, 0)
	assert.Zero(t, testing.AllocsPerRun(100, func() { d.repeated(id, 0); d.repeated(nil, 0) }))
	n := 0
	assert.Zero(t, testing.AllocsPerRun(3*seenMax, func() {
		n++
		id[0], id[1] = byte(n), byte(n>>8)
		d.repeated(id, 0)
	}), "nor for new ones")
}

// Whatever their lengths, the most recent ids are known, as many as there is room for.
func TestDedupeKeepsTheNewest(t *testing.T) {
	for _, longest := range []int{1, 2, 40, seenBytes} {
		var d dedupe
		var ids []string
		r := rand.New(rand.NewPCG(1, uint64(longest)))
		for range 5 * seenMax {
			id := make([]byte, 1+r.IntN(longest))
			for i := range id {
				id[i] = byte(r.IntN(256))
			}
			room, kept := seenRoom-2*seenBytes, 0
			known := false
			for i := len(ids) - 1; i >= 0 && kept < seenMax && room >= len(ids[i]); i-- {
				room, kept = room-len(ids[i]), kept+1
				known = known || ids[i] == string(id)
			}
			switch got := d.repeated(id, 0); {
			case known:
				require.True(t, got)
			case !got:
				ids = append(ids, string(id))
				ids = ids[max(0, len(ids)-seenMax):]
			default:
				require.Contains(t, ids, string(id), "only what was seen is known")
			}
		}
	}
}

func message(qos byte) *outgoing {
	return &outgoing{packet: mqtt.Publish{Topic: "t", QoS: qos}, result: make(chan error, 1)}
}

func TestAsksFailAndExpireOneByOne(t *testing.T) {
	now := t0
	var s asks
	add := func(filter string, id uint16, expires time.Time) *ask {
		a := &ask{filter: filter, id: id, expires: expires, result: make(chan error, 1)}
		s.list = append(s.list, a)
		return a
	}
	sent := add("sent", 1, now)
	late := add("late", 0, now)
	next, last := add("next", 0, now.Add(time.Second)), add("last", 0, now.Add(time.Minute))
	never := add("never", 0, time.Time{})
	lapsed, lost := fault.New(fault.Timeout, "too long"), fault.New(fault.Network, "lost")
	assert.Equal(t, next.expires, s.expire(now, lapsed), "the time to look again")
	assert.Equal(t, []*ask{sent, next, last, never}, s.list, "what was sent is past it")
	assert.Same(t, lapsed, <-late.result)
	s.failSent(lost, false)
	assert.Equal(t, []*ask{next, last, never}, s.list, "what was not sent has nothing to do with it")
	assert.Same(t, lost, <-sent.result)
	s.fail(lost)
	assert.Empty(t, s.list)
	for _, a := range []*ask{next, last, never} {
		assert.Same(t, lost, <-a.result)
	}
}

// Where a request lapses before all messages do, that is when it is looked for.
func TestARequestLapsesBeforeAMessage(t *testing.T) {
	h := newHarness(t, func(c *Config) { c.MaxAge, c.BackoffBase = time.Minute, time.Minute })
	h.set(func() { h.dialErr = errReset })
	early := h.publish(Message{Topic: "t", Payload: []byte("first")})
	one := h.subscribe("a", 1)
	var late chan error
	for h.elapsed() < time.Minute {
		h.tick()
		h.sync()
		if late == nil && h.elapsed() > 0 {
			late = h.publish(Message{Topic: "t", Payload: []byte("second")})
		}
	}
	assert.Equal(t, fault.Timeout, fault.CodeOf(result(t, early)))
	assert.Equal(t, fault.Timeout, fault.CodeOf(answered(t, one).err))
	assert.Empty(t, late)
}

// What has to go goes from the oldest on, at QoS 0 alone, and leaves the rest in its order.
func TestTheCourierShedsTheOldestAtQoS0(t *testing.T) {
	var got []string
	var posted [][]receipt
	c := newCourier(&Config{
		MaxBacklog: 4,
		Deliver: func(m []Message) {
			for _, m := range m {
				got = append(got, m.Topic)
			}
		},
		OnChange: func(c Change) { got = append(got, "("+c.Reason+")") },
	}, func(b batch) { posted = append(posted, b.acks) })
	message := func(topic string, id uint16) Message {
		return Message{Topic: topic, QoS: byte(min(id, 1)), PacketID: id}
	}
	c.deliver(batch{msgs: []Message{message("kept 1", 1), message("gone", 0), message("gone", 0)}, acks: []receipt{{id: 1}}}, true)
	c.tell(Change{Reason: "a change"})
	c.deliver(batch{msgs: []Message{message("gone", 0), message("kept 2", 2), message("kept 3", 0)}, acks: []receipt{{id: 2}}}, false)
	assert.Zero(t, c.lost(), "nothing is to be shed there")
	c.deliver(batch{msgs: []Message{message("kept 4", 0)}}, true)
	assert.Equal(t, 3, c.lost())
	assert.True(t, c.full())
	c.end()
	c.run()
	assert.Equal(t, []string{"kept 1", "(a change)", "kept 2", "kept 3", "kept 4"}, got)
	assert.Equal(t, [][]receipt{{{id: 1}}, {{id: 2}}, nil}, posted, "whatever is acknowledged was handed over")
	assert.False(t, c.full())
}

func TestInflightOrderAndReceiveMaximum(t *testing.T) {
	f := inflight{max: 10}
	var all []*outgoing
	for _, qos := range []byte{1, 0, 1, 1} {
		o := message(qos)
		all = append(all, o)
		require.NoError(t, f.add(o))
	}
	assert.Same(t, all[0], f.next(2))
	assert.Same(t, all[1], f.next(2))
	assert.Same(t, all[2], f.next(2))
	assert.Nil(t, f.next(2), "the receive maximum is reached")
	assert.NotEqual(t, all[0].packet.PacketID, all[2].packet.PacketID)
	assert.Zero(t, all[1].packet.PacketID)

	assert.Nil(t, f.find(999))
	assert.Same(t, all[0], f.find(all[0].packet.PacketID))
	f.end(all[0], nil)
	assert.NoError(t, <-all[0].result)
	assert.Nil(t, f.find(all[0].packet.PacketID), "acknowledged once")
	assert.Same(t, all[3], f.next(2))
	assert.True(t, f.waiting())
}

func TestInflightRewind(t *testing.T) {
	for name, present := range map[string]bool{"session kept": true, "session gone": false} {
		t.Run(name, func(t *testing.T) {
			f := inflight{max: 10}
			a, b, c := message(1), message(1), message(1)
			for _, o := range []*outgoing{a, b} {
				require.NoError(t, f.add(o))
				f.next(10)
			}
			require.NoError(t, f.add(c))
			ids := []uint16{a.packet.PacketID, b.packet.PacketID}
			f.rewind(present)
			assert.Equal(t, []*outgoing{a, b, c}, []*outgoing{f.next(10), f.next(10), f.next(10)})
			assert.Equal(t, present, a.packet.Dup)
			assert.Equal(t, present, b.packet.Dup)
			assert.False(t, c.packet.Dup, "it was never sent before")
			assert.Equal(t, ids, []uint16{a.packet.PacketID, b.packet.PacketID})
			assert.NotContains(t, ids, c.packet.PacketID)
		})
	}
}

func TestInflightIdentifiersAreNotZeroAndNotUsedTwice(t *testing.T) {
	f := inflight{max: 10, lastID: 65533}
	a, b := message(1), message(1)
	require.NoError(t, f.add(a))
	f.next(10)
	require.NoError(t, f.add(b))
	f.next(10)
	assert.Equal(t, []uint16{65534, 65535}, []uint16{a.packet.PacketID, b.packet.PacketID})
	assert.Equal(t, uint16(1), f.newID())
	f.lastID = 65533
	assert.Equal(t, uint16(1), f.newID(), "those in use are passed over")
	f.rewind(true)
	f.lastID = 65533
	assert.Equal(t, uint16(1), f.newID(), "also while they wait to be sent again")
}

func TestInflightCapForgetAndFail(t *testing.T) {
	f := inflight{max: 2}
	a, b := message(1), message(1)
	require.NoError(t, f.add(a))
	require.NoError(t, f.add(b))
	assert.Equal(t, fault.QueueFull, fault.CodeOf(f.add(message(0))))
	f.next(10)
	assert.Equal(t, fault.QueueFull, fault.CodeOf(f.add(message(0))), "what is sent counts until it is acknowledged")
	f.forget(a)
	assert.Same(t, a, f.find(a.packet.PacketID), "what was sent stays on its way")
	f.rewind(true)
	f.forget(a)
	assert.Same(t, a, f.next(10), "also while it waits to be sent again")
	f.drop(a)
	f.forget(b)
	assert.Nil(t, f.next(10))
	assert.False(t, f.waiting())

	require.NoError(t, f.add(a))
	require.NoError(t, f.add(b))
	f.next(10)
	f.failSent(fault.New(fault.Network, "sent"), false)
	assert.Equal(t, fault.Network, fault.CodeOf(<-a.result))
	f.failAll(fault.New(fault.Closed, "all"))
	assert.Equal(t, fault.Closed, fault.CodeOf(<-b.result))
	assert.False(t, f.waiting())
	b.settle(nil)
	b.settle(nil) // nobody waits, and nothing hangs
}
