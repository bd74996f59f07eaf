package main

import (
	"context"
	"math"
	"strings"
	"syscall/js"
	"time"

	"github.com/kiiweb/kiiweb/internal/fault"
	"github.com/kiiweb/kiiweb/internal/jsx"
	"github.com/kiiweb/kiiweb/pkg/kiiweb"
)

// maxSafe is the largest whole number that JavaScript keeps exactly.
const maxSafe = 1<<53 - 1

// arg gives argument number i, undefined where the caller gave fewer.
func arg(args []js.Value, i int) js.Value {
	if i >= len(args) {
		return js.Undefined()
	}
	return args[i]
}

func absent(v js.Value) bool { return v.IsUndefined() || v.IsNull() }

// reader reads arguments one after the other and keeps the first error.
type reader struct {
	args []js.Value
	err  error
}

// text reads argument number i, a string that is not empty.
func (r *reader) text(i int, name string) (s string) {
	if r.err == nil {
		s, r.err = jsx.NonEmpty(name, arg(r.args, i))
	}
	return s
}

// fields reads properties of one object and keeps the first error.
type fields struct {
	name   string
	object js.Value
	err    error
}

func fieldsOf(name string, v js.Value) *fields {
	f := &fields{name: name}
	f.object, f.err = jsx.Object(name, v)
	return f
}

// take reads the property field into p, which keeps its value when the property is absent.
func take[T any](f *fields, field string, read jsx.Reader[T], p *T) {
	if f.err == nil {
		*p, f.err = jsx.FieldOr(f.name, f.object, field, read, *p)
	}
}

// need is take for a property that must be there.
func need[T any](f *fields, field string, read jsx.Reader[T], p *T) {
	if f.err == nil {
		*p, f.err = jsx.Field(f.name, f.object, field, read)
	}
}

// callContext gives the context of a call with its options, { signal, timeout }.
func callContext(v js.Value) (context.Context, context.CancelFunc, error) {
	if absent(v) {
		return context.Background(), func() {}, nil
	}
	signal, timeout := js.Undefined(), 0
	f := fieldsOf("options", v)
	take(f, "signal", abortSignal, &signal)
	take(f, "timeout", jsx.Int(1, math.MaxInt32), &timeout)
	if f.err != nil {
		return nil, nil, f.err
	}
	ctx, cancel := jsx.SignalContext(context.Background(), signal)
	if timeout == 0 {
		return ctx, cancel, nil
	}
	ctx, stop := context.WithTimeout(ctx, time.Duration(timeout)*time.Millisecond)
	return ctx, func() { stop(); cancel() }, nil
}

// abortSignal reads an AbortSignal, by what it can do: it may come from another frame.
func abortSignal(name string, v js.Value) (js.Value, error) {
	if absent(v) {
		return js.Undefined(), nil
	}
	aborted, err1 := jsx.Get(v, "aborted")
	listen, err2 := jsx.Get(v, "addEventListener")
	if err1 != nil || err2 != nil || jsx.TypeOf(aborted) != js.TypeBoolean || jsx.TypeOf(listen) != js.TypeFunction {
		return v, fault.New(fault.InvalidArgument, name+" must be an AbortSignal.")
	}
	return v, nil
}

// readConfig reads what init and create take. site may be the URL of a cloud as well.
func readConfig(v js.Value) (kiiweb.Config, error) {
	var c kiiweb.Config
	var site string
	f := fieldsOf("config", v)
	need(f, "appID", jsx.NonEmpty, &c.AppID)
	need(f, "appKey", jsx.NonEmpty, &c.AppKey)
	take(f, "site", jsx.NonEmpty, &site)
	take(f, "baseURL", jsx.NonEmpty, &c.BaseURL)
	take(f, "allowInsecure", jsx.Bool, &c.AllowInsecure)
	if strings.Contains(site, "://") && c.BaseURL == "" {
		c.BaseURL = site
	} else {
		c.Site = kiiweb.Site(site)
	}
	return c, f.err
}

