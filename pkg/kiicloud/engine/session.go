package engine

import (
	"context"
	"errors"
	"fmt"
	"net"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/kiiweb/kiiweb/internal/mqtt"
	"github.com/kiiweb/kiiweb/pkg/kiicloud/guard"
	"github.com/kiiweb/kiiweb/pkg/kiicloud/store"
)

// session is one connection. It is the guard's Handler, and the pump's sender.
type session struct {
	e    *Embedded
	conn *guard.Conn

	// Set by the reading goroutine, while it connects; the pump's start comes after.
	turn  int64 // among all connections, by when its password was found to be good
	topic string
	id    string // of the installation, "" until it was found; the rest of it nobody needs while the connection is idle

	packet    []byte // room for one that is being sent; the pump's, while it is
	gathering bool   // sending several

	mu    sync.Mutex
	clear chan struct{} // closed when the topic's former connection has stopped delivering; nil then, and before there is one
	ended bool
	pump  *pump       // nil until Connect let the client in
	lapse *time.Timer // ends the connection when the password lapses; nil where it is good for ever
}

func newSession(e *Embedded, under net.Conn) *session {
	s := &session{e: e}
	s.conn = guard.NewConn(under, s, e.limits)
	return s
}

// Connect checks who the client is and makes its connection the one of its topic: the
// newer one wins. Only who knows the password, and whose installation is there, gets as far as that.
func (s *session) Connect(c *mqtt.Connect) *guard.Refusal {
	if !c.HasUsername || !c.HasPassword {
		return &guard.Refusal{Code: mqtt.BadUserNameOrPassword, Reason: "user name and password are missing: take those of the endpoint"}
	}
	expires, err := s.e.credentials.Verify(c.Username, c.ClientID, string(c.Password))
	switch {
	case errors.Is(err, ErrLapsed):
		return &guard.Refusal{Code: mqtt.BadUserNameOrPassword, Reason: "the endpoint has lapsed: fetch it again"}
	case err != nil:
		return &guard.Refusal{Code: mqtt.BadUserNameOrPassword,
			Reason: "client identifier, user name and password do not belong together: take those of the endpoint"}
	}
	s.turn = s.e.turns.Add(1)
	ends := s.e.ends.Load()
	inst, r := s.findInstallation(c)
	if r != nil {
		return r
	}
	inst, r = s.takeOver(c, inst, ends)
	if r != nil {
		return r
	}
	s.admit(c, inst, expires)
	return nil
}

// takeOver ends the topic's former connection and waits until it has stopped delivering. A connection
// that came later and was looked up sooner is not a former one: this one may be of an attempt that its
// client has given up since. inst was found when ends installations had ended.
func (s *session) takeOver(c *mqtt.Connect, inst *store.Installation, ends int64) (*store.Installation, *guard.Refusal) {
	s.topic = c.ClientID
	s.mu.Lock()
	s.clear = make(chan struct{})
	s.mu.Unlock()
	defer s.cleared()
	before, claimed := s.e.sessions.claim(s.topic, s)
	if !claimed {
		return nil, &guard.Refusal{Code: mqtt.ServerBusy, Reason: "another connection with the same client identifier came after this one"}
	}
	why := &guard.Refusal{Code: mqtt.SessionTakenOver, Reason: "another connection with the same client identifier took over"}
	var refused *guard.Refusal
	// Whoever ended an installation before this session could be found by its topic has counted it.
	if now := s.e.ends.Load(); now != ends {
		if inst, refused = s.findInstallation(c); refused != nil {
			switch {
			case refused.Code != mqtt.ServerUnavailable:
				why = &guard.Refusal{Code: mqtt.AdministrativeAction, Reason: refused.Reason}
			case before == nil || !s.e.sessions.giveBack(s.topic, s, before): // another one counts on its end
			case s.e.ends.Load() == now: // who is not let in ends nobody
				if pump := before.delivery(); pump != nil {
					pump.poke() // what was offered meanwhile was offered to this session
				}
				return nil, refused
			default: // what has ended meanwhile may be this installation, whose end has found this session alone
				why = refused
			}
		}
	}
	if before != nil {
		before.end(why)
	}
	return inst, refused
}

// cleared lets those go on that wait for the topic's former connection.
func (s *session) cleared() {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.clear)
	s.clear = nil
}

// findInstallation looks for the installation that the client says it is.
func (s *session) findInstallation(c *mqtt.Connect) (*store.Installation, *guard.Refusal) {
	ctx, cancel := context.WithTimeout(context.Background(), storeTimeout)
	defer cancel()
	inst := new(store.Installation) // not on the stack: that of a connection stays as large as it ever was
	err := apart(func() (err error) {
		*inst, err = s.e.queue.InstallationByTopic(ctx, c.ClientID)
		return err
	})
	switch {
	case errors.Is(err, store.ErrNotFound), err == nil && inst.ID != c.Username:
		return nil, &guard.Refusal{Code: mqtt.NotAuthorized, Reason: "the installation was removed, or its owner is disabled"}
	case err != nil:
		s.e.log.Error("installation cannot be looked up", "error", err)
		return nil, &guard.Refusal{Code: mqtt.ServerUnavailable, Reason: "the store does not answer: try again later"}
	}
	s.id = inst.ID
	return inst, nil
}

