package rest

import (
	"context"
	"errors"
	"mime"
	"net/http"
	"regexp"
	"strings"

	"github.com/kiiweb/kiiweb/pkg/kiicloud/store"
)

const (
	typeUser       = "application/vnd.kii.UserDataRetrievalResponse+json"
	typeRegistered = "application/vnd.kii.RegistrationResponse+json"
)

func userRoutes() []Route {
	return []Route{
		{"POST", inApp + "/users", ByNobody, 201, typeRegistered, "register a user", (*API).register},
		{"GET", inApp + "/users/{userID}", byAnyToken, 200, typeUser, "read a user; me is the caller", (*API).readUser},
		{"POST", inApp + "/users/{userID}/push/messages", byAnyToken, 201, typePushed, "push to a user; me is the caller", (*API).pushToUser},
	}
}

// UserStore keeps users.
type UserStore interface {
	CreateUser(ctx context.Context, u store.User) (store.User, error)
	UserByID(ctx context.Context, appID, id string) (store.User, error)
	UserByName(ctx context.Context, appID string, key store.UserKey, name string) (store.User, error)
}

// What names and passwords may look like. A login name goes into URLs and log-in
// forms; the '%' that breaks clients is in none of them.
var (
	validLoginName = regexp.MustCompile(`^[A-Za-z0-9._-]{3,64}$`)
	validEmail     = regexp.MustCompile(`^[^\s@%:/]{1,64}@[^\s@%:/]{1,190}$`)
	validPhone     = regexp.MustCompile(`^\+?[0-9-]{4,20}$`)
)

const (
	minPassword    = 4 // characters
	maxPassword    = 256
	maxDisplayName = 256
)

// pseudoUser is the content type of a registration without names or password.
const pseudoUser = "application/vnd.kii.registrationandauthorizationrequest+json"

type registration struct {
	LoginName   string `json:"loginName"`
	Password    string `json:"password"`
	DisplayName string `json:"displayName"`
	Email       string `json:"emailAddress"`
	Phone       string `json:"phoneNumber"`
}

type userResponse struct {
	UserID      string `json:"userID"`
	LoginName   string `json:"loginName,omitempty"`
	DisplayName string `json:"displayName,omitempty"`
	Email       string `json:"emailAddress,omitempty"`
	Phone       string `json:"phoneNumber,omitempty"`
	AccessToken string `json:"_accessToken,omitempty"`
}

func (a *API) register(c *call) (any, error) {
	var req registration
	if err := c.read(&req); err != nil {
		return nil, err
	}
	req.Email = normalEmail(req.Email)
	pseudo := isPseudo(c.r)
	if err := req.check(pseudo); err != nil {
		return nil, err
	}
	u := store.User{AppID: c.app.ID, LoginName: req.LoginName, Email: req.Email, Phone: req.Phone, DisplayName: req.DisplayName, CreatedAt: a.Now()}
	if f, err := a.taken(c.ctx(), u); f != nil || err != nil { // before the hash, which is dear
		return nil, errors.Join(asError(f), err)
	}
	if req.Password != "" {
		hash, err := a.passwords.hash(c.ctx(), req.Password)
		if err != nil {
			return nil, err
		}
		u.PasswordHash = hash
	}
	u, err := a.Store.CreateUser(c.ctx(), u)
	if errors.Is(err, store.ErrExists) {
		return nil, alreadyExists()
	}
	if err != nil {
		return nil, err
	}
	c.w.Header().Set("Location", "/api/apps/"+c.app.ID+"/users/"+u.ID)
	res := describeUser(u, true)
	if pseudo {
		login, err := a.issue(c, store.Owner{AppID: u.AppID, Kind: store.OwnerUser, ID: u.ID}, u.PasswordHash, nil)
		if err != nil {
			return nil, err
		}
		res.AccessToken = login.AccessToken
	}
	return res, nil
}

func (q registration) check(pseudo bool) error {
	named := q.LoginName != "" || q.Email != "" || q.Phone != ""
	switch {
	case !named && !pseudo:
		return invalidInput("A user needs a loginName, an emailAddress or a phoneNumber.")
	case q.LoginName != "" && !validLoginName.MatchString(q.LoginName):
		return invalidInput("loginName must have 3 to 64 letters, digits, dots, hyphens or underscores.")
	case q.Email != "" && !validEmail.MatchString(q.Email):
		return invalidInput("emailAddress does not look like one.")
	case q.Phone != "" && !validPhone.MatchString(q.Phone):
		return invalidInput("phoneNumber must have digits, hyphens and perhaps a plus sign in front.")
	case q.Password == "" && (!pseudo || named):
		return invalidInput("A password is missing.")
	case q.Password != "" && (len(q.Password) < minPassword || len(q.Password) > maxPassword):
		return invalidInput("password must have 4 to 256 bytes.")
	case len(q.DisplayName) > maxDisplayName:
		return invalidInput("displayName must have at most 256 bytes.")
	}
	return nil
}

// taken finds out which of the names belongs to somebody already.
func (a *API) taken(ctx context.Context, u store.User) (*failure, error) {
	names := []struct {
		key         store.UserKey
		field, name string
	}{{store.UserLoginName, "loginName", u.LoginName}, {store.UserEmail, "emailAddress", u.Email}, {store.UserPhone, "phoneNumber", u.Phone}}
	for _, n := range names {
		if n.name == "" {
			continue
		}
		_, err := a.Store.UserByName(ctx, u.AppID, n.key, n.name)
		if err == nil {
			return alreadyExists().with("field", n.field).with("value", n.name), nil
		}
		if !errors.Is(err, store.ErrNotFound) {
			return nil, err
		}
	}
	return nil, nil
}

func alreadyExists() *failure {
	return fail(http.StatusConflict, "USER_ALREADY_EXISTS", "A user with this name exists already.")
}

// asError keeps a nil *failure from becoming an error that is not nil.
func asError(f *failure) error {
	if f == nil {
		return nil
	}
	return f
}

func (a *API) readUser(c *call) (any, error) {
	o, err := c.userInPath()
	if err != nil {
		return nil, err
	}
	u, err := a.findUser(c.ctx(), o)
	if err != nil {
		return nil, err
	}
	return describeUser(u, c.mayActFor(o)), nil
}

// userInPath names the user that the path means: by id, or the caller as "me".
func (c *call) userInPath() (store.Owner, error) { return c.userNamed(c.r.PathValue("userID")) }

// userNamed is userInPath for any name of a user in a path.
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
		return store.User{}, notFound("USER_NOT_FOUND", "There is no user with this id.").with("userID", o.ID).with("appID", o.AppID)
	}
	return u, err
}

// describeUser leaves out what is not for everybody, unless the caller may see all.
func describeUser(u store.User, all bool) userResponse {
	res := userResponse{UserID: u.ID, LoginName: u.LoginName, DisplayName: u.DisplayName}
	if all {
		res.Email, res.Phone = u.Email, u.Phone
	}
	return res
}

func isPseudo(r *http.Request) bool {
	t, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return err == nil && t == pseudoUser
}

func normalEmail(s string) string { return strings.ToLower(s) }
