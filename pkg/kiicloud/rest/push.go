package rest

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/kiiweb/kiiweb/pkg/kiicloud/engine"
	"github.com/kiiweb/kiiweb/pkg/kiicloud/store"
)

const typePushed = "application/vnd.kii.SendPushMessageResponse+json"

// retryPush is when a push that was not confirmed may be sent again.
const retryPush = 2 * time.Second

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
	id, err := req.messageID()
	if err != nil {
		return nil, err
	}
	if !req.MQTT.enabled() {
		return pushResponse{id}, nil
	}
	to, err := receivers(req.environments())
	if err != nil {
		return nil, err
	}
	return pushResponse{id}, a.deliver(c.ctx(), to, store.Push{MessageID: id, Payload: payload, CreatedAt: from.at})
}

// deliver hands a message, a JSON object of at most MaxPush bytes, to all of these
// installations or, when it fails, to none. It is accepted also where there are none: who is
// not installed, or not any more, receives nothing. Where the broker has not said whether it has
// the message, the failure names its id, with which it can be sent again.
func (a *API) deliver(ctx context.Context, to []store.Installation, p store.Push) error {
	if len(p.Payload) > MaxPush {
		return fail(http.StatusRequestEntityTooLarge, "PUSH_MESSAGE_TOO_LARGE",
			"The message is "+strconv.Itoa(len(p.Payload))+" bytes of JSON with what the send flags add; at most "+strconv.Itoa(MaxPush)+" are allowed.").
			with("size", len(p.Payload)).with("limit", MaxPush)
	}
	if len(to) == 0 {
		return nil
	}
	err := a.Engine.Publish(ctx, to, p)
	if errors.Is(err, engine.ErrUnconfirmed) && ctx.Err() == nil {
		a.Logger.Warn("a push is not confirmed", "pushMessageID", p.MessageID, "error", err)
		return fail(http.StatusServiceUnavailable, "PUSH_NOT_CONFIRMED",
			"The broker did not say in time whether it has the message. Send it again with this pushMessageID in the request: who has received it will not see it twice.").
			with("pushMessageID", p.MessageID).retryAfter(retryPush)
	}
	return err
}