// readOwner reads { userID } or { thingID }; nothing means a user who is to be asked for.
func readOwner(v js.Value) (kiiweb.Owner, error) {
	if absent(v) {
		return kiiweb.Owner{}, nil
	}
	var user, thing string
	f := fieldsOf("owner", v)
	take(f, "userID", jsx.NonEmpty, &user)
	take(f, "thingID", jsx.NonEmpty, &thing)
	switch {
	case f.err != nil:
		return kiiweb.Owner{}, f.err
	case (user == "") == (thing == ""):
		return kiiweb.Owner{}, fault.New(fault.InvalidArgument, "owner must have one of userID and thingID.")
	case thing != "":
		return kiiweb.Owner{Kind: kiiweb.OwnerThing, ID: thing}, nil
	}
	return kiiweb.Owner{Kind: kiiweb.OwnerUser, ID: user}, nil
}

// readEndpoint reads what getMqttEndpoint gave, or what a page made in its image.
func readEndpoint(v js.Value) (kiiweb.Endpoint, error) {
	var e kiiweb.Endpoint
	var ttl, fetchedAt int
	port := jsx.Int(0, 65535)
	f := fieldsOf("endpoint", v)
	take(f, "installationID", jsx.String, &e.InstallationID)
	need(f, "username", jsx.NonEmpty, &e.Username)
	need(f, "password", jsx.NonEmpty, &e.Password)
	need(f, "mqttTopic", jsx.NonEmpty, &e.MQTTTopic)
	need(f, "host", jsx.NonEmpty, &e.Host)
	take(f, "portTCP", port, &e.PortTCP)
	take(f, "portSSL", port, &e.PortSSL)
	take(f, "portWS", port, &e.PortWS)
	take(f, "portWSS", port, &e.PortWSS)
	take(f, "X-MQTT-TTL", jsx.Int(0, maxSafe), &ttl)
	take(f, "fetchedAt", jsx.Int(0, maxSafe), &fetchedAt)
	e.TTL = time.Duration(min(ttl, math.MaxInt32)) * time.Second // 68 years are for ever
	if fetchedAt != 0 {
		e.FetchedAt = time.UnixMilli(int64(fetchedAt))
	}
	return e, f.err
}

func readPushMessage(v js.Value) (kiiweb.PushMessage, error) {
	var m kiiweb.PushMessage
	f := fieldsOf("message", v)
	take(f, "data", jsonObject, &m.Data)
	take(f, "mqttData", jsonObject, &m.MQTTData)
	for name, p := range map[string]*bool{
		"gcm": &m.GCM, "apns": &m.APNS, "jpush": &m.JPush,
		"sendAppID": &m.SendAppID, "sendSender": &m.SendSender, "sendWhen": &m.SendWhen,
		"sendOrigin": &m.SendOrigin, "sendObjectScope": &m.SendObjectScope, "sendTopicID": &m.SendTopicID,
	} {
		take(f, name, jsx.Bool, p)
	}
	take(f, "sendToDevelopment", optionalBool, &m.SendToDevelopment)
	take(f, "sendToProduction", optionalBool, &m.SendToProduction)
	take(f, "pushMessageType", jsx.String, &m.Type)
	return m, f.err
}

func optionalBool(name string, v js.Value) (*bool, error) {
	b, err := jsx.Bool(name, v)
	return &b, err
}

func jsonObject(name string, v js.Value) (map[string]any, error) {
	if _, err := jsx.Object(name, v); err != nil {
		return nil, err
	}
	value, err := jsx.JSON(name, v)
	if err != nil {
		return nil, err
	}
	object, ok := value.(map[string]any)
	if !ok { // its toJSON gave something else
		return nil, fault.New(fault.InvalidArgument, name+" must be an object.")
	}
	return object, nil
}
