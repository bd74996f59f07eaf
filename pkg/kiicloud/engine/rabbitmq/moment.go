package rabbitmq

import (
	"sync"
	"time"
)

// moment is when something has last happened, the zero time before it ever has. It keeps what time.Now gives, with the
// clock that nobody sets: a number of seconds since 1970 would be off when somebody sets the other one.
type moment struct {
	mu sync.Mutex
	at time.Time
}

func (m *moment) set(now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if now.After(m.at) {
		m.at = now
	}
}

// longAgo tells whether it had not happened for longer than d by now.
func (m *moment) longAgo(now time.Time, d time.Duration) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return now.Sub(m.at) > d
}

// sinceThen tells whether it has happened at or after a time.
func (m *moment) sinceThen(t time.Time) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return !m.at.Before(t)
}
