package rabbitmq

import (
	"context"
	"encoding/json"
	"errors"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestPolicy(t *testing.T) {
	base, asked := node(t, 201)
	require.NoError(t, bounds{manage(t, base), "/"}.set(t.Context()))
	require.Len(t, *asked, 1)
	head, body, _ := strings.Cut((*asked)[0], " {")
	assert.Equal(t, "kii:hush PUT /api/policies/%2F/kiicloud", head)
	var policy struct {
		Pattern    string         `json:"pattern"`
		Definition map[string]any `json:"definition"`
	}
	require.NoError(t, json.Unmarshal([]byte("{"+body), &policy))
	assert.Equal(t, map[string]any{"max-length": 1000., "overflow": "drop-head", "message-ttl": 604800000., "delivery-limit": -1.}, policy.Definition)
	assert.Equal(t, "^mqtt-subscription-.*qos[01]$", policy.Pattern)
}

func TestThePolicyIsAskedFor(t *testing.T) {
	dead := httptest.NewServer(nil)
	dead.Close()
	ill, askedIll := node(t, 500)
	has, asked := node(t, 200)
	hasNot, _ := node(t, 404)
	there, err := bounds{manage(t, dead.URL, ill, has), "a/b"}.there(t.Context())
	require.NoError(t, err)
	assert.True(t, there)
	assert.Equal(t, []string{"kii:hush GET /api/policies/a%2Fb/kiicloud "}, *asked)
	assert.Len(t, *askedIll, 1)
	there, err = bounds{manage(t, ill, hasNot), "a/b"}.there(t.Context())
	require.NoError(t, err)
	assert.False(t, there)
	closed, _ := node(t, 401)
	_, err = bounds{manage(t, closed, dead.URL), "a/b"}.there(t.Context())
	require.ErrorContains(t, err, "401")
	require.NotContains(t, err.Error(), "hush")
}

// fakePolicy is what a cluster has.
type fakePolicy struct {
	mu      sync.Mutex
	has     bool
	refuses error
	blind   error
	sets    int
}

func (p *fakePolicy) set(context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sets++
	p.has = p.refuses == nil
	return p.refuses
}

func (p *fakePolicy) there(context.Context) (bool, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.has, p.blind
}

func (p *fakePolicy) become(has bool, refuses, blind error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.has, p.refuses, p.blind = has, refuses, blind
}

func (p *fakePolicy) seen() (has bool, sets int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	sets, p.sets = p.sets, 0
	return p.has, sets
}

func TestAPolicyThatVanishesIsSetAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, lines := written()
		p := &fakePolicy{}
		k := &keeper{policy: p, log: log, unruly: newOutage(log, "it cannot be set", "at")}
		ctx, cancel := context.WithCancel(t.Context())
		over := make(chan struct{})
		go func() { k.patrol(ctx); close(over) }()
		has := func(wait time.Duration, wantSets int) {
			t.Helper()
			time.Sleep(wait)
			synctest.Wait()
			there, sets := p.seen()
			assert.True(t, there)
			assert.Equal(t, wantSets, sets)
		}
		has(0, 1)
		has(24*time.Hour, 0)
		assert.Empty(t, lines())

		p.become(false, nil, nil)
		has(2*policyEvery, 1)
		assert.Len(t, lines(), 1)
		p.become(false, nil, errors.New("the management API is away"))
		time.Sleep(time.Hour)
		_, sets := p.seen()
		assert.Zero(t, sets, "who knows")
		assert.Empty(t, lines())
		policed := func(want bool) {
			t.Helper()
			k.mu.Lock()
			defer k.mu.Unlock()
			assert.Equal(t, want, k.policed)
			assert.Equal(t, want, k.unruled == nil)
		}
		p.become(false, errors.New("not allowed"), nil)
		time.Sleep(time.Hour)
		synctest.Wait()
		policed(false)
		told := lines()
		assert.Contains(t, strings.Join(told, "\n"), "not allowed")
		assert.LessOrEqual(t, len(told), 7, "%q", told)
		p.become(false, nil, nil)
		time.Sleep(2 * policyEvery)
		synctest.Wait()
		policed(true)
		assert.Contains(t, strings.Join(lines(), "\n"), "over")
		cancel()
		<-over
	})
}
