package session

import (
	"context"
	"sync"
	"time"

	"github.com/kiiweb/kiiweb/internal/fault"
	"github.com/kiiweb/kiiweb/internal/mqtt"
	"github.com/kiiweb/kiiweb/internal/transport"
)

// turnMax bounds how many things one turn takes in before it writes and delivers.
const turnMax = 64

// loop owns the session. Nothing in it blocks but the wait at the top of a turn; outside
// of that it holds mu, by which a lane knows that the loop is at rest.
type loop struct {
	mu      sync.Mutex
	s       *Session
	cfg     *Config
	machine machine
	began   time.Time
	version mqtt.Version // of the current attempt
	codec   mqtt.Codec   // for that version
	events  []event      // the one that is performed, and those that came up in it
	ended   bool

	endpoint Endpoint       // of the current attempt
	renewAt  time.Time      // when to fetch it anew; zero: never, or it was tried
	assigned string         // client identifier that a server gave
	claim    claim          // whose session the server has
	broker   *Broker        // what the latest CONNACK said
	dialed   time.Time      // when the present dial began
	offered  transport.Conn // just dialed, for the greet effect
	cancel   context.CancelFunc
	link     *link // nil while there is none
	retired  sync.WaitGroup

	alarms  alarms
	stage   stage // that alarmStage is about
	out     inflight
	flowing bool // publishes may be sent
	seen    dedupe

	unreleased idSet // messages at QoS 2 that the server has not released

	courier *courier
	batch   batch  // what this turn received
	topic   string // of the last message received

	receiver int32         // who gets what comes the short way; 0: nobody
	firm     func([]byte)  // see Express
	topics   *topicNumbers // of the short way; nil where there is none
}

func newLoop(s *Session) *loop {
	l := &loop{s: s, cfg: &s.cfg}
	l.began = l.now()
	l.machine.contest.off = l.cfg.NoContest
	l.machine.version = negotiation{forced: l.cfg.Version != 0, spoken: l.cfg.Version}
	l.out.max = s.cfg.MaxOutgoing
	// A program before this one may have left messages at QoS 2 half sent in the server's session, under
	// identifiers that begin with 1 if they always did: the server would take another one for a repeat.
	l.out.lastID = uint16(s.cfg.Rand() * (1 << 16))
	l.alarms.timer = s.cfg.Clock.NewTimer()
	l.courier = s.courier
	return l
}

// run is the loop's goroutine: it takes turns until the machine is done.
func (l *loop) run() {
	go l.courier.run()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.step(opened{})
	for !l.ended {
		l.send()
		l.alarms.arm(l.now())
		l.turn()
		for n := 1; n < turnMax && !l.ended && l.more(); n++ {
		}
		l.dispatch()
	}
	l.finish()
}

// turn waits for something and takes it in.
func (l *loop) turn() {
	chunks, wrote := l.chunks(), l.wrote()
	l.mu.Unlock()
	select {
	case f := <-l.s.inbox:
		l.mu.Lock()
		f(l)
	case b := <-l.s.delivered:
		l.mu.Lock()
		l.acknowledge(b)
	case c := <-chunks:
		l.mu.Lock()
		l.chunk(c)
	case err := <-wrote:
		l.mu.Lock()
		l.written(err)
	case <-l.alarms.timer.C():
		l.mu.Lock()
		l.alarm()
	}
}

// more takes in something that is there already, so that what it leads to goes out
// together. It tells whether there was anything.
func (l *loop) more() bool {
	select {
	case f := <-l.s.inbox:
		f(l)
	case b := <-l.s.delivered:
		l.acknowledge(b)
	case c := <-l.chunks():
		l.chunk(c)
	default:
		return false
	}
	return true
}

// chunks gives the channel to receive from, nil when nothing is to be received.
func (l *loop) chunks() chan chunk {
	if l.link == nil || !l.reading() {
		return nil
	}
	return l.link.chunks
}

func (l *loop) wrote() chan error {
	if l.link == nil {
		return nil
	}
	return l.link.wrote
}

// reading tells whether chunks are taken in. They are not while too many messages
// wait for the application, unless a message of its own waits for an acknowledgement:
// a handler may be waiting for that.
func (l *loop) reading() bool {
	return l.out.waiting() || len(l.batch.msgs) < l.cfg.MaxBacklog && !l.courier.full()
}

func (l *loop) now() time.Time { return l.cfg.Clock.Now() }

