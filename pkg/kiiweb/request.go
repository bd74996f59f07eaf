package kiiweb

import (
	"context"
	"errors"
	"time"

	"github.com/kiiweb/kiiweb/internal/fault"
	"github.com/kiiweb/kiiweb/internal/transport"
)

// DefaultTimeout bounds a request, or the whole of Connect, when the caller set no
// earlier deadline: every call ends.
const DefaultTimeout = 30 * time.Second

// call is one request to the REST API.
type call struct {
	action string // what the caller wanted, for error messages
	method string
	path   string // behind the base URL; ids in it are escaped
	media  string // Content-Type of the body
	body   map[string]any
	raw    []byte // a body in place of that
	login  Login  // whose token goes along; without one no Authorization is sent
	own    meaning
}

// meaning is what a status means in one call and in no other. It is no map: one of this
// type, with what goes with it, weighs 2,000 bytes in a page's download.
type meaning struct {
	status int
	code   fault.Code
}

// answer is a 2xx.
type answer struct {
	action string
	*transport.Response
}

// app gives a path under /apps/{appID}.
func (c *Client) app(path string) string { return "/apps/" + escape(c.config.AppID) + path }

// do sends k and gives its 2xx answer. Everything else is an *Error, with the answer where there
// is one: its status and errorCode decide the code; without an answer it is TIMEOUT or ABORTED
// when ctx ended, else NETWORK. An answer of 401 has GetToken asked for a new token, and
// k sent with it once more: the server has done nothing yet.
func (c *Client) do(ctx context.Context, k call) (*answer, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	res, err := c.send(ctx, k)
	if err == nil && res.Status == 401 && c.config.GetToken != nil && k.login.Owner != (Owner{}) {
		if k.login, err = c.renewed(ctx, k, c.refusal(k, res)); err == nil {
			res, err = c.send(ctx, k)
		}
	}
	if err != nil {
		return nil, err
	}
	if res.Status < 200 || res.Status > 299 {
		return &answer{k.action, res}, c.refusal(k, res)
	}
	return &answer{k.action, res}, nil
}

// send sends k and gives its answer, whatever the status. The error is as do gives it.
func (c *Client) send(ctx context.Context, k call) (*transport.Response, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	if ctx.Err() != nil {
		return nil, contextError(ctx, k.action)
	}
	r, err := c.request(k)
	if err != nil {
		return nil, err
	}
	res, err := transport.Do(ctx, r)
	if err != nil {
		return nil, noAnswer(ctx, k.action, err)
	}
	return res, nil
}

// bounded gives ctx a deadline where it has none.
func bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, DefaultTimeout)
}

func (c *Client) request(k call) (transport.Request, error) {
	r := transport.Request{
		Method: k.method,
		URL:    c.base + k.path,
		Header: map[string]string{
			"X-Kii-AppID":  c.config.AppID,
			"X-Kii-AppKey": c.config.AppKey,
			"X-Kii-SDK":    "sn=kiiweb;sv=" + Version,
		},
		RootCAs: c.config.RootCAs,
	}
	if k.login.Token != "" {
		r.Header["Authorization"] = "Bearer " + k.login.Token
	}
	if k.body != nil {
		body, err := encodeJSON(k.body)
		if err != nil {
			return r, fault.Wrap(fault.InvalidArgument, k.action+" failed: the request cannot be written as JSON", err)
		}
		k.raw = body
	}
	if k.raw != nil {
		r.Body = k.raw
		r.Header["Content-Type"] = k.media
	}
	return r, nil
}

// noAnswer says why there is no complete answer.
func noAnswer(ctx context.Context, action string, err error) error {
	if ctx.Err() != nil {
		return contextError(ctx, action)
	}
	if known, ok := errors.AsType[*Error](err); ok {
		return known
	}
	return fault.Wrap(fault.Network, action+" failed: no answer from the server", err)
}

// contextError is TIMEOUT for a deadline and ABORTED for a cancellation. ctx has ended.
func contextError(ctx context.Context, action string) error {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return fault.Wrap(fault.Timeout, action+" failed: the time allowed is over", context.Cause(ctx))
	}
	return fault.Wrap(fault.Aborted, action+" was cancelled", context.Cause(ctx))
}
