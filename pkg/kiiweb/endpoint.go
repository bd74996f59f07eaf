package kiiweb

import (
	"context"
	"time"

	"github.com/kiiweb/kiiweb/internal/fault"
)

// How often and how far apart an endpoint is asked for while it is being prepared:
// the cloud's contract, whatever a Retry-After says.
const (
	endpointTries = 3
	endpointPause = time.Second
)

const endpointAction = "get mqtt endpoint"

// Endpoint says where and how the owner of an installation connects.
type Endpoint struct {
	InstallationID string
	Username       string
	Password       string // a secret
	MQTTTopic      string // client identifier and topic in one
	Host           string
	PortTCP        int // 0: the server has no such port; so for the others
	PortSSL        int
	PortWS         int
	PortWSS        int
	// TTL is X-MQTT-TTL: how long the endpoint is good, in whole seconds, counted from
	// FetchedAt. 0 means for ever.
	TTL       time.Duration
	FetchedAt time.Time
}

// expires gives the time after which a new endpoint must be fetched, zero for never.
func (e Endpoint) expires() time.Time {
	if e.TTL <= 0 || e.FetchedAt.IsZero() {
		return time.Time{}
	}
	return e.FetchedAt.Add(e.TTL)
}

// MQTTEndpoint fetches where and how to connect. While the server prepares the
// endpoint it answers 503; then it is asked again, three requests in all, one second
// apart, before ENDPOINT_NOT_READY. NOT_FOUND: the installation is gone.
func (c *Client) MQTTEndpoint(ctx context.Context, installationID string) (Endpoint, error) {
	if err := checkID("installationID", installationID); err != nil {
		return Endpoint{}, err
	}
	login, err := c.authorized(endpointAction)
	if err != nil {
		return Endpoint{}, err
	}
	return c.fetchEndpoint(ctx, login, installationID)
}

func (c *Client) fetchEndpoint(ctx context.Context, login Login, installationID string) (Endpoint, error) {
	k := call{
		action: endpointAction,
		method: "GET",
		path:   c.app("/installations/" + escape(installationID) + "/mqtt-endpoint"),
		login:  login,
		own:    meaning{503, fault.EndpointNotReady},
	}
	for try := 1; ; try++ {
		a, err := c.do(ctx, k)
		if err == nil {
			return c.readEndpoint(a)
		}
		if CodeOf(err) != fault.EndpointNotReady || try == endpointTries {
			return Endpoint{}, err
		}
		if c.pause(ctx, endpointPause) != nil {
			return Endpoint{}, contextError(ctx, endpointAction)
		}
	}
}

func (c *Client) readEndpoint(a *answer) (Endpoint, error) {
	const ttl = "X-MQTT-TTL"
	f := a.fields()
	e := Endpoint{
		InstallationID: f.text("installationID"),
		Username:       f.text("username"),
		Password:       f.text("password"),
		MQTTTopic:      f.text("mqttTopic"),
		Host:           f.text("host"),
		PortTCP:        f.port("portTCP"),
		PortSSL:        f.port("portSSL"),
		PortWS:         f.port("portWS"),
		PortWSS:        f.port("portWSS"),
		FetchedAt:      c.now(),
	}
	var ok bool
	if e.TTL, ok = f.seconds(ttl, a.Header(ttl)); !ok {
		f.fail("the field "+ttl+" of the server's answer is missing", nil)
	}
	if f.err == nil && !isHost(e.Host) {
		f.fail("the field host of the server's answer is not a host name or address", nil)
	}
	if err := f.done(); err != nil {
		return Endpoint{}, err
	}
	return e, nil
}
