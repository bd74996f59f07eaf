package rest

import (
	"bytes"
	"encoding/json"
	"sort"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/kiiweb/kiiweb/pkg/kiicloud/store"
)

// MaxPush is how many bytes of JSON a push message may have.
const MaxPush = 4096

// pushRequest is the body of a push. The channels of other push networks are
// accepted, so that a message for all of them can be sent here as it is.
type pushRequest struct {
	Data  map[string]json.RawMessage `json:"data"`
	GCM   *channel                   `json:"gcm"`
	FCM   *channel                   `json:"fcm"`
	APNS  *channel                   `json:"apns"`
	JPush *channel                   `json:"jpush"`
	MQTT  *channel                   `json:"mqtt"`

	// MessageID is what an earlier attempt to send the same message was told, else empty.
	MessageID string `json:"pushMessageID"`

	ToDevelopment *flag `json:"sendToDevelopment"`
	ToProduction  *flag `json:"sendToProduction"`

	Type            string `json:"pushMessageType"`
	SendAppID       *flag  `json:"sendAppID"`
	SendSender      *flag  `json:"sendSender"`
	SendWhen        *flag  `json:"sendWhen"`
	SendOrigin      *flag  `json:"sendOrigin"`
	SendTopicID     *flag  `json:"sendTopicID"`
	SendObjectScope *flag  `json:"sendObjectScope"`
}

// channel is one push network's part of a push.
type channel struct {
	Enabled *flag                      `json:"enabled"`
	Data    map[string]json.RawMessage `json:"data"` // instead of the common data
}

// enabled is true unless the request says false, also where it has no such channel.
func (ch *channel) enabled() bool { return ch == nil || ch.Enabled.or(true) }

// environments are those whose installations the push is meant for.
func (q pushRequest) environments() store.Environments {
	return store.Environments{Development: q.ToDevelopment.or(true), Production: q.ToProduction.or(true)}
}

// messageID is the message's id: a new one, or that of an earlier attempt. Receivers drop a message
// whose id they have had, so a sender can only repeat what it has sent: nobody guesses another's id.
func (q pushRequest) messageID() (string, error) {
	if q.MessageID == "" {
		return store.NewID(), nil
	}
	if !store.IsID(q.MessageID) {
		return "", invalidInput("pushMessageID is not one that this server has given: leave it out for a new message.")
	}
	return q.MessageID, nil
}

// origin is where a push comes from and what it is sent to: a user or thing, or a topic.
type origin struct {
	app    string
	sender store.Owner
	at     time.Time
	to     store.Owner  // of a direct push
	topic  *store.Topic // of a message to a topic, else nil
}

// payload makes the JSON object that the receiver sees: the data, and what the send
// flags ask for, which wins over a key of the same name in the data. Without a word from
// the request the sender, a message's topic and the topic's scope are told, as Kii has it.
func (q pushRequest) payload(from origin) ([]byte, error) {
	data, err := q.data()
	if err != nil {
		return nil, err
	}
	object := make(map[string]any, len(data)+12)
	for k, v := range data {
		object[k] = plainest(v)
	}
	if q.Type != "" {
		object["type"] = q.Type
	}
	if q.SendAppID.or(false) {
		object["appID"] = from.app
	}
	if q.SendWhen.or(false) {
		object["when"] = from.at.UnixMilli()
	}
	if q.SendOrigin.or(false) {
		object["origin"] = "EXPLICIT"
	}
	q.tellSender(object, from)
	if from.topic != nil {
		q.tellTopic(object, *from.topic)
	}
	return compact(object)
}

func (q pushRequest) tellSender(object map[string]any, from origin) {
	if !q.SendSender.or(true) {
		return
	}
	object["senderURI"] = ownerURI(from.sender)
	if from.sender.Kind != store.OwnerAdmin {
		object["sender"] = from.sender.ID
	}
	if from.topic == nil {
		object["sourceURI"] = ownerURI(from.to)
	}
}

