package enginetest

import (
	"context"

	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/mqtt"
	"github.com/kiiweb/kiiweb/pkg/kiicloud/guard/guardtest"
	"github.com/kiiweb/kiiweb/pkg/kiicloud/store"
)

// foreign topics are out of reach: a broker refuses the subscription, or ends the connection.
func foreign(w world) {
	inst, other := w.install(), w.install()
	reader := w.online(tcp5, other)
	for _, filter := range []string{other.Topic, "#", "+", "$SYS/#", "$share/g/" + other.Topic, inst.Topic + "/#"} {
		for _, how := range []way{tcp4, tcp5} {
			d := w.connect(how, inst)
			d.c.Send(guardtest.Subscribe(how.version, 1, nil, guardtest.Filter{Topic: filter, Options: 1}))
			d.c.Send(guardtest.Pingreq)
			refused := true
			for {
				p, open := d.c.NextOrEnd()
				if !open || p.Type() == mqtt.PINGRESP {
					break
				}
				if p.Type() == mqtt.SUBACK {
					refused = p.Code() >= mqtt.UnspecifiedError
				}
			}
			require.True(w, refused, "%v subscribed to %q", how, filter)
			d.c.HangUp()
		}
	}
	for _, how := range []way{tcp4, tcp5} {
		d := w.connect(how, inst)
		_ = d.c.TrySend(guardtest.Publish(how.version, 2, 7, other.Topic, nil, `{"forged":true}`), guardtest.Pingreq)
		for open := true; open; {
			var p guardtest.Packet
			if p, open = d.c.NextOrEnd(); open && p.Type() == mqtt.PINGRESP {
				break
			}
		}
		d.c.HangUp()
	}
	reader.nothingMore()
}

func takeover(w world) {
	for _, how := range ways {
		inst := w.install()
		older := w.online(how, inst)
		w.push(inst, 0, 6)
		older.receiveOf(6, 3)
		newer := w.online(how, inst)
		older.ended(mqtt.SessionTakenOver, true)
		for n := 3; n < 6; n++ {
			newer.receive(n)
		}
		newer.nothingMore()
		newer.leave()
	}
}

func disconnect(w world) {
	for _, how := range []way{tcp4, ws5} {
		inst := w.install()
		d := w.online(how, inst)
		w.push(inst, 0, 1)
		d.receive(0)
		d.alive()
		w.Engine.Disconnect(inst)
		d.ended(mqtt.AdministrativeAction, w.Traits.TellsWhy)
		w.Engine.Disconnect(inst) // who is not there
		w.push(inst, 1, 3)
		d = w.online(how, inst)
		d.receive(1)
		d.receive(2)
		d.nothingMore()
		d.leave()
	}
}

func revoke(w world) {
	again := map[way]*guardtest.Client{} // side by side: a broker may take its time to refuse
	for _, how := range ways {
		inst := w.install()
		h := w.hello(how, inst)
		d := w.online(how, inst)
		w.push(inst, 0, 1)
		d.receive(0)
		w.uninstall(inst)
		d.ended(mqtt.AdministrativeAction, w.Traits.TellsWhy)
		require.NoError(w, w.Engine.Publish(w.ctx(), []store.Installation{inst}, pushNumber(1)), "who is gone is left out")
		require.NoError(w, w.Engine.Revoke(w.ctx(), inst), "twice is no more than once")
		again[how] = w.dial(how)
		again[how].Send(guardtest.Connect(how.version, h))
	}
	for how, c := range again {
		code := c.Expect(mqtt.CONNACK).Code()
		if how.version == mqtt.V5 {
			require.Contains(w, []mqtt.ReasonCode{mqtt.NotAuthorized, mqtt.BadUserNameOrPassword}, code)
		} else {
			require.Contains(w, []mqtt.ReasonCode{4, 5}, code)
		}
		require.Empty(w, c.Rest())
	}
}

// unsubscribe halts the delivery; what is pushed then waits.
func unsubscribe(w world) {
	for _, how := range ways {
		inst := w.install()
		d := w.online(how, inst)
		w.push(inst, 0, 1)
		d.receive(0)
		d.c.Send(guardtest.Unsubscribe(how.version, 2, inst.Topic))
		d.c.Expect(mqtt.UNSUBACK)
		d.leave()
		w.push(inst, 1, 4)
		d = w.online(how, inst)
		for n := 1; n < 4; n++ {
			d.receive(n)
		}
		d.nothingMore()
		d.leave()
	}
}

func shutdown(w world) {
	inst := w.install()
	ctx, cancel := context.WithTimeout(context.Background(), guardtest.Patience)
	defer cancel()
	require.NoError(w, w.Engine.Shutdown(ctx))
	require.NoError(w, w.Engine.Shutdown(ctx), "twice is no more than once")
	w.Engine.Disconnect(inst)
}
