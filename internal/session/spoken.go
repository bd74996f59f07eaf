package session

import (
	"sync"
	"time"

	"github.com/kiiweb/kiiweb/internal/mqtt"
)

const (
	// provenFor is how long the version that worked at an endpoint is used without
	// asking for a better one.
	provenFor = 24 * time.Hour
	// guessedFor is the same where a better one was given up because of mere closes: a broker
	// that restarts behind a proxy looks like that.
	guessedFor = time.Hour
	// provenMax bounds how many endpoints are remembered.
	provenMax = 64
)

// Spoken remembers which version worked at which URL, for sessions that share it. Its
// methods may be called from any goroutine. The zero value remembers nothing yet.
type Spoken struct {
	mu   sync.Mutex
	list []proof // the oldest first
}

type proof struct {
	url     string
	version mqtt.Version
	at      time.Time // by the wall clock
}

// spoken is what the sessions of this process share.
var spoken Spoken

// at gives the version that worked at url, 0 when none did lately.
func (s *Spoken) at(url string, now time.Time) mqtt.Version {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.list {
		if age := now.Round(0).Sub(p.at); p.url == url && age >= 0 && age < provenFor {
			return p.version
		}
	}
	return 0
}

// learn notes that version worked at url; 0 forgets what did. A version that is
// known stays as old as it is, so that a better one is asked for some day. guess: that one may work, too.
func (s *Spoken) learn(url string, version mqtt.Version, guess bool, now time.Time) {
	if s.at(url, now) == version {
		return
	}
	if guess {
		now = now.Add(guessedFor - provenFor)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	kept := s.list[:0]
	for _, p := range s.list {
		if p.url != url {
			kept = append(kept, p)
		}
	}
	if version != 0 {
		kept = append(kept, proof{url, version, now.Round(0)})
	}
	s.list = kept[max(0, len(kept)-provenMax):]
}
