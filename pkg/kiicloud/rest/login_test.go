package rest

import (
	"context"
	"crypto/sha256"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/pkg/kiicloud/store"
)

func TestLogin(t *testing.T) {
	l := newLab(t)
	reg := l.call("POST", "/api/apps/demo/users", "",
		`{"loginName":"ann","password":"pw-ann","emailAddress":"Ann@Example.com","phoneNumber":"+81-90","displayName":"100% Ann"}`,
		"Content-Type", "application/vnd.kii.RegistrationRequest+json")
	require.Equal(t, 201, reg.StatusCode, reg.text)
	id := reg.str("userID")
	assert.Equal(t, "100% Ann", reg.str("displayName"), "still the same once decoded")
	assert.Equal(t, "/api/apps/demo/users/"+id, reg.Header.Get("Location"))
	l.call("POST", "/api/apps/demo/users", "", `{}`, "Content-Type", pseudoUser)
	l.call("POST", "/api/apps/demo/users", "", `{"phoneNumber":"0901234567","country":"JP","password":"pw-local"}`)
	l.thing("v")

	ms := func(d time.Duration) string { return strconv.FormatInt(l.clock().Add(d).UnixMilli(), 10) }
	cases := []struct {
		name, body string
		status     int
		code       string
		expiresIn  float64
	}{
		{"by login name", `{"username":"ann","password":"pw-ann"}`, 200, "", 86400},
		{"by login name, said so", `{"username":"LOGIN_NAME:ann","password":"pw-ann"}`, 200, "", 86400},
		{"by email in any case", `{"username":"EMAIL:ann@EXAMPLE.com","password":"pw-ann"}`, 200, "", 86400},
		{"by phone", `{"username":"PHONE:+81-90","password":"pw-ann"}`, 200, "", 86400},
		{"by email as the official SDK sends it", `{"username":"Ann@Example.com","password":"pw-ann"}`, 200, "", 86400},
		{"by global phone as the official SDK sends it", `{"username":"+81-90","password":"pw-ann"}`, 200, "", 86400},
		{"by local phone as the official SDK sends it", `{"username":"0901234567","password":"pw-local"}`, 200, "", 86400},
		{"by local phone with the country", `{"username":"PHONE:JP-0901234567","password":"pw-local"}`, 200, "", 86400},
		{"as a thing", `{"username":"VENDOR_THING_ID:v","password":"pw-v"}`, 200, "", 86400},
		{"for a shorter time", `{"username":"ann","password":"pw-ann","expiresAt":` + ms(time.Minute) + `}`, 200, "", 60},
		{"for a longer time than there is", `{"username":"ann","password":"pw-ann","expiresAt":` + ms(48*time.Hour) + `}`, 200, "", 86400},
		{"as administrator", `{"client_id":"root","client_secret":"root-secret"}`, 200, "", 86400},
		{"wrong password", `{"username":"ann","password":"pw-bob"}`, 400, "invalid_grant", 0},
		{"unknown user", `{"username":"bob","password":"pw-ann"}`, 400, "invalid_grant", 0},
		{"user without a name", `{"username":"EMAIL:","password":"pw-ann"}`, 400, "invalid_grant", 0},
		{"wrong password of a thing", `{"username":"VENDOR_THING_ID:v","password":"pw-w"}`, 400, "invalid_grant", 0},
		{"unknown thing", `{"username":"VENDOR_THING_ID:w","password":"pw-w"}`, 400, "invalid_grant", 0},
		{"thing without a prefix", `{"username":"v","password":"pw-v"}`, 400, "invalid_grant", 0},
		{"user as a thing", `{"username":"VENDOR_THING_ID:ann","password":"pw-ann"}`, 400, "invalid_grant", 0},
		{"wrong secret", `{"client_id":"root","client_secret":"x"}`, 400, "invalid_grant", 0},
		{"unknown administrator", `{"client_id":"x","client_secret":"root-secret"}`, 400, "invalid_grant", 0},
		{"empty secret of nobody", `{"client_id":"x","client_secret":""}`, 400, "invalid_grant", 0},
		{"no password", `{"username":"ann"}`, 400, "INVALID_INPUT_DATA", 0},
		{"expired before it began", `{"username":"ann","password":"pw-ann","expiresAt":1}`, 400, "INVALID_INPUT_DATA", 0},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			for _, path := range []string{"/api/oauth2/token", "/api/apps/demo/oauth2/token?disable_cache=123"} {
				a := l.call("POST", path, "", c.body, "Content-Type", "application/vnd.kii.OauthTokenRequest+json")
				if c.code != "" {
					a.want(t, c.status, c.code)
					if c.code == "invalid_grant" {
						assert.Equal(t, "invalid_grant", a.str("error"))
						assert.NotEmpty(t, a.str("error_description"))
					}
					continue
				}
				require.Equal(t, c.status, a.StatusCode, a.text)
				random, _, _ := strings.Cut(a.str("access_token"), ".")
				assert.Len(t, random, tokenLength)
				assert.Equal(t, "Bearer", a.str("token_type"))
				assert.Equal(t, c.expiresIn, a.json["expires_in"])
			}
		})
	}
	assert.NotContains(t, reg.text, "pw-ann")
}

