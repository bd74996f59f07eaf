package rest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/pkg/kiicloud/store"
)

const noSender = `,"sendSender":false`

func TestPushPayload(t *testing.T) {
	l := newLab(t)
	annID, ann := l.user("ann")
	l.install(ann)
	uri := "kiicloud://users/" + annID
	cases := []struct {
		name, body string
		want       map[string]any
	}{
		{"data", `{"data":{"msg":"hi","n":1.50,"b":true,"z":null},"mqtt":{"enabled":true}` + noSender + `}`,
			map[string]any{"msg": "hi", "n": 1.5, "b": true, "z": nil}},
		{"sender by default", `{"data":{"msg":"hi"},"mqtt":{"enabled":true}}`,
			map[string]any{"msg": "hi", "sender": annID, "senderURI": uri, "sourceURI": uri}},
		{"every flag", `{"data":{"msg":"hi"},"mqtt":{},"pushMessageType":"greeting","sendAppID":true,"sendSender":true,"sendWhen":true,"sendOrigin":true,"sendObjectScope":true,"sendTopicID":true}`,
			map[string]any{"msg": "hi", "type": "greeting", "appID": "demo", "sender": annID, "senderURI": uri, "sourceURI": uri, "when": 1.7e12, "origin": "EXPLICIT"}},
		{"flags as strings", `{"data":{"msg":"hi"},"mqtt":{"enabled":"true"},"sendAppID":"true","sendSender":"false"}`,
			map[string]any{"msg": "hi", "appID": "demo"}},
		{"flags win over data", `{"data":{"sender":"somebody","when":"never"},"mqtt":{},"sendWhen":true}`,
			map[string]any{"sender": annID, "senderURI": uri, "sourceURI": uri, "when": 1.7e12}},
		{"own data for mqtt", `{"data":{"msg":"all"},"gcm":{"enabled":true,"data":{"x":{"nested":1}}},"mqtt":{"enabled":true,"data":{"msg":"mqtt"}}` + noSender + `}`,
			map[string]any{"msg": "mqtt"}},
		{"own data for mqtt alone", `{"mqtt":{"data":{"msg":"mqtt"}}` + noSender + `}`, map[string]any{"msg": "mqtt"}},
		{"another channel only", `{"data":{"msg":"hi"},"gcm":{"enabled":true}` + noSender + `}`, map[string]any{"msg": "hi"}},
		{"empty data", `{"data":{},"mqtt":{}` + noSender + `}`, map[string]any{}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			before := l.engine.count()
			a := l.call("POST", "/api/apps/demo/users/me/push/messages", ann, c.body, "Content-Type", "application/vnd.kii.SendPushMessageRequest+json")
			require.Equal(t, 201, a.StatusCode, a.text)
			require.Equal(t, before+1, l.engine.count())
			assert.Equal(t, a.str("pushMessageID"), l.engine.pushes[before].MessageID)
			assert.Equal(t, c.want, l.engine.last(t))
		})
	}
	raw := `{"a":"<&>","n":12345678901234567890.1}`
	l.call("POST", "/api/apps/demo/users/me/push/messages", ann, `{"data":`+raw+`,"mqtt":{}`+noSender+`}`)
	assert.Equal(t, raw, string(l.engine.pushes[l.engine.count()-1].Payload), "values go through as they are")

	for name, c := range map[string]struct{ sent, want string }{
		"escapes become text":          {`{"a":"\u65e5\u672c \ud83d\ude00 \/"}`, `{"a":"日本 😀 /"}`},
		"escapes that JSON needs stay": {`{"a":"\"\\\n\u0000"}`, `{"a":"\"\\\n\u0000"}`},
		"half a pair stays":            {`{"a":"\ud83d"}`, `{"a":"\ud83d"}`},
	} {
		t.Run(name, func(t *testing.T) {
			l.call("POST", "/api/apps/demo/users/me/push/messages", ann, `{"data":`+c.sent+`,"mqtt":{}`+noSender+`}`)
			assert.Equal(t, c.want, string(l.engine.pushes[l.engine.count()-1].Payload))
		})
	}
}

