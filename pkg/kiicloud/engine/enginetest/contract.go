package enginetest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/mqtt"
	"github.com/kiiweb/kiiweb/pkg/kiicloud/engine"
	"github.com/kiiweb/kiiweb/pkg/kiicloud/guard/guardtest"
	"github.com/kiiweb/kiiweb/pkg/kiicloud/store"
)

// Contract runs the suite on the engine that c has. The tests have installations of their own and run one
// after the other; the last one shuts the engine down.
func Contract(t *testing.T, c Cloud) {
	for _, test := range []struct {
		name string
		run  func(world)
	}{
		{"endpoints", endpoints},
		{"bad credentials", badCredentials},
		{"delivery", delivery},
		{"the queue is there from the install on", fromInstallOn},
		{"offline queue in order", offline},
		{"unacknowledged pushes come again", again},
		{"repeats have the same id", repeats},
		{"a full queue loses the oldest", full},
		{"many receivers", many},
		{"events", events},
		{"large pushes", large},
		{"quality of service", qualities},
		{"foreign topics", foreign},
		{"the newer connection wins", takeover},
		{"disconnect", disconnect},
		{"revoke", revoke},
		{"unsubscribe", unsubscribe},
		{"shutdown", shutdown},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(world{t, c}) })
	}
}

func endpoints(w world) {
	inst := w.install()
	one, err := w.Engine.Endpoint(w.ctx(), inst)
	require.NoError(w, err)
	two, err := w.Engine.Endpoint(w.ctx(), inst)
	require.NoError(w, err)
	require.NotEqual(w, one.Password, two.Password)
	want := w.Expects
	want.Topic, want.Username, want.Password = inst.Topic, one.Username, one.Password
	require.Equal(w, want, one)
	require.NotContains(w, one.Username+one.Password+one.Topic, "%")
	for _, ep := range []engine.Endpoint{one, two, one} { // all are good side by side
		d := &device{world: w, how: tcp5, inst: inst, c: w.dial(tcp5)}
		h := w.hello(tcp5, inst)
		h.Password = ep.Password
		d.c.Send(guardtest.Connect(mqtt.V5, h))
		require.Equal(w, mqtt.Success, d.c.Expect(mqtt.CONNACK).Code())
		d.leave()
	}
}

func badCredentials(w world) {
	inst, other := w.install(), w.install()
	issue := func(secret []byte, ttl time.Duration) string {
		c, err := engine.NewCredentials(secret)
		require.NoError(w, err)
		return c.Issue(inst.ID, inst.Topic, ttl)
	}
	cases := []struct {
		name   string
		change func(*guardtest.Hello)
	}{
		{"no user name and password", func(h *guardtest.Hello) { h.Username, h.Password = "", "" }},
		{"another's user name", func(h *guardtest.Hello) { h.Username = other.ID }},
		{"another's client identifier", func(h *guardtest.Hello) { h.ClientID = other.Topic }},
		{"a word for a password", func(h *guardtest.Hello) { h.Password = "secret" }},
		{"a password of another secret", func(h *guardtest.Hello) {
			h.Password = issue([]byte(strings.Repeat("x", engine.MinSecret)), time.Hour)
		}},
		{"a lapsed password", func(h *guardtest.Hello) { h.Password = issue(w.Secret, -time.Hour) }},
	}
	standing := w.online(tcp5, inst)
	attempts := make([]*guardtest.Client, len(cases)) // side by side: a broker may take its time to refuse
	for i, tc := range cases {
		how := ways[i%len(ways)]
		h := w.hello(how, inst)
		tc.change(&h)
		attempts[i] = w.dial(how)
		attempts[i].Send(guardtest.Connect(how.version, h))
	}
	for i, tc := range cases {
		how := ways[i%len(ways)]
		code := attempts[i].Expect(mqtt.CONNACK).Code()
		if how.version == mqtt.V5 {
			require.Equal(w, mqtt.BadUserNameOrPassword, code, tc.name)
		} else {
			require.EqualValues(w, 4, code, tc.name)
		}
		require.Empty(w, attempts[i].Rest(), tc.name)
	}
	standing.alive() // nobody without the password displaces a connection
}

func delivery(w world) {
	for _, how := range ways {
		inst := w.install()
		d := w.online(how, inst)
		for n := range 20 {
			w.push(inst, n, n+1)
			d.receive(n)
		}
		w.push(inst, 20, 60)
		for n := 20; n < 60; n++ {
			p := d.receive(n)
			require.False(w, p.Publish().Dup(), "%v: DUP belongs to a repeat", how)
		}
		d.nothingMore()
		d.leave()
	}
}

func fromInstallOn(w world) {
	for _, how := range ways {
		inst := w.install()
		w.push(inst, 0, 10)
		d := w.online(how, inst)
		for n := range 10 {
			d.receive(n)
		}
		d.nothingMore()
		d.leave()
	}
}