// step takes an event through the machine and performs the effects. An event that
// comes up in an effect has its turn afterwards.
func (l *loop) step(e event) {
	l.events = append(l.events, e)
	if len(l.events) > 1 {
		return
	}
	for len(l.events) > 0 {
		m, effects := step(l.machine, l.events[0])
		l.machine = m
		for _, e := range effects {
			l.perform(e)
		}
		l.events = l.events[1:]
	}
}

// lose ends the current attempt.
func (l *loop) lose(c cause) {
	now := l.now()
	c.at = since(l.began, now)
	if l.link != nil {
		c.lived, c.took = since(l.link.welcomed, now), now.Sub(l.dialed)
		if !l.link.welcomed.IsZero() {
			c.took = l.link.welcomed.Sub(l.dialed)
		}
		c.answered, c.unanswered, c.doubted = l.link.answered, l.out.unanswered(), l.link.doubt != doubtNone
		c.renewing = l.out.asks.renewing()
	}
	l.step(lost{l.machine.gen, c})
}

// since is the time from then to now, with the time for which the machine slept: the monotonic clock may have
// stood still then, and the wall clock may be set back.
func since(then, now time.Time) time.Duration {
	return max(now.Sub(then), now.Round(0).Sub(then.Round(0)))
}

// dispatch hands over what this turn received.
func (l *loop) dispatch() {
	if l.batch.empty() {
		return
	}
	if k := l.link; k != nil && k.lane != nil {
		l.batch.behind = k.lane.owed.total
	}
	for _, m := range l.courier.deliver(l.batch, l.courier.full()) {
		if id, ok := pushID(m.Properties); ok {
			l.seen.forget(id) // nobody has had it: should it come again, it is no repeat
		}
	}
	l.batch = batch{}
}

// alarm handles the timer. One that is far too late means that the machine slept.
func (l *loop) alarm() {
	now := l.now()
	if l.alarms.fired(now) {
		l.recheckExpiry(now)
		if k := l.link; k != nil && k.busy {
			k.writeBy = now.Add(l.cfg.StageTimeout + k.keep.underWay(now))
		}
		l.step(woken{"the machine was asleep"})
	}
	if l.alarms.due(alarmStage, now) {
		l.lose(cause{kind: causeTimeout, text: l.stage.String()})
	}
	if l.alarms.due(alarmRetry, now) {
		l.step(retryDue{})
	}
	if l.alarms.due(alarmStable, now) {
		l.step(stableDue{l.machine.gen})
	}
	if l.alarms.due(alarmExpiry, now) {
		l.expires(now)
	}
	if l.alarms.due(alarmQueue, now) {
		l.expire(now)
	}
	l.checkLink(now)
}

// checkLink looks after the keep alive and the write under way.
func (l *loop) checkLink(now time.Time) {
	k := l.link
	if k == nil {
		return
	}
	select {
	case err := <-k.wrote: // it is done, and only nobody has looked
		l.written(err)
	default:
	}
	switch {
	case !k.writeBy.IsZero() && !now.Before(k.writeBy):
		err := k.broken
		if err == nil {
			err = errStuck()
		}
		l.lose(cause{kind: causeClosed, err: err})
		return
	case !l.reading() || len(k.chunks) > 0:
		k.keep.heard(now) // what arrived is not looked at yet, so nothing can be missing
	case k.keep.dead(now):
		l.lose(cause{kind: causeTimeout, text: "PINGRESP"})
		return
	}
	if k.keep.pingDue(now) {
		l.pingreq()
		k.keep.pinged(now)
	}
}

func errStuck() *fault.Error { return fault.New(fault.Timeout, "the network takes nothing any more") }

// watch sets the alarm for the link.
func (l *loop) watch() {
	if l.link == nil {
		return
	}
	at := l.link.keep.next()
	if by := l.link.writeBy; !by.IsZero() && (at.IsZero() || by.Before(at)) {
		at = by
	}
	l.alarms.set(alarmLink, at)
}

// written notes that the writer is idle. After a failed write the reader may still
// have the server's reason, so the end is left to it, for a moment.
func (l *loop) written(err error) {
	l.link.written(err)
	if err != nil {
		l.link.writeBy = l.now().Add(drainWait)
	}
}

// drainWait is how long a reader may take to find the end after a write failed.
const drainWait = time.Second

// finish waits for the last words of connections, a bounded time, and ends the rest.
func (l *loop) finish() {
	close(l.s.over)
	gone := make(chan struct{})
	go func() {
		l.retired.Wait()
		close(gone)
	}()
	timer := l.cfg.Clock.NewTimer()
	timer.Reset(2 * l.cfg.CloseTimeout)
	select {
	case <-gone:
	case <-timer.C():
	}
	timer.Stop()
	l.alarms.timer.Stop()
	l.courier.end()
	close(l.s.done)
}
