package rabbitmq

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"net"
	"strings"
	"sync/atomic"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

const (
	dialTimeout  = 10 * time.Second // TCP, TLS and the handshake of AMQP
	writeTimeout = 10 * time.Second // RabbitMQ reads nothing for so long: the connection is given up
	heartbeat    = 10 * time.Second // RabbitMQ is silent for some of these: the same
	toolTimeout  = 30 * time.Second // one answer of RabbitMQ's to what is not a push: the same
	closeTimeout = 3 * time.Second  // the end of a connection

	publishers = 8 // channels on which pushes are sent; all of one queue go over the same
	toolbox    = 8 // channels for all else
)

// ErrAccess is RabbitMQ's refusal of the engine's own user.
var ErrAccess = errors.New("RabbitMQ does not let the engine's user in")

// errAlarm means that a node of the cluster is short of memory or disk.
var errAlarm = errors.New("RabbitMQ takes no pushes")

// link is how a process reaches one node: two AMQP connections, one for pushes, which RabbitMQ stops reading when it is
// short of memory or disk, and one for all else. It ends once, as a whole, and is never repaired: another one
// takes its place.
type link struct {
	host       string
	push, work half
	alarm      *alarm // of push
	slots      [publishers]slot
	tools      chan *amqp.Channel // nil where one has to be opened first
	seed       maphash.Seed
	wary       moment // when a queue has last held up a channel, or may have: see scout.go
}

// half is one of the connections.
type half struct {
	conn  *amqp.Connection
	under net.Conn
	gone  chan *amqp.Error // closed when the connection has ended
}

// dial connects to one node.
func dial(ctx context.Context, a Address, host string) (*link, error) {
	return dialOver(ctx, a, host, connect)
}

// connector opens the connection below AMQP to a host.
type connector func(context.Context, Address, string) (*impatient, error)

func dialOver(ctx context.Context, a Address, host string, connect connector) (*link, error) {
	l := &link{host: host, alarm: newAlarm(host), tools: make(chan *amqp.Channel, toolbox), seed: maphash.MakeSeed()}
	var err error
	if l.push, err = open(ctx, a, host, "kiicloud: pushes", connect); err != nil {
		return nil, err
	}
	if l.work, err = open(ctx, a, host, "kiicloud: queues", connect); err != nil {
		l.push.close()
		return nil, err
	}
	if err := l.prepare(); err != nil {
		l.close()
		return nil, err
	}
	return l, nil
}

func open(ctx context.Context, a Address, host, name string, connect connector) (half, error) {
	under, err := connect(ctx, a, host)
	if err != nil {
		return half{}, err
	}
	properties := amqp.NewConnectionProperties()
	properties.SetClientConnectionName(name)
	properties["capabilities"] = amqp.Table{"authentication_failure_close": true, "connection.blocked": true}
	conn, err := amqp.Open(under, amqp.Config{
		SASL:  []amqp.Authentication{&amqp.PlainAuth{Username: a.User, Password: a.Password}},
		Vhost: a.VHost, Locale: "en_US", Heartbeat: heartbeat, FrameSize: 128 << 10, Properties: properties,
	})
	if err != nil {
		_ = under.Close()
		if errors.Is(err, amqp.ErrCredentials) || errors.Is(err, amqp.ErrVhost) || refused(err) {
			return half{}, fmt.Errorf("%w at %s: %v", ErrAccess, host, err)
		}
		if why := explainTLS(under.failed(), host); errors.Is(why, ErrCertificate) { // as late as here, with TLS 1.3
			return half{}, why
		}
		return half{}, fmt.Errorf("AMQP with %s: %w", host, err)
	}
	return half{conn, under, conn.NotifyClose(make(chan *amqp.Error, 1))}, nil
}

func refused(err error) bool {
	var e *amqp.Error
	return errors.As(err, &e) && (e.Code == amqp.AccessRefused || e.Code == amqp.NotAllowed)
}

