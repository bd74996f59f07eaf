package rest

import (
	"errors"
	"net/http"

	"github.com/kiiweb/kiiweb/pkg/kiicloud/store"
)

type updateResponse struct {
	ModifiedAt int64 `json:"modifiedAt"` // ms since 1970
}

// updateUser is also how a pseudo user becomes one with a name: then the request has a
// password, which for all others is changed at its own path.
func (a *API) updateUser(c *call) (any, error) {
	o, err := a.userFor(c, c.r.PathValue("userID"), "Only the user and administrators can change a user.")
	if err != nil {
		return nil, err
	}
	req, err := c.readUserFields()
	if err != nil {
		return nil, err
	}
	hash := ""
	if req.password != "" {
		if !req.named() {
			return nil, invalidInput("A password is changed at users/{userID}/password; here it only comes with a pseudo user's first name.")
		}
		if hash, err = a.passwords.hash(c.ctx(), req.password); err != nil {
			return nil, err
		}
	}
	return updateResponse{a.Now().UnixMilli()}, a.changeUser(c, o, req, hash)
}

// changeUser applies the request to the user. hash is that of the request's password.
func (a *API) changeUser(c *call, o store.Owner, req userFields, hash string) error {
	var changed store.User
	err := a.Store.UpdateUser(c.ctx(), o.AppID, o.ID, func(u *store.User) error {
		switch {
		case hash != "" && u.PasswordHash != "":
			return invalidInput("The user has a password already; it is changed at users/{userID}/password.")
		case hash == "" && u.PasswordHash == "" && req.named():
			return invalidInput("A user without a password needs one together with the first name to log in by.")
		case hash != "":
			u.PasswordHash = hash
		}
		err := req.apply(u)
		changed = *u
		return err
	})
	switch {
	case errors.Is(err, store.ErrExists):
		if err := a.taken(c.ctx(), changed); err != nil { // which says whose name it is
			return err
		}
		return userExists()
	case errors.Is(err, store.ErrNotFound):
		return userNotFound(o)
	}
	return err
}

type addressRequest struct {
	Email string `json:"emailAddress"`
	Phone string `json:"phoneNumber"`
}

func (a *API) changeEmail(c *call) (any, error) {
	return nil, a.changeAddress(c, func(req addressRequest) (userFields, error) {
		u := userFields{email: normalEmail(req.Email)}
		if u.email == "" {
			return u, invalidInput("emailAddress is missing.")
		}
		return u, u.check()
	})
}

func (a *API) changePhone(c *call) (any, error) {
	return nil, a.changeAddress(c, func(req addressRequest) (userFields, error) {
		u := userFields{phone: req.Phone}
		if u.phone == "" {
			return u, invalidInput("phoneNumber is missing.")
		}
		return u, u.check()
	})
}

// changeAddress changes one of the user's addresses and leaves the fields alone.
func (a *API) changeAddress(c *call, pick func(addressRequest) (userFields, error)) error {
	o, err := a.userFor(c, c.r.PathValue("userID"), "Only the user and administrators can change a user's addresses.")
	if err != nil {
		return err
	}
	var req addressRequest
	if err := c.read(&req); err != nil {
		return err
	}
	change, err := pick(req)
	if err != nil {
		return err
	}
	return a.changeUser(c, o, change, "")
}

type passwordRequest struct {
	Old string `json:"oldPassword"`
	New string `json:"newPassword"`
}

// changeUserPassword ends the user's other tokens: who had the old password may have one.
// An administrator need not know the old password.
func (a *API) changeUserPassword(c *call) (any, error) {
	o, err := a.userFor(c, c.r.PathValue("userID"), "Only the user and administrators can change a user's password.")
	if err != nil {
		return nil, err
	}
	req, err := c.readPassword()
	if err != nil {
		return nil, err
	}
	if c.isAdmin() {
		return nil, a.setPassword(c, o, "", req.New, userNotFound(o))
	}
	was, err := a.checkOldPassword(c, o, req.Old)
	if err != nil {
		return nil, err
	}
	return nil, a.setPassword(c, o, was, req.New, wrongOldPassword(o))
}

// readPassword reads the request and checks the new password.
func (c *call) readPassword() (req passwordRequest, err error) {
	if err := c.read(&req); err != nil {
		return req, err
	}
	switch {
	case len(req.New) < minPassword:
		err = fail(http.StatusBadRequest, "PASSWORD_TOO_SHORT", "newPassword must have 4 to 256 bytes.").with("minimumLength", minPassword)
	case len(req.New) > maxPassword:
		err = invalidInput("newPassword must have 4 to 256 bytes.")
	}
	return req, err
}

// checkOldPassword gives the hash that the password belongs to.
func (a *API) checkOldPassword(c *call, o store.Owner, password string) (hash string, err error) {
	u, err := a.findUser(c.ctx(), o)
	if err != nil {
		return "", err
	}
	succeeded, err := a.attempt(c, ownerKey(o)) // who has a token must not guess either
	if err != nil {
		return "", err
	}
	ok, err := a.passwords.check(c.ctx(), password, u.PasswordHash)
	switch {
	case err != nil:
		return "", err
	case !ok:
		return "", wrongOldPassword(o)
	}
	succeeded()
	return u.PasswordHash, nil
}

func wrongOldPassword(o store.Owner) *failure {
	return fail(http.StatusUnauthorized, "WRONG_PASSWORD", "oldPassword is not the user's password.").with("principalID", o.ID).with("appID", o.AppID)
}

// setPassword leaves the token of this call alive where it is the owner's own. It fails with
// missing when the owner is gone, or the password is no longer the one whose hash was given.
func (a *API) setPassword(c *call, o store.Owner, was, password string, missing *failure) error {
	hash, err := a.passwords.hash(c.ctx(), password)
	if err != nil {
		return err
	}
	err = a.Store.SetPassword(c.ctx(), o, was, hash, c.token)
	if errors.Is(err, store.ErrNotFound) {
		return missing
	}
	return err
}

func (a *API) deleteUser(c *call) (any, error) {
	o, err := a.userFor(c, c.r.PathValue("userID"), "Only the user and administrators can delete a user.")
	if err != nil {
		return nil, err
	}
	return nil, a.deleteOwner(c, o, userNotFound(o))
}

// deleteOwner deletes a user or thing and ends the connections of what was installed.
func (a *API) deleteOwner(c *call, o store.Owner, missing *failure) error {
	gone, err := a.Store.DeleteOwner(c.ctx(), o)
	if errors.Is(err, store.ErrNotFound) {
		return missing
	}
	if err != nil {
		return err
	}
	for _, i := range gone {
		a.revoke(c, i)
	}
	return nil
}
