package rest

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Rate is so many of something in a time: up to N at once, and as they are used up, N more in
// each Per. The zero Rate sets no limit.
type Rate struct {
	N   int
	Per time.Duration
}

// ParseRate reads a Rate such as 20/10m; 0 is no limit.
func ParseRate(s string) (Rate, error) {
	if s == "0" {
		return Rate{}, nil
	}
	number, duration, _ := strings.Cut(s, "/")
	n, err := strconv.Atoi(number)
	per, err2 := time.ParseDuration(duration)
	if err != nil || err2 != nil || n <= 0 || n > 1_000_000 || per < time.Second || per > 24*time.Hour {
		return Rate{}, errors.New("it has to be a number and a time, such as 20/10m, or 0 for no limit")
	}
	return Rate{n, per}, nil
}

// String is what ParseRate reads.
func (r Rate) String() string {
	if r.N == 0 {
		return "0"
	}
	per := r.Per.String()
	for _, zero := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(per, zero) {
			per = per[:len(per)-2]
		}
	}
	return fmt.Sprintf("%d/%s", r.N, per)
}

// Limits bound what somebody without a token may try. Of the logins only those that fail count.
type Limits struct {
	LoginByAccount    Rate // to one user, thing or administrator, from wherever
	LoginByAddress    Rate // from one address, to whomever
	RegisterByAddress Rate // of users and things, from one address
}

// DefaultLimits let nobody guess passwords and leave room for the clumsy, and for many users
// behind one address.
var DefaultLimits = Limits{
	LoginByAccount:    Rate{20, 10 * time.Minute},
	LoginByAddress:    Rate{100, 10 * time.Minute},
	RegisterByAddress: Rate{100, 10 * time.Minute},
}

// maxKeys is how many accounts or addresses a throttle keeps apart.
const maxKeys = 100_000

// throttle counts by key, each in a bucket of its own: a bucket that nobody has taken from for
// long is full, and is forgotten.
type throttle struct {
	rate Rate

	mu      sync.Mutex
	buckets map[string]bucket
}

// bucket had so many left at a time.
type bucket struct {
	left float64
	at   time.Time
}

func newThrottle(r Rate) *throttle { return &throttle{rate: r, buckets: map[string]bucket{}} }

// take takes one, or tells how long it is until there is one again.
func (t *throttle) take(key string, now time.Time) (wait time.Duration) {
	if t.rate.N == 0 || key == "" {
		return 0
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	b, known := t.buckets[key]
	if !known {
		t.makeRoom(now)
	}
	left := t.leftOf(b, known, now)
	if left < 1 {
		return time.Duration(math.Ceil((1 - left) * float64(t.rate.Per) / float64(t.rate.N)))
	}
	t.buckets[key] = bucket{left - 1, now}
	return 0
}

// giveBack undoes a take.
func (t *throttle) giveBack(key string, now time.Time) {
	if t.rate.N == 0 || key == "" {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if b, known := t.buckets[key]; known {
		t.buckets[key] = bucket{min(float64(t.rate.N), t.leftOf(b, true, now)+1), now}
	}
}

func (t *throttle) leftOf(b bucket, known bool, now time.Time) float64 {
	if !known {
		return float64(t.rate.N)
	}
	more := float64(now.Sub(b.at)) * float64(t.rate.N) / float64(t.rate.Per)
	return min(float64(t.rate.N), b.left+max(0, more))
}

// makeRoom forgets full buckets where there are too many, and else any, so that an attacker with
// many addresses cannot fill the memory.
func (t *throttle) makeRoom(now time.Time) {
	if len(t.buckets) < maxKeys {
		return
	}
	for key, b := range t.buckets {
		if t.leftOf(b, true, now) >= float64(t.rate.N) {
			delete(t.buckets, key)
		}
	}
	for key := range t.buckets {
		if len(t.buckets) < maxKeys*9/10 {
			return
		}
		delete(t.buckets, key)
	}
}

// throttles are those of an API.
type throttles struct{ account, address, register *throttle }

func newThrottles(l Limits) throttles {
	return throttles{newThrottle(l.LoginByAccount), newThrottle(l.LoginByAddress), newThrottle(l.RegisterByAddress)}
}

// maxKey is how long the name of an account is kept as it is.
const maxKey = 64

// shortKey stands for an account whose name may be as long as a request: many such ones are not to fill the memory.
func shortKey(account string) string {
	if len(account) <= maxKey {
		return account
	}
	sum := sha256.Sum256([]byte(account))
	return string(sum[:])
}

// attempt counts a login that may fail. The failure, where there is one, is the answer; otherwise
// succeeded takes the attempt back.
func (a *API) attempt(c *call, account string) (succeeded func(), _ error) {
	now := a.Now()
	account = shortKey(account)
	address := a.Proxies.ClientKey(c.r)
	if wait := a.throttles.address.take(address, now); wait > 0 {
		return nil, rateLimited("Too many logins from this address have failed.", wait)
	}
	if wait := a.throttles.account.take(account, now); wait > 0 {
		return nil, rateLimited("Too many logins to this account have failed.", wait)
	}
	return func() {
		a.throttles.address.giveBack(address, now)
		a.throttles.account.giveBack(account, now)
	}, nil
}

// mayRegister counts a registration.
func (a *API) mayRegister(c *call) error {
	if wait := a.throttles.register.take(a.Proxies.ClientKey(c.r), a.Now()); wait > 0 {
		return rateLimited("Too many registrations from this address.", wait)
	}
	return nil
}

func rateLimited(what string, wait time.Duration) *failure {
	f := fail(429, "RATE_LIMITED", what+" Try again later.")
	return f.retryAfter(wait)
}
