// Package engine is the MQTT side of the push cloud: it tells clients where to
// connect, lets the right ones in, and delivers the pushes that the REST side accepted.
package engine

import (
	"context"
	"errors"
	"time"

	"github.com/kiiweb/kiiweb/pkg/kiicloud/store"
)

// What Publish and Prepare fail with where the broker is another process; match with errors.Is.
var (
	// ErrUnavailable means that the broker is out of reach or takes nothing now. Nothing was
	// stored.
	ErrUnavailable = errors.New("the broker is not available")
	// ErrUnconfirmed means that the broker did not say in time whether it has stored the push. It
	// may have been stored for all receivers, some or none. To send it again with the same
	// MessageID is safe: receivers drop what they have had.
	ErrUnconfirmed = errors.New("the broker has not confirmed the push")
)

// Endpoint is where and how the owner of an installation connects.
type Endpoint struct {
	Username string
	Password string
	Topic    string
	Host     string
	PortTCP  int
	PortSSL  int
	PortWS   int
	PortWSS  int
	TTL      time.Duration // how long the password is good, in whole seconds
}

// Engine delivers pushes over MQTT.
type Engine interface {
	// Endpoint makes credentials for the installation: the same topic each time, and
	// a password of its own each time; earlier ones stay good until their TTL ends.
	Endpoint(ctx context.Context, inst store.Installation) (Endpoint, error)
	// Prepare makes ready what the installation's pushes wait in. It is called for a new
	// installation, before that is acknowledged; to call it again does no harm.
	Prepare(ctx context.Context, inst store.Installation) error
	// Publish queues p for every installation of to; p.InstallationID is ignored. When it
	// returns nil, p is stored for all of them and will be delivered to each, unless it
	// expires, is pushed out by newer ones, or the installation ends. After an error it is
	// stored for none, except after ErrUnconfirmed. An installation that has ended already is
	// left out.
	Publish(ctx context.Context, to []store.Installation, p store.Push) error
	// Stored delivers what somebody else has put into the queues of installations, in a
	// transaction of the store.
	Stored(told store.Told)
	// Disconnect ends the installation's connection (told 0x98 on MQTT 5, where the broker can), and nothing else.
	// That it does not come back is for the store, which no longer finds the installation by
	// its topic.
	Disconnect(inst store.Installation)
	// Revoke ends what the installation had: its password, then its connection (told
	// 0x98 on MQTT 5, where the broker can), then its queue. The installation's row is gone
	// already.
	Revoke(ctx context.Context, inst store.Installation) error
	// Shutdown tells the clients that are connected to this process that it is going (0x8B on
	// MQTT 5) and closes them. Nothing can be published any more.
	Shutdown(ctx context.Context) error
}
