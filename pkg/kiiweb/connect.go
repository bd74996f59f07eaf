package kiiweb

import (
	"context"
	"errors"
	"math"
	"time"

	"github.com/kiiweb/kiiweb/internal/fault"
	"github.com/kiiweb/kiiweb/internal/mqtt"
	"github.com/kiiweb/kiiweb/internal/session"
)

const (
	defaultKeepAlive = 60 // seconds
	defaultQoS       = 1

	// farewell bounds the end of a connection that the caller does not wait for.
	farewell = 5 * time.Second
)

// ConnectOptions say how Connect connects; the zero value is good.
type ConnectOptions struct {
	// KeepAlive is how long the connection may be silent, in seconds; 0 means 60. The
	// broker drops a client that was silent for one and a half times that.
	KeepAlive uint16
	// QoS is the quality of service to subscribe with, 0 to 2; nil means 1, so that
	// a push that was sent when the connection broke is sent again.
	QoS *byte
	// CleanStart has the broker forget what it kept for this client: messages at QoS 1
	// and 2 and subscriptions. By default it keeps them over a lost connection.
	CleanStart bool
	// SessionExpiry is how long the broker is to keep them, in whole seconds; 0 means as long
	// as it will: the queue belongs to the installation. Before MQTT 5 the broker decides. It
	// means nothing with CleanStart.
	SessionExpiry time.Duration
	// UserProperties are told to the broker in CONNECT; before MQTT 5 there is no place for them.
	// What it tells in CONNACK is Change.Broker.
	UserProperties []UserProperty
	// ReceiveMaximum is how many messages at QoS 1 and 2 the broker may send ahead of
	// acknowledgements; 0 means 1024. Before MQTT 5 nothing tells the broker.
	ReceiveMaximum uint16
	// MaxPacket is the size in bytes of the largest packet accepted; 0 means 1 MiB and 64 KiB, which
	// a payload of 1 MiB fits in with its topic. A broker of MQTT 5 knows; before, a message that is larger is
	// acknowledged and passed over, and OnState gets a change to StateOnline with PACKET_TOO_LARGE.
	MaxPacket int
	// MaxQueue is how many messages may wait to be sent or acknowledged, and as many
	// subscriptions, before QUEUE_FULL; 0 means 1000.
	MaxQueue int
	// QueueAge is how long each of them may wait to be sent before TIMEOUT; 0 means 5
	// minutes. What was sent once waits for its acknowledgement as long as it takes.
	QueueAge time.Duration
	// Protocol is the MQTT version to speak: 5, 4 for 3.1.1 or 3 for 3.1, and then no
	// other: PROTOCOL_VERSION ends the connection where the broker refuses it. 0 means the
	// best that the broker speaks: 5 is tried first, then 3.1.1, then 3.1, and what worked
	// at an address is used for a day, by all connections of the program; for an hour where mere
	// closes had ruled a better one out.
	Protocol int
	// Displacement "off" switches off the watch for another client of the owner on brokers
	// that do not tell of it, as all before MQTT 5: by default three closes without a
	// reason within 60 seconds, less than 5, 10 and 15 seconds after the connection was
	// accepted, and longer where connecting takes long, are taken for that, as are six running, less than
	// 20 seconds after it, and the state becomes displaced. It is for brokers that restart often.
	Displacement string
	// Transport is how to connect. "" chooses: natively ssl, else wss; in a browser wss,
	// or ws when the page itself came over http from this machine, as the broker did.
	Transport Transport
	// Path is that of the WebSocket; "" means /mqtt.
	Path string
	// OnMessages gets what arrives, in order and in batches. A batch is acknowledged
	// once OnMessages has returned, and the next one waits until then. The first may
	// come before Connect returns. When nil, read Connection.Messages.
	OnMessages func([]Message)
	// HandOver, where it is set, takes the place of OnMessages. It returns when the messages
	// were handed over to whoever handles them, and gives a function that returns when
	// they were handled; nil: they were. No messages stand for repeats of some that came
	// before: they were handled when all before them were. What wait gives is 0, or the PacketID of the
	// first message that nobody will handle, since the connection is about to be closed: what is before it
	// is acknowledged.
	HandOver func([]Message) (wait func() (stop uint16))
	// OnState gets every change of state, in order. It must not block.
	OnState func(Change)
	// Timeout bounds Connect; 0 means 30 seconds. A deadline of the context that is
	// earlier counts.
	Timeout time.Duration
}

