package rest

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRegisterChecksItsInput(t *testing.T) {
	l := newLab(t)
	l.call("POST", "/api/apps/demo/users", "", `{"loginName":"ann","password":"pw-ann","emailAddress":"ann@example.com","phoneNumber":"0123"}`)
	cases := []struct {
		name, body, code, field string
	}{
		{"only an email", `{"emailAddress":"bob@example.com","password":"pw-bob"}`, "", ""},
		{"unknown fields", `{"loginName":"carl","password":"pw-c","country":"JP","custom":{"a":[1]}}`, "", ""},
		{"no name", `{"password":"pw-x"}`, "INVALID_INPUT_DATA", ""},
		{"no password", `{"loginName":"dora"}`, "INVALID_INPUT_DATA", ""},
		{"short password", `{"loginName":"dora","password":"abc"}`, "INVALID_INPUT_DATA", ""},
		{"long password", `{"loginName":"dora","password":"` + strings.Repeat("x", 257) + `"}`, "INVALID_INPUT_DATA", ""},
		{"short login name", `{"loginName":"do","password":"pw-x"}`, "INVALID_INPUT_DATA", ""},
		{"percent in the login name", `{"loginName":"do%41","password":"pw-x"}`, "INVALID_INPUT_DATA", ""},
		{"colon in the login name", `{"loginName":"EMAIL:ann","password":"pw-x"}`, "INVALID_INPUT_DATA", ""},
		{"bad email", `{"emailAddress":"nobody","password":"pw-x"}`, "INVALID_INPUT_DATA", ""},
		{"bad phone", `{"phoneNumber":"call me","password":"pw-x"}`, "INVALID_INPUT_DATA", ""},
		{"long display name", `{"loginName":"dora","password":"pw-x","displayName":"` + strings.Repeat("x", 257) + `"}`, "INVALID_INPUT_DATA", ""},
		{"login name taken", `{"loginName":"ann","password":"pw-x"}`, "USER_ALREADY_EXISTS", "loginName"},
		{"email taken, in other letters", `{"loginName":"dora","emailAddress":"ANN@example.com","password":"pw-x"}`, "USER_ALREADY_EXISTS", "emailAddress"},
		{"another's number as login name", `{"loginName":"0123","password":"pw-x"}`, "USER_ALREADY_EXISTS", "loginName"},
		{"phone taken", `{"loginName":"dora","phoneNumber":"0123","password":"pw-x"}`, "USER_ALREADY_EXISTS", "phoneNumber"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			a := l.call("POST", "/api/apps/demo/users", "", c.body)
			switch c.code {
			case "":
				require.Equal(t, 201, a.StatusCode, a.text)
				assert.NotEmpty(t, a.str("userID"))
				assert.NotContains(t, a.json, "_accessToken")
			case "USER_ALREADY_EXISTS":
				a.want(t, 409, c.code)
				assert.Equal(t, c.field, a.str("field"))
			default:
				a.want(t, 400, c.code)
			}
		})
	}
}

func TestAPseudoUserIsLoggedInAtOnce(t *testing.T) {
	l := newLab(t)
	a := l.call("POST", "/api/apps/demo/users", "", `{"displayName":"guest"}`,
		"Content-Type", "application/vnd.kii.RegistrationAndAuthorizationRequest+json; charset=utf-8")
	require.Equal(t, 201, a.StatusCode, a.text)
	me := l.call("GET", "/api/apps/demo/users/me", a.str("_accessToken"), "")
	require.Equal(t, 200, me.StatusCode, me.text)
	assert.Equal(t, a.str("userID"), me.str("userID"))
	l.call("POST", "/api/apps/demo/users", "", `{"loginName":"named"}`, "Content-Type", pseudoUser).want(t, 400, "INVALID_INPUT_DATA")
}

func TestReadUser(t *testing.T) {
	l := newLab(t)
	id, ann := l.user("ann")
	a := l.call("POST", "/api/apps/demo/users", "", `{"loginName":"bob","password":"pw-bob","emailAddress":"bob@example.com","phoneNumber":"+8190","secret":1}`)
	bob := a.str("userID")
	cases := []struct {
		name, path, token string
		status            int
		code, login       string
		email             bool
	}{
		{"me", "me", ann, 200, "", "ann", false},
		{"myself by id", id, ann, 200, "", "ann", false},
		{"somebody else, without private fields", bob, ann, 200, "", "bob", false},
		{"anybody, for an administrator", bob, l.admin(), 200, "", "bob", true},
		{"by login name", "LOGIN_NAME:bob", ann, 200, "", "bob", false},
		{"by email in any case", "EMAIL:Bob@example.com", ann, 200, "", "bob", false},
		{"by email, escaped", "EMAIL%3Abob%40example.com", ann, 200, "", "bob", false},
		{"by phone", "PHONE:+8190", ann, 200, "", "bob", false},
		{"by phone, for an administrator", "PHONE:+8190", l.admin(), 200, "", "bob", true},
		{"by an email of nobody", "EMAIL:x@example.com", ann, 404, "USER_NOT_FOUND", "", false},
		{"by a kind of name that there is not", "NAME:bob", ann, 404, "USER_NOT_FOUND", "", false},
		{"me as administrator", "me", l.admin(), 403, "WRONG_TOKEN", "", false},
		{"nobody", "nobody", ann, 404, "USER_NOT_FOUND", "", false},
		{"without a token", "me", "", 401, "UNAUTHORIZED", "", false},
		{"with a bad token", "me", ann + "x", 401, "UNAUTHORIZED", "", false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			a := l.call("GET", "/api/apps/demo/users/"+c.path, c.token, "")
			if c.code != "" {
				a.want(t, c.status, c.code)
				return
			}
			require.Equal(t, c.status, a.StatusCode, a.text)
			assert.Equal(t, c.login, a.str("loginName"))
			assert.Equal(t, c.email, a.json["emailAddress"] != nil)
			assert.NotContains(t, a.text, "argon2")
		})
	}
}
