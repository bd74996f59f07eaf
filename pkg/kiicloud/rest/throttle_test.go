package rest

import (
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func limited(c *Config) {
	c.Limits = Limits{LoginByAccount: Rate{3, time.Minute}, LoginByAddress: Rate{6, time.Minute}, RegisterByAddress: Rate{4, time.Minute}}
}

// from makes a call as if it came from an address.
func (l *lab) from(address, method, path, token, body string, header ...string) answer {
	l.t.Helper()
	return l.call(method, path, token, body, append([]string{"From-Address", address}, header...)...)
}

func login(name, password string) string {
	return `{"username":"` + name + `","password":"` + password + `"}`
}

func TestGuessingAPasswordIsSlowedDown(t *testing.T) {
	l := newLab(t, limited)
	id, token := l.user("ann")
	for n := range 3 {
		l.from("203.0.113.1", "POST", "/api/oauth2/token", "", login("ann", "guess-"+strconv.Itoa(n))).want(t, 400, "invalid_grant")
	}
	a := l.from("203.0.113.2", "POST", "/api/oauth2/token", "", login("LOGIN_NAME:ann", "pw-ann"))
	a.want(t, 429, "RATE_LIMITED")
	assert.Equal(t, "20", a.Header.Get("Retry-After"), "a third of a minute")
	assert.EqualValues(t, 20, a.json["retryAfter"])
	assert.Equal(t, 200, l.call("GET", "/api/apps/demo/users/me", token, "").StatusCode, "who is logged in stays so")
	l.call("PUT", "/api/apps/demo/users/"+id+"/password", token, `{"oldPassword":"x","newPassword":"new-password"}`).want(t, 429, "RATE_LIMITED")

	l.advance(20 * time.Second)
	for range 10 {
		b := l.from("203.0.113.2", "POST", "/api/oauth2/token", "", login("ann", "pw-ann"))
		require.Equal(t, 200, b.StatusCode, "what succeeds does not count")
	}
	l.from("203.0.113.2", "POST", "/api/oauth2/token", "", login("ann", "x")).want(t, 400, "invalid_grant")
	l.from("203.0.113.2", "POST", "/api/oauth2/token", "", login("ann", "pw-ann")).want(t, 429, "RATE_LIMITED")
}

func TestWhoDoesNotExistIsLimitedAlike(t *testing.T) {
	l := newLab(t, limited)
	for range 3 {
		l.call("POST", "/api/oauth2/token", "", login("nobody", "x")).want(t, 400, "invalid_grant")
	}
	l.call("POST", "/api/oauth2/token", "", login("nobody", "x")).want(t, 429, "RATE_LIMITED")
	for range 3 {
		l.from("203.0.113.1", "POST", "/api/oauth2/token", "", `{"client_id":"root","client_secret":"x"}`).want(t, 400, "invalid_grant")
	}
	l.from("203.0.113.2", "POST", "/api/oauth2/token", "", `{"client_id":"root","client_secret":"root-secret"}`).want(t, 429, "RATE_LIMITED")
}

func TestOneAddressCannotTryManyAccounts(t *testing.T) {
	l := newLab(t, limited)
	try := func(address string, n int, header ...string) answer {
		return l.from(address, "POST", "/api/oauth2/token", "", login("user-"+strconv.Itoa(n), "password"), header...)
	}
	for n := range 6 {
		try("203.0.113.1", n).want(t, 400, "invalid_grant")
	}
	try("203.0.113.1", 6).want(t, 429, "RATE_LIMITED")
	try("203.0.113.1", 7, "X-Forwarded-For", "198.51.100.1").want(t, 429, "RATE_LIMITED") // nobody is believed
	try("203.0.113.2", 8).want(t, 400, "invalid_grant")
	for n := range 6 { // all of one network of IPv6
		try("2001:db8:1:2::"+strconv.Itoa(n+1), 100+n).want(t, 400, "invalid_grant")
	}
	try("2001:db8:1:2:ffff::1", 106).want(t, 429, "RATE_LIMITED")
	try("2001:db8:1:3::1", 107).want(t, 400, "invalid_grant")
	for n := range 20 {
		try("127.0.0.1", 200+n).want(t, 400, "invalid_grant") // a program of this machine
	}
	for n := range 6 {
		try("127.0.0.1", 300+n, "X-Forwarded-For", "198.51.100."+strconv.Itoa(n)).want(t, 400, "invalid_grant")
	}
	try("127.0.0.1", 306, "X-Forwarded-For", "198.51.100.6").want(t, 429, "RATE_LIMITED") // a proxy that is not trusted
}

func TestRegistrationsAreLimited(t *testing.T) {
	l := newLab(t, limited)
	for n := range 2 {
		l.user("user" + strconv.Itoa(n))
		l.thing("thing" + strconv.Itoa(n))
	}
	l.call("POST", "/api/apps/demo/users", "", `{"loginName":"more","password":"password"}`).want(t, 429, "RATE_LIMITED")
	l.call("POST", "/api/apps/demo/things", "", `{"_vendorThingID":"more","_password":"password"}`).want(t, 429, "RATE_LIMITED")
	l.advance(15 * time.Second)
	l.user("later")
}

func TestProxiesTellTheirClients(t *testing.T) {
	var p Proxies
	for _, s := range []string{"10.0.0.0/8", "127.0.0.1", "::1", "2001:db8::/32"} {
		prefix, err := ParseProxy(s)
		require.NoError(t, err)
		p = append(p, prefix)
	}
	for _, c := range []struct {
		peer string
		hops []string
		want string
	}{
		{"203.0.113.1:1", nil, "203.0.113.1"},
		{"203.0.113.1:1", []string{"198.51.100.1"}, "203.0.113.1"},
		{"127.0.0.1:1", []string{"198.51.100.1"}, "198.51.100.1"},
		{"[::ffff:127.0.0.1]:1", []string{"198.51.100.1"}, "198.51.100.1"},
		{"127.0.0.1:1", []string{"6.6.6.6, 198.51.100.1"}, "198.51.100.1"},
		{"127.0.0.1:1", []string{"6.6.6.6, 198.51.100.1, 10.1.1.1"}, "198.51.100.1"},
		{"127.0.0.1:1", []string{"6.6.6.6", "198.51.100.1,10.1.1.1"}, "198.51.100.1"},
		{"127.0.0.1:1", []string{"10.1.1.1"}, "10.1.1.1"},
		{"127.0.0.1:1", []string{"rubbish"}, "127.0.0.1"},
		{"127.0.0.1:1", []string{"6.6.6.6, , 10.1.1.1"}, "10.1.1.1"},
		{"127.0.0.1:1", nil, "127.0.0.1"},
		{"[::1]:1", []string{"2001:dead::1"}, "2001:dead::1"},
		{"", []string{"198.51.100.1"}, "invalid IP"},
		// With a port, as some balancers write it.
		{"127.0.0.1:1", []string{"198.51.100.1:49152"}, "198.51.100.1"},
		{"127.0.0.1:1", []string{"[2001:dead::1]:49152"}, "2001:dead::1"},
		{"127.0.0.1:1", []string{"[2001:dead::1]"}, "2001:dead::1"},
		{"127.0.0.1:1", []string{" \t198.51.100.1:1\t , 10.1.1.1:80 "}, "198.51.100.1"},
		{"127.0.0.1:1", []string{"198.51.100.1:1, [2001:db8::7]:443"}, "198.51.100.1"},
		{"127.0.0.1:1", []string{"[::ffff:198.51.100.1]:1"}, "198.51.100.1"},
		{"127.0.0.1:1", []string{"fe80::1%eth0"}, "fe80::1"},
		{"127.0.0.1:1", []string{"198.51.100.1, 2001:db8::7%eth0"}, "198.51.100.1"},
		{"127.0.0.1:1", []string{"2001:dead::1:443"}, "2001:dead::1:443"}, // without brackets it is all address
		// What is nobody's address makes the request the proxy's, and does not reach past it.
		{"127.0.0.1:1", []string{"198.51.100.1, 203.0.113.9:port"}, "127.0.0.1"},
		{"127.0.0.1:1", []string{"198.51.100.1, 203.0.113.9:"}, "127.0.0.1"},
		{"127.0.0.1:1", []string{"198.51.100.1, 203.0.113.9:65536"}, "127.0.0.1"},
		{"127.0.0.1:1", []string{"198.51.100.1, :80"}, "127.0.0.1"},
		{"127.0.0.1:1", []string{"198.51.100.1, [203.0.113.9]:80"}, "127.0.0.1"},
		{"127.0.0.1:1", []string{"198.51.100.1, [203.0.113.9]"}, "127.0.0.1"},
		{"127.0.0.1:1", []string{"198.51.100.1, [2001:dead::1"}, "127.0.0.1"},
		{"127.0.0.1:1", []string{"198.51.100.1, 2001:dead::1]:80"}, "127.0.0.1"},
		{"127.0.0.1:1", []string{"198.51.100.1, [[2001:dead::1]]"}, "127.0.0.1"},
		{"127.0.0.1:1", []string{"198.51.100.1, []"}, "127.0.0.1"},
		{"127.0.0.1:1", []string{"198.51.100.1, ["}, "127.0.0.1"},
		{"127.0.0.1:1", []string{"198.51.100.1, unknown"}, "127.0.0.1"},
		{"127.0.0.1:1", []string{"198.51.100.1, for=203.0.113.9"}, "127.0.0.1"},
		{"127.0.0.1:1", []string{"198.51.100.1, 203.0.113.9 203.0.113.8"}, "127.0.0.1"},
		{"127.0.0.1:1", []string{"198.51.100.1, 0x7f.1"}, "127.0.0.1"},
		{"127.0.0.1:1", []string{"198.51.100.1, 203.0.113.09"}, "127.0.0.1"},
	} {
		r := &http.Request{RemoteAddr: c.peer, Header: http.Header{"X-Forwarded-For": c.hops}}
		assert.Equal(t, c.want, p.clientAddress(r).String(), "%s %v", c.peer, c.hops)
	}
	_, err := ParseProxy("proxy.example.com")
	assert.Error(t, err)

	r := &http.Request{RemoteAddr: "127.0.0.1:1", Header: http.Header{
		"X-Forwarded-For": {"198.51.100.1"}, "Forwarded": {"for=6.6.6.6"}, "X-Real-Ip": {"6.6.6.6"}}}
	assert.Equal(t, "198.51.100.1", p.clientAddress(r).String(), "what a proxy passes on is not its word")
}

func TestAThrottleForgetsAndHasABound(t *testing.T) {
	th := newThrottle(Rate{2, time.Minute})
	now := time.Unix(1, 0)
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for n := range maxKeys / 2 {
				a := netip.AddrFrom4([4]byte{byte(g), byte(n >> 16), byte(n >> 8), byte(n)})
				th.take(a.String(), now)
			}
		})
	}
	wg.Wait()
	assert.LessOrEqual(t, len(th.buckets), maxKeys)
	assert.GreaterOrEqual(t, len(th.buckets), maxKeys/2)
	th.take("late", now.Add(time.Hour))
	for n := range maxKeys {
		th.take(strconv.Itoa(n), now.Add(time.Hour))
	}
	assert.LessOrEqual(t, len(th.buckets), maxKeys)
	assert.Zero(t, th.take("back", now.Add(-time.Hour)), "a clock that goes back gives nothing away and takes nothing")
}

