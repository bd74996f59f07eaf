package session

import (
	"github.com/kiiweb/kiiweb/internal/fault"
	"github.com/kiiweb/kiiweb/internal/mqtt"
)

// ask takes a request into the line, unless nothing will take it out again.
func (l *loop) ask(a *ask) {
	p := l.machine.phase
	switch {
	case p == phaseDisplaced || p.final():
		a.settle(l.s.final())
	case a.filter == l.endpoint.Topic:
		a.settle(fault.New(fault.InvalidArgument, "the connection's own topic is subscribed to as long as it lives"))
	case len(l.out.asks.list) >= l.cfg.MaxOutgoing:
		a.settle(fault.New(fault.QueueFull, "too many subscriptions wait to be sent"))
	default:
		a.expires = l.now().Add(l.cfg.MaxAge)
		l.look(a.expires)
		l.out.asks.list = append(l.out.asks.list, a)
	}
}

// sendAsks lets out the asks that were not sent over this connection.
func (l *loop) sendAsks() {
	for i := 0; i < len(l.out.asks.list) && i < asksMost && !l.careful(); {
		a := l.out.asks.list[i]
		if a.id == 0 {
			l.sendAsk(a)
		}
		if a.id != 0 { // else it was refused here
			i++
		}
	}
}

func (l *loop) sendAsk(a *ask) {
	a.id = l.out.newID()
	err := l.link.server.allowFilter(a)
	if err == nil {
		err = l.encodeWithin(a.packet(), "the topic filter")
	}
	if err != nil {
		a.id = 0
		l.answered(a, err)
		return
	}
	a.sent = true
}

// answered ends an ask. A subscription that was granted once and is refused when it is
// renewed is gone, which the application has to know.
func (l *loop) answered(a *ask, err error) {
	if a.id != 0 {
		l.link.answered = true
	}
	l.out.asks.drop(a)
	if err == nil || a.result == nil {
		l.out.asks.note(a.filter, err == nil && !a.off, a.qos)
	}
	a.settle(err)
	if e, ok := err.(*fault.Error); ok && a.result == nil {
		l.step(unrenewed{a.filter, e})
	}
}

// suback takes in the answer to SUBSCRIBE.
func (l *loop) suback(p *mqtt.Suback) {
	a := l.out.asks.find(p.PacketID, false)
	switch {
	case a == nil:
		l.violate(mqtt.ProtocolError, "MQTT-3.8.4-2", "a SUBACK came that nothing asked for")
	case len(p.ReasonCodes) != 1:
		l.violate(mqtt.ProtocolError, "MQTT-3.8.4-6", "SUBACK has not one reason code per topic filter")
	case p.ReasonCodes[0] >= mqtt.UnspecifiedError && a.own:
		l.lose(cause{kind: causeSuback, reason: p.ReasonCodes[0], text: words(&p.Properties)})
	case p.ReasonCodes[0] >= mqtt.UnspecifiedError:
		l.answered(a, refusedFilter("subscription", p.ReasonCodes[0], &p.Properties))
	case byte(p.ReasonCodes[0]) > a.qos:
		l.violate(mqtt.ProtocolError, "MQTT-3.8.4-8", "SUBACK grants a QoS above the one asked for")
	case a.own:
		l.out.asks.drop(a)
		l.step(subscribed{l.machine.gen})
	default:
		a.granted = byte(p.ReasonCodes[0])
		l.answered(a, nil)
	}
}

// unsuback takes in the answer to UNSUBSCRIBE. Before MQTT 5 it cannot refuse.
func (l *loop) unsuback(p *mqtt.Unsuback) {
	a := l.out.asks.find(p.PacketID, true)
	switch {
	case a == nil:
		l.violate(mqtt.ProtocolError, "MQTT-3.10.4-4", "an UNSUBACK came that nothing asked for")
	case l.version == mqtt.V5 && len(p.ReasonCodes) != 1:
		l.violate(mqtt.ProtocolError, "MQTT-3.11.3-1", "UNSUBACK has not one reason code per topic filter")
	case l.version == mqtt.V5 && p.ReasonCodes[0] >= mqtt.UnspecifiedError:
		l.answered(a, refusedFilter("end of the subscription", p.ReasonCodes[0], &p.Properties))
	default:
		l.answered(a, nil)
	}
}

// refusedFilter is the error of an ask that the server refused.
func refusedFilter(what string, reason mqtt.ReasonCode, p *mqtt.Properties) *fault.Error {
	r := lookup(subackRulings, reason, fault.ProtocolError)
	if r.code == fault.Unauthorized { // the credentials are good
		r.code = fault.Forbidden
	}
	return told(r.code, "the broker refused the "+what, reason, p)
}

// told is an error with a reason code and with what the server says beside it.
func told(code fault.Code, what string, reason mqtt.ReasonCode, p *mqtt.Properties) *fault.Error {
	text := what + ": " + reason.String()
	if s := words(p); s != "" {
		text += " (" + s + ")"
	}
	return fault.New(code, text).WithReason(byte(reason))
}
