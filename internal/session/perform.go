package session

import (
	"context"
	"time"

	"github.com/kiiweb/kiiweb/internal/fault"
	"github.com/kiiweb/kiiweb/internal/mqtt"
	"github.com/kiiweb/kiiweb/internal/transport"
)

// perform does what the machine wants.
func (l *loop) perform(e effect) {
	switch e := e.(type) {
	case fetch:
		l.fetch(e)
	case dial:
		l.dial(e)
	case learn:
		l.cfg.Spoken.learn(l.endpoint.URL, e.version, e.guess, l.now())
	case greet:
		l.greet(e)
	case resume:
		l.resume(e)
	case flow:
		l.flowing = true
	case limit:
		l.stage = e.stage
		l.alarms.set(alarmStage, l.now().Add(l.timeout(e.stage)))
	case unlimit:
		l.alarms.off(alarmStage)
	case watchStable:
		l.alarms.set(alarmStable, l.now().Add(l.cfg.StableAfter))
	case ping:
		l.ping()
	case abandon:
		l.part(nil)
	case hangUp:
		l.part(&mqtt.Disconnect{ReasonCode: e.reason})
	case wait:
		l.wait(e)
	case unwait:
		l.alarms.off(alarmRetry)
	case announce:
		l.claim.unsure = l.claim.unsure || e.state == Displaced
		c := Change{State: e.state, Reason: e.reason, Err: e.err}
		switch c.State {
		case Waiting: // otherwise wait announces it
			c.RetryIn = -1
		case Online:
			c.Broker = l.broker
		}
		l.announce(c)
	case failSent:
		for _, filter := range l.out.failSent(e.err, e.filters) {
			l.step(unrenewed{filter, e.err})
		}
	case settle:
		l.out.failAll(e.err)
	case discard:
		l.batch = batch{}
		l.courier.discard()
	case finish:
		l.ended = true
	}
}

func (l *loop) timeout(s stage) time.Duration {
	if s == stageEndpoint {
		return l.cfg.EndpointTimeout
	}
	return l.cfg.StageTimeout
}

// background makes a context for a hook of the current attempt. The one before, if
// any, has done its work.
func (l *loop) background() context.Context {
	l.release()
	ctx, cancel := context.WithCancel(context.Background())
	l.cancel = cancel
	return ctx
}

// release ends the hook that may still work for the attempt.
func (l *loop) release() {
	if l.cancel != nil {
		l.cancel()
		l.cancel = nil
	}
}

// fetch calls the Endpoint hook in the background.
func (l *loop) fetch(e fetch) {
	ctx := l.background()
	go func() {
		endpoint, err := guardHook(l.cfg, func() (Endpoint, error) { return l.cfg.Endpoint(ctx, e.refresh) })
		l.s.post(func(l *loop) { l.fetched(e, endpoint, err) })
	}()
}

// fetched takes the hook's answer. One that was asked for ahead of need may fail: the
// connection has some time left.
func (l *loop) fetched(e fetch, endpoint Endpoint, err error) {
	switch {
	case e.ahead && (err != nil || l.lapsed(endpoint)):
	case err != nil:
		l.step(lost{e.gen, cause{kind: causeEndpoint, err: err}})
	case e.gen == l.machine.gen:
		l.endpoint = endpoint
		l.renewAt = renewal(endpoint.Expires, l.now())
		l.step(endpointReady{e.gen, l.lapsed(endpoint), l.cfg.Spoken.at(endpoint.URL, l.now())})
	}
}

func (l *loop) lapsed(e Endpoint) bool {
	return !e.Expires.IsZero() && e.Expires.Round(0).Sub(l.now().Round(0)) <= 0
}

// renewal gives the time at which an endpoint is to be fetched anew, so that the next
// connection stands before it expires; zero: never.
func renewal(expires, now time.Time) time.Time {
	if expires.IsZero() {
		return expires
	}
	return expires.Add(-min(max(expires.Round(0).Sub(now.Round(0)), 0)/10, renewAhead))
}

// renewAhead is how long before its end an endpoint is fetched anew at most.
const renewAhead = time.Minute

// dial opens the transport in the background. One that comes too late is closed.
func (l *loop) dial(e dial) {
	l.version, l.dialed = e.version, l.now()
	l.codec, _ = mqtt.NewCodec(e.version) // the machine knows no others
	ctx, url := l.background(), l.endpoint.URL
	o := transport.Options{
		Subprotocols: []string{subprotocol(e.version)},
		RootCAs:      l.endpoint.RootCAs,
		ReadLimit:    frames * int64(l.cfg.MaxPacket),
	}
	go func() {
		conn, err := guardHook(l.cfg, func() (transport.Conn, error) { return l.cfg.Dial(ctx, url, o) })
		taken := make(chan bool, 1)
		posted := l.s.post(func(l *loop) {
			if err != nil {
				l.step(lost{e.gen, cause{kind: causeDial, err: err}})
				return
			}
			l.offered = conn
			l.step(dialed{e.gen})
			taken <- l.offered == nil // the greet effect takes it
			l.offered = nil
		})
		if err == nil && (!posted || !<-taken) {
			_ = conn.Close() // nobody uses it
		}
	}()
}

