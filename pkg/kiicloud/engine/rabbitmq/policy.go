package rabbitmq

import (
	"context"
	"net/http"
	"net/url"

	"github.com/kiiweb/kiiweb/pkg/kiicloud/store"
)

// policyName is that of the policy that bounds the queues.
const policyName = "kiicloud"

// bounds is that policy, in a virtual host.
type bounds struct {
	m     *management
	vhost string
}

func (b bounds) path() string { return "/policies/" + url.PathEscape(b.vhost) + "/" + policyName }

// set gives the queues their bounds, which are the store's elsewhere. Without a delivery limit of
// its own RabbitMQ drops a push that has been sent too often without an acknowledgement.
func (b bounds) set(ctx context.Context) error {
	return b.m.call(ctx, http.MethodPut, b.path(), map[string]any{
		"pattern":  "^" + queuePrefix + ".*qos[01]$",
		"apply-to": "queues",
		"priority": 10,
		"definition": map[string]any{
			"max-length":     store.QueueMax,
			"overflow":       "drop-head",
			"message-ttl":    store.QueueTTL.Milliseconds(),
			"delivery-limit": -1,
		},
	})
}

// there asks for it: to set it each time would have RabbitMQ go through all queues.
func (b bounds) there(ctx context.Context) (bool, error) {
	status, err := b.m.ask(ctx, http.MethodGet, b.path(), nil, func(status int) bool { return status == http.StatusOK || status == http.StatusNotFound })
	return status == http.StatusOK, err
}
