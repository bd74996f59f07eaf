package main

import (
	"syscall/js"
	"time"

	"github.com/kiiweb/kiiweb/internal/jsx"
	"github.com/kiiweb/kiiweb/pkg/kiiweb"
)

// Functions of JavaScript, taken once: what a page replaces later does not matter.
var (
	object = js.Global().Get("Object")
	// bind(f, this, ...args) is f.bind(this, ...args).
	bind = uncurried(js.Global().Get("Function").Get("prototype").Get("bind"))
)

// uncurried gives a function that takes this as its first argument.
func uncurried(method js.Value) js.Value {
	return js.Global().Get("Function").Get("prototype").Get("call").Call("bind", method)
}

func loginToJS(l kiiweb.Login, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	o := ownerToJS(l.Owner)
	o["token"] = l.Token
	if !l.ExpiresAt.IsZero() {
		o["expiresAt"] = l.ExpiresAt.UnixMilli()
	}
	return o, nil
}

func ownerToJS(o kiiweb.Owner) map[string]any {
	if o.Kind == kiiweb.OwnerThing {
		return map[string]any{"thingID": o.ID}
	}
	return map[string]any{"userID": o.ID}
}

func endpointToJS(e kiiweb.Endpoint, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	o := map[string]any{
		"installationID": e.InstallationID,
		"username":       e.Username,
		"password":       e.Password,
		"mqttTopic":      e.MQTTTopic,
		"host":           e.Host,
		"fetchedAt":      e.FetchedAt.UnixMilli(),
	}
	for name, n := range map[string]int{
		"portTCP": e.PortTCP, "portSSL": e.PortSSL, "portWS": e.PortWS, "portWSS": e.PortWSS,
		"X-MQTT-TTL": int(e.TTL / time.Second),
	} {
		if n != 0 {
			o[name] = n
		}
	}
	return o, nil
}

func pushToJS(pushMessageID string, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	return map[string]any{"pushMessageID": pushMessageID}, nil
}

func topicsToJS(l kiiweb.TopicList, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	names := make([]any, len(l.Names))
	for i, name := range l.Names {
		names[i] = name
	}
	o := map[string]any{"topics": names}
	if l.PaginationKey != "" {
		o["paginationKey"] = l.PaginationKey
	}
	return o, nil
}

func changeToJS(c kiiweb.Change) map[string]any {
	o := map[string]any{"state": string(c.State), "reason": c.Reason}
	if c.Code != "" {
		o["code"] = string(c.Code)
	}
	if c.ReasonCode >= 0 {
		o["reasonCode"] = c.ReasonCode
	}
	if c.State == kiiweb.StateWaiting && c.RetryIn >= 0 {
		o["retryIn"] = c.RetryIn.Milliseconds()
	}
	if c.Err != nil {
		o["error"] = jsx.ToJS(c.Err)
	}
	if c.Broker != nil {
		o["broker"] = brokerToJS(c.Broker)
	}
	return o
}

func brokerToJS(b *kiiweb.Broker) map[string]any {
	o := map[string]any{"protocol": b.Protocol, "sessionPresent": b.SessionPresent, "keepAlive": int(b.KeepAlive)}
	for name, text := range map[string]string{
		"assignedClientID": b.AssignedClientID, "serverReference": b.ServerReference, "reasonString": b.ReasonString,
	} {
		if text != "" {
			o[name] = whole(text)
		}
	}
	if len(b.User) > 0 {
		list := make([]any, len(b.User))
		for i, u := range b.User {
			list[i] = []any{whole(u.Key), whole(u.Value)}
		}
		o["userProperties"] = list
	}
	return o
}
