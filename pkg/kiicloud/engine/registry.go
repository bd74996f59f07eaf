package engine

import "sync"

// registry knows the connections, and which of them each topic belongs to: one at most.
type registry struct {
	mu      sync.Mutex
	closed  bool
	all     map[*session]struct{}
	byTopic map[string]*session
	wg      sync.WaitGroup // one for each connection being served
}

func newRegistry() *registry {
	return &registry{all: make(map[*session]struct{}), byTopic: make(map[string]*session)}
}

// add takes in a new connection. It reports false when the engine is shutting down.
func (r *registry) add(s *session) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return false
	}
	r.all[s] = struct{}{}
	r.wg.Add(1)
	return true
}

// claim makes s the connection of topic and gives the one that was it before. It reports false where one is that
// came after s.
func (r *registry) claim(topic string, s *session) (before *session, claimed bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	before = r.byTopic[topic]
	if before != nil && before.turn > s.turn {
		return nil, false
	}
	r.byTopic[topic] = s
	return before, true
}

// giveBack makes before the connection of topic again, where it is still there. It reports false where another one has claimed
// that from s since.
func (r *registry) giveBack(topic string, s, before *session) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.byTopic[topic] != s {
		return false
	}
	if _, there := r.all[before]; there {
		r.byTopic[topic] = before
	} else {
		delete(r.byTopic, topic)
	}
	return true
}

// remove forgets s.
func (r *registry) remove(s *session) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.all, s)
	if r.byTopic[s.topic] == s {
		delete(r.byTopic, s.topic)
	}
}

// of is the connection of topic, or nil.
func (r *registry) of(topic string) *session {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.byTopic[topic]
}

// close lets no connection in any more and gives those that there are.
func (r *registry) close() []*session {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	sessions := make([]*session, 0, len(r.all))
	for s := range r.all {
		sessions = append(sessions, s)
	}
	return sessions
}

// size is how many connections are being served.
func (r *registry) size() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.all)
}
