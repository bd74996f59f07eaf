//go:build linux

package contract_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/mqtt"
	"github.com/kiiweb/kiiweb/pkg/kiicloud/engine"
	"github.com/kiiweb/kiiweb/pkg/kiicloud/engine/rabbitmq"
	"github.com/kiiweb/kiiweb/pkg/kiicloud/guard/guardtest"
	"github.com/kiiweb/kiiweb/pkg/kiicloud/store"
)

// lab is an engine with its node.
type lab struct {
	*testing.T
	b  *broker
	st *store.SQL
	e  *rabbitmq.Engine
}

func TestRabbitMQ(t *testing.T) {
	b, st := start(t), openStore(t)
	t.Run("the contract of engines", func(t *testing.T) { contract(t, b, st) })
	for _, test := range []struct {
		name, options string
		run           func(lab)
	}{
		{"queues are like the plugin's, within the policy", "&clean=allow", likeThePlugins},
		{"a policy that is deleted is set again", "", policyDeleted},
		{"a clean start is refused", "", cleanStartRefused},
		{"a clean start is allowed", "&clean=allow", cleanStartAllowed},
		{"a short session takes its queue along, and the next push makes it anew", "", shortSession},
		{"a push that is never acknowledged is sent for ever", "", sentForEver},
		{"passwords are for MQTT alone", "", forMQTTAlone},
		{"the engine's user must be let in", "", wrongPassword},
		{"short of memory RabbitMQ takes no pushes", "", shortOfMemory},
		{"a queue without a leader holds nobody else up", "", withoutLeader},
		{"a queue that holds a channel up gets it for itself", "", holdsUp},
		{"passwords lapse, and other processes end connections", "", lapses},
		{"TLS with certificates of a private CA", "", overTLS},
		{"silence is no answer", "", silence},
		{"what was accepted outlives the node", "", killed},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(lab{t, b, st, b.engine(t, st, test.options)}) })
		if t.Failed() {
			t.Log(b.Log())
			return
		}
	}
}

func (l lab) ctx() context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	l.Cleanup(cancel)
	return ctx
}

func (l lab) install() store.Installation {
	inst, _, err := l.st.Install(l.ctx(), store.Installation{
		Owner: store.Owner{AppID: "app", Kind: store.OwnerUser, ID: store.NewID()}, DeviceType: "MQTT", CreatedAt: time.Now()})
	require.NoError(l, err)
	require.NoError(l, l.e.Prepare(l.ctx(), inst))
	return inst
}

func (l lab) publish(inst store.Installation, id string) error {
	return l.e.Publish(l.ctx(), []store.Installation{inst}, store.Push{MessageID: id, Payload: []byte(`{}`), CreatedAt: time.Now()})
}

// expiry is the property of a CONNECT that says how long the session stays, in seconds.
func expiry(seconds uint32) []byte { return binary.BigEndian.AppendUint32([]byte{0x11}, seconds) }

// connect sends CONNECT and gives the client with the CONNACK.
func (l lab) connect(inst store.Installation, keep bool, props []byte) (*guardtest.Client, guardtest.Packet) {
	ep, err := l.e.Endpoint(l.ctx(), inst)
	require.NoError(l, err)
	c := guardtest.DialTCP(l, mqtt.V5, fmt.Sprintf("127.0.0.1:%d", l.b.MQTT))
	c.Send(guardtest.Connect(mqtt.V5, guardtest.Hello{ClientID: ep.Topic, Username: ep.Username, Password: ep.Password, KeepAlive: 60, Session: keep, Properties: props}))
	return c, c.Expect(mqtt.CONNACK)
}

// online connects with a session that stays and subscribes.
func (l lab) online(inst store.Installation) *guardtest.Client {
	c, ack := l.connect(inst, true, expiry(0xFFFFFFFF))
	require.Equal(l, mqtt.Success, ack.Code())
	return c
}

// received is the id of the next push, which is acknowledged.
func received(c *guardtest.Client) string {
	p := c.Expect(mqtt.PUBLISH)
	c.Send(guardtest.Puback(p.Publish().PacketID))
	id, _ := mqtt.FindUserProperty(p.Publish().Properties, "pushMessageID")
	return string(id)
}

type queue struct {
	Type      string         `json:"type"`
	Durable   bool           `json:"durable"`
	Exclusive bool           `json:"exclusive"`
	Arguments map[string]any `json:"arguments"`
	Policy    string         `json:"policy"`
}

func (l lab) queue(inst store.Installation) (q queue, there bool) {
	status, err := l.b.Manage(l.ctx(), http.MethodGet, "/queues/%2F/mqtt-subscription-"+inst.Topic+"qos1?disable_stats=true&enable_queue_totals=true", nil, &q)
	require.NoError(l, err)
	return q, status == http.StatusOK
}

