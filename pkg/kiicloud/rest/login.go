package rest

import (
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"math"
	"regexp"
	"strings"
	"time"

	"github.com/kiiweb/kiiweb/pkg/kiicloud/store"
)

func loginRoutes() []Route {
	return []Route{
		{"POST", "/api/oauth2/token", ByNobody, 200, typeJSON, "log in as a user, a thing or an administrator", (*API).logIn},
		{"POST", inApp + "/oauth2/token", ByNobody, 200, typeJSON, "log in as a user, a thing or an administrator", (*API).logIn},
		{"DELETE", "/api/oauth2/token", byAnyToken, 204, "", "log out: end the token that the call is made with", (*API).logOut},
		{"DELETE", inApp + "/oauth2/token", byAnyToken, 204, "", "log out: end the token that the call is made with", (*API).logOut},
	}
}

// tokenLength is the length of an access token, but for the name behind an administrator's: 256 random bits.
const tokenLength = 43

const wrongPassword = "The user name or the password is wrong."

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

// account is who logs in, with what proves it.
type account struct {
	owner        store.Owner
	passwordHash string
	disabled     bool
}

// key is what failed logins to an account are counted by: one for all its names. Names that
// nobody has are counted in the same way, so that this does not tell them apart.
func (a account) key(username string) string {
	if a.owner.ID == "" {
		return a.owner.AppID + " name " + username
	}
	return ownerKey(a.owner)
}

func ownerKey(o store.Owner) string { return o.AppID + " " + string(o.Kind) + " " + o.ID }

func (a *API) logIn(c *call) (any, error) {
	var req loginRequest
	if err := c.read(&req); err != nil {
		return nil, err
	}
	var who account
	var err error
	switch {
	case req.ClientID != "" || req.ClientSecret != "":
		who.owner, err = a.adminLogin(c, req)
	case req.Username != "" && req.Password != "":
		who, err = a.passwordLogin(c, req)
	default:
		err = invalidInput("A login needs username and password, or client_id and client_secret.")
	}
	if err != nil {
		return nil, err
	}
	return a.issue(c, who.owner, who.passwordHash, req.ExpiresAt)
}

// logOut ends the token that the call came with; the owner's others stay. The official SDK
// forgets its token without telling anybody, so this call is ours.
func (a *API) logOut(c *call) (any, error) {
	return nil, a.Store.DeleteToken(c.ctx(), c.token)
}

func (a *API) adminLogin(c *call, req loginRequest) (store.Owner, error) {
	succeeded, err := a.attempt(c, "ADMIN "+req.ClientID)
	if err != nil {
		return store.Owner{}, err
	}
	admin, ok := a.admin(req.ClientID)
	if secretOK := same(req.ClientSecret, admin.Secret); !ok || !secretOK {
		return store.Owner{}, invalidGrant(wrongPassword)
	}
	succeeded()
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

// newToken makes a token for owner. An administrator's has the client id behind a dot.
func newToken(owner store.Owner) string {
	token := store.RandomString(tokenLength)
	if owner.Kind == store.OwnerAdmin {
		token += "." + owner.ID
	}
	return token
}

// hashToken gives what is stored of a token. It has 256 random bits, so a plain hash is enough. An administrator's ends with the secret
// for which it was given: that stands in no database, and another one is set by starting the cloud with it. So what is stored is made with the secret, of
// which the token itself tells nothing.
func (a *API) hashToken(token string) []byte {
	_, clientID, named := strings.Cut(token, ".")
	admin, known := a.admin(clientID)
	if !named || !known {
		h := sha256.Sum256([]byte(token))
		return h[:]
	}
	mac := hmac.New(sha256.New, []byte(admin.Secret))
	mac.Write([]byte(token))
	return mac.Sum(nil)
}

// passwordLogin is the login of a user or a thing.
func (a *API) passwordLogin(c *call, req loginRequest) (account, error) {
	who, err := a.account(c, req.Username)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return account{}, err
	}
	succeeded, err := a.attempt(c, who.key(req.Username))
	if err != nil {
		return account{}, err
	}
	ok, err := a.passwords.check(c.ctx(), req.Password, who.passwordHash) // also without an account: takes the same time
	if err != nil {
		return account{}, err
	}
	if !ok {
		return account{}, invalidGrant(wrongPassword)
	}
	succeeded()
	if who.disabled { // said only to who knows the password
		return account{}, invalidGrant("The thing is disabled; an administrator can enable it.")
	}
	return who, nil
}

// account finds whose name the user name is. The error may be store.ErrNotFound.
func (a *API) account(c *call, username string) (account, error) {
	if vendorID, ok := strings.CutPrefix(username, byVendorID); ok {
		t, err := a.Store.ThingByVendorID(c.ctx(), c.app.ID, vendorID)
		return account{store.Owner{AppID: c.app.ID, Kind: store.OwnerThing, ID: t.ID}, t.PasswordHash, t.Disabled}, err
	}
	key, name := loginName(username)
	u, err := a.Store.UserByName(c.ctx(), c.app.ID, key, name)
	if key == store.UserLoginName && errors.Is(err, store.ErrNotFound) && validPhone.MatchString(name) {
		u, err = a.Store.UserByName(c.ctx(), c.app.ID, store.UserPhone, name) // the official SDK sends a local number bare
	}
	return account{owner: store.Owner{AppID: c.app.ID, Kind: store.OwnerUser, ID: u.ID}, passwordHash: u.PasswordHash}, err
}

// loginName says which of a user's names a login, or a path, uses. The official SDK sends
// an email and a global phone number bare; no login name has their '@' or '+'.
func loginName(username string) (store.UserKey, string) {
	switch kind, name, _ := strings.Cut(username, ":"); {
	case kind == "EMAIL":
		return store.UserEmail, normalEmail(name)
	case kind == "PHONE":
		return store.UserPhone, withoutCountry.ReplaceAllString(name, "")
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

// withoutCountry is what stands in front of a local number, as in PHONE:JP-0901234567.
// Numbers are kept as they were registered.
var withoutCountry = regexp.MustCompile(`^[A-Za-z]{2}-`)

// issue makes a token for owner, who was authenticated by passwordHash. It lives as long as
// tokens do here, or shorter when the client asks for that.
func (a *API) issue(c *call, owner store.Owner, passwordHash string, expiresAt *int64) (loginResponse, error) {
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
	token := newToken(owner)
	err := a.Store.PutToken(c.ctx(), store.Token{Hash: a.hashToken(token), Owner: owner, CreatedAt: now, ExpiresAt: end}, passwordHash)
	if errors.Is(err, store.ErrNotFound) { // deleted, disabled or given another password in this very moment
		return loginResponse{}, invalidGrant(wrongPassword)
	}
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
