package rest

import (
	"regexp"
	"strings"

	"github.com/kiiweb/kiiweb/pkg/kiicloud/store"
)

// What names and passwords may look like. A login name goes into URLs and log-in
// forms; the '%' that breaks clients is in none of them.
var (
	validLoginName = regexp.MustCompile(`^[A-Za-z0-9._-]{3,64}$`)
	validEmail     = regexp.MustCompile(`^[^\s@%:/]{1,64}@[^\s@%:/]{1,190}$`)
	validPhone     = regexp.MustCompile(`^\+?[0-9-]{4,20}$`)
	validCountry   = regexp.MustCompile(`^[A-Za-z]{2}$`)
)

const (
	minPassword    = 4 // bytes
	maxPassword    = 256
	maxDisplayName = 256
	maxLocale      = 35 // what BCP 47 asks implementations to take
)

// predefined are the fields of a user that mean something to Kii. Some are only in answers,
// and come back with a client's next update; id is what the official SDK takes for userID.
var predefined = map[string]bool{
	"userID": true, "id": true, "internalUserID": true, "loginName": true, "displayName": true, "password": true,
	"emailAddress": true, "emailAddressVerified": true, "phoneNumber": true, "phoneNumberVerified": true,
	"country": true, "locale": true,
}

// userFields is what a registration or an update says of a user. A name that is empty is as
// good as absent; of the others nil is absent.
type userFields struct {
	loginName, password, email, phone string
	displayName, country, locale      *string
	custom                            fields // nil leaves country, locale and the app's own fields alone
}

// readUserFields reads the request's body and checks what is in it.
func (c *call) readUserFields() (u userFields, err error) {
	var all fields
	if err := c.read(&all); err != nil {
		return u, err
	}
	for name, to := range map[string]*string{"loginName": &u.loginName, "password": &u.password, "emailAddress": &u.email, "phoneNumber": &u.phone} {
		s, err := all.text(name)
		if err != nil {
			return u, err
		}
		if s != nil {
			*to = *s
		}
	}
	for name, to := range map[string]**string{"displayName": &u.displayName, "country": &u.country, "locale": &u.locale} {
		if *to, err = all.text(name); err != nil {
			return u, err
		}
	}
	u.email = normalEmail(u.email)
	u.custom = all.custom(predefined)
	return u, u.check()
}

// named tells whether there is a name to log in by.
func (u userFields) named() bool { return u.loginName != "" || u.email != "" || u.phone != "" }

func (u userFields) check() error {
	switch {
	case u.loginName != "" && !validLoginName.MatchString(u.loginName):
		return invalidInput("loginName must have 3 to 64 letters, digits, dots, hyphens or underscores.")
	case u.email != "" && !validEmail.MatchString(u.email):
		return invalidInput("emailAddress does not look like one.")
	case u.phone != "" && !validPhone.MatchString(u.phone):
		return invalidInput("phoneNumber must have digits, hyphens and perhaps a plus sign in front.")
	case u.password != "" && (len(u.password) < minPassword || len(u.password) > maxPassword):
		return invalidInput("password must have 4 to 256 bytes.")
	case u.displayName != nil && len(*u.displayName) > maxDisplayName:
		return invalidInput("displayName must have at most 256 bytes.")
	case u.country != nil && *u.country != "" && !validCountry.MatchString(*u.country):
		return invalidInput("country must be a code of two letters.")
	case u.locale != nil && len(*u.locale) > maxLocale:
		return invalidInput("locale must have at most 35 bytes.")
	}
	return nil
}

// apply changes a user to what was asked. As Kii has it, what is predefined stays where it is
// absent, while the custom fields become those of the request.
func (u userFields) apply(to *store.User) error {
	for _, name := range []struct {
		to    *string
		value string
	}{{&to.LoginName, u.loginName}, {&to.Email, u.email}, {&to.Phone, u.phone}} {
		if name.value != "" {
			*name.to = name.value
		}
	}
	if u.displayName != nil {
		to.DisplayName = *u.displayName
	}
	if u.custom == nil { // not an update of the fields
		return nil
	}
	before, err := decodeFields(to.Fields)
	if err != nil {
		return err
	}
	after := fields{}
	for name, value := range u.custom {
		after[name] = value
	}
	for name, value := range map[string]*string{"country": u.country, "locale": u.locale} {
		if value != nil {
			after.setText(name, *value)
		} else if v, ok := before[name]; ok {
			after[name] = v
		}
	}
	to.Fields, err = after.encode()
	return err
}

// describeUser gives what a user's readers see: all of it to the user and to
// administrators, and to others what does not tell how to reach or log in as the user.
func describeUser(u store.User, all bool) (map[string]any, error) {
	res := map[string]any{"userID": u.ID}
	names := map[string]string{"loginName": u.LoginName, "displayName": u.DisplayName}
	if all {
		own, err := decodeFields(u.Fields)
		if err != nil {
			return nil, err
		}
		for name, value := range own {
			res[name] = value
		}
		names["emailAddress"], names["phoneNumber"] = u.Email, u.Phone
		res["_hasPassword"] = u.PasswordHash != ""
	}
	for name, value := range names {
		if value == "" {
			continue
		}
		res[name] = value
		if name == "emailAddress" || name == "phoneNumber" {
			res[name+"Verified"] = true // nobody is asked to prove an address here
		}
	}
	return res, nil
}

func normalEmail(s string) string { return strings.ToLower(s) }
