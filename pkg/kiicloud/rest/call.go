package rest

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/kiiweb/kiiweb/pkg/kiicloud/store"
)

// TokenStore keeps access tokens.
type TokenStore interface {
	PutToken(ctx context.Context, t store.Token, passwordHash string) error
	TokenByHash(ctx context.Context, hash []byte) (store.Token, error)
	DeleteToken(ctx context.Context, hash []byte) error
}

// call is one request on its way through a route.
type call struct {
	w http.ResponseWriter
	r *http.Request

	app   App
	who   store.Owner // who calls; the zero Owner where no token is asked for
	token []byte      // the hash of the caller's token

	status   int // of success; a handler may change both
	produces string
}

func (c *call) ctx() context.Context { return c.r.Context() }

// answerTime is how long a client may take to take an answer in.
const answerTime = time.Minute

// answering has the limit for the answer begin now. The server's own counts from the request on: a push to many, or a change to an object that many
// hear of, may have taken longer than that, and would be done and nobody told.
func (c *call) answering() {
	_ = http.NewResponseController(c.w).SetWriteDeadline(time.Now().Add(answerTime))
}

func (c *call) isAdmin() bool { return c.who.Kind == store.OwnerAdmin }

// mayActFor tells whether the caller is that user or thing, or may act for it.
func (c *call) mayActFor(o store.Owner) bool { return c.isAdmin() || c.who == o }

// identify finds out which app the request comes from and who calls.
func (a *API) identify(c *call, callers Callers) error {
	app, ok := a.app(c.r.Header.Get("X-Kii-AppID"))
	if keyOK := same(c.r.Header.Get("X-Kii-AppKey"), app.Key); !ok || !keyOK {
		return forbidden("WRONG_APP", "The headers X-Kii-AppID and X-Kii-AppKey do not name an app of this server.")
	}
	if inPath := c.r.PathValue("appID"); inPath != "" && inPath != app.ID {
		return forbidden("WRONG_APP", "The app in the path is not the app in the header X-Kii-AppID.").with("appID", inPath)
	}
	c.app = app
	if callers&ByNobody != 0 {
		return nil
	}
	token, ok := bearer(c.r)
	if !ok {
		return unauthorized("This call needs a token: log in and send it as Authorization: Bearer.")
	}
	return a.authenticate(c, token, callers)
}

func (a *API) authenticate(c *call, token string, callers Callers) error {
	t, err := a.Store.TokenByHash(c.ctx(), a.hashToken(token))
	if errors.Is(err, store.ErrNotFound) {
		return unauthorized("The token is unknown or has expired: log in again.")
	}
	if err != nil {
		return err
	}
	if t.Owner.AppID != c.app.ID {
		return forbidden("WRONG_TOKEN", "The token belongs to another app.")
	}
	var kind Callers
	switch t.Owner.Kind {
	case store.OwnerUser:
		kind = ByUser
	case store.OwnerThing:
		kind = ByThing
	case store.OwnerAdmin:
		kind = ByAdmin
		_, clientID, _ := strings.Cut(token, ".")
		if _, ok := a.admin(clientID); !ok || clientID != t.Owner.ID { // it was not made with the secret
			return unauthorized("The token is not good any more: log in again.")
		}
	}
	if callers&kind == 0 {
		return forbidden("WRONG_TOKEN", "A token of this kind cannot make this call.")
	}
	c.who, c.token = t.Owner, t.Hash
	return nil
}

// bearer gives the token of the Authorization header, whose scheme may be in any case.
func bearer(r *http.Request) (string, bool) {
	scheme, token, _ := strings.Cut(strings.TrimSpace(r.Header.Get("Authorization")), " ")
	token = strings.TrimSpace(token)
	return token, strings.EqualFold(scheme, "Bearer") && token != ""
}

// same compares two secrets in a time that tells nothing about them, their length included.
func same(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}
