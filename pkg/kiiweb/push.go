package kiiweb

import (
	"context"
	"errors"
	"math"
	"strconv"
	"time"

	"github.com/kiiweb/kiiweb/internal/fault"
)

// MaxPush is the size above which a push is refused, in bytes of its JSON.
const MaxPush = 4096

// PushMessage is what to send. The receiver sees a JSON object: the keys of Data and
// what the Send fields add.
type PushMessage struct {
	// Data is flat: strings, booleans, finite numbers and nil.
	Data map[string]any
	// MQTTData, when not nil, goes to MQTT installations in place of Data.
	MQTTData map[string]any

	// The other channels to send on besides MQTT, for owners who have such installations.
	GCM, APNS, JPush bool

	// Which installations receive it; nil leaves that to the server.
	SendToDevelopment *bool
	SendToProduction  *bool

	SendAppID       bool // adds appID
	SendSender      bool // adds sender and senderURI
	SendWhen        bool // adds when, in milliseconds since 1970
	SendOrigin      bool // adds origin
	SendObjectScope bool // adds objectScopeType and the ids that belong to it
	SendTopicID     bool // adds topic

	Type string // pushMessageType; "" sends none
}

// SendToMe pushes a message to the login's owner and gives its pushMessageID. A message of which
// the cloud does not know whether it is stored is sent once more, under the id that the cloud gave it: nobody
// sees it twice.
// PUSH_TOO_LARGE: the data alone is over MaxPush, or the server found the whole to be.
func (c *Client) SendToMe(ctx context.Context, m PushMessage) (pushMessageID string, err error) {
	body, err := m.body()
	if err != nil {
		return "", err
	}
	login, err := c.authorized(sendAction)
	if err != nil {
		return "", err
	}
	return c.push(ctx, c.do, sendCall(c.app(login.Owner.path()), login, body))
}

// SendToTopic is SendToMe to all subscribers of a topic. A call whose answer was lost may
// have sent the message; repeating it can send it twice. NOT_FOUND: there is no such topic.
func (c *Client) SendToTopic(ctx context.Context, t Topic, m PushMessage) (pushMessageID string, err error) {
	body, err := m.body()
	if err != nil {
		return "", err
	}
	path, login, err := c.topicPath(sendAction, t)
	if err != nil {
		return "", err
	}
	return c.push(ctx, c.ask, sendCall(path, login, body))
}

const sendAction = "send messages"

// sendCall sends a message to what lies at path.
func sendCall(path string, login Login, body map[string]any) call {
	return call{
		action: sendAction,
		method: "POST",
		path:   path + "/push/messages",
		media:  "application/vnd.kii.SendPushMessageRequest+json",
		body:   body,
		login:  login,
		own:    meaning{413, fault.PushTooLarge},
	}
}

const (
	// codeNotConfirmed is the errorCode for a message of which the cloud does not know whether it is stored.
	codeNotConfirmed = "PUSH_NOT_CONFIRMED"
	// resendPause is the longest time that the cloud may want between that and the next attempt, in seconds.
	resendPause = 10
)

// push sends a message by way of do. One that is not confirmed is sent once more, when the cloud wants it,
// under the id that the cloud gave it: who has it drops the repeat. Where that fails, too, the
// error is that of the first time, which still says what is known.
func (c *Client) push(ctx context.Context, do func(context.Context, call) (*answer, error), k call) (string, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	a, err := do(ctx, k)
	e, _ := errors.AsType[*Error](err)
	if a == nil || e == nil || e.KiiCode != codeNotConfirmed || e.RetryAfter > resendPause {
		return readPushMessageID(a, err)
	}
	refusal, _ := decodeJSON(a.Body)
	id := firstString(refusal, "pushMessageID")
	if id == "" {
		return "", err
	}
	k.body["pushMessageID"] = id
	if c.pause(ctx, time.Duration(max(1, e.RetryAfter))*time.Second) != nil {
		return "", contextError(ctx, k.action)
	}
	again, failed := do(ctx, k)
	if failed != nil && ctx.Err() == nil {
		failed = err
	}
	return readPushMessageID(again, failed)
}

func readPushMessageID(a *answer, err error) (string, error) {
	if err != nil {
		return "", err
	}
	f := a.fields()
	id := f.text("pushMessageID")
	return id, f.done()
}

// path is where the owner of the token in use lies under its app.
func (o Owner) path() string {
	if o.Kind == OwnerUser {
		o.ID = me
	}
	return o.fullPath()
}

// body checks m and puts it in the words of the API.
func (m PushMessage) body() (map[string]any, error) {
	if m.Data == nil && m.MQTTData == nil {
		return nil, invalid("the message's data is missing")
	}
	mqtt := map[string]any{"enabled": true}
	body := map[string]any{
		"gcm":   map[string]any{"enabled": m.GCM},
		"apns":  map[string]any{"enabled": m.APNS},
		"jpush": map[string]any{"enabled": m.JPush},
		"mqtt":  mqtt,
	}
	if err := put(body, "data", m.Data); err != nil {
		return nil, err
	}
	if err := put(mqtt, "data", m.MQTTData); err != nil {
		return nil, err
	}
	for _, flag := range [...]struct {
		name string
		on   bool
	}{
		{"sendAppID", m.SendAppID}, {"sendSender", m.SendSender}, {"sendWhen", m.SendWhen},
		{"sendOrigin", m.SendOrigin}, {"sendObjectScope", m.SendObjectScope}, {"sendTopicID", m.SendTopicID},
	} {
		if flag.on {
			body[flag.name] = true
		}
	}
	if m.SendToDevelopment != nil {
		body["sendToDevelopment"] = *m.SendToDevelopment
	}
	if m.SendToProduction != nil {
		body["sendToProduction"] = *m.SendToProduction
	}
	if m.Type != "" {
		body["pushMessageType"] = m.Type
	}
	return body, nil
}

// put sets into[name] to data, when there is any, once it is flat and small enough.
func put(into map[string]any, name string, data map[string]any) error {
	if data == nil {
		return nil
	}
	for key, v := range data {
		if !isFlat(v) {
			return invalid("the message's " + name + " must be flat: " + "\"" + key + "\"" +
				" is not a string, boolean, finite number or null")
		}
	}
	b, err := encodeJSON(data)
	if err != nil {
		return fault.Wrap(fault.InvalidArgument, "the message's "+name+" cannot be written as JSON", err)
	}
	if len(b) > MaxPush {
		return fault.New(fault.PushTooLarge, "the message's "+name+" is "+strconv.Itoa(len(b))+
			" bytes of JSON, more than "+strconv.Itoa(MaxPush))
	}
	into[name] = data
	return nil
}

func isFlat(v any) bool {
	switch n := v.(type) {
	case nil, bool, string, int, int8, int16, int32, int64, uint, uint8, uint16, uint32, uint64:
		return true
	case float32:
		return isFinite(float64(n))
	case float64:
		return isFinite(n)
	}
	return false
}

func isFinite(f float64) bool { return !math.IsNaN(f) && !math.IsInf(f, 0) }
