package kiiweb

import (
	"context"
	"sync"

	"github.com/kiiweb/kiiweb/internal/fault"
	"github.com/kiiweb/kiiweb/internal/session"
)

// State is where a connection is in its life.
type State = session.State

// The states. Displaced waits for TakeBack; closed and failed are final.
const (
	StateIdle       = session.Idle
	StateConnecting = session.Connecting
	StateOnline     = session.Online
	StateWaiting    = session.Waiting
	StateDisplaced  = session.Displaced
	StateClosed     = session.Closed
	StateFailed     = session.Failed
)

// Change is a connection's state, and why it came to it: State; Code and Reason, "" where nothing
// went wrong, and the same as an error in Err; ReasonCode, the MQTT reason code behind it or -1;
// RetryIn, how long it waits in StateWaiting, negative until it is woken; Broker in StateOnline.
type Change = session.Change

// Broker is what the broker said when it accepted the connection: Change.Broker in the state online.
// It has Protocol (5, 4 for 3.1.1, 3 for 3.1), SessionPresent, KeepAlive in seconds as it is in force, and, of MQTT 5,
// AssignedClientID, ServerReference, ReasonString and User.
type Broker = session.Broker

// Connection is an MQTT connection that heals itself until it is closed. Its methods
// may be called from any goroutine. Close ends everything that belongs to it.
type Connection struct {
	client         *Client
	installationID string
	owner          Owner // who was logged in at Connect; zero for nobody
	route          route
	session        *session.Session
	opened         chan struct{} // closed when session is set
	inbox          *inbox

	mu       sync.Mutex
	endpoint Endpoint // the latest
	revoked  bool     // its installation was removed through this client
}

func newConnection(c *Client, e Endpoint, o ConnectOptions) *Connection {
	conn := &Connection{
		client:         c,
		installationID: e.InstallationID,
		route:          route{o.Transport, o.Path, c.config.AllowInsecure},
		opened:         make(chan struct{}),
		inbox:          newInbox(),
		endpoint:       e,
	}
	if login, ok := c.Current(); ok {
		conn.owner = login.Owner
	}
	return conn
}

// State gives the state in force.
func (conn *Connection) State() Change { return conn.translate(conn.session.State()) }

// Done is closed when the connection has ended: State tells how. A displaced
// connection has not.
func (conn *Connection) Done() <-chan struct{} { return conn.session.Done() }

// Publish sends m. At QoS 0 it returns when m is written, at QoS 1 when the broker has
// acknowledged it, at QoS 2 when the broker has taken it over and both know so; before
// that it waits for a connection. An empty topic means the connection's own.
//
// What is published in turn is sent in turn. While the broker keeps the session, m
// arrives at least once at QoS 1 and exactly once at QoS 2, over as many connections
// as it takes. When the broker has lost the session (the state's reason says so), what
// it had not acknowledged is sent anew, and may arrive twice at QoS 2 as well.
//
// The error is INVALID_ARGUMENT for what MQTT does not allow; PACKET_TOO_LARGE or UNSUPPORTED for what the
// broker does not take, FORBIDDEN where it says so; QUEUE_FULL when ConnectOptions.MaxQueue messages wait; TIMEOUT
// when it could not be sent within QueueAge, or before its expiry; the connection's own code when that has
// ended, CLOSED after Close. When ctx ends first, m may have been sent or not.
func (conn *Connection) Publish(ctx context.Context, m Message) error {
	if m.QoS > 2 {
		return invalid("qos must be 0, 1 or 2")
	}
	if m.Topic == "" {
		conn.mu.Lock()
		m.Topic = conn.endpoint.MQTTTopic
		conn.mu.Unlock()
	}
	out := session.Message{Topic: m.Topic, Payload: m.Payload, QoS: m.QoS, Retain: m.Retain}
	if m.own {
		out.Properties = m.properties
	}
	return conn.session.Publish(ctx, out)
}

