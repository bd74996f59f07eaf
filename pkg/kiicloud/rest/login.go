package rest

import (
	"errors"
	"math"
	"strings"
	"time"

	"github.com/kiiweb/kiiweb/pkg/kiicloud/store"
)

func loginRoutes() []Route {
	return []Route{
		{"POST", "/api/oauth2/token", ByNobody, 200, typeJSON, "log in as a user, a thing or an administrator", (*API).logIn},
		{"POST", inApp + "/oauth2/token", ByNobody, 200, typeJSON, "log in as a user, a thing or an administrator", (*API).logIn},
	}
}

// tokenLength is the length of an access token: 256 random bits.
const tokenLength = 43

// neverExpires is what expires_in says of a token without an end, in seconds.
const neverExpires = math.MaxInt32

type loginRequest struct {
	Username     string `json:"username"`
	Password     string `json:"password"`
	ClientID     string `json:"client_id"`
	ClientSecret string `json:"client_secret"`
	ExpiresAt    *int64 `json:"expiresAt"` // ms since 1970
}

type loginResponse struct {
	ID          string `json:"id"`
	AccessToken string `json:"access_token"`
	TokenType   string `json:"token_type"`
	ExpiresIn   int64  `json:"expires_in"` // seconds
	Scope       string `json:"scope"`
}

func (a *API) logIn(c *call) (any, error) {
	var req loginRequest
	if err := c.read(&req); err != nil {
		return nil, err
	}
	var owner store.Owner
	var err error
	switch {
	case req.ClientID != "" || req.ClientSecret != "":
		owner, err = a.adminLogin(c, req)
	case req.Username != "" && req.Password != "":
		owner, err = a.userLogin(c, req)
	default:
		err = invalidInput("A login needs username and password, or client_id and client_secret.")
	}
	if err != nil {
		return nil, err
	}
	return a.issue(c, owner, req.ExpiresAt)
}

func (a *API) adminLogin(c *call, req loginRequest) (store.Owner, error) {
	admin, ok := a.admin(req.ClientID)
	if secretOK := same(req.ClientSecret, admin.Secret); !ok || !secretOK {
		return store.Owner{}, invalidGrant()
	}
	return store.Owner{AppID: c.app.ID, Kind: store.OwnerAdmin, ID: admin.ClientID}, nil
}

func (a *API) admin(clientID string) (Admin, bool) {
	for _, admin := range a.Admins {
		if admin.ClientID == clientID {
			return admin, true
		}
	}
	return Admin{}, false
}

func (a *API) userLogin(c *call, req loginRequest) (store.Owner, error) {
	key, name := loginName(req.Username)
	u, err := a.Store.UserByName(c.ctx(), c.app.ID, key, name)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return store.Owner{}, err
	}
	ok, err := a.passwords.check(c.ctx(), req.Password, u.PasswordHash) // also without a user: takes the same time
	if err != nil {
		return store.Owner{}, err
	}
	if !ok {
		return store.Owner{}, invalidGrant()
	}
	return store.Owner{AppID: c.app.ID, Kind: store.OwnerUser, ID: u.ID}, nil
}

// loginName says which of a user's names a login uses. The official SDK sends an email
// and a global phone number bare; no login name has their '@' or '+'.
func loginName(username string) (store.UserKey, string) {
	switch kind, name, _ := strings.Cut(username, ":"); {
	case kind == "EMAIL":
		return store.UserEmail, normalEmail(name)
	case kind == "PHONE":
		return store.UserPhone, name
	case kind == "LOGIN_NAME":
		return store.UserLoginName, name
	case strings.Contains(username, "@"):
		return store.UserEmail, normalEmail(username)
	case strings.HasPrefix(username, "+"):
		return store.UserPhone, username
	default: // a login name has no colon
		return store.UserLoginName, username
	}
}

// issue makes a token for owner. It lives as long as tokens do here, or shorter when
// the client asks for that.
func (a *API) issue(c *call, owner store.Owner, expiresAt *int64) (loginResponse, error) {
	now := a.Now()
	var end time.Time
	if a.TokenTTL > 0 {
		end = now.Add(a.TokenTTL)
	}
	if expiresAt != nil {
		asked := time.UnixMilli(*expiresAt)
		if !asked.After(now) {
			return loginResponse{}, invalidInput("expiresAt is in the past; it is a time in milliseconds since 1970.")
		}
		if end.IsZero() || asked.Before(end) {
			end = asked
		}
	}
	token := store.RandomString(tokenLength)
	err := a.Store.PutToken(c.ctx(), store.Token{Hash: hashToken(token), Owner: owner, CreatedAt: now, ExpiresAt: end})
	if err != nil {
		return loginResponse{}, err
	}
	res := loginResponse{ID: owner.ID, AccessToken: token, TokenType: "Bearer", ExpiresIn: neverExpires, Scope: "appuser"}
	if owner.Kind == store.OwnerAdmin {
		res.Scope = "appadmin"
	}
	if !end.IsZero() {
		res.ExpiresIn = min(neverExpires, int64(end.Sub(now)/time.Second))
	}
	return res, nil
}