func offline(w world) {
	inst := w.install()
	n := 0
	for _, how := range append(ways[:len(ways):len(ways)], ways...) { // each version comes after each other one
		d := w.online(how, inst)
		w.push(inst, n, n+5)
		for range 5 {
			d.receive(n)
			n++
		}
		d.leave()
		w.push(inst, n, n+30)
		d = w.online(how, inst)
		for range 30 {
			d.receive(n)
			n++
		}
		d.nothingMore()
		d.leave()
	}
}

func again(w world) {
	for _, how := range ways {
		inst := w.install()
		d := w.online(how, inst)
		w.push(inst, 0, 5)
		d.receiveOf(5, 2)
		d.c.HangUp()
		w.push(inst, 5, 7)
		d = w.online(how, inst)
		for n := 2; n < 7; n++ {
			d.receive(n)
		}
		d.nothingMore()
		d.leave()
	}
}

// repeats sends one push twice, as a sender does who was not answered.
func repeats(w world) {
	inst := w.install()
	w.push(inst, 1, 2)
	w.push(inst, 1, 2)
	w.push(inst, 2, 3)
	d := w.online(ws5, inst)
	d.receive(1)
	// Who had the first one already may be spared the second, in this place.
	if p := d.next(); messageID(p) == "id-1" {
		d.c.Send(guardtest.Puback(p.Publish().PacketID))
		d.receive(2)
	} else {
		require.Equal(w, "id-2", messageID(p))
		d.c.Send(guardtest.Puback(p.Publish().PacketID))
	}
	d.nothingMore()
	d.leave()
}

func full(w world) {
	inst := w.install()
	w.push(inst, 0, store.QueueMax+5)
	d := w.online(tcp5, inst)
	for n := 5; n < store.QueueMax+5; n++ {
		d.receive(n)
	}
	d.nothingMore()
	d.leave()
}

func many(w world) {
	all := make([]store.Installation, 30)
	for i := range all {
		all[i] = w.install()
	}
	gone := all[10]
	w.uninstall(gone)
	for n := range 3 {
		require.NoError(w, w.Engine.Publish(w.ctx(), all, pushNumber(n)), "who is gone is left out")
	}
	require.NoError(w, w.Engine.Publish(w.ctx(), nil, pushNumber(0)))
	for i, inst := range all {
		if i == 10 {
			continue
		}
		d := w.online(ways[i%len(ways)], inst)
		for n := range 3 {
			d.receive(n)
		}
		d.leave()
	}
}

// events are queued in a transaction of the store, which tells the engine.
func events(w world) {
	inst, other := w.install(), w.install()
	d := w.online(tcp5, inst)
	for n := range 10 {
		_, err := w.Store.EnqueueAll(w.ctx(), pushNumber(n), []string{inst.ID, other.ID})
		require.NoError(w, err)
		w.Engine.Stored(store.Told{To: []store.Installation{inst, other}})
	}
	for n := range 10 {
		d.receive(n)
	}
	w.push(other, 10, 11)
	d.leave()
	d = w.online(tcp4, other)
	for n := range 11 {
		d.receive(n)
	}
	d.leave()
}

func large(w world) {
	inst := w.install()
	payload := fmt.Sprintf(`{"a":"%s"}`, strings.Repeat("x", 4096-8))
	require.Len(w, payload, 4096)
	require.NoError(w, w.Engine.Publish(w.ctx(), []store.Installation{inst}, store.Push{MessageID: "large", Payload: []byte(payload), CreatedAt: time.Now()}))
	for _, how := range ways {
		d := w.online(how, inst)
		require.Equal(w, payload, string(d.next().Publish().Payload))
		d.alive()
		d.c.HangUp()
	}
	// What a client sends has a limit, too, and a packet above it ends the connection.
	for _, how := range []way{tcp4, tcp5, ws5} {
		d := w.connect(how, w.install())
		_ = d.c.TrySend(guardtest.Publish(how.version, 2, 7, d.inst.Topic, []byte(nil), strings.Repeat("x", 20<<10)))
		d.ended(mqtt.PacketTooLarge, !w.Traits.KeepsQuietTooLarge)
	}
}

func qualities(w world) {
	for _, how := range ways {
		inst := w.install()
		d := w.connect(how, inst)
		require.Equal(w, mqtt.GrantedQoS1, d.subscribe(inst.Topic, 2), "there is no QoS 2")
		w.push(inst, 0, 1)
		d.receive(0)
		d.leave()
		if w.Traits.QoS0 {
			d = w.connect(how, inst)
			require.Equal(w, mqtt.Success, d.subscribe(inst.Topic, 0))
			w.push(inst, 1, 2)
			p := d.next()
			require.Equal(w, string(pushNumber(1).Payload), string(p.Publish().Payload))
			require.Zero(w, p.Publish().QoS())
			d.leave()
		}
	}
}