// likeThePlugins: the queue made at the install and one that RabbitMQ's MQTT plugin makes are the same, but for
// the single active consumer, which the plugin does not ask for.
func likeThePlugins(l lab) {
	ours := l.install()
	theirs := l.install()
	c, ack := l.connect(theirs, false, expiry(0xFFFFFFFF)) // a clean start removes the queue, the subscription makes it again
	require.Equal(l, mqtt.Success, ack.Code())
	_, there := l.queue(theirs)
	require.False(l, there)
	c.Send(guardtest.Subscribe(mqtt.V5, 1, nil, guardtest.Filter{Topic: theirs.Topic, Options: 1}))
	require.Equal(l, mqtt.GrantedQoS1, c.Expect(mqtt.SUBACK).Code())

	one, there := l.queue(ours)
	require.True(l, there)
	two, there := l.queue(theirs)
	require.True(l, there)
	require.Equal(l, true, one.Arguments["x-single-active-consumer"])
	delete(one.Arguments, "x-single-active-consumer")
	require.Equal(l, two, one)
	assert.Equal(l, "quorum", one.Type)
	assert.Equal(l, "kiicloud", one.Policy)
	var policy struct {
		Definition map[string]any `json:"definition"`
	}
	_, err := l.b.Manage(l.ctx(), http.MethodGet, "/policies/%2F/kiicloud", nil, &policy)
	require.NoError(l, err)
	assert.EqualValues(l, store.QueueMax, policy.Definition["max-length"])
	assert.EqualValues(l, store.QueueTTL.Milliseconds(), policy.Definition["message-ttl"])
	assert.EqualValues(l, -1, policy.Definition["delivery-limit"])
}

func cleanStartRefused(l lab) {
	inst := l.install()
	require.NoError(l, l.publish(inst, "one"))
	c, ack := l.connect(inst, false, nil)
	require.Equal(l, mqtt.NotAuthorized, ack.Code(), "it would throw the push away")
	require.Empty(l, c.Rest())
	again := l.online(inst)
	require.Equal(l, "one", received(again))
	// A queue for QoS 0 may not be made either: the subscription is refused, which ends the connection.
	again.Send(guardtest.Subscribe(mqtt.V5, 1, nil, guardtest.Filter{Topic: inst.Topic, Options: 0}))
	rest := again.Rest()
	require.NotEmpty(l, rest)
	require.Equal(l, mqtt.NotAuthorized, rest[0].Code())
	require.NoError(l, l.publish(inst, "two"))
	require.Equal(l, "two", received(l.online(inst)))
}

// cleanStartAllowed: a client that asks for no session gets what is pushed while it is there, and what was
// pushed before it came is gone.
func cleanStartAllowed(l lab) {
	for _, qos := range []byte{0, 1} {
		inst := l.install()
		require.NoError(l, l.publish(inst, "before"))
		c, ack := l.connect(inst, false, nil)
		require.Equal(l, mqtt.Success, ack.Code())
		c.Send(guardtest.Subscribe(mqtt.V5, 1, nil, guardtest.Filter{Topic: inst.Topic, Options: qos}))
		require.EqualValues(l, qos, c.Expect(mqtt.SUBACK).Code())
		require.NoError(l, l.publish(inst, "meanwhile"))
		p := c.Expect(mqtt.PUBLISH)
		require.Equal(l, qos, p.Publish().QoS())
		if qos > 0 {
			c.Send(guardtest.Puback(p.Publish().PacketID))
		}
		c.Send(guardtest.Disconnect)
		c.Rest()
		// What is pushed while the queue is on its way out is accepted, and lost with it.
		require.Eventually(l, func() bool { _, there := l.queue(inst); return !there }, time.Minute, 100*time.Millisecond)
		require.NoError(l, l.publish(inst, "after"), "the queue went with the client, and is made anew")
		require.Equal(l, "after", received(l.online(inst)))
	}
}

// shortSession: a client of MQTT 5 says how long its session, and so its queue, outlives its connection.
func shortSession(l lab) {
	inst := l.install()
	c, ack := l.connect(inst, true, expiry(1))
	require.Equal(l, mqtt.Success, ack.Code())
	c.Send(guardtest.Disconnect)
	c.Rest()
	require.Eventually(l, func() bool { _, there := l.queue(inst); return !there }, time.Minute, 100*time.Millisecond)
	require.NoError(l, l.publish(inst, "one"))
	require.Equal(l, "one", received(l.online(inst)))
	require.EqualValues(l, 1, l.e.Stats().Remade)
}

// sentForEver: RabbitMQ would drop a message that was delivered more than twenty times.
func sentForEver(l lab) {
	inst := l.install()
	require.NoError(l, l.publish(inst, "one"))
	ids := map[uint16]bool{}
	for range 25 {
		c := l.online(inst)
		p := c.Expect(mqtt.PUBLISH)
		ids[p.Publish().PacketID] = true
		c.HangUp()
	}
	l.Logf("packet identifiers of one push over 25 connections: %d different ones", len(ids))
	c := l.online(inst)
	require.Equal(l, "one", received(c))
	c.ExpectAlive()
}

