package session

import (
	"context"
	"time"

	"github.com/kiiweb/kiiweb/internal/fault"
	"github.com/kiiweb/kiiweb/internal/mqtt"
)

// Publish sends a message once the session is online. It returns nil when the message
// is written (QoS 0), acknowledged (QoS 1) or taken over and released (QoS 2), across
// reconnections where it must; what that promises is said at inflight. The end of ctx
// ends the wait; at QoS 1 and 2 what was sent stays on its way. Codes:
// INVALID_ARGUMENT, UNSUPPORTED, PACKET_TOO_LARGE, QUEUE_FULL, TIMEOUT (not sent for
// MaxAge, or within its message expiry interval), NETWORK (QoS 0), the code of the broker's refusal, and those of displaced,
// closed and failed.
func (s *Session) Publish(ctx context.Context, m Message) error {
	o, err := newOutgoing(m)
	if err != nil {
		return err
	}
	return s.await(ctx, "message", o.result,
		func(l *loop) { l.queue(o) }, func(l *loop) { l.out.forget(o) })
}

// Send does what Publish does for many messages, without waiting: tell is told of each
// how it went, under a ticket. Tickets count from first, and are above 0. tell is called
// from the loop, so it must not wait. The payloads must not be changed any more.
func (s *Session) Send(messages []Message, first int32, tell func(ticket int32, err error)) {
	list := make([]*outgoing, 0, len(messages))
	for i, m := range messages {
		o, err := outgoingOf(m)
		if err != nil {
			tell(first+int32(i), err)
			continue
		}
		o.ticket, o.tell = first+int32(i), tell
		list = append(list, o)
	}
	posted := s.post(func(l *loop) {
		for _, o := range list {
			l.queue(o)
		}
	})
	if !posted {
		for _, o := range list {
			o.settle(s.final())
		}
	}
}

// Forget takes a message of Send out again when it was never sent; tell is not told of it.
func (s *Session) Forget(ticket int32) {
	s.post(func(l *loop) {
		for _, o := range l.out.queue {
			if o.ticket == ticket {
				l.out.forget(o)
				return
			}
		}
	})
}

// Subscribe subscribes to a further topic filter once the session is online, and gives
// the QoS granted. The subscription is renewed when the server has lost the session;
// where it refuses then, OnChange is told. After the end of ctx the subscription may
// be there or not. The codes are those of Publish.
func (s *Session) Subscribe(ctx context.Context, filter string, qos byte) (granted byte, err error) {
	if qos > 2 {
		return 0, fault.New(fault.InvalidArgument, "the QoS of a subscription is 0, 1 or 2")
	}
	a := &ask{filter: filter, qos: qos}
	if err := s.ask(ctx, a); err != nil {
		return 0, err
	}
	return a.granted, nil
}

// Unsubscribe ends what Subscribe began, in the manner of Subscribe. That there was no
// such subscription is no error.
func (s *Session) Unsubscribe(ctx context.Context, filter string) error {
	return s.ask(ctx, &ask{filter: filter, off: true})
}

func (s *Session) ask(ctx context.Context, a *ask) error {
	if !mqtt.ValidTopicFilter(a.filter) {
		return fault.New(fault.InvalidArgument, "the topic filter is not one to subscribe to")
	}
	a.result = make(chan error, 1)
	return s.await(ctx, "request", a.result,
		func(l *loop) { l.ask(a) }, func(l *loop) { l.out.asks.forget(a) })
}

// await has the loop begin something and waits for its result. forget is for what was
// not sent when ctx ends.
func (s *Session) await(ctx context.Context, what string, result chan error, begin, forget func(*loop)) error {
	if ctx.Err() != nil {
		return ended(ctx, "the "+what+" was not sent", nil)
	}
	if !s.post(begin) {
		return s.final()
	}
	select {
	case err := <-result:
		return err
	case <-ctx.Done():
	}
	s.post(forget)
	select {
	case err := <-result:
		return err
	default:
		return ended(ctx, "the "+what+" is not sent or not acknowledged yet", nil)
	}
}

// queue takes a message into the line, unless nothing will take it out again.
func (l *loop) queue(o *outgoing) {
	if p := l.machine.phase; p == phaseDisplaced || p.final() {
		o.settle(l.s.final())
		return
	}
	now := l.now()
	o.queued, o.expires = now.Round(0), now.Add(l.cfg.MaxAge)
	if d, ok := o.interval(); ok && d < l.cfg.MaxAge {
		o.expires, o.lapses = now.Add(d), true
	}
	l.look(o.expires)
	if err := l.out.add(o); err != nil {
		o.settle(err)
	}
}

// look makes sure that somebody looks for what was not sent in time.
func (l *loop) look(at time.Time) {
	if next := l.alarms.at[alarmQueue]; next.IsZero() || at.Before(next) {
		l.alarms.set(alarmQueue, at)
	}
}

// expire fails what was not sent in time. What was sent before is past that: the server
// may have it.
func (l *loop) expire(now time.Time) {
	err := errTooLong()
	next := l.out.expire(now, err)
	if asks := l.out.asks.expire(now, err); next.IsZero() || !asks.IsZero() && asks.Before(next) {
		next = asks
	}
	l.alarms.set(alarmQueue, next)
}

func errTooLong() *fault.Error { return fault.New(fault.Timeout, "it could not be sent for too long") }

func errLapsed() *fault.Error {
	return fault.New(fault.Timeout, "its message expiry interval was over before the broker had it")
}

// interval gives a message's expiry interval, if it has one; 0 is none to some brokers, and left to them.
func (o *outgoing) interval() (time.Duration, bool) {
	if s := o.packet.Properties.MessageExpiry; s != nil && *s > 0 {
		return time.Duration(*s) * time.Second, true
	}
	return 0, false
}

// left gives what is left of the interval, in seconds: what a message waits is taken off it, as a
// server does [MQTT-3.3.2-6]. false: nothing. What was sent in this session before is sent again all the
// same, since the server may have it and wait for the rest of the exchange; with the least that there
// is.
func (o *outgoing) left(now time.Time) (seconds uint32, ok bool) {
	d, any := o.interval()
	if !any {
		return 0, true
	}
	d -= max(now.Round(0).Sub(o.queued), 0).Truncate(time.Second)
	if d <= 0 {
		return 1, o.packet.Dup
	}
	return uint32(d / time.Second), true
}

// expire settles the messages that were never sent and are due, and tells when the next
// one will be; zero: none waits.
func (f *inflight) expire(now time.Time, err error) (next time.Time) {
	kept := f.queue[:0]
	for _, o := range f.queue {
		switch {
		case o.packet.PacketID != 0:
		case o.lapses && !now.Before(o.expires):
			o.settle(errLapsed())
			continue
		case !now.Before(o.expires):
			o.settle(err)
			continue
		case next.IsZero() || o.expires.Before(next):
			next = o.expires
		}
		kept = append(kept, o)
	}
	f.queue = kept
	return next
}

// expire does the same for asks.
func (s *asks) expire(now time.Time, err error) (next time.Time) {
	kept := s.list[:0]
	for _, a := range s.list {
		switch {
		case a.id != 0 || a.sent || a.expires.IsZero():
		case !now.Before(a.expires):
			a.settle(err)
			continue
		case next.IsZero():
			next = a.expires
		}
		kept = append(kept, a)
	}
	s.list = kept
	return next
}
