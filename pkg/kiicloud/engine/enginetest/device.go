package enginetest

import (
	"fmt"

	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/mqtt"
	"github.com/kiiweb/kiiweb/pkg/kiicloud/guard/guardtest"
	"github.com/kiiweb/kiiweb/pkg/kiicloud/store"
)

// device is a client of an installation. A broker that knows the session may deliver from CONNACK on,
// another one from SUBACK on: what comes early waits in early.
type device struct {
	world
	how   way
	inst  store.Installation
	c     *guardtest.Client
	early []guardtest.Packet
}

// connect opens a connection that is let in.
func (w world) connect(how way, inst store.Installation) *device {
	w.Helper()
	d := &device{world: w, how: how, inst: inst, c: w.dial(how)}
	d.c.Send(guardtest.Connect(how.version, w.hello(how, inst)))
	require.Equal(w, mqtt.Success, d.c.Expect(mqtt.CONNACK).Code())
	return d
}

// subscribe asks for topic and gives the code of the SUBACK.
func (d *device) subscribe(topic string, qos byte) mqtt.ReasonCode {
	d.Helper()
	d.c.Send(guardtest.Subscribe(d.how.version, 1, nil, guardtest.Filter{Topic: topic, Options: qos}))
	ack, before := d.c.Until(mqtt.SUBACK)
	d.early = append(d.early, before...)
	return ack.Code()
}

// online is connect and a subscription of the own topic at QoS 1.
func (w world) online(how way, inst store.Installation) *device {
	w.Helper()
	d := w.connect(how, inst)
	require.Equal(w, mqtt.GrantedQoS1, d.subscribe(inst.Topic, 1))
	return d
}

// next is the next PUBLISH.
func (d *device) next() guardtest.Packet {
	d.Helper()
	if len(d.early) > 0 {
		p := d.early[0]
		d.early = d.early[1:]
		require.Equal(d, mqtt.PUBLISH, p.Type())
		return p
	}
	return d.c.Expect(mqtt.PUBLISH)
}

// receive expects push n, acknowledges it and gives its packet.
func (d *device) receive(n int) guardtest.Packet {
	d.Helper()
	p := d.see(n)
	d.c.Send(guardtest.Puback(p.Publish().PacketID))
	return p
}

// see expects push n and keeps the acknowledgement back.
func (d *device) see(n int) guardtest.Packet {
	d.Helper()
	p := d.next()
	v := p.Publish()
	require.Equal(d, string(pushNumber(n).Payload), string(v.Payload))
	require.Equal(d, d.inst.Topic, string(v.Topic))
	require.EqualValues(d, 1, v.QoS())
	require.False(d, v.Retain())
	if d.how.version == mqtt.V5 {
		require.Equal(d, fmt.Sprintf("id-%d", n), messageID(p))
	}
	return p
}

// receiveOf expects the first n pushes, acknowledges the first acked of them and keeps the other acknowledgements
// back. When it returns, those that were sent have been read.
func (d *device) receiveOf(n, acked int) {
	d.Helper()
	for i := range n {
		if i < acked {
			d.receive(i)
		} else {
			d.see(i)
		}
	}
	d.alive()
}

func messageID(p guardtest.Packet) string {
	id, _ := mqtt.FindUserProperty(p.Publish().Properties, "pushMessageID")
	return string(id)
}

// nothingMore proves that nothing was on its way: what is pushed now comes next.
func (d *device) nothingMore() {
	d.Helper()
	const marker = 1 << 20
	d.push(d.inst, marker, marker+1)
	d.receive(marker)
}

// leave ends the connection as a client does that will be back.
func (d *device) leave() {
	d.Helper()
	d.alive()
	d.c.Send(guardtest.Disconnect)
	d.c.Rest()
}

// alive proves that the broker has read what the client sent.
func (d *device) alive() {
	d.Helper()
	d.c.Send(guardtest.Pingreq)
	_, before := d.c.Until(mqtt.PINGRESP)
	d.early = append(d.early, before...)
}

// ended expects the connection's end, with code where a client of MQTT 5 is told one.
func (d *device) ended(code mqtt.ReasonCode, told bool) {
	d.Helper()
	rest := d.c.Rest()
	if d.how.version == mqtt.V5 && told {
		require.NotEmpty(d, rest)
		last := rest[len(rest)-1]
		require.Equal(d, mqtt.DISCONNECT, last.Type())
		require.Equal(d, code, last.Code())
	}
}
