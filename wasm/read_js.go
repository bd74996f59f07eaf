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

const (
	maxPort    = 65535
	maxTimeout = math.MaxInt32 // the longest time that JavaScript's timers keep, in milliseconds
)

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

// fields reads properties of one object and keeps the first error. Its methods leave *p
// alone where the property is absent. They are not generic, and share get: each instance
// would cost a kilobyte of every page's download.
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

// get gives a property and what errors call it; ok is false when there is nothing to read.
func (f *fields) get(field string) (name string, v js.Value, ok bool) {
	if f.err != nil {
		return "", v, false
	}
	v, f.err = jsx.Field(f.name, f.object, field, anything)
	return f.name + "." + field, v, f.err == nil && !v.IsUndefined()
}

func anything(_ string, v js.Value) (js.Value, error) { return v, nil }

// required reads a string that must be there and not be empty.
func (f *fields) required(field string, p *string) {
	if name, v, ok := f.get(field); ok || f.err == nil {
		*p, f.err = jsx.NonEmpty(name, v)
	}
}

// text reads a string that is not empty.
func (f *fields) text(field string, p *string) {
	if name, v, ok := f.get(field); ok {
		*p, f.err = jsx.NonEmpty(name, v)
	}
}

func (f *fields) number(field string, min, max int, p *int) {
	if name, v, ok := f.get(field); ok {
		*p, f.err = jsx.Int(min, max)(name, v)
	}
}

func (f *fields) flag(field string, p *bool) {
	if name, v, ok := f.get(field); ok {
		*p, f.err = jsx.Bool(name, v)
	}
}

func (f *fields) function(field string, p *js.Value) {
	if name, v, ok := f.get(field); ok {
		*p, f.err = jsx.Function(name, v)
	}
}

// pairs reads an array of pairs of strings.
func (f *fields) pairs(field string, p *[]kiiweb.UserProperty) {
	name, v, ok := f.get(field)
	if !ok {
		return
	}
	value, err := jsx.JSON(name, v)
	list, isArray := value.([]any)
	for _, entry := range list {
		pair, _ := entry.([]any)
		if len(pair) != 2 {
			isArray = false
			break
		}
		key, isText := pair[0].(string)
		text, isTextToo := pair[1].(string)
		isArray = isArray && isText && isTextToo
		*p = append(*p, kiiweb.UserProperty{Key: key, Value: text})
	}
	if f.err = err; err == nil && !isArray {
		f.err = fault.New(fault.InvalidArgument, name+" must be an array of pairs of strings.")
	}
}

func (f *fields) json(field string, p *map[string]any) {
	if name, v, ok := f.get(field); ok {
		*p, f.err = jsonObject(name, v)
	}
}

// signal reads an AbortSignal, by what it can do: it may come from another frame.
func (f *fields) signal(field string, p *js.Value) {
	name, v, ok := f.get(field)
	if !ok || v.IsNull() {
		return
	}
	aborted, err1 := jsx.Get(v, "aborted")
	listen, err2 := jsx.Get(v, "addEventListener")
	if err1 != nil || err2 != nil || jsx.TypeOf(aborted) != js.TypeBoolean || jsx.TypeOf(listen) != js.TypeFunction {
		f.err = fault.New(fault.InvalidArgument, name+" must be an AbortSignal.")
		return
	}
	*p = v
}

// callContext gives the context of a call with its options, { signal, timeout }. Every
// call has a time, so that every promise settles.
func callContext(v js.Value) (context.Context, context.CancelFunc, error) {
	signal, timeout := js.Undefined(), int(kiiweb.DefaultTimeout/time.Millisecond)
	if !absent(v) {
		f := fieldsOf("options", v)
		f.signal("signal", &signal)
		f.number("timeout", 1, maxTimeout, &timeout)
		if f.err != nil {
			return nil, nil, f.err
		}
	}
	ctx, cancel := jsx.SignalContext(context.Background(), signal)
	ctx, stop := context.WithTimeout(ctx, time.Duration(timeout)*time.Millisecond)
	return ctx, func() { stop(); cancel() }, nil
}