// Subscribe subscribes to a further topic filter, besides the connection's own topic,
// and gives the QoS that the broker granted. Its messages arrive with all others. It
// waits for a connection. The subscription is renewed when the broker has lost the
// session; where the broker refuses it then, a change of state (online, with a code)
// tells so. FORBIDDEN: the broker does not allow the filter. UNSUPPORTED: it has no filters of
// that kind. The other errors are those of Publish.
func (conn *Connection) Subscribe(ctx context.Context, filter string, qos byte) (granted byte, err error) {
	return conn.session.Subscribe(ctx, filter, qos)
}

// Unsubscribe ends what Subscribe began. That there was no such subscription is no
// error. The connection's own topic is INVALID_ARGUMENT. The other errors are those of Publish.
func (conn *Connection) Unsubscribe(ctx context.Context, filter string) error {
	return conn.session.Unsubscribe(ctx, filter)
}

// Dropped counts the messages that came and were not handed out: those that were too large, and at QoS 0 those that came
// while too many waited and this side's own waited for their acknowledgement.
func (conn *Connection) Dropped() int { return conn.session.Dropped() }

// Wake checks the connection now, or ends a wait: for signals that the network or
// the machine came back. cause appears in the reason of the state that follows. With "offline", for a signal
// that the network went away, it only checks.
func (conn *Connection) Wake(cause string) { conn.session.Wake(cause) }

// Pause says goodbye to the broker and stays away until Wake, in the state waiting: for
// when the machine is about to sleep. What is published meanwhile waits, and what is pushed
// is kept as for any client that is away. cause appears in the reason of that state.
func (conn *Connection) Pause(cause string) { conn.session.Pause(cause) }

// TakeBack takes the connection over again after it was displaced; elsewhere it does nothing. The error is that
// of a connection that has ended.
func (conn *Connection) TakeBack() error { return conn.session.TakeBack() }

// Close says goodbye to the broker and ends the connection. It may be called again,
// and from OnMessages and OnState. The error is TIMEOUT or ABORTED when ctx ended before the broker was told;
// the connection has ended all the same.
func (conn *Connection) Close(ctx context.Context) error {
	err := conn.session.Close(ctx)
	conn.inbox.drop()
	return err
}

// revoke ends the connection because its installation is gone, whether the broker
// says so or not. One that had ended before keeps its reason.
func (conn *Connection) revoke() {
	if s := conn.session.State().State; s == StateClosed || s == StateFailed {
		return
	}
	conn.mu.Lock()
	conn.revoked = true
	conn.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), farewell)
	defer cancel()
	_ = conn.Close(ctx)
}

// changed is told of every change by the session, in order.
func (conn *Connection) changed(ch Change, tell func(Change)) {
	ch = conn.translate(ch)
	if ch.State == StateClosed || ch.State == StateFailed {
		conn.client.untrack(conn)
		defer conn.inbox.end()
	}
	if tell != nil {
		tell(ch)
	}
}

// translate gives a close that revoke asked for its true reason.
func (conn *Connection) translate(ch Change) Change {
	conn.mu.Lock()
	defer conn.mu.Unlock()
	if ch.State != StateClosed || !conn.revoked {
		return ch
	}
	err := fault.New(fault.Revoked, "the installation was removed")
	return Change{State: StateClosed, Code: err.Code, Reason: err.Message, ReasonCode: -1, Err: err}
}

// Wake wakes every connection of the client, those that Connect is still opening too.
func (c *Client) Wake(cause string) { c.each((*Connection).Wake, cause) }

// Pause pauses them all, until Wake.
func (c *Client) Pause(cause string) { c.each((*Connection).Pause, cause) }

func (c *Client) each(do func(*Connection, string), cause string) {
	c.mu.Lock()
	all := make([]*Connection, 0, len(c.connections))
	for conn := range c.connections {
		all = append(all, conn)
	}
	c.mu.Unlock()
	for _, conn := range all {
		do(conn, cause)
	}
}

// untrack forgets a connection that has ended.
func (c *Client) untrack(conn *Connection) {
	c.mu.Lock()
	delete(c.connections, conn)
	c.mu.Unlock()
}