// login gives a new token of a user or thing.
func (l *lab) login(username, password string) (token string) {
	l.t.Helper()
	a := l.call("POST", "/api/oauth2/token", "", `{"username":"`+username+`","password":"`+password+`"}`)
	require.Equal(l.t, 200, a.StatusCode, a.text)
	return a.str("access_token")
}

func TestATokenEndsWhenItSaid(t *testing.T) {
	l := newLab(t)
	_, token := l.user("ann")
	l.advance(24*time.Hour - time.Second)
	require.Equal(t, 200, l.call("GET", "/api/apps/demo/users/me", token, "").StatusCode)
	l.advance(time.Second)
	l.call("GET", "/api/apps/demo/users/me", token, "").want(t, 401, "UNAUTHORIZED")
}

func TestLogOut(t *testing.T) {
	l := newLab(t)
	l.user("ann")
	l.thing("v")
	for name, logIn := range map[string]func() string{
		"user":          func() string { return l.login("ann", "pw-ann") },
		"thing":         func() string { return l.login("VENDOR_THING_ID:v", "pw-v") },
		"administrator": l.admin,
	} {
		for _, path := range []string{"/api/oauth2/token", "/api/apps/demo/oauth2/token"} {
			token, other := logIn(), logIn()
			assert.Equal(t, 204, l.call("DELETE", path, token, "").StatusCode, name)
			l.call("DELETE", path, token, "").want(t, 401, "UNAUTHORIZED")
			l.call("GET", "/api/apps/demo/users/nobody", token, "").want(t, 401, "UNAUTHORIZED")
			l.call("GET", "/api/apps/demo/users/nobody", other, "").want(t, 404, "USER_NOT_FOUND")
		}
	}
}

// countHashing gives each caller who hashes or checks a password the slot to do so, one at a
// time, and counts them.
func (l *lab) countHashing() (count func() int) {
	slots, stop, done := make(chan struct{}), make(chan struct{}), make(chan struct{})
	n := 0
	go func() {
		defer close(done)
		for {
			select {
			case <-slots:
				n++
				slots <- struct{}{}
			case <-stop:
				return
			}
		}
	}()
	l.api.passwords.slots = slots
	return func() int {
		close(stop)
		<-done
		return n
	}
}

// Whoever logs in, known or not, costs one check of a password: otherwise the time would
// tell which users and things there are.
func TestEveryLoginChecksOnePassword(t *testing.T) {
	l := newLab(t)
	l.user("ann")
	l.thing("v")
	l.thing("disabled")
	require.Equal(t, 204, l.call("PUT", "/api/apps/demo/things/VENDOR_THING_ID:disabled/status", l.admin(), `{"disabled":true}`).StatusCode)
	for _, username := range []string{"ann", "nobody", "0901234567", "x@example.com", "EMAIL:", "PHONE:", "VENDOR_THING_ID:v", "VENDOR_THING_ID:disabled", "VENDOR_THING_ID:nothing", "VENDOR_THING_ID:"} {
		t.Run(username, func(t *testing.T) {
			count := l.countHashing()
			l.call("POST", "/api/oauth2/token", "", `{"username":"`+username+`","password":"wrong"}`).want(t, 400, "invalid_grant")
			assert.Equal(t, 1, count())
		})
	}
}

func TestTokensWithoutAnEnd(t *testing.T) {
	l := newLab(t, func(c *Config) { c.TokenTTL = 0 })
	l.user("ann")
	a := l.call("POST", "/api/oauth2/token", "", `{"username":"ann","password":"pw-ann"}`)
	assert.EqualValues(t, neverExpires, a.json["expires_in"])
	l.advance(100 * 365 * 24 * time.Hour)
	assert.Equal(t, 200, l.call("GET", "/api/apps/demo/users/me", a.str("access_token"), "").StatusCode)
}

func TestAnAdministratorWhoIsNoLongerOneIsOut(t *testing.T) {
	l := newLab(t)
	token := l.admin()
	id, _ := l.user("ann")
	require.Equal(t, 200, l.call("GET", "/api/apps/demo/users/"+id, token, "").StatusCode)
	l.api.Admins = nil
	l.call("GET", "/api/apps/demo/users/"+id, token, "").want(t, 401, "UNAUTHORIZED")
}