// readConfig reads what init and create take. site may be the URL of a cloud as well.
func readConfig(v js.Value) (kiiweb.Config, error) {
	var c kiiweb.Config
	var site string
	var getToken js.Value
	f := fieldsOf("config", v)
	f.required("appID", &c.AppID)
	f.required("appKey", &c.AppKey)
	f.text("site", &site)
	f.text("baseURL", &c.BaseURL)
	f.flag("allowInsecure", &c.AllowInsecure)
	f.function("getToken", &getToken)
	if getToken.Truthy() {
		c.GetToken = tokenFrom(getToken)
	}
	if strings.Contains(site, "://") && c.BaseURL == "" {
		c.BaseURL = site
	} else {
		c.Site = kiiweb.Site(site)
	}
	return c, f.err
}

// tokenFrom makes a hook of a function of the page's, which gives a token, a promise of
// one, or null where there is none.
func tokenFrom(getToken js.Value) func(context.Context, kiiweb.Owner) (string, error) {
	return func(ctx context.Context, owner kiiweb.Owner) (string, error) {
		token, err := jsx.Invoke(getToken, ownerToJS(owner))
		if err == nil {
			token, err = jsx.Await(ctx, token)
		}
		if err != nil || absent(token) {
			return "", err
		}
		return jsx.String("the token that getToken gave", token)
	}
}

// readOwner reads { userID } or { thingID }; nothing means a user who is to be asked for.
func readOwner(v js.Value) (kiiweb.Owner, error) {
	if absent(v) {
		return kiiweb.Owner{}, nil
	}
	var user, thing string
	f := fieldsOf("owner", v)
	f.text("userID", &user)
	f.text("thingID", &thing)
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
	f := fieldsOf("endpoint", v)
	f.text("installationID", &e.InstallationID)
	f.required("username", &e.Username)
	f.required("password", &e.Password)
	f.required("mqttTopic", &e.MQTTTopic)
	f.required("host", &e.Host)
	f.number("portTCP", 0, maxPort, &e.PortTCP)
	f.number("portSSL", 0, maxPort, &e.PortSSL)
	f.number("portWS", 0, maxPort, &e.PortWS)
	f.number("portWSS", 0, maxPort, &e.PortWSS)
	f.number("X-MQTT-TTL", 0, maxSafe, &ttl)
	f.number("fetchedAt", 0, maxSafe, &fetchedAt)
	e.TTL = time.Duration(min(ttl, math.MaxInt32)) * time.Second // 68 years are for ever
	if fetchedAt != 0 {
		e.FetchedAt = time.UnixMilli(int64(fetchedAt))
	}
	return e, f.err
}

func readPushMessage(v js.Value) (kiiweb.PushMessage, error) {
	var m kiiweb.PushMessage
	f := fieldsOf("message", v)
	f.json("data", &m.Data)
	f.json("mqttData", &m.MQTTData)
	f.flag("gcm", &m.GCM)
	f.flag("apns", &m.APNS)
	f.flag("jpush", &m.JPush)
	f.flag("sendAppID", &m.SendAppID)
	f.flag("sendSender", &m.SendSender)
	f.flag("sendWhen", &m.SendWhen)
	f.flag("sendOrigin", &m.SendOrigin)
	f.flag("sendObjectScope", &m.SendObjectScope)
	f.flag("sendTopicID", &m.SendTopicID)
	f.choice("sendToDevelopment", &m.SendToDevelopment)
	f.choice("sendToProduction", &m.SendToProduction)
	f.text("pushMessageType", &m.Type)
	return m, f.err
}

// choice is flag for what may be left open.
func (f *fields) choice(field string, p **bool) {
	if name, v, ok := f.get(field); ok {
		var b bool
		b, f.err = jsx.Bool(name, v)
		*p = &b
	}
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
