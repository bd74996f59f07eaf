package rest

import (
	"context"
	"net/http"
	"slices"
	"strconv"

	"github.com/kiiweb/kiiweb/pkg/kiicloud/store"
)

const typePushed = "application/vnd.kii.SendPushMessageResponse+json"

type pushResponse struct {
	MessageID string `json:"pushMessageID"`
}

func (a *API) pushToUser(c *call) (any, error) {
	to, err := c.userInPath()
	if err != nil {
		return nil, err
	}
	if !c.mayActFor(to) {
		return nil, unauthorized("Only an administrator can push to somebody else; push to yourself as users/me.")
	}
	var req pushRequest
	if err := c.read(&req); err != nil {
		return nil, err
	}
	if _, err := a.findUser(c.ctx(), to); err != nil {
		return nil, err
	}
	payload, err := req.payload(origin{app: c.app.ID, sender: c.who, at: a.Now()})
	if err != nil {
		return nil, err
	}
	return a.push(c, to, req, payload)
}

// push hands the payload to every installation of the owner that the request means.
func (a *API) push(c *call, to store.Owner, req pushRequest, payload []byte) (any, error) {
	if !req.MQTT.enabled() {
		return pushResponse{store.NewID()}, nil
	}
	all, err := a.Store.InstallationsOf(c.ctx(), to)
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(i store.Installation) bool { return !req.reaches(i) })
	id, err := a.deliver(c.ctx(), all, payload)
	if err != nil {
		return nil, err
	}
	return pushResponse{id}, nil
}

// deliver hands a message, a JSON object of at most MaxPush bytes, to all of these
// installations or, when it fails, to none. It is accepted also where there are none: who is
// not installed, or not any more, receives nothing.
func (a *API) deliver(ctx context.Context, to []store.Installation, payload []byte) (pushMessageID string, err error) {
	if len(payload) > MaxPush {
		return "", fail(http.StatusRequestEntityTooLarge, "PUSH_MESSAGE_TOO_LARGE",
			"The message is "+strconv.Itoa(len(payload))+" bytes of JSON with what the send flags add; at most "+strconv.Itoa(MaxPush)+" are allowed.").
			with("size", len(payload)).with("limit", MaxPush)
	}
	id := store.NewID()
	if len(to) == 0 {
		return id, nil
	}
	return id, a.Engine.Publish(ctx, to, store.Push{MessageID: id, Payload: payload, CreatedAt: a.Now()})
}
