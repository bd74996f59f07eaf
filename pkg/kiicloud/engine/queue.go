package engine

import (
	"context"

	"github.com/kiiweb/kiiweb/pkg/kiicloud/store"
)

// Queue is what the embedded engine needs of the store: installations and the pushes that
// wait for them.
type Queue interface {
	// InstallationByTopic finds an installation by its mqttTopic, else store.ErrNotFound: there
	// is none, or its owner may not connect.
	InstallationByTopic(ctx context.Context, topic string) (store.Installation, error)
	// Enqueue stores p durably and gives its place, one behind the last. dropped are the places of the oldest, which
	// had to go because of store.QueueMax. store.ErrNotFound: the installation is gone.
	Enqueue(ctx context.Context, p store.Push) (seq int64, dropped []int64, err error)
	// EnqueueAll is Enqueue for many installations, in one transaction: all of it is stored or
	// nothing. Who is gone is left out and is no error.
	EnqueueAll(ctx context.Context, p store.Push, installationIDs []string) (store.Enqueued, error)
	// Pending lists up to limit pushes that have not expired, with a place above after, in order.
	Pending(ctx context.Context, installationID string, after int64, limit int) ([]store.Push, error)
	// Acknowledge removes pushes, named by installation and place. Those that
	// are gone do not matter.
	Acknowledge(ctx context.Context, delivered map[string][]int64) error
}
