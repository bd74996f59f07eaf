package kiiweb

import (
	"context"
	"errors"

	"github.com/kiiweb/kiiweb/internal/fault"
)

// renewal is one call of GetToken, which all that need a new token in place of the same
// old one wait for.
type renewal struct {
	login Login         // whose token is good no more
	done  chan struct{} // closed when err is set, and the client's login is the new one
	err   error         // why there is no new token
}

// renewed gives the login of k with a new token, after the server has refused the one it
// had, with refusal. That is the error, too, where there is none: the owner has logged
// out, somebody else is logged in, or GetToken gives none.
func (c *Client) renewed(ctx context.Context, k call, refusal error) (Login, error) {
	if r := c.renew(k.login); r != nil {
		select {
		case <-r.done:
		case <-ctx.Done():
			return Login{}, contextError(ctx, k.action)
		}
		if r.err != nil {
			return Login{}, tokenError(k.action, r.err)
		}
	}
	login, ok := c.Current()
	if !ok || login.Owner != k.login.Owner || login.Token == k.login.Token {
		return Login{}, refusal
	}
	return login, nil
}

// renew gives what asks for a token in place of old's; nil when old is not in force any more.
func (c *Client) renew(old Login) *renewal {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.login == nil || *c.login != old {
		return nil
	}
	if c.renewal == nil || c.renewal.login != old {
		c.renewal = &renewal{login: old, done: make(chan struct{})}
		go c.fetchToken(c.renewal)
	}
	return c.renewal
}

// fetchToken calls GetToken, and logs in with what it gives if nobody has done so
// meanwhile. No caller's context ends it: others may wait as well.
func (c *Client) fetchToken(r *renewal) {
	ctx, cancel := context.WithTimeout(context.Background(), DefaultTimeout)
	defer cancel()
	token, err := c.askForToken(ctx, r.login.Owner)
	if err == nil && token != "" {
		err = checkHeaderValue("the token that getToken gave", token)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if err == nil && token != "" && c.login != nil && *c.login == r.login {
		c.login = &Login{Owner: r.login.Owner, Token: token}
	}
	if c.renewal == r {
		c.renewal = nil
	}
	r.err = err
	close(r.done)
}

// askForToken calls GetToken and makes an error of its panic.
func (c *Client) askForToken(ctx context.Context, owner Owner) (token string, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fault.New(fault.Crashed, "getToken panicked: "+fault.PanicText(v))
		}
	}()
	return c.config.GetToken(ctx, owner)
}

// tokenError is what a call fails with for which GetToken failed with err. That is UNAUTHORIZED,
// which may be over when it is called again, unless err has a code of its own.
func tokenError(action string, err error) error {
	if known, ok := errors.AsType[*Error](err); ok {
		return known
	}
	e := fault.Wrap(fault.Unauthorized, action+" failed: the token is good no more, and getToken failed", err)
	e.Retryable, e.Remedy = true, "Look at the cause, which is what getToken failed with."
	return e
}