// prepare opens the channels that every link has.
func (l *link) prepare() error {
	version, _ := l.push.conn.Properties["version"].(string)
	if major, _, _ := strings.Cut(version, "."); len(major) == 1 && major < "4" {
		return fmt.Errorf("RabbitMQ %s at %s is too old: 4.0 is the oldest that is supported", version, l.host)
	}
	go l.alarm.watch(l.push.conn.NotifyBlocked(make(chan amqp.Blocking, 1)))
	for i := range l.slots {
		p, err := newPublisher(l, &l.slots[i])
		if err != nil {
			return fmt.Errorf("open a channel to %s: %w", l.host, err)
		}
		l.slots[i].now, l.slots[i].scouting = p, make(chan struct{}, 1)
	}
	for range toolbox {
		l.tools <- nil
	}
	return nil
}

// ended tells whether another link has to take this one's place.
func (l *link) ended() bool { return l.push.conn.IsClosed() || l.work.conn.IsClosed() }

// trouble says why nothing can be pushed now, or nil.
func (l *link) trouble() error {
	if l.ended() {
		return fmt.Errorf("the connection to %s has ended", l.host)
	}
	return l.alarm.why()
}

// close ends the connections in order, or, when RabbitMQ does not come to that, without.
func (l *link) close() {
	l.push.close()
	l.work.close()
}

func (h half) close() {
	late := time.AfterFunc(closeTimeout, h.kill)
	defer late.Stop()
	_ = h.conn.CloseDeadline(time.Now().Add(closeTimeout))
}

// kill ends the connections at once: something in RabbitMQ hangs.
func (l *link) kill() {
	l.push.kill()
	l.work.kill()
}

func (h half) kill() { _ = h.under.Close() }

// slotOf gives the way of the pushes to a topic.
func (l *link) slotOf(topic string) *slot {
	return &l.slots[maphash.String(l.seed, topic)%publishers]
}

// use runs do with a channel of its own, until ctx ends; then do goes on alone. A channel that
// RabbitMQ closes, as it does to refuse, is replaced.
func (l *link) use(ctx context.Context, do func(*amqp.Channel) error) error {
	var ch *amqp.Channel
	select {
	case ch = <-l.tools:
	case <-ctx.Done():
		return ctx.Err()
	}
	done := make(chan error, 1)
	go func() {
		late := time.AfterFunc(toolTimeout, l.kill)
		defer late.Stop()
		var err error
		if ch == nil || ch.IsClosed() {
			ch, err = l.work.conn.Channel()
		}
		if err == nil {
			err = do(ch)
		}
		if err != nil && ch != nil && !ch.IsClosed() {
			_ = ch.Close()
		}
		l.tools <- ch
		done <- err
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// connect opens the connection below AMQP. Its writes have a time limit of their own: RabbitMQ makes who
// sends too much wait by reading nothing.
func connect(ctx context.Context, a Address, host string) (*impatient, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	c, err := a.connectTCP(ctx, host, a.TLS)
	if err != nil {
		return nil, err
	}
	_ = c.SetDeadline(time.Now().Add(dialTimeout)) // for the handshake, which ends it
	return &impatient{Conn: c}, nil
}

// impatient is a connection whose writes end, and which remembers why its reads did: of that the library keeps no error.
type impatient struct {
	net.Conn
	read atomic.Pointer[error]
}

// Read is part of net.Conn.
func (c *impatient) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if err != nil {
		c.read.CompareAndSwap(nil, &err)
	}
	return n, err
}

// failed is the first error of a read, or nil.
func (c *impatient) failed() error {
	if err := c.read.Load(); err != nil {
		return *err
	}
	return nil
}

// Write gives up after writeTimeout.
func (c *impatient) Write(b []byte) (int, error) {
	if err := c.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
		return 0, err
	}
	return c.Conn.Write(b)
}
