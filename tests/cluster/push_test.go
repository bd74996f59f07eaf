//go:build linux

package cluster

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/stretchr/testify/assert"
)

// message is one push on its way.
type message struct {
	n     int
	id    string // which an answer gave that was no acceptance
	begun time.Time
}

// nextMessage takes the next number.
func (u *user) nextMessage() *message {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.next++
	u.sent++
	return &message{n: u.next - 1, begun: time.Now()}
}

// offer sends a push through a cloud, once.
func (u *user) offer(ctx context.Context, i int, m *message) (outcome, error) {
	body := map[string]any{"data": map[string]any{"n": m.n}, "mqtt": map[string]any{}}
	if m.id != "" {
		body["pushMessageID"] = m.id
	}
	status, answer, err := u.call(ctx, i, http.MethodPost, "/users/me/push/messages", body)
	id, _ := answer["pushMessageID"].(string)
	switch {
	case err != nil:
		return lost, err
	case status == http.StatusCreated:
		u.mu.Lock()
		defer u.mu.Unlock()
		u.accepted = append(u.accepted, m.n)
		u.taken[m.n] = sending{id, m.begun, time.Since(m.begun)}
		return accepted, nil
	case status == http.StatusServiceUnavailable && answer["errorCode"] == "PUSH_NOT_CONFIRMED":
		m.id = id
		return unconfirmed, fmt.Errorf("%d %v", status, answer)
	case status == http.StatusServiceUnavailable:
		return refused, fmt.Errorf("%d %v", status, answer)
	}
	assert.Fail(u, "a push was answered with neither 201 nor 503", "%d %v", status, answer)
	return refused, nil
}

// outcome is what became of a push.
type outcome string

const (
	accepted    outcome = "accepted"
	unconfirmed outcome = "not confirmed" // perhaps stored; to be sent again under its id
	refused     outcome = "refused"       // by a process that is there
	lost        outcome = "lost"          // no answer came: nothing is known
)

// push sends the next number through one of these clouds, in turn. A push that is not confirmed is sent
// again under its id, through the next cloud. One that is refused, or whose answer is lost, is given
// up: its number is left out.
func (u *user) push(ctx context.Context, clouds ...int) outcome {
	m := u.nextMessage()
	for try := m.n; ; try++ {
		is, _ := u.offer(ctx, clouds[try%len(clouds)], m)
		if is != unconfirmed || ctx.Err() != nil {
			return is
		}
		u.mu.Lock()
		u.repeated++
		u.mu.Unlock()
		wait(ctx, 100*time.Millisecond)
	}
}

// call calls the API of a cloud as the user.
func (u *user) call(ctx context.Context, i int, method, path string, body any) (status int, answer map[string]any, err error) {
	login, _ := u.clients[i].Current()
	return call(ctx, u.clouds[i], login.Token, method, path, body)
}

// flow pushes through the clouds in turn, until ctx ends or, with count above 0, so many were accepted.
// It counts what was not.
func (u *user) flow(ctx context.Context, count int, clouds ...int) (failed int) {
	for done := 0; ctx.Err() == nil && (count == 0 || done < count); {
		switch is := u.push(ctx, clouds...); {
		case is == accepted:
			done++
		case ctx.Err() != nil: // the end of the flow, not of a push
		default:
			failed++
			wait(ctx, 20*time.Millisecond)
		}
	}
	return failed
}

func wait(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}