func TestRates(t *testing.T) {
	for _, s := range []string{"20/10m", "1/1s", "5/1h", "7/1h30m", "3/1m30s", "0"} {
		r, err := ParseRate(s)
		require.NoError(t, err)
		assert.Equal(t, s, r.String())
	}
	for _, s := range []string{"", "20", "20/", "/1m", "-1/1m", "20/0s", "20/1ms", "1.5/1m", "20/48h", "99999999999999999999/1m"} {
		_, err := ParseRate(s)
		assert.Error(t, err, s)
	}
}

// A name may be as long as a request: what is remembered of it is short.
func TestLongNamesAreLimitedAlike(t *testing.T) {
	l := newLab(t, limited)
	long := strings.Repeat("x", MaxBody-100)
	for n := range 4 {
		for _, body := range []string{login(long, "x"), `{"client_id":"` + long + `","client_secret":"x"}`} {
			a := l.from("203.0.113."+strconv.Itoa(n), "POST", "/api/oauth2/token", "", body)
			if n < 3 {
				a.want(t, 400, "invalid_grant")
			} else {
				a.want(t, 429, "RATE_LIMITED")
			}
		}
	}
	for key := range l.api.throttles.account.buckets {
		assert.LessOrEqual(t, len(key), maxKey)
	}
	assert.Len(t, l.api.throttles.account.buckets, 2)
}