// tellTopic adds what the receiver may know of the topic. Its URI has both the name and the
// scope, so it is told to whom both are.
func (q pushRequest) tellTopic(object map[string]any, t store.Topic) {
	name, scope := q.SendTopicID.or(true), q.SendObjectScope.or(true)
	if name {
		object["topic"] = t.Name
	}
	if scope {
		scopeKeys(object, t.Scope)
	}
	if name && scope {
		object["sourceURI"] = scopeURI(t.Scope) + "topics/" + t.Name
	}
}

// compact is the object as JSON in as few bytes as there can be: the limit counts them.
func compact(object map[string]any) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false) // '<' is one byte of the 4096, not six
	if err := enc.Encode(object); err != nil {
		return nil, err
	}
	return bytes.TrimRight(buf.Bytes(), "\n"), nil
}

// ownerURI is how a message names a user or thing. Administrators have one name in common.
func ownerURI(o store.Owner) string {
	switch o.Kind {
	case store.OwnerAdmin:
		return "kiicloud://admins/APP_ADMIN"
	case store.OwnerThing:
		return "kiicloud://things/" + o.ID
	default:
		return "kiicloud://users/" + o.ID
	}
}

// scopeURI begins the URI of what is in a scope.
func scopeURI(s store.Scope) string {
	switch s.Kind {
	case store.ScopeUser:
		return "kiicloud://users/" + s.ID + "/"
	case store.ScopeThing:
		return "kiicloud://things/" + s.ID + "/"
	default:
		return "kiicloud://"
	}
}

// scopeType is what Kii calls a kind of scope.
func scopeType(k store.ScopeKind) string {
	switch k {
	case store.ScopeUser:
		return "APP_AND_USER"
	case store.ScopeThing:
		return "APP_AND_THING"
	default:
		return "APP"
	}
}

// scopeKeys adds what a message says of the scope of its topic or bucket.
func scopeKeys(object map[string]any, s store.Scope) {
	object["objectScopeAppID"] = s.AppID
	object["objectScopeType"] = scopeType(s.Kind)
	switch s.Kind {
	case store.ScopeUser:
		object["objectScopeUserID"] = s.ID
	case store.ScopeThing:
		object["objectScopeThingID"] = s.ID
	}
}

// plainest is a value that will be written in as few bytes as JSON allows: text that
// came as escapes ("\u00e9") becomes text, since the limit counts what is delivered.
func plainest(v json.RawMessage) any {
	var s string
	if jsonKind(v) != "string" || json.Unmarshal(v, &s) != nil || strings.ContainsRune(s, utf8.RuneError) {
		return v // half a surrogate pair has no other form than its escape
	}
	return s
}

// data checks the request and gives the data for MQTT.
func (q pushRequest) data() (map[string]json.RawMessage, error) {
	if q.GCM == nil && q.FCM == nil && q.APNS == nil && q.JPush == nil && q.MQTT == nil {
		return nil, invalidInput(`No channel is present: add "mqtt":{"enabled":true}.`)
	}
	if err := flat("data", q.Data); err != nil {
		return nil, err
	}
	data := q.Data
	if q.MQTT != nil && q.MQTT.Data != nil {
		data = q.MQTT.Data
		if err := flat("mqtt.data", data); err != nil {
			return nil, err
		}
	}
	if data == nil && q.MQTT.enabled() {
		return nil, invalidInput("data is missing.")
	}
	return data, nil
}

// flat refuses objects and arrays as values.
func flat(field string, data map[string]json.RawMessage) error {
	keys := make([]string, 0, len(data))
	for k := range data {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	for _, k := range keys {
		if kind := jsonKind(data[k]); kind == "object" || kind == "array" {
			return invalidInput(field + "." + k + " must not be " + article(kind) + ": a push message is flat.")
		}
	}
	return nil
}
