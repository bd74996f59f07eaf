package kiiweb

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/kiiweb/kiiweb/internal/fault"
)

// OwnerKind says what an Owner is.
type OwnerKind string

// The kinds of owner that can receive pushes.
const (
	OwnerUser  OwnerKind = "user"
	OwnerThing OwnerKind = "thing"
)

// Owner is the user or thing that is logged in: pushes are sent to owners.
type Owner struct {
	Kind OwnerKind
	ID   string // userID or thingID
}

// Login is a successful login.
type Login struct {
	Owner     Owner
	Token     string    // access token; a secret
	ExpiresAt time.Time // zero when the server did not say
}

// thingLogin is how the username of a thing's login begins.
const thingLogin = "VENDOR_THING_ID:"

const jsonMedia = "application/json"

// Register creates a user and logs in. CONFLICT: the login name is taken.
func (c *Client) Register(ctx context.Context, loginName, password string) (Login, error) {
	if loginName == "" {
		return Login{}, invalid("loginName must not be empty")
	}
	if password == "" {
		return Login{}, invalid("password must not be empty")
	}
	a, err := c.do(ctx, call{
		action: "register",
		method: "POST",
		path:   c.app("/users"),
		media:  "application/vnd.kii.RegistrationRequest+json",
		body:   map[string]any{"loginName": loginName, "password": password},
	})
	if err != nil {
		return Login{}, err
	}
	f := a.fields()
	f.text("userID")
	if err := f.done(); err != nil {
		return Login{}, err
	}
	return c.Login(ctx, loginName, password)
}

// Login logs a user in. username is a login name, "EMAIL:" and a mail address, or
// "PHONE:" and a phone number. BAD_CREDENTIALS: user name or password is wrong. The
// login before stays when this one fails.
func (c *Client) Login(ctx context.Context, username, password string) (Login, error) {
	if username == "" {
		return Login{}, invalid("username must not be empty")
	}
	if password == "" {
		return Login{}, invalid("password must not be empty")
	}
	kind := OwnerUser
	if strings.HasPrefix(username, thingLogin) {
		kind = OwnerThing
	}
	a, err := c.do(ctx, call{
		action: "login",
		method: "POST",
		path:   "/oauth2/token",
		media:  jsonMedia,
		body:   map[string]any{"username": username, "password": password},
	})
	if e, _ := errors.AsType[*Error](err); kind == OwnerThing && e != nil && e.Code == fault.BadCredentials {
		e.Remedy = "Check the thing's vendorThingID and password; registerThing makes a new thing."
	}
	if err != nil {
		return Login{}, err
	}
	return c.enter(a, kind, "id", "access_token")
}

// enter logs in as an answer says, which names the owner's id and the token so.
func (c *Client) enter(a *answer, kind OwnerKind, idField, tokenField string) (Login, error) {
	f := a.fields()
	login := Login{Owner: Owner{Kind: kind, ID: f.text(idField)}, Token: f.text(tokenField)}
	if d, ok := f.seconds("expires_in", ""); ok {
		login.ExpiresAt = c.now().Add(d)
	}
	if f.err == nil && checkHeaderValue(tokenField, login.Token) != nil {
		f.fail("the field "+tokenField+" of the server's answer is not a token", nil)
	}
	if err := f.done(); err != nil {
		return Login{}, err
	}
	c.setLogin(&login)
	return login, nil
}

// UseToken logs in with a token that the app has kept. With owner.ID nothing is
// sent and the token is taken as it is; without it the server is asked who the
// token's user is, and UNAUTHORIZED says that it is good no more. Kind "" means user.
func (c *Client) UseToken(ctx context.Context, token string, owner Owner) (Login, error) {
	if err := checkHeaderValue("token", token); err != nil {
		return Login{}, err
	}
	switch owner.Kind {
	case "":
		owner.Kind = OwnerUser
	case OwnerUser, OwnerThing:
	default:
		return Login{}, invalid("the owner's kind " + string(owner.Kind) + " is unknown; it is user or thing")
	}
	if owner.ID == "" {
		if owner.Kind == OwnerThing {
			return Login{}, invalid("thingID must not be empty: a thing's token does not tell it; LoginAsThing does")
		}
		id, err := c.whoAmI(ctx, token)
		if err != nil {
			return Login{}, err
		}
		owner.ID = id
	} else if err := checkID(string(owner.Kind)+"ID", owner.ID); err != nil {
		return Login{}, err
	}
	login := Login{Owner: owner, Token: token}
	c.setLogin(&login)
	return login, nil
}

func (c *Client) whoAmI(ctx context.Context, token string) (userID string, err error) {
	a, err := c.do(ctx, call{action: "use token", method: "GET", path: c.app("/users/me"), login: Login{Token: token}})
	if err != nil {
		return "", err
	}
	f := a.fields()
	userID = f.text("userID")
	return userID, f.done()
}

// Logout forgets the login. Connections stay open until they are closed: they rest
// on their endpoint's credentials, but no new endpoint is fetched for them any more.
func (c *Client) Logout() { c.setLogin(nil) }

// Current gives the login in force.
func (c *Client) Current() (Login, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.login == nil {
		return Login{}, false
	}
	return *c.login, true
}

func (c *Client) setLogin(l *Login) {
	c.mu.Lock()
	c.login = l
	c.mu.Unlock()
}

// authorized gives the login, or NOT_LOGGED_IN.
func (c *Client) authorized(action string) (Login, error) {
	login, ok := c.Current()
	if !ok {
		return Login{}, fault.New(fault.NotLoggedIn, action+" failed: nobody is logged in")
	}
	return login, nil
}
