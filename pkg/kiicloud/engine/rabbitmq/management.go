package rabbitmq

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/kiiweb/kiiweb/pkg/kiicloud/store"
)

// managementTimeout is for one request to one node.
const managementTimeout = 10 * time.Second

// management calls the management API of whichever node answers: the one that did last is asked first, so
// that a machine that is gone, and says nothing, is waited for once and not at each call.
type management struct {
	last           atomic.Int32 // index in bases
	bases          []string
	user, password string
	client         *http.Client
}

func newManagement(a Address) *management {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.Proxy = nil // its nodes are near, and the password is not for others
	return &management{bases: a.Management, user: a.User, password: a.Password,
		client: &http.Client{Transport: transport, Timeout: managementTimeout,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

func (m *management) close() { m.client.CloseIdleConnections() }

// call asks one node after the other until one answers as it should.
func (m *management) call(ctx context.Context, method, path string, body any) error {
	var text []byte
	if body != nil {
		var err error
		if text, err = json.Marshal(body); err != nil {
			return err
		}
	}
	var errs []error
	first := int(m.last.Load())
	for i := range m.bases {
		at := (first + i) % len(m.bases)
		err := m.ask(ctx, method, m.bases[at]+"/api"+path, text)
		if err == nil {
			m.last.Store(int32(at))
			return nil
		}
		errs = append(errs, err)
		if ctx.Err() != nil {
			break
		}
	}
	return fmt.Errorf("RabbitMQ's management API: %w", errors.Join(errs...))
}

func (m *management) ask(ctx context.Context, method, url string, body []byte) error {
	req, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.SetBasicAuth(m.user, m.password)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Reason", "ended by kiicloud")
	res, err := m.client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 64<<10)) // so that the connection can be used again
	switch {
	case res.StatusCode/100 == 2:
		return nil
	case res.StatusCode == http.StatusUnauthorized:
		return fmt.Errorf("%s answers 401: the user of -engine is unknown there, or may not do this: give it the tag administrator", req.URL.Host)
	}
	return fmt.Errorf("%s answers %d", req.URL.Host, res.StatusCode)
}

// endConnections closes all connections of a user, on whichever nodes they are.
func (m *management) endConnections(ctx context.Context, user string) error {
	return m.call(ctx, http.MethodDelete, "/connections/username/"+url.PathEscape(user), nil)
}

// policyName is that of the policy that bounds the queues.
const policyName = "kiicloud"

// setPolicy gives the queues their bounds, which are the store's elsewhere. Without a delivery limit of
// its own RabbitMQ drops a push that has been sent too often without an acknowledgement.
func (m *management) setPolicy(ctx context.Context, vhost string) error {
	return m.call(ctx, http.MethodPut, "/policies/"+url.PathEscape(vhost)+"/"+policyName, map[string]any{
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