func TestPushRefusals(t *testing.T) {
	l := newLab(t)
	annID, ann := l.user("ann")
	bobID, bob := l.user("bob")
	l.install(ann)
	admin := l.admin()
	good := `{"data":{"a":1},"mqtt":{"enabled":true}}`
	cases := []struct {
		name, to, token, body string
		status                int
		code                  string
	}{
		{"to myself by id", annID, ann, good, 201, ""},
		{"to anybody, by an administrator", annID, admin, good, 201, ""},
		{"to one who is not installed", "me", bob, good, 201, ""},
		{"to somebody else", annID, bob, good, 401, "UNAUTHORIZED"},
		{"to me, as administrator", "me", admin, good, 403, "WRONG_TOKEN"},
		{"to nobody", "nobody", admin, good, 404, "USER_NOT_FOUND"},
		{"without a token", "me", "", good, 401, "UNAUTHORIZED"},
		{"no channel", "me", ann, `{"data":{"a":1}}`, 400, "INVALID_INPUT_DATA"},
		{"null channel", "me", ann, `{"data":{"a":1},"mqtt":null}`, 400, "INVALID_INPUT_DATA"},
		{"no data", "me", ann, `{"mqtt":{"enabled":true}}`, 400, "INVALID_INPUT_DATA"},
		{"nested object", "me", ann, `{"data":{"a":{"b":1}},"mqtt":{}}`, 400, "INVALID_INPUT_DATA"},
		{"nested array", "me", ann, `{"data":{"a":[1]},"mqtt":{}}`, 400, "INVALID_INPUT_DATA"},
		{"nested in mqtt.data", "me", ann, `{"data":{"a":1},"mqtt":{"data":{"a":[1]}}}`, 400, "INVALID_INPUT_DATA"},
		{"data is an array", "me", ann, `{"data":[1],"mqtt":{}}`, 400, "INVALID_INPUT_DATA"},
		{"body is an array", "me", ann, `[]`, 400, "INVALID_INPUT_DATA"},
		{"a flag is a number", "me", ann, `{"data":{"a":1},"mqtt":{},"sendWhen":1}`, 400, "INVALID_INPUT_DATA"},
	}
	_ = bobID
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			a := l.call("POST", "/api/apps/demo/users/"+c.to+"/push/messages", c.token, c.body)
			if c.code == "" {
				require.Equal(t, c.status, a.StatusCode, a.text)
				return
			}
			a.want(t, c.status, c.code)
		})
	}
	l.call("POST", "/api/apps/demo/users/"+annID+"/push/messages", admin, good)
	assert.Equal(t, map[string]any{"a": 1.0, "senderURI": "kiicloud://admins/APP_ADMIN", "sourceURI": "kiicloud://users/" + annID}, l.engine.last(t))
}

func TestPushSize(t *testing.T) {
	l := newLab(t)
	annID, ann := l.user("ann")
	l.install(ann)
	empty := len(`{"m":""}`)
	withSender := len(`,"sender":"","senderURI":"kiicloud://users/","sourceURI":"kiicloud://users/"`) + 3*len(annID)
	cases := []struct {
		name, rest string
		length     int
		ok         bool
	}{
		{"exactly the limit", noSender, MaxPush - empty, true},
		{"one byte more", noSender, MaxPush - empty + 1, false},
		{"the sender counts", "", MaxPush - empty, false},
		{"with the sender, exactly the limit", "", MaxPush - empty - withSender, true},
		{"no limit where mqtt is off", `,"mqtt":{"enabled":false}`, 2 * MaxPush, true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			a := l.call("POST", "/api/apps/demo/users/me/push/messages", ann, `{"data":{"m":"`+strings.Repeat("x", c.length)+`"},"gcm":{}`+c.rest+`}`)
			if c.ok {
				require.Equal(t, 201, a.StatusCode, a.text)
				return
			}
			a.want(t, 413, "PUSH_MESSAGE_TOO_LARGE")
			assert.EqualValues(t, MaxPush, a.json["limit"])
			assert.Greater(t, a.json["size"], float64(MaxPush))
		})
	}
}

func TestPushReachesTheRightEnvironment(t *testing.T) {
	cases := []struct {
		flags       string
		development bool
		production  bool
	}{
		{``, true, true},
		{`,"sendToDevelopment":true,"sendToProduction":true`, true, true},
		{`,"sendToDevelopment":false`, false, true},
		{`,"sendToProduction":false`, true, false},
		{`,"sendToDevelopment":"false","sendToProduction":"false"`, false, false},
		{`,"mqtt":{"enabled":false}`, false, false},
		{`,"mqtt":{"enabled":"false"}`, false, false},
	}
	l := newLab(t)
	_, ann := l.user("ann")
	for _, development := range []bool{true, false} {
		body := `{"deviceType":"MQTT","development":false}`
		if development {
			body = `{"deviceType":"MQTT","development":true}`
		}
		require.Equal(t, 201, l.call("POST", "/api/apps/demo/installations", ann, body).StatusCode)
		for _, c := range cases {
			before := l.engine.count()
			a := l.call("POST", "/api/apps/demo/users/me/push/messages", ann, `{"data":{"a":1},"apns":{}`+c.flags+`}`)
			require.Equal(t, 201, a.StatusCode, a.text)
			assert.NotEmpty(t, a.str("pushMessageID"))
			want := c.production
			if development {
				want = c.development
			}
			assert.Equal(t, want, l.engine.count() > before, "%s development=%v", c.flags, development)
		}
	}
}

func TestAPushThatWasNotStoredIsNotAccepted(t *testing.T) {
	l := newLab(t)
	_, ann := l.user("ann")
	l.install(ann)
	body := `{"data":{"a":1},"mqtt":{}}`
	l.engine.fail = errors.New("disk-full-detail")
	a := l.call("POST", "/api/apps/demo/users/me/push/messages", ann, body)
	a.want(t, 500, "INTERNAL_SERVER_ERROR")
	assert.NotContains(t, a.text, "disk-full-detail")
	assert.Contains(t, l.log.String(), "disk-full-detail")
	l.engine.fail = fmt.Errorf("enqueue: %w", context.DeadlineExceeded)
	a = l.call("POST", "/api/apps/demo/users/me/push/messages", ann, body)
	a.want(t, 503, "SERVICE_UNAVAILABLE")
	assert.Equal(t, "1", a.Header.Get("Retry-After"))
	assert.Contains(t, l.log.String(), "level=WARN", "whoever runs the server is told")
	l.engine.fail = fmt.Errorf("enqueue: %w", store.ErrClosed)
	a = l.call("POST", "/api/apps/demo/users/me/push/messages", ann, body)
	a.want(t, 503, "SERVICE_UNAVAILABLE")
	assert.Equal(t, "1", a.Header.Get("Retry-After"))
}
