package rest

import (
	"context"
	"errors"
	"mime"
	"net/http"
	"strings"

	"github.com/kiiweb/kiiweb/pkg/kiicloud/store"
)

const (
	typeUser       = "application/vnd.kii.UserDataRetrievalResponse+json"
	typeRegistered = "application/vnd.kii.RegistrationResponse+json"
	typePseudo     = "application/vnd.kii.RegistrationAndAuthorizationResponse+json"
)

func userRoutes() []Route {
	const user = inApp + "/users/{userID}"
	return []Route{
		{"POST", inApp + "/users", ByNobody, 201, typeRegistered, "register a user", (*API).register},
		{"GET", user, byAnyToken, 200, typeUser, "read a user; me is the caller, LOGIN_NAME:, EMAIL: and PHONE: find by name", (*API).readUser},
		{"POST", user, byAnyToken, 200, typeUser, "update a user: the custom fields as a whole, of the others those that are sent", (*API).updateUser},
		{"DELETE", user, byAnyToken, 204, "", "delete a user and all that is the user's own", (*API).deleteUser},
		{"PUT", user + "/password", byAnyToken, 204, "", "change a user's password; the user's other tokens end", (*API).changeUserPassword},
		{"PUT", user + "/email-address", byAnyToken, 204, "", "change a user's email address", (*API).changeEmail},
		{"PUT", user + "/phone-number", byAnyToken, 204, "", "change a user's phone number", (*API).changePhone},
		{"POST", user + "/push/messages", byAnyToken, 201, typePushed, "push to a user; me is the caller", (*API).pushToUser},
	}
}

// UserStore keeps users.
type UserStore interface {
	CreateUser(ctx context.Context, u store.User) (store.User, error)
	UpdateUser(ctx context.Context, appID, id string, change func(*store.User) error) error
	UserByID(ctx context.Context, appID, id string) (store.User, error)
	UserByName(ctx context.Context, appID string, key store.UserKey, name string) (store.User, error)

	// The same for users and things.
	SetPassword(ctx context.Context, o store.Owner, was, passwordHash string, keepToken []byte) error
	DeleteOwner(ctx context.Context, o store.Owner) ([]store.Installation, error)
}

// pseudoUser is the content type of a registration that logs in at once, and so needs
// neither names nor a password.
const pseudoUser = "application/vnd.kii.registrationandauthorizationrequest+json"

func (a *API) register(c *call) (any, error) {
	if err := a.mayRegister(c); err != nil {
		return nil, err
	}
	req, err := c.readUserFields()
	if err != nil {
		return nil, err
	}
	pseudo := c.contentType() == pseudoUser
	switch {
	case !req.named() && !pseudo:
		return nil, invalidInput("A user needs a loginName, an emailAddress or a phoneNumber.")
	case req.password == "" && (req.named() || !pseudo):
		return nil, invalidInput("A password is missing.")
	}
	u := store.User{AppID: c.app.ID, CreatedAt: a.Now()}
	if err := req.apply(&u); err != nil {
		return nil, err
	}
	if err := a.taken(c.ctx(), u); err != nil { // before the hash, which is dear
		return nil, err
	}
	if req.password != "" {
		if u.PasswordHash, err = a.passwords.hash(c.ctx(), req.password); err != nil {
			return nil, err
		}
	}
	u, err = a.Store.CreateUser(c.ctx(), u)
	if errors.Is(err, store.ErrExists) {
		return nil, userExists()
	}
	if err != nil {
		return nil, err
	}
	return a.registered(c, u, pseudo)
}

func (a *API) registered(c *call, u store.User, logIn bool) (any, error) {
	c.w.Header().Set("Location", "/api/apps/"+c.app.ID+"/users/"+u.ID)
	res, err := describeUser(u, true)
	if err != nil || !logIn {
		return res, err
	}
	login, err := a.issue(c, store.Owner{AppID: u.AppID, Kind: store.OwnerUser, ID: u.ID}, u.PasswordHash, nil)
	c.produces, res["_accessToken"] = typePseudo, login.AccessToken
	return res, err
}

// taken fails when one of the names belongs to another user, and says which. A login name and
// a phone number are not told apart: who logs in may send either.
func (a *API) taken(ctx context.Context, u store.User) error {
	names := []struct {
		key         store.UserKey
		field, name string
	}{
		{store.UserLoginName, "loginName", u.LoginName}, {store.UserPhone, "loginName", u.LoginName},
		{store.UserEmail, "emailAddress", u.Email},
		{store.UserPhone, "phoneNumber", u.Phone}, {store.UserLoginName, "phoneNumber", u.Phone},
	}
	for _, n := range names {
		if n.name == "" {
			continue
		}
		other, err := a.Store.UserByName(ctx, u.AppID, n.key, n.name)
		if err == nil && other.ID != u.ID {
			return userExists().with("field", n.field).with("value", n.name)
		}
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
	}
	return nil
}

func userExists() *failure {
	return fail(http.StatusConflict, "USER_ALREADY_EXISTS", "A user with this name exists already.")
}

func (a *API) readUser(c *call) (any, error) {
	u, err := a.userRead(c)
	if err != nil {
		return nil, err
	}
	return describeUser(u, c.mayActFor(store.Owner{AppID: u.AppID, Kind: store.OwnerUser, ID: u.ID}))
}

// userRead finds the user that the path names, also by one of the user's own names: what
// everybody may see of a user is there to be found.
func (a *API) userRead(c *call) (store.User, error) {
	name := c.r.PathValue("userID")
	if !strings.Contains(name, ":") {
		o, err := c.userNamed(name)
		if err != nil {
			return store.User{}, err
		}
		return a.findUser(c.ctx(), o)
	}
	key, value := loginName(name)
	u, err := a.Store.UserByName(c.ctx(), c.app.ID, key, value)
	if errors.Is(err, store.ErrNotFound) {
		return u, notFound("USER_NOT_FOUND", "There is no user with this name.").with("field", "address").with("value", name).with("appID", c.app.ID)
	}
	return u, err
}

// userNamed gives the user that a path means: by id, or the caller as "me".
func (c *call) userNamed(id string) (store.Owner, error) {
	if id != "me" {
		return store.Owner{AppID: c.app.ID, Kind: store.OwnerUser, ID: id}, nil
	}
	if c.who.Kind != store.OwnerUser {
		return store.Owner{}, forbidden("WRONG_TOKEN", "The token is not a user's, so there is no me; name the user by the id.")
	}
	return c.who, nil
}

func (a *API) findUser(ctx context.Context, o store.Owner) (store.User, error) {
	u, err := a.Store.UserByID(ctx, o.AppID, o.ID)
	if errors.Is(err, store.ErrNotFound) {
		return store.User{}, userNotFound(o)
	}
	return u, err
}

func userNotFound(o store.Owner) *failure {
	return notFound("USER_NOT_FOUND", "There is no user with this id.").
		with("userID", o.ID).with("field", "userID").with("value", o.ID).with("appID", o.AppID)
}

// contentType is the request's, in lower case and without parameters; empty where there is
// none that can be read.
func (c *call) contentType() string {
	t, _, err := mime.ParseMediaType(c.r.Header.Get("Content-Type"))
	if err != nil {
		return ""
	}
	return t
}
