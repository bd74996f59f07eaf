package session

import (
	"context"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/mqtt"
)

var bg = context.Background()

func soon(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(bg, patience)
	t.Cleanup(cancel)
	return ctx
}

func TestConnectAndSubscribe(t *testing.T) {
	h := newHarness(t, nil)
	b := h.accept()
	c := b.expect(mqtt.CONNECT).(*mqtt.Connect)
	assert.Equal(t, "topic-1", c.ClientID)
	assert.Equal(t, "user", c.Username)
	assert.Equal(t, "secret", string(c.Password))
	assert.Equal(t, uint16(60), c.KeepAlive)
	assert.False(t, c.CleanStart)
	assert.Equal(t, uint32(math.MaxUint32), *c.Properties.SessionExpiry)
	assert.Equal(t, uint16(1024), *c.Properties.ReceiveMaximum)
	assert.Equal(t, uint32(1<<20+1<<16), *c.Properties.MaximumPacketSize)
	assert.Nil(t, c.Properties.TopicAliasMaximum)

	b.send(&mqtt.Connack{})
	s := b.expect(mqtt.SUBSCRIBE).(*mqtt.Subscribe)
	assert.Equal(t, []mqtt.Subscription{{Filter: "topic-1", QoS: 1}}, s.Subscriptions)
	h.settled()
	assert.Equal(t, Connecting, h.s.State().State, "CONNACK alone is not online")

	b.send(&mqtt.Suback{PacketID: s.PacketID, ReasonCodes: []mqtt.ReasonCode{mqtt.GrantedQoS1}})
	require.NoError(t, h.s.Ready(soon(t)))
	h.next(Connecting)
	assert.Equal(t, Change{State: Online, Reason: "subscribed", ReasonCode: -1, Broker: &Broker{Protocol: 5, KeepAlive: 60}}, h.next(Online))
	assert.Equal(t, []bool{false}, h.fetched())
}

func TestWhatTheTwoTellEachOther(t *testing.T) {
	ours, theirs := []mqtt.UserProperty{{Key: "app", Value: "x"}, {Key: "app", Value: "y"}}, []mqtt.UserProperty{{Key: "zone", Value: "é"}}
	h := newHarness(t, func(c *Config) { c.User = ours })
	h.next(Connecting)
	b := h.accept()
	assert.Equal(t, ours, b.expect(mqtt.CONNECT).(*mqtt.Connect).Properties.User)
	seconds := uint16(17)
	b.send(&mqtt.Connack{SessionPresent: true, Properties: mqtt.Properties{
		ServerKeepAlive: &seconds, AssignedClientID: "given", ServerReference: "other:1883", ReasonString: "welcome", User: theirs,
	}})
	b.subscribe(mqtt.GrantedQoS1)
	assert.Equal(t, &Broker{
		Protocol: 5, SessionPresent: true, KeepAlive: 17, AssignedClientID: "given",
		ServerReference: "other:1883", ReasonString: "welcome", User: theirs,
	}, h.next(Online).Broker)
	b.close(errReset)
	assert.Nil(t, h.next(Waiting).Broker)

	h = newHarness(t, func(c *Config) { c.User, c.Version = ours, mqtt.V311 })
	h.next(Connecting)
	h.welcome(&mqtt.Connack{})
	assert.Equal(t, &Broker{Protocol: 4, KeepAlive: 60}, h.next(Online).Broker, "there is no place for more")
}

func TestCleanStart(t *testing.T) {
	h := newHarness(t, func(c *Config) { c.CleanStart = true; c.QoS = 0 })
	b := h.accept()
	c := b.expect(mqtt.CONNECT).(*mqtt.Connect)
	assert.True(t, c.CleanStart)
	assert.Nil(t, c.Properties.SessionExpiry)
	b.send(&mqtt.Connack{})
	assert.Equal(t, byte(0), b.subscribe(mqtt.Success).Subscriptions[0].QoS)
	require.NoError(t, h.s.Ready(soon(t)))
}

func TestSubscribesAgainThoughTheSessionWasKept(t *testing.T) {
	h := newHarness(t, nil)
	h.welcome(&mqtt.Connack{SessionPresent: true})
	require.NoError(t, h.s.Ready(soon(t)))
}