func TestPasswordsAreHashedSlowly(t *testing.T) {
	saved := hashing
	defer func() { hashing = saved }()
	hashing = realHashing
	p, err := newPasswords()
	require.NoError(t, err)
	ctx := context.Background()
	hash, err := p.hash(ctx, "correct horse")
	require.NoError(t, err)
	assert.True(t, strings.HasPrefix(hash, "$argon2id$v=19$m=19456,t=2,p=1$"), hash)
	again, err := p.hash(ctx, "correct horse")
	require.NoError(t, err)
	assert.NotEqual(t, hash, again, "each has a salt of its own")

	hashing = argonParams{memory: 64, passes: 1, threads: 1} // the stored parameters count
	cases := []struct {
		name, password, hash string
		ok, err              bool
	}{
		{"right", "correct horse", hash, true, false},
		{"wrong", "correct hors", hash, false, false},
		{"empty", "", hash, false, false},
		{"no user", "correct horse", "", false, false},
		{"not a hash", "x", "plain", false, true},
		{"another scheme", "x", strings.Replace(hash, "argon2id", "argon2i", 1), false, true},
		{"another version", "x", strings.Replace(hash, "v=19", "v=18", 1), false, true},
		{"no parameters", "x", strings.Replace(hash, "m=19456,t=2,p=1", "m=?", 1), false, true},
		{"no passes", "x", strings.Replace(hash, "t=2", "t=0", 1), false, true},
		{"no key", "x", hash[:strings.LastIndex(hash, "$")+1], false, true},
		{"bad salt", "x", strings.Replace(hash, "$m=19456,t=2,p=1$", "$m=19456,t=2,p=1$!", 1), false, true},
	}
	for _, c := range cases {
		ok, err := p.check(ctx, c.password, c.hash)
		assert.Equal(t, c.ok, ok, c.name)
		assert.Equal(t, c.err, err != nil, c.name)
	}
}

// Where there is no user, what is checked instead costs the same.
func TestTheDecoyIsHashedLikeAPassword(t *testing.T) {
	saved := hashing
	defer func() { hashing = saved }()
	hashing = realHashing
	p, err := newPasswords()
	require.NoError(t, err)
	hash, err := p.hash(context.Background(), "x")
	require.NoError(t, err)
	params, salt, key, err := parseHash(hash)
	require.NoError(t, err)
	decoyParams, decoySalt, decoyKey, err := parseHash(p.decoy)
	require.NoError(t, err)
	assert.Equal(t, realHashing, params)
	assert.Equal(t, params, decoyParams)
	assert.Len(t, decoySalt, len(salt))
	assert.Len(t, decoyKey, len(key))
}

func TestHashingWaitsForAFreeSlot(t *testing.T) {
	p, err := newPasswords()
	require.NoError(t, err)
	for range cap(p.slots) {
		p.slots <- struct{}{}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err = p.hash(ctx, "x")
	assert.ErrorIs(t, err, context.Canceled)
	<-p.slots
	_, err = p.hash(context.Background(), "x")
	assert.NoError(t, err)
}

// An administrator's secret is changed by a start with another one, after which nothing is left of the old one.
func TestAnotherSecretEndsAnAdministratorsTokens(t *testing.T) {
	l := newLab(t)
	token, ask := l.admin(), func(token string) answer { return l.call("GET", "/api/apps/demo/topics", token, "") }
	require.Equal(t, 200, ask(token).StatusCode)
	random, name, _ := strings.Cut(token, ".")
	assert.Equal(t, "root", name, "nothing that was made with the secret, which could be tried out on it")
	for _, forged := range []string{random, random + ".", random + ".oot", random + ".other", token + ".", token[1:]} {
		ask(forged).want(t, 401, "UNAUTHORIZED")
	}
	l.api.Admins = []Admin{{"other", "root-secret"}, {"root", "another-secret"}}
	ask(token).want(t, 401, "UNAUTHORIZED")
	ask(random+".other").want(t, 401, "UNAUTHORIZED")
	a := l.call("POST", "/api/oauth2/token", "", `{"client_id":"root","client_secret":"another-secret"}`)
	require.Equal(t, 200, a.StatusCode, a.text)
	require.Equal(t, 200, ask(a.str("access_token")).StatusCode)
	l.api.Admins = []Admin{{"root", "root-secret"}}
	require.Equal(t, 200, ask(token).StatusCode, "the same secret again")
	require.Equal(t, 204, l.call("DELETE", "/api/oauth2/token", token, "").StatusCode)
	ask(token).want(t, 401, "UNAUTHORIZED")

	// What older programs have given, for whatever secret, is not good any more.
	for _, old := range []string{random, random + "." + random} {
		h := sha256.Sum256([]byte(old))
		admin := store.Owner{AppID: "demo", Kind: store.OwnerAdmin, ID: "root"}
		require.NoError(t, l.store.PutToken(t.Context(), store.Token{Hash: h[:], Owner: admin, ExpiresAt: l.clock().Add(time.Hour)}, ""))
		ask(old).want(t, 401, "UNAUTHORIZED")
	}
}
