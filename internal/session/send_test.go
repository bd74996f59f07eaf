package session

import (
	"context"
	"slices"
	"strconv"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/fault"
	"github.com/kiiweb/kiiweb/internal/mqtt"
)

// verdicts notes how messages of Send went.
type verdicts struct {
	mu   sync.Mutex
	list []string
}

func (o *verdicts) tell(ticket int32, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	s := strconv.Itoa(int(ticket))
	if err != nil {
		s += " " + string(fault.CodeOf(err))
	}
	o.list = append(o.list, s)
}

func (o *verdicts) all() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.list)
}

func TestSend(t *testing.T) {
	r := ride(t, nil)
	var o verdicts
	r.s.Send([]Message{
		{Topic: "a", Payload: []byte("0")}, {Topic: "+"}, {Topic: "a", QoS: 1}, {Topic: "a", QoS: 1}, {Topic: "a", QoS: 3},
	}, 10, o.tell)
	packets := r.b.nextFrame()
	require.Len(t, packets, 3, "all in one frame")
	r.settled()
	assert.Equal(t, []string{"11 INVALID_ARGUMENT", "14 INVALID_ARGUMENT", "10"}, o.all())
	ack := func(n int, reason mqtt.ReasonCode) *mqtt.Ack {
		return &mqtt.Ack{Kind: mqtt.PUBACK, PacketID: packets[n].(*mqtt.Publish).PacketID, ReasonCode: reason}
	}
	r.long(ack(1, 0), ack(1, 0))
	r.settled()
	assert.Equal(t, "12", o.all()[3], "the second is late and changes nothing")
	r.short(ack(2, 0))
	assert.Equal(t, int32(13), <-r.tickets)
	r.settled()
	assert.Len(t, o.all(), 4, "whom the loader tells is not told again")
	r.long(ack(2, 0))
}

// Whom nobody but the loop can tell of an acknowledgement, it is left to the loop.
func TestExpressLeavesThePubackOfPublishToTheLongWay(t *testing.T) {
	r := ride(t, nil)
	done := r.publish(Message{Topic: "a", QoS: 1})
	p := r.b.expect(mqtt.PUBLISH).(*mqtt.Publish)
	r.long(&mqtt.Ack{Kind: mqtt.PUBACK, PacketID: p.PacketID})
	require.NoError(t, result(t, done))
	var o verdicts
	r.s.Send([]Message{{Topic: "a", QoS: 2}}, 1, o.tell)
	p = r.b.expect(mqtt.PUBLISH).(*mqtt.Publish)
	r.long(&mqtt.Ack{Kind: mqtt.PUBACK, PacketID: p.PacketID})
	r.settled()
	assert.Equal(t, []string{"1"}, o.all(), "nor is that of a message at QoS 2, which some brokers send")
	assert.Empty(t, r.tickets)
}

func TestSendOverALoss(t *testing.T) {
	r := ride(t, func(c *Config) { c.MaxOutgoing = 2 })
	var o verdicts
	r.s.Send([]Message{{Topic: "a", QoS: 1}, {Topic: "b", QoS: 1}, {Topic: "c", QoS: 1}}, 1, o.tell)
	r.b.nextFrame()
	r.settled()
	assert.Equal(t, []string{"3 QUEUE_FULL"}, o.all())
	r.b.close(errReset)
	r.next(Waiting)
	r.tick()
	r.next(Connecting)
	r.b = r.welcome(&mqtt.Connack{SessionPresent: true})
	r.next(Online)
	again := r.b.nextFrame()
	require.Len(t, again, 2)
	assert.True(t, again[1].(*mqtt.Publish).Dup)
	r.settled()
	r.offer(r.b.encode(&mqtt.Ack{Kind: mqtt.PUBACK, PacketID: again[0].(*mqtt.Publish).PacketID}))
	r.settled()
	require.NoError(t, r.s.Close(context.Background()))
	assert.Equal(t, "2 CLOSED", o.all()[len(o.all())-1])
	r.s.Send([]Message{{Topic: "a"}}, 4, o.tell)
	assert.Equal(t, "4 CLOSED", o.all()[len(o.all())-1])
}

func TestForget(t *testing.T) {
	h := newHarness(t, nil)
	h.accept()
	var o verdicts
	h.s.Send([]Message{{Topic: "a", QoS: 1}, {Topic: "b", QoS: 1}}, 1, o.tell)
	h.s.Forget(1)
	h.s.Forget(9)
	waiting := make(chan int, 1)
	h.s.post(func(l *loop) { waiting <- len(l.out.queue) })
	assert.Equal(t, 1, <-waiting)
	assert.Empty(t, o.all())
}