// subprotocol names the version as WebSocket servers expect it [MQTT-6.0.0-3]; 3.1
// had a name of its own.
func subprotocol(v mqtt.Version) string {
	if v == mqtt.V31 {
		return "mqttv3.1"
	}
	return "mqtt"
}

// guardHook calls a hook and makes an error of its panic.
func guardHook[T any](cfg *Config, hook func() (T, error)) (v T, err error) {
	defer func() {
		if p := recover(); p != nil {
			survive(cfg.OnPanic, p)
			err = fault.New(fault.Crashed, "a hook of the session panicked: "+fault.PanicText(p))
		}
	}()
	return hook()
}

// resume rewinds what was sent before, and subscribes, unless greet has. It does so even where the
// server kept the session: that is allowed, and a server that begins to deliver at
// SUBSCRIBE needs it. MQTT 3.1 does not tell whether the session was kept, so it has to
// be taken for kept: QoS 2 stays exact, and QoS 1 promises no more. Subscribing again
// does no harm.
func (l *loop) resume(e resume) {
	kept := e.sessionPresent || l.version == mqtt.V31 && !l.cfg.CleanStart
	l.out.rewind(kept)
	l.out.asks.rewind(l.claim.resolve(e.sessionPresent, l.version))
	if !kept {
		l.unreleased.forget()
	}
	if l.link.own == nil {
		l.link.own = l.askOwn()
	}
	l.out.asks.list = append(l.out.asks.list, l.link.own)
}

// ping asks for a sign of life.
func (l *loop) ping() {
	if l.link != nil && l.link.keep.probe(l.now()) {
		l.pingreq()
	}
}

// pingreq puts PINGREQ, which always can be encoded, into the next write.
func (l *loop) pingreq() { _ = l.encode(&mqtt.Pingreq{}) }

// part ends the attempt and what belongs to it, after the last words if there are any.
// Before MQTT 5 DISCONNECT cannot tell of a fault, so nothing is said [MQTT-4.8.0-1].
func (l *loop) part(last *mqtt.Disconnect) {
	l.release()
	l.alarms.off(alarmStage, alarmStable, alarmExpiry, alarmLink)
	l.flowing = false
	k := l.link
	if k == nil {
		return
	}
	var lastWords Timer
	if last != nil && (l.version == mqtt.V5 || last.ReasonCode == mqtt.Success) {
		_ = l.encode(last) // without it the connection ends all the same
		lastWords = l.cfg.Clock.NewTimer()
		lastWords.Reset(l.cfg.CloseTimeout)
	}
	l.link = nil
	err := fault.New(fault.Network, "the connection ended before the message was written")
	k.retire(lastWords, err, l.s.hurry, &l.retired)
}

// wait starts the retry timer and announces it.
func (l *loop) wait(e wait) {
	b := backoff{l.cfg.BackoffBase, l.cfg.BackoffCap}
	d := e.floor + b.delay(e.attempt, l.cfg.Rand())
	l.alarms.set(alarmRetry, l.now().Add(d))
	l.announce(Change{State: Waiting, Reason: e.err.Message, RetryIn: d, Err: e.err})
}

// announce makes c the session's state and tells the application, behind the
// messages that came before. An error without a code is none: nothing is wrong.
func (l *loop) announce(c Change) {
	c.ReasonCode = -1
	if c.Err != nil {
		c.Code, c.ReasonCode = c.Err.Code, c.Err.ReasonCode
	}
	if c.Code == "" {
		c.Err = nil
	}
	l.dispatch()
	l.s.set(c)
	l.courier.tell(c)
}

// recheckExpiry sets the alarm for the endpoint's renewal, or its end, by the wall
// clock, which went on while the machine slept.
func (l *loop) recheckExpiry(now time.Time) {
	if l.link == nil || l.endpoint.Expires.IsZero() {
		return
	}
	at := l.endpoint.Expires
	if !l.renewAt.IsZero() {
		at = l.renewAt
	}
	l.alarms.set(alarmExpiry, now.Add(at.Round(0).Sub(now.Round(0))))
}

// expires renews the endpoint ahead of its end, or ends the connection with it.
func (l *loop) expires(now time.Time) {
	if l.renewAt.IsZero() || l.lapsed(l.endpoint) {
		l.lose(cause{kind: causeExpired})
		return
	}
	l.renewAt = time.Time{}
	l.recheckExpiry(now)
	l.step(expiring{l.machine.gen})
}