// Connect opens the MQTT connection of an endpoint and subscribes to its topic. It
// returns when the subscription stands; from then on the connection heals itself,
// fetching the endpoint again when its credentials or its topic are refused or its TTL
// is over.
//
// Causes that no retry mends fail at once, such as FORBIDDEN, REVOKED and DISPLACED.
// BAD_CREDENTIALS, UNAUTHORIZED: the broker has refused a fresh endpoint, too. Others are
// retried until the time is over: TIMEOUT, with the last cause in it. INSECURE: the
// password would travel unencrypted to another machine. When Connect fails nothing of
// the attempt remains.
//
// There is one connection per owner: a second one displaces the first, in whatever
// tab or machine it is.
func (c *Client) Connect(ctx context.Context, endpoint Endpoint, o ConnectOptions) (*Connection, error) {
	o, err := o.resolve()
	if err != nil {
		return nil, err
	}
	if err := endpoint.check(); err != nil {
		return nil, err
	}
	conn := newConnection(c, endpoint, o)
	if _, err := conn.route.url(endpoint); err != nil {
		return nil, err
	}
	if ctx.Err() != nil {
		return nil, contextError(ctx, "connect")
	}
	ctx, cancel := context.WithTimeout(ctx, o.Timeout)
	defer cancel()
	conn.open(o)
	if err := conn.session.Ready(ctx); err != nil {
		end, cancel := context.WithTimeout(context.Background(), farewell)
		defer cancel()
		_ = conn.Close(end)
		return nil, err
	}
	return conn, nil
}

// resolve checks o and fills in what it leaves open.
func (o ConnectOptions) resolve() (ConnectOptions, error) {
	if o.KeepAlive == 0 {
		o.KeepAlive = defaultKeepAlive
	}
	if o.QoS == nil {
		qos := byte(defaultQoS)
		o.QoS = &qos
	}
	if *o.QoS > 2 {
		return o, invalid("qos must be 0, 1 or 2")
	}
	if o.Protocol != 0 && (o.Protocol < int(mqtt.V31) || o.Protocol > int(mqtt.V5)) {
		return o, invalid("protocol must be 5, 4 or 3")
	}
	if o.Displacement != "" && o.Displacement != "off" {
		return o, invalid("displacement must be off, or left out")
	}
	if _, err := mqtt.EncodeProperties(&mqtt.Properties{User: o.UserProperties}); err != nil {
		return o, fault.Wrap(fault.InvalidArgument, "userProperties cannot be sent", err)
	}
	if o.Path == "" {
		o.Path = defaultPath
	}
	if err := checkWebSocketPath(o.Path); err != nil {
		return o, err
	}
	if o.Timeout < 0 || o.QueueAge < 0 || o.SessionExpiry < 0 || o.MaxPacket < 0 || o.MaxQueue < 0 {
		return o, invalid("timeout and the other limits must not be negative")
	}
	if o.Timeout == 0 {
		o.Timeout = DefaultTimeout
	}
	return o, nil
}

// check refuses an endpoint that MQTTEndpoint would not have given.
func (e Endpoint) check() error {
	for _, f := range []struct{ name, value string }{
		{"username", e.Username}, {"password", e.Password}, {"mqttTopic", e.MQTTTopic},
	} {
		if f.value == "" {
			return invalid("the endpoint's " + f.name + " must not be empty")
		}
	}
	for _, port := range []int{e.PortTCP, e.PortSSL, e.PortWS, e.PortWSS} {
		if port < 0 || port > 65535 {
			return invalid("the endpoint's ports must be from 0 to 65535")
		}
	}
	return nil
}