// apart runs f in a goroutine of its own. A database needs a stack of 16 KiB or 32, which the
// goroutine of a connection would keep until some collection of garbage, or for ever.
func apart(f func() error) error {
	done := make(chan error, 1)
	go func() {
		defer func() {
			if p := recover(); p != nil {
				done <- fmt.Errorf("panic: %v\n%s", p, debug.Stack())
			}
		}()
		done <- f()
	}()
	return <-done
}

// forEver is longer than any connection lives: a password that is good for so long needs no timer.
const forEver = 10 * 365 * 24 * time.Hour

// admit prepares the delivery, within what the client can take in.
func (s *session) admit(c *mqtt.Connect, inst *store.Installation, expires time.Time) {
	window := s.e.window
	if m := c.Properties.ReceiveMaximum; m != nil {
		window = min(window, int(*m))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return // the guard notices
	}
	s.e.count.connects.Add(1)
	s.pump = newPump(s.e.queue, s.e.settled, s, inst.ID, inst.LastSeq, window, &s.e.count, s.e.log)
	if left := time.Until(expires); left < forEver {
		s.lapse = time.AfterFunc(left, func() {
			s.end(&guard.Refusal{Code: mqtt.MaximumConnectTime, Reason: "the endpoint has lapsed: fetch it again"})
		})
	}
}

// Publish puts what the client published to its own topic into its installation's queue.
func (s *session) Publish(p mqtt.PublishView) *guard.Refusal {
	props, err := mqtt.DecodeProperties(p.Properties)
	if err != nil {
		return &guard.Refusal{Code: mqtt.UnspecifiedError, Reason: err.Error()}
	}
	now := time.Now()
	life := store.QueueTTL
	if e := props.MessageExpiry; e != nil {
		life = min(life, time.Duration(*e)*time.Second)
	}
	err = s.e.enqueue(context.Background(), store.Installation{ID: s.id, Topic: s.topic}, store.Push{
		InstallationID: s.id,
		MessageID:      ownPrefix + randomID(),
		Payload:        append([]byte(nil), p.Payload...),
		CreatedAt:      now,
		ExpiresAt:      now.Add(life),
	})
	switch {
	case errors.Is(err, store.ErrNotFound):
		return &guard.Refusal{Code: mqtt.NotAuthorized, Reason: "the installation was removed"}
	case err != nil:
		s.e.log.Error("a client's message cannot be stored", "installation", s.id, "error", err)
		return &guard.Refusal{Code: mqtt.UnspecifiedError, Reason: "the message could not be stored"}
	}
	return nil
}

// Acknowledge is a PUBACK.
func (s *session) Acknowledge(packetID uint16) {
	if p := s.delivery(); p != nil {
		p.acknowledge(packetID)
	}
}

// delivery is the pump, nil before the client was let in.
func (s *session) delivery() *pump {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pump
}

// end ends the connection for r. When it returns, neither it nor any connection that it
// took over from delivers any more, and the queue knows what was acknowledged.
func (s *session) end(r *guard.Refusal) {
	s.conn.End(r)
	s.mu.Lock()
	s.ended = true
	pump, lapse, clear := s.pump, s.lapse, s.clear
	s.mu.Unlock()
	if lapse != nil {
		lapse.Stop()
	}
	if pump != nil {
		pump.stop()
	}
	if clear != nil {
		<-clear
	}
}

// send is the pump's: one PUBLISH.
func (s *session) send(m outgoing) error {
	p := mqtt.Publish{QoS: m.qos, Topic: s.topic, PacketID: m.packetID, Payload: m.push.Payload}
	if s.conn.Version() == mqtt.V5 {
		p.Properties.User = []mqtt.UserProperty{{Key: "pushMessageID", Value: m.push.MessageID}}
		if !m.push.ExpiresAt.IsZero() {
			left := uint32(max(time.Until(m.push.ExpiresAt).Round(time.Second)/time.Second, 1))
			p.Properties.MessageExpiry = &left
		}
		if m.identifier > 0 {
			p.Properties.SubscriptionID = []uint32{m.identifier} // [MQTT-3.3.4-3]
		}
	}
	b, err := s.encode(slices.Grow(s.packet[:0], len(p.Topic)+len(p.Payload)+packetRest), &p)
	if s.gathering {
		s.packet = b
	}
	if err == nil {
		_, err = s.conn.Write(b)
	}
	return err
}

// packetRest is about as many bytes as a PUBLISH has besides topic and payload.
const packetRest = 64

// together is the pump's.
func (s *session) together(write func() error) error {
	s.gathering = true
	defer func() { s.packet, s.gathering = nil, false }() // an idle connection keeps no buffer
	return s.conn.Batch(write)
}

// giveUp is the pump's.
func (s *session) giveUp() {
	s.conn.End(&guard.Refusal{Code: mqtt.UnspecifiedError, Reason: "delivery failed"})
}
