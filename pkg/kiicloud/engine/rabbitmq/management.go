package rabbitmq

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"
)

const (
	managementTimeout = 10 * time.Second // for one request to one node
	alarmsTimeout     = time.Second      // for the question whether there are alarms, to whichever node
)

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
	transport.DialTLSContext = func(ctx context.Context, _, addr string) (net.Conn, error) { return a.connectTCP(ctx, addr, true) }
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
	_, err := m.ask(ctx, method, path, text, func(status int) bool { return status/100 == 2 })
	return err
}

// ask asks one node after the other until one gives a status that is good, and gives that.
func (m *management) ask(ctx context.Context, method, path string, body []byte, good func(status int) bool) (status int, err error) {
	var errs []error
	first := int(m.last.Load())
	for i := range m.bases {
		at := (first + i) % len(m.bases)
		status, _, err := m.send(ctx, method, m.bases[at]+"/api"+path, body)
		switch {
		case err == nil && good(status):
			m.last.Store(int32(at))
			return status, nil
		case err == nil:
			err = refusal(status, m.bases[at])
		}
		if errs = append(errs, err); ctx.Err() != nil {
			break
		}
	}
	return 0, fmt.Errorf("RabbitMQ's management API: %w", errors.Join(errs...))
}

func refusal(status int, base string) error {
	if status == http.StatusUnauthorized {
		return fmt.Errorf("%s answers 401: the user of -engine is unknown there, or may not do this: give it the tag administrator", host(base))
	}
	return fmt.Errorf("%s answers %d", host(base), status)
}

// send makes one request, and gives the answer's status and its begin.
func (m *management) send(ctx context.Context, method, url string, body []byte) (status int, answer []byte, err error) {
	req, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	req.SetBasicAuth(m.user, m.password)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Reason", "ended by kiicloud")
	res, err := m.client.Do(req)
	if err != nil {
		return 0, nil, explainTLS(err, host(url))
	}
	defer res.Body.Close()
	answer, err = io.ReadAll(io.LimitReader(res.Body, 64<<10)) // to its end, so that the connection can be used again
	return res.StatusCode, answer, err
}

func host(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "a node"
	}
	return u.Host
}

// alarms asks whether a node of the cluster is short of memory or disk: then RabbitMQ takes no pushes, and says so over AMQP
// when one is sent, not before. Where nobody answers, nothing is known.
func (m *management) alarms(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, alarmsTimeout)
	defer cancel()
	first := int(m.last.Load())
	for i := range m.bases {
		status, answer, err := m.send(ctx, http.MethodGet, m.bases[(first+i)%len(m.bases)]+"/api/health/checks/alarms", nil)
		switch {
		case err != nil:
			continue
		case status == http.StatusOK:
			return nil
		case status == http.StatusServiceUnavailable:
			var said struct {
				Alarms []struct {
					Node     string `json:"node"`
					Resource string `json:"resource"`
				} `json:"alarms"`
			}
			if json.Unmarshal(answer, &said) == nil && len(said.Alarms) > 0 {
				return fmt.Errorf("%w: %s is short of %s", errAlarm, said.Alarms[0].Node, said.Alarms[0].Resource)
			}
		}
	}
	return nil
}

// endConnections closes all connections of a user, on whichever nodes they are.
func (m *management) endConnections(ctx context.Context, user string) error {
	return m.call(ctx, http.MethodDelete, "/connections/username/"+url.PathEscape(user), nil)
}