// open starts the session; OnMessages and OnState may be called from here on. Under
// the client's lock, so that an end that comes at once finds the connection tracked.
func (conn *Connection) open(o ConnectOptions) {
	conn.client.mu.Lock()
	defer conn.client.mu.Unlock()
	conn.client.connections[conn] = struct{}{}
	defer close(conn.opened)
	var stop func() uint16
	if o.OnMessages == nil && o.HandOver == nil {
		stop = conn.inbox.stop
		o.HandOver = func(batch []Message) func() uint16 {
			<-conn.opened
			return conn.inbox.put(batch, conn.session.Done())
		}
	}
	var handOver func([]session.Message) func() uint16
	if o.HandOver != nil {
		handOver = func(batch []session.Message) func() uint16 { return o.HandOver(received(batch)) }
	}
	conn.session = session.Open(conn.client.config.watch(session.Config{
		Endpoint:  conn.credentials,
		KeepAlive: o.KeepAlive,
		QoS:       *o.QoS,
		Version:   mqtt.Version(o.Protocol),

		NoContest:      o.Displacement == "off",
		CleanStart:     o.CleanStart,
		User:           o.UserProperties,
		SessionExpiry:  uint32(min((o.SessionExpiry+time.Second-1)/time.Second, math.MaxUint32)),
		ReceiveMaximum: int(o.ReceiveMaximum),
		MaxPacket:      o.MaxPacket,
		MaxOutgoing:    o.MaxQueue,
		MaxAge:         o.QueueAge,

		Deliver:  func(batch []session.Message) { o.OnMessages(received(batch)) },
		HandOver: handOver,
		Stop:     stop,
		OnChange: func(ch session.Change) { conn.changed(ch, o.OnState) },
	}))
}

// credentials is the session's hook for where to connect and as whom. refresh says
// that the endpoint in hand was refused or has lapsed.
func (conn *Connection) credentials(ctx context.Context, refresh bool) (session.Endpoint, error) {
	conn.mu.Lock()
	e := conn.endpoint
	conn.mu.Unlock()
	if refresh {
		var err error
		if e, err = conn.renew(ctx); err != nil {
			return session.Endpoint{}, err
		}
	}
	url, err := conn.route.url(e)
	if err != nil {
		return session.Endpoint{}, err
	}
	return session.Endpoint{
		URL:      url,
		ClientID: e.MQTTTopic,
		Username: e.Username,
		Password: e.Password,
		Topic:    e.MQTTTopic,
		RootCAs:  conn.client.config.RootCAs,
		Expires:  e.expires(),
	}, nil
}

// renew fetches the endpoint of the same installation again, for the owner who
// opened the connection and for nobody else.
func (conn *Connection) renew(ctx context.Context) (Endpoint, error) {
	if conn.installationID == "" {
		return Endpoint{}, fault.New(fault.BadCredentials, "the endpoint is good no more, and without its installationID it cannot be fetched again")
	}
	login, ok := conn.client.Current()
	if !ok {
		return Endpoint{}, fault.New(fault.NotLoggedIn, "the endpoint is good no more, and nobody is logged in to fetch it again")
	}
	if conn.owner != (Owner{}) && login.Owner != conn.owner {
		return Endpoint{}, fault.New(fault.NotLoggedIn, "the endpoint is good no more, and somebody else is logged in now")
	}
	e, err := conn.client.fetchEndpoint(ctx, login, conn.installationID)
	if known, ok := errors.AsType[*Error](err); ok && known.Code == fault.NotFound && known.KiiCode == "" {
		err = fault.Wrap(fault.BadResponse, "the endpoint could not be fetched again", err) // the cloud's own 404 has one
	}
	if err != nil {
		return Endpoint{}, err
	}
	conn.mu.Lock()
	conn.endpoint = e
	conn.mu.Unlock()
	return e, nil
}
