package crash

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kiiweb/kiiweb/internal/mqtt"
	"github.com/kiiweb/kiiweb/pkg/kiicloud/guard/guardtest"
)

// ahead is how many pushes a sender may be ahead of its receiver: far below what a queue holds,
// so that none is pushed out.
const ahead = 300

// tally counts what happened, over all lives of the cloud.
type tally struct {
	sent, accepted, received, repeats, connects, installs, uninstalls atomic.Int64
}

// receiver is a user with an installation, whose pushes are sent and received for as long as
// the cloud lives.
type receiver struct {
	*rest
	count        *tally
	token        string
	installation string

	mu       sync.Mutex
	next     int            // number of the next push
	accepted []string       // pushMessageIDs of those answered with 201, in order
	numbers  map[string]int // their numbers
	got      []string       // pushMessageIDs in the order of their first arrival
	seen     map[string]int // and their numbers
	broken   []error        // what must not happen
}

func (r *receiver) fail(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.broken = append(r.broken, fmt.Errorf(format, args...))
}

// send pushes numbers, one after the other, until ctx ends or the cloud is gone.
func (r *receiver) send(ctx context.Context) {
	for ctx.Err() == nil {
		r.mu.Lock()
		n, behind := r.next, len(r.accepted)-len(r.got)
		r.mu.Unlock()
		if behind > ahead {
			time.Sleep(time.Millisecond)
			continue
		}
		r.count.sent.Add(1)
		r.next++ // a push of which nothing is known keeps its number
		// Its answer is waited for: one that has come and was not looked at yet would count for nothing known.
		status, body, err := r.call(context.WithoutCancel(ctx), "POST", "/users/me/push/messages", r.token, map[string]any{"data": map[string]any{"n": n}, "mqtt": map[string]any{}})
		if err != nil {
			return
		}
		id, _ := body["pushMessageID"].(string)
		if status != http.StatusCreated {
			if status != http.StatusServiceUnavailable { // it is being stopped
				r.fail("a push was answered with %d %v", status, body)
			}
			return
		}
		r.mu.Lock()
		r.accepted = append(r.accepted, id)
		r.numbers[id] = n
		r.mu.Unlock()
		r.count.accepted.Add(1)
	}
}

// receive connects again and again, and takes what comes, until ctx ends or, in the end, all
// has come.
func (r *receiver) receive(ctx context.Context, untilAll bool) {
	for ctx.Err() == nil && !(untilAll && r.hasAll()) {
		e, status, err := r.endpoint(ctx, r.token, r.installation)
		if err != nil {
			return
		}
		if status != http.StatusOK {
			r.fail("the endpoint was answered with %d", status)
			return
		}
		c, err := r.dial(e)
		var no refused
		if errors.As(err, &no) && no.code != mqtt.ServerUnavailable {
			r.fail("a client with a good password was refused: %v", err)
			return
		}
		if err != nil {
			return
		}
		r.count.connects.Add(1)
		r.take(ctx, c, untilAll)
		_ = c.Close()
	}
}

func (r *receiver) hasAll() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, id := range r.accepted {
		if _, ok := r.seen[id]; !ok {
			return false
		}
	}
	return true
}

// take receives for a while, and acknowledges, but not always the last.
func (r *receiver) take(ctx context.Context, c *mqttConn, untilAll bool) {
	stop := context.AfterFunc(ctx, func() { _ = c.Close() })
	defer stop()
	_ = c.SetDeadline(time.Now().Add(time.Duration(20+rand.IntN(200)) * time.Millisecond))
	for !(untilAll && r.hasAll()) {
		pkt, err := c.next()
		if err != nil {
			return
		}
		if pkt.Type() != mqtt.PUBLISH {
			continue
		}
		r.note(pkt)
		if _, err := c.Write(guardtest.Puback(pkt.Publish().PacketID)); err != nil {
			return
		}
	}
}

func (r *receiver) note(pkt guardtest.Packet) {
	view := pkt.Publish()
	name, _ := mqtt.FindUserProperty(view.Properties, "pushMessageID")
	id := string(name)
	var body struct{ N int }
	if err := json.Unmarshal(view.Payload, &body); err != nil || id == "" {
		r.fail("a push that nobody sent: %q %s", id, view.Payload)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, again := r.seen[id]; again {
		r.count.repeats.Add(1)
		return
	}
	r.seen[id] = body.N
	r.got = append(r.got, id)
	r.count.received.Add(1)
}

// mover is a user who installs and uninstalls all the time.
type mover struct {
	*rest
	count *tally
	token string

	// What was acknowledged last. While a call is under way, open is set: its outcome is not known.
	installation string // "" after an uninstall
	end          endpoint
	open         bool
	last         endpoint // of the installation that was ended last
	lastID       string
}

func (m *mover) move(ctx context.Context) {
	for ctx.Err() == nil {
		m.open = true
		if m.installation == "" {
			status, body, err := m.call(ctx, "POST", "/installations", m.token, map[string]any{"deviceType": "MQTT", "development": false})
			if err != nil || status != http.StatusCreated {
				return
			}
			m.installation, _ = body["installationID"].(string)
			m.open = false
			m.count.installs.Add(1)
			if e, status, err := m.endpoint(ctx, m.token, m.installation); err == nil && status == http.StatusOK {
				m.end = e
			}
			continue
		}
		status, _, err := m.call(ctx, "DELETE", "/installations/"+m.installation, m.token, nil)
		if err != nil || status != http.StatusNoContent {
			return
		}
		m.last, m.lastID = m.end, m.installation
		m.installation, m.end, m.open = "", endpoint{}, false
		m.count.uninstalls.Add(1)
	}
}

// check compares what was acknowledged with what is there after a restart. What was open is
// settled.
func (m *mover) check(ctx context.Context) error {
	if m.lastID != "" {
		status, _, err := m.call(ctx, "GET", "/installations/"+m.lastID, m.token, nil)
		if err != nil || status != http.StatusNotFound {
			return fmt.Errorf("an installation that had ended is there: %d %w", status, err)
		}
		if m.last.topic != "" {
			_, err := m.dial(m.last)
			var no refused
			if !errors.As(err, &no) || no.code != mqtt.NotAuthorized {
				return fmt.Errorf("the credentials of an installation that had ended: %w", err)
			}
		}
	}
	if m.installation == "" { // a new install must not find another one, unless one was under way
		m.open = false
		return nil
	}
	status, _, err := m.call(ctx, "GET", "/installations/"+m.installation, m.token, nil)
	switch {
	case err != nil:
		return err
	case status == http.StatusOK:
	case status == http.StatusNotFound && m.open: // its uninstall was done
		m.installation, m.end = "", endpoint{}
	default:
		return fmt.Errorf("an acknowledged installation was answered with %d", status)
	}
	if m.installation != "" && m.end.topic != "" {
		c, err := m.dial(m.end)
		if err != nil {
			return fmt.Errorf("the credentials of an acknowledged installation: %w", err)
		}
		_ = c.Close()
	}
	m.open = false
	return nil
}
