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
	to, err := a.userFor(c, c.r.PathValue("userID"), "Only an administrator can push to somebody else; push to yourself as users/me.")
	if err != nil {
		return nil, err
	}
	return a.pushTo(c, to)
}

// pushTo pushes what the request says to the owner's installations.
func (a *API) pushTo(c *call, to store.Owner) (any, error) {
	return a.send(c, origin{to: to}, func(in store.Environments) ([]store.Installation, error) {
		all, err := a.Store.InstallationsOf(c.ctx(), to)
		return slices.DeleteFunc(all, func(i store.Installation) bool { return i.DeviceType != deviceMQTT || !in.Has(i.Development) }), err
	})
}

// send reads a push and delivers it to the receivers that are found for its environments. It
// completes from.
func (a *API) send(c *call, from origin, receivers func(store.Environments) ([]store.Installation, error)) (any, error) {
	var req pushRequest
	if err := c.read(&req); err != nil {
		return nil, err
	}
	from.app, from.sender, from.at = c.app.ID, c.who, a.Now()
	payload, err := req.payload(from)
	if err != nil {
		return nil, err
	}
	if !req.MQTT.enabled() {
		return pushResponse{store.NewID()}, nil
	}
	to, err := receivers(req.environments())
	if err != nil {
		return nil, err
	}
	id, err := a.deliver(c.ctx(), to, payload)
	return pushResponse{id}, err
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