func TestReceive(t *testing.T) {
	h := newHarness(t, nil)
	b := h.online()
	one := push(7, "topic-1", `{"a":1}`)
	one.Retain, one.Dup = true, true
	one.Properties.ContentType = "application/json"
	b.send(one, push(0, "other", "second"))
	got := h.batch()
	require.Len(t, got, 2)
	assert.Equal(t, Message{
		Topic: "topic-1", Payload: []byte(`{"a":1}`), QoS: 1, Retain: true, Dup: true, PacketID: 7, Properties: got[0].Properties,
	}, got[0])
	props, err := mqtt.DecodeProperties(got[0].Properties)
	require.NoError(t, err)
	assert.Equal(t, "application/json", props.ContentType)
	assert.Equal(t, "other", got[1].Topic)
	assert.Equal(t, &mqtt.Ack{Kind: mqtt.PUBACK, PacketID: 7}, b.expect(mqtt.PUBACK))
	h.settled()
	b.silent()
}

func TestMessagesBeforeSuback(t *testing.T) {
	h := newHarness(t, nil)
	b := h.accept()
	b.expect(mqtt.CONNECT)
	b.send(&mqtt.Connack{SessionPresent: true}, push(1, "topic-1", "kept for us"))
	assert.Equal(t, "kept for us", string(h.batch()[0].Payload))
	b.subscribe(mqtt.GrantedQoS1)
	require.NoError(t, h.s.Ready(soon(t)))
}

func TestAcknowledgementsLeaveInOneWriteAfterDeliverReturned(t *testing.T) {
	inside, release := make(chan int), make(chan struct{})
	h := newHarness(t, func(c *Config) {
		c.Deliver = func(m []Message) { inside <- len(m); <-release }
	})
	b := h.online()
	b.send(push(1, "a", "1"), push(2, "a", "2"), push(0, "a", "no acknowledgement"), push(3, "b", "3"))
	assert.Equal(t, 4, <-inside)
	h.sync()
	b.silent()
	release <- struct{}{}
	assert.Equal(t, []mqtt.Packet{
		&mqtt.Ack{Kind: mqtt.PUBACK, PacketID: 1},
		&mqtt.Ack{Kind: mqtt.PUBACK, PacketID: 2},
		&mqtt.Ack{Kind: mqtt.PUBACK, PacketID: 3},
	}, b.nextFrame())
}

func TestPacketsInPieces(t *testing.T) {
	h := newHarness(t, nil)
	b := h.online()
	stream := b.encode(push(1, "topic-1", "first"), push(2, "topic-1", "second"), push(3, "topic-1", "third"))
	for _, c := range stream {
		b.raw([]byte{c})
	}
	var got []string
	for len(got) < 3 {
		for _, m := range h.batch() {
			got = append(got, string(m.Payload))
		}
	}
	assert.Equal(t, []string{"first", "second", "third"}, got, "also long after the pieces were used again")
	for id := uint16(1); id <= 3; id++ {
		assert.Equal(t, id, b.expect(mqtt.PUBACK).(*mqtt.Ack).PacketID)
	}
}

func TestRepeatsAreAcknowledgedAndNotDelivered(t *testing.T) {
	h := newHarness(t, nil)
	b := h.online()
	b.send(marked(push(1, "t", "one"), "id-1"), marked(push(2, "t", "one again"), "id-1"), marked(push(3, "t", "two"), "id-2"))
	got := h.batch()
	require.Len(t, got, 2)
	assert.Equal(t, "one", string(got[0].Payload))
	assert.Equal(t, "two", string(got[1].Payload))
	for id := uint16(1); id <= 3; id++ {
		assert.Equal(t, id, b.expect(mqtt.PUBACK).(*mqtt.Ack).PacketID)
	}

	b.close(errReset)
	h.next(Waiting)
	h.tick()
	h.next(Connecting)
	b = h.welcome(&mqtt.Connack{})
	h.next(Online)
	b.send(marked(push(9, "t", "two after the reconnection"), "id-2"), push(10, "t", "without an id"))
	got = h.batch()
	require.Len(t, got, 1)
	assert.Equal(t, "without an id", string(got[0].Payload))
	assert.Equal(t, uint16(9), b.expect(mqtt.PUBACK).(*mqtt.Ack).PacketID)
	assert.Equal(t, uint16(10), b.expect(mqtt.PUBACK).(*mqtt.Ack).PacketID)
}

func TestAcknowledgementsOfALostConnectionAreNotSentOnTheNext(t *testing.T) {
	inside, release := make(chan int), make(chan struct{})
	h := newHarness(t, func(c *Config) {
		c.Deliver = func(m []Message) { inside <- len(m); <-release }
	})
	b := h.online()
	b.send(push(1, "t", "x"))
	<-inside
	b.close(errReset)
	for h.s.State().State != Waiting {
		h.sync()
	}
	h.tick()
	b = h.welcome(&mqtt.Connack{})
	require.NoError(t, h.s.Ready(soon(t)))
	release <- struct{}{}
	h.next(Waiting)
	h.settled()
	b.silent()
}
