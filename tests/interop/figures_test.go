package interop

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/kiiweb/kiiweb/tests/interop/peer"
)

// figures are what became of messages in one direction. What was accepted has to arrive; what
// was not may have arrived or not: whoever sent it does not know.
type figures struct {
	sent, accepted, received int // received: different ones
	lost                     int // accepted and not received
	repeats                  int // received again
	disorders                int // a message came for the first time after a later one of its lane
}

func (f *figures) add(g figures) {
	f.sent += g.sent
	f.accepted += g.accepted
	f.received += g.received
	f.lost += g.lost
	f.repeats += g.repeats
	f.disorders += g.disorders
}

// check demands what holds in every network: nothing is lost, order is kept, and where
// exact, nothing comes twice.
func (f figures) check(t testing.TB, exact bool, what string) {
	t.Helper()
	assert.Zero(t, f.lost, "%s: lost: %+v", what, f)
	assert.Zero(t, f.disorders, "%s: order: %+v", what, f)
	if exact {
		assert.Zero(t, f.repeats, "%s: repeats: %+v", what, f)
	}
}

// ledger notes what is sent in one direction. Messages are numbered in lanes, in each of
// which one is sent when the one before has had its answer.
type ledger struct {
	mu       sync.Mutex
	sent     map[string]bool // by payload: whether it was accepted
	accepted int
}

func newLedger() *ledger { return &ledger{sent: map[string]bool{}} }

// laned is the payload of message n of a lane, a JSON object as the cloud gives it.
func laned(lane string, n int) string { return fmt.Sprintf(`{"n":"%s/%d"}`, lane, n) }

// parseLaned is its reverse; ok is false for other payloads.
func parseLaned(payload string) (lane string, n int, ok bool) {
	s, found := strings.CutPrefix(payload, `{"n":"`)
	if !found {
		return "", 0, false
	}
	lane, s, found = strings.Cut(strings.TrimSuffix(s, `"}`), "/")
	n, err := strconv.Atoi(s)
	return lane, n, found && err == nil
}

func (l *ledger) note(payload string, accepted bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sent[payload] = accepted
	if accepted {
		l.accepted++
	}
}

// count tells how many were accepted so far.
func (l *ledger) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.accepted
}

// tally compares the ledger with what came.
func (l *ledger) tally(messages []peer.Message) figures {
	l.mu.Lock()
	defer l.mu.Unlock()
	f := figures{sent: len(l.sent), accepted: l.accepted}
	seen, latest := map[string]bool{}, map[string]int{}
	for _, m := range messages {
		lane, n, ok := parseLaned(m.Payload)
		if _, mine := l.sent[m.Payload]; !ok || !mine {
			continue
		}
		if seen[m.Payload] {
			f.repeats++
			continue
		}
		seen[m.Payload] = true
		if n < latest[lane] {
			f.disorders++
		}
		latest[lane] = max(latest[lane], n)
	}
	f.received = len(seen)
	for payload, accepted := range l.sent {
		if accepted && !seen[payload] {
			f.lost++
		}
	}
	return f
}

func TestTally(t *testing.T) {
	l := newLedger()
	for n := 1; n <= 4; n++ {
		l.note(laned("a", n), n != 4)
	}
	l.note(laned("b", 1), true)
	var came []peer.Message
	for _, payload := range []string{laned("a", 2), "{}", laned("a", 1), laned("a", 2), laned("a", 4), laned("c", 1)} {
		came = append(came, peer.Message{Payload: payload})
	}
	assert.Equal(t, figures{sent: 5, accepted: 4, received: 3, lost: 2, repeats: 1, disorders: 1}, l.tally(came))
}
