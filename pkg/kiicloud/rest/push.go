package rest

import (
	"errors"
	"net/http"
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
// It is accepted also where there is none: who is not installed receives nothing.
func (a *API) push(c *call, to store.Owner, req pushRequest, payload []byte) (any, error) {
	id := store.NewID()
	if !req.MQTT.enabled() {
		return pushResponse{id}, nil
	}
	if len(payload) > MaxPush {
		return nil, fail(http.StatusRequestEntityTooLarge, "PUSH_MESSAGE_TOO_LARGE",
			"The message is "+strconv.Itoa(len(payload))+" bytes of JSON with what the send flags add; at most "+strconv.Itoa(MaxPush)+" are allowed.").
			with("size", len(payload)).with("limit", MaxPush)
	}
	all, err := a.Store.InstallationsOf(c.ctx(), to)
	if err != nil {
		return nil, err
	}
	for _, i := range all {
		if !req.reaches(i) {
			continue
		}
		err := a.Engine.Publish(c.ctx(), i, store.Push{InstallationID: i.ID, MessageID: id, Payload: payload, CreatedAt: a.Now()})
		if err != nil && !errors.Is(err, store.ErrNotFound) { // uninstalled meanwhile: no receiver any more
			return nil, err
		}
	}
	return pushResponse{id}, nil
}
