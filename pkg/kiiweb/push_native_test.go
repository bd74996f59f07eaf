//go:build !js

package kiiweb

import (
	"context"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const sent = `{"pushMessageID":"p-1"}`

func TestSendToMe(t *testing.T) {
	yes, no := true, false
	for _, c := range []struct {
		name    string
		message PushMessage
		body    string
	}{
		{"data", PushMessage{Data: map[string]any{"s": "<x>\u65e5", "n": 1.5, "i": 3, "b": true, "z": nil}},
			`{"data":{"s":"<x>\u65e5","n":1.5,"i":3,"b":true,"z":null},"mqtt":{"enabled":true},
			"gcm":{"enabled":false},"apns":{"enabled":false},"jpush":{"enabled":false}}`},
		{"everything", PushMessage{Data: map[string]any{}, MQTTData: map[string]any{"k": "v"}, GCM: true, APNS: true, JPush: true,
			SendToDevelopment: &yes, SendToProduction: &no, SendAppID: true, SendSender: true, SendWhen: true, SendOrigin: true,
			SendObjectScope: true, SendTopicID: true, Type: "t"},
			`{"data":{},"mqtt":{"enabled":true,"data":{"k":"v"}},"gcm":{"enabled":true},"apns":{"enabled":true},"jpush":{"enabled":true},
			"sendToDevelopment":true,"sendToProduction":false,"sendAppID":true,"sendSender":true,"sendWhen":true,"sendOrigin":true,
			"sendObjectScope":true,"sendTopicID":true,"pushMessageType":"t"}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := serve(t, reply{status: 201, body: sent})
			id, err := s.client().SendToMe(context.Background(), c.message)
			require.NoError(t, err)
			assert.Equal(t, "p-1", id)
			r := s.seen()[0]
			assert.Equal(t, "POST /api/apps/app-1/users/me/push/messages", r.method+" "+r.uri)
			assert.Equal(t, "application/vnd.kii.SendPushMessageRequest+json", r.header.Get("Content-Type"))
			assert.JSONEq(t, c.body, r.body)
		})
	}
}

func TestSendToMeAsThing(t *testing.T) {
	s := serve(t, reply{status: 201, body: sent})
	c := s.stranger()
	_, err := c.UseToken(context.Background(), "t", Owner{OwnerThing, "th/1"})
	require.NoError(t, err)
	_, err = c.SendToMe(context.Background(), PushMessage{Data: map[string]any{"k": 1}})
	require.NoError(t, err)
	assert.Equal(t, "/api/apps/app-1/things/th%2F1/push/messages", s.seen()[0].uri)
}

func TestSendToMeLimit(t *testing.T) {
	data := func(size int) map[string]any { return map[string]any{"k": strings.Repeat("x", size-len(`{"k":""}`))} }
	_, err := serve(t, reply{status: 201, body: sent}).client().SendToMe(context.Background(), PushMessage{Data: data(4096)})
	require.NoError(t, err, "4096 bytes are allowed")
	_, err = serve(t).client().SendToMe(context.Background(), PushMessage{Data: data(4097)})
	fails(t, err, CodePushTooLarge, "4097 bytes")
	_, err = serve(t).client().SendToMe(context.Background(), PushMessage{Data: data(10), MQTTData: data(5000)})
	fails(t, err, CodePushTooLarge, "5000 bytes")
	wide := map[string]any{"k": strings.Repeat("\u65e5", 1400)}
	_, err = serve(t).client().SendToMe(context.Background(), PushMessage{Data: wide})
	fails(t, err, CodePushTooLarge, "4208 bytes")
	_, err = serve(t, reply{status: 413}).client().SendToMe(context.Background(), PushMessage{Data: data(10)})
	fails(t, err, CodePushTooLarge, "413")
}

func TestSendToMeRefuses(t *testing.T) {
	c := serve(t).client()
	for name, m := range map[string]PushMessage{
		"no data":      {},
		"object":       {Data: map[string]any{"k": map[string]any{}}},
		"array":        {Data: map[string]any{"k": []any{}}},
		"strings":      {Data: map[string]any{"k": []string{"x"}}},
		"infinity":     {Data: map[string]any{"k": math.Inf(-1)}},
		"not a number": {Data: map[string]any{"k": float32(math.NaN())}},
		"function":     {Data: map[string]any{"k": func() {}}},
		"MQTT data":    {MQTTData: map[string]any{"k": map[string]any{}}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := c.SendToMe(context.Background(), m)
			fails(t, err, CodeInvalidArgument, "data")
		})
	}
}

func TestSendToMeBadResponse(t *testing.T) {
	_, err := serve(t, reply{status: 201, body: `{"pushMessageID":5}`}).client().SendToMe(context.Background(), PushMessage{Data: map[string]any{}})
	fails(t, err, CodeBadResponse, "pushMessageID")
}

// notConfirmed is the answer for a message of which the cloud does not know whether it is stored.
func notConfirmed(id, retryAfter string) reply {
	return reply{status: 503, header: map[string]string{"Retry-After": retryAfter},
		body: `{"errorCode":"PUSH_NOT_CONFIRMED","message":"not in time","pushMessageID":"` + id + `"}`}
}

func TestAPushThatIsNotConfirmedIsSentOnceMore(t *testing.T) {
	message := PushMessage{Data: map[string]any{"n": 1}}
	for name, send := range map[string]func(*Client) (string, error){
		"to me": func(c *Client) (string, error) { return c.SendToMe(context.Background(), message) },
		"to a topic": func(c *Client) (string, error) {
			return c.SendToTopic(context.Background(), Topic{Name: "news"}, message)
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, notConfirmed("p-1", "2"), reply{status: 201, body: sent})
			c := s.client()
			made := pauses(c)
			id, err := send(c)
			require.NoError(t, err)
			assert.Equal(t, "p-1", id)
			assert.Equal(t, []time.Duration{2 * time.Second}, *made)
			first, second := s.seen()[0], s.seen()[1]
			assert.Equal(t, first.uri, second.uri)
			assert.NotContains(t, first.body, "pushMessageID")
			assert.JSONEq(t, strings.TrimSuffix(first.body, "}")+`,"pushMessageID":"p-1"}`, second.body)
		})
	}
	// Not a third time; and where it fails otherwise, too, it is still not known whether the message is stored.
	for _, second := range []reply{notConfirmed("p-1", "2"), {status: 503, body: `{"errorCode":"SERVICE_UNAVAILABLE"}`}, {status: 404}} {
		_, err := serve(t, notConfirmed("p-1", "2"), second).client().SendToMe(context.Background(), message)
		e := fails(t, err, CodeServerError, "PUSH_NOT_CONFIRMED")
		assert.True(t, e.Retryable)
	}
	// Not without its id, nor where the cloud wants to be left alone for long.
	for _, only := range []reply{notConfirmed("", "2"), notConfirmed("p-1", "11")} {
		_, err := serve(t, only).client().SendToMe(context.Background(), message)
		fails(t, err, CodeServerError, "PUSH_NOT_CONFIRMED")
	}
	// Nobody waits for it any more.
	ctx, cancel := context.WithCancel(context.Background())
	c := serve(t, notConfirmed("p-1", "2")).client()
	c.pause = func(ctx context.Context, d time.Duration) error {
		cancel()
		return pause(ctx, d)
	}
	_, err := c.SendToMe(ctx, message)
	fails(t, err, CodeAborted, "send messages")
}