func forMQTTAlone(l lab) {
	inst := l.install()
	ep, err := l.e.Endpoint(l.ctx(), inst)
	require.NoError(l, err)
	_, err = amqp.Dial(fmt.Sprintf("amqp://%s:%s@127.0.0.1:%d/", ep.Username, ep.Password, l.b.AMQP))
	require.Error(l, err)
	req, err := http.NewRequestWithContext(l.ctx(), http.MethodGet, fmt.Sprintf("http://127.0.0.1:%d/api/whoami", l.b.Management), nil)
	require.NoError(l, err)
	req.SetBasicAuth(ep.Username, ep.Password)
	res, err := http.DefaultClient.Do(req)
	require.NoError(l, err)
	require.NoError(l, res.Body.Close())
	require.Equal(l, http.StatusUnauthorized, res.StatusCode)
}

func wrongPassword(l lab) {
	a := l.b.address(l, "")
	a.Password = "not-this-one"
	e, err := rabbitmq.New(rabbitmq.Config{Address: a, Store: l.st, Secret: secret})
	require.NoError(l, err)
	defer func() { require.NoError(l, e.Shutdown(l.ctx())) }()
	require.Eventually(l, func() bool { return errors.Is(e.Check(l.ctx()), rabbitmq.ErrAccess) }, time.Minute, 100*time.Millisecond)
	require.NotContains(l, e.Check(l.ctx()).Error(), a.Password)
}

// silence: a node that hangs confirms nothing; the sender learns that it is not known, and repeats the push
// under its id.
func silence(l lab) {
	inst := l.install()
	require.NoError(l, l.publish(inst, "zero"))
	require.NoError(l, syscall.Kill(l.b.Pid(), syscall.SIGSTOP))
	require.Eventually(l, l.stopped, time.Minute, time.Millisecond)
	err := l.publish(inst, "one")
	require.NoError(l, syscall.Kill(l.b.Pid(), syscall.SIGCONT))
	require.ErrorIs(l, err, engine.ErrUnconfirmed)
	require.EqualValues(l, 1, l.e.Stats().Unconfirmed)
	require.Eventually(l, func() bool { return l.publish(inst, "one") == nil }, time.Minute, 100*time.Millisecond)
	require.NoError(l, l.publish(inst, "two"))
	c := l.online(inst)
	require.Equal(l, "zero", received(c))
	id := received(c)
	for repeats := 0; id == "one" && repeats < 100; repeats++ {
		id = received(c)
	}
	require.Equal(l, "two", id)
}

// stopped tells whether all threads of the node stand still.
func (l lab) stopped() bool {
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", l.b.Pid()))
	require.NoError(l, err)
	for _, path := range threads {
		stat, err := os.ReadFile(path)
		_, rest, _ := strings.Cut(string(stat), ") ")
		if err != nil || !strings.HasPrefix(rest, "T") {
			return false
		}
	}
	return len(threads) > 0
}

// killed: kill -9 while pushes flow, and the same data again. RabbitMQ writes down where a new queue is after
// half a second or so, so the queue is older than that.
func killed(l lab) {
	inst, gone := l.install(), l.install()
	var accepted int
	for began := time.Now(); time.Since(began) < 3*time.Second; accepted++ {
		require.NoError(l, l.publish(inst, fmt.Sprint(accepted)))
	}
	l.b.Kill()
	err := l.publish(inst, "nobody there")
	require.True(l, refusedOrUnknown(err), "it may not know yet that the node is gone: %v", err)
	require.Error(l, l.e.Check(l.ctx()))
	_, err = l.st.DeleteInstallation(l.ctx(), "app", gone.ID)
	require.NoError(l, err)
	require.Error(l, l.e.Revoke(l.ctx(), gone))
	l.b.Restart()
	require.Eventually(l, func() bool { return l.e.Check(l.ctx()) == nil }, time.Minute, 100*time.Millisecond)
	require.Eventually(l, func() bool { return l.publish(inst, "last") == nil }, time.Minute, 100*time.Millisecond)
	c := l.online(inst)
	first := max(0, accepted+1-store.QueueMax) // the queue is bounded
	for i := first; i < accepted; i++ {
		require.Equal(l, fmt.Sprint(i), received(c))
	}
	require.Equal(l, "last", received(c))
	l.Logf("%d pushes accepted before the kill", accepted)
	require.Eventually(l, func() bool { _, there := l.queue(gone); return !there }, time.Minute, 100*time.Millisecond,
		"what RabbitMQ could not be told it is told later")
}
