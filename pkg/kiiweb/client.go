package kiiweb

import (
	"context"
	"sync"
	"time"
)

// Client is one app's access to the cloud, with at most one login. Its methods may
// be called from any goroutine. Nothing runs in the background but the connections
// that Connect opened.
type Client struct {
	config Config
	base   string // of the REST API, without a slash at the end

	now   func() time.Time
	pause func(ctx context.Context, d time.Duration) error // between two requests for an endpoint

	mu            sync.Mutex
	login         *Login
	renewal       *renewal          // the token that is being asked for, nil while none is
	registrations map[string]string // installationRegistrationID -> installationID, as far as seen
	connections   map[*Connection]struct{}
}

// New makes a client. The error is INVALID_ARGUMENT for a wrong configuration, or
// INSECURE where it would send credentials unencrypted to another machine.
func New(config Config) (*Client, error) {
	u, err := config.resolve()
	if err != nil {
		return nil, err
	}
	c := Client{config: config, base: u.String(), now: time.Now, pause: pause}
	return c.Sibling(), nil
}

// Sibling gives a client of the same app at which nobody is logged in. It shares nothing
// with c but the configuration, and costs next to nothing.
func (c *Client) Sibling() *Client {
	return &Client{
		config:        c.config,
		base:          c.base,
		now:           c.now,
		pause:         c.pause,
		registrations: make(map[string]string),
		connections:   make(map[*Connection]struct{}),
	}
}

// pause waits for d or for the end of ctx, whichever comes first.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
