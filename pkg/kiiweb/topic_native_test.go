//go:build !js

package kiiweb

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// missing is how a Kii-compatible server says that something is not there.
func missing(errorCode string) reply {
	return reply{status: 404, body: `{"errorCode":"` + errorCode + `","message":"There is none."}`}
}

// aThing makes a client that is logged in as the thing th/1.
func (s *script) aThing() *Client {
	c := s.stranger()
	_, err := c.UseToken(context.Background(), "tok-2", Owner{OwnerThing, "th/1"})
	require.NoError(s.t, err)
	return c
}

var news = Topic{Name: "news"}

// topicCalls are the calls about one topic, with what they send.
var topicCalls = []struct {
	name, method, below string
	call                func(*Client, Topic) error
}{
	{"create", "PUT", "", func(c *Client, t Topic) error { return c.CreateTopic(context.Background(), t) }},
	{"delete", "DELETE", "", func(c *Client, t Topic) error { return c.DeleteTopic(context.Background(), t) }},
	{"exists", "GET", "/push/subscriptions/OWNER", func(c *Client, t Topic) error {
		_, err := c.TopicExists(context.Background(), t)
		return err
	}},
	{"subscribe", "PUT", "/push/subscriptions/OWNER", func(c *Client, t Topic) error { return c.Subscribe(context.Background(), t) }},
	{"unsubscribe", "DELETE", "/push/subscriptions/OWNER", func(c *Client, t Topic) error { return c.Unsubscribe(context.Background(), t) }},
	{"is subscribed", "GET", "/push/subscriptions/OWNER", func(c *Client, t Topic) error {
		_, err := c.IsSubscribed(context.Background(), t)
		return err
	}},
	{"send", "POST", "/push/messages", func(c *Client, t Topic) error {
		_, err := c.SendToTopic(context.Background(), t, PushMessage{Data: map[string]any{"k": 1}})
		return err
	}},
}

func TestTopicCalls(t *testing.T) {
	for _, x := range []struct {
		name   string
		client func(*script) *Client
		owner  string // that stands in the path of a subscription
		token  string
		topic  Topic
		path   string
	}{
		{"the app's", (*script).client, "users/u1", "tok-1", news, "topics/news"},
		{"my own", (*script).client, "users/u1", "tok-1", Topic{Name: "A-z_09", UserID: "me"}, "users/me/topics/A-z_09"},
		{"a user's", (*script).client, "users/u1", "tok-1", Topic{Name: "n", UserID: "u/1"}, "users/u%2F1/topics/n"},
		{"a thing's", (*script).client, "users/u1", "tok-1", Topic{Name: "n", ThingID: "th.2"}, "things/th.2/topics/n"},
		{"the app's, by a thing", (*script).aThing, "things/th%2F1", "tok-2", news, "topics/news"},
		{"a thing's own", (*script).aThing, "things/th%2F1", "tok-2", Topic{Name: "n", ThingID: "th/1"}, "things/th%2F1/topics/n"},
		{"the longest name", (*script).client, "users/u1", "tok-1", Topic{Name: strings.Repeat("n", 64)}, "topics/" + strings.Repeat("n", 64)},
	} {
		for _, call := range topicCalls {
			t.Run(x.name+"/"+call.name, func(t *testing.T) {
				answer := reply{status: 204}
				if call.method == "POST" {
					answer = reply{status: 201, body: sent}
				}
				s := serve(t, answer)
				require.NoError(t, call.call(x.client(s), x.topic))
				r := s.seen()[0]
				below := strings.Replace(call.below, "OWNER", x.owner, 1)
				assert.Equal(t, call.method+" /api/apps/app-1/"+x.path+below, r.method+" "+r.uri)
				assert.Equal(t, "Bearer "+x.token, r.header.Get("Authorization"))
				if call.method == "POST" {
					assert.Equal(t, "application/vnd.kii.SendPushMessageRequest+json", r.header.Get("Content-Type"))
				} else {
					assert.Empty(t, r.body)
					assert.Empty(t, r.header.Values("Content-Type"))
				}
			})
		}
	}
}

// What only means something else to one of the calls is an error to the others.
func TestTopicCallsRefused(t *testing.T) {
	html := "<html>log in to this network</html>"
	for _, x := range []struct {
		name  string
		reply reply
		code  Code
		kii   string
		says  string
		fix   string   // a part of the remedy
		but   []string // the calls that take it for an answer
	}{
		{"topic exists", reply{status: 409, body: `{"errorCode":"TOPIC_ALREADY_EXISTS","message":"m"}`}, CodeConflict, "TOPIC_ALREADY_EXISTS", "409", "another name", nil},
		{"subscription exists", reply{status: 409, body: `{"errorCode":"PUSH_SUBSCRIPTION_ALREADY_EXISTS"}`}, CodeConflict, "PUSH_SUBSCRIPTION_ALREADY_EXISTS", "409", "", []string{"subscribe"}},
		{"conflict of a stranger", reply{status: 409, body: html}, CodeConflict, "", "409", "", nil},
		{"no topic", missing("TOPIC_NOT_FOUND"), CodeNotFound, "TOPIC_NOT_FOUND", "404 TOPIC_NOT_FOUND: There is none.", "createTopic", []string{"exists"}},
		{"no subscription", missing("PUSH_SUBSCRIPTION_NOT_FOUND"), CodeNotFound, "PUSH_SUBSCRIPTION_NOT_FOUND", "404", "", []string{"exists", "unsubscribe", "is subscribed"}},
		{"no such owner", missing("USER_NOT_FOUND"), CodeNotFound, "USER_NOT_FOUND", "404", "whose", nil},
		{"a stranger's 404", reply{status: 404, body: html}, CodeNotFound, "", "404", "base URL", nil},
		{"an empty 404", reply{status: 404}, CodeNotFound, "", "404", "base URL", nil},
		{"not allowed", reply{status: 401, body: `{"errorCode":"UNAUTHORIZED","message":"m"}`}, CodeUnauthorized, "UNAUTHORIZED", "401", "administrators", nil},
		{"a stranger's 401", reply{status: 401, body: html}, CodeUnauthorized, "", "401", "Log in again", nil},
		{"wrong token", reply{status: 403, body: `{"errorCode":"WRONG_TOKEN"}`}, CodeForbidden, "WRONG_TOKEN", "403", "", nil},
		{"trouble", reply{status: 500}, CodeServerError, "", "500", "", nil},
		{"a page in place of the answer", reply{status: 200, body: html}, CodeBadResponse, "", "no JSON object", "proxy", nil},
	} {
		for _, call := range topicCalls {
			t.Run(x.name+"/"+call.name, func(t *testing.T) {
				err := call.call(serve(t, x.reply).client(), news)
				if slices.Contains(x.but, call.name) {
					require.NoError(t, err)
					return
				}
				e := fails(t, err, x.code, x.says)
				assert.Equal(t, x.kii, e.KiiCode)
				assert.Equal(t, x.reply.status, e.Status)
				assert.Contains(t, e.Remedy, x.fix)
			})
		}
	}
}

func TestTopicQuestions(t *testing.T) {
	for _, x := range []struct {
		name               string
		reply              reply
		exists, subscribed bool
		noTopic            bool
	}{
		{"subscribed", reply{status: 204}, true, true, false},
		{"not subscribed", missing("PUSH_SUBSCRIPTION_NOT_FOUND"), true, false, false},
		{"no topic", missing("TOPIC_NOT_FOUND"), false, false, true},
	} {
		t.Run(x.name, func(t *testing.T) {
			s := serve(t, x.reply, x.reply)
			c := s.client()
			exists, err := c.TopicExists(context.Background(), news)
			require.NoError(t, err)
			assert.Equal(t, x.exists, exists)
			subscribed, err := c.IsSubscribed(context.Background(), news)
			assert.Equal(t, x.subscribed, subscribed)
			if x.noTopic {
				fails(t, err, CodeNotFound, "check subscription failed")
			} else {
				require.NoError(t, err)
			}
		})
	}
}

// A subscription that is there was the aim, and so it may be asked for again.
func TestSubscribingIsRepeatable(t *testing.T) {
	ctx := context.Background()
	s := serve(t, reply{status: 204}, reply{status: 409, body: `{"errorCode":"PUSH_SUBSCRIPTION_ALREADY_EXISTS"}`},
		reply{status: 204}, missing("PUSH_SUBSCRIPTION_NOT_FOUND"))
	c := s.client()
	for range 2 {
		require.NoError(t, c.Subscribe(ctx, news))
	}
	for range 2 {
		require.NoError(t, c.Unsubscribe(ctx, news))
	}
}

func TestTopicArgumentsComeFirst(t *testing.T) {
	both := serve(t).stranger() // not logged in either: the argument is what to mend first
	for _, x := range []struct {
		name  string
		topic Topic
		says  string
	}{
		{"no name", Topic{}, "1 to 64"},
		{"name too long", Topic{Name: strings.Repeat("n", 65)}, "1 to 64"},
		{"a slash", Topic{Name: "a/b"}, "characters"},
		{"dots", Topic{Name: ".."}, "characters"},
		{"a space", Topic{Name: "a b"}, "characters"},
		{"a letter of elsewhere", Topic{Name: "\u65e5"}, "characters"},
		{"a per cent", Topic{Name: "%41"}, "characters"},
		{"two owners", Topic{Name: "n", UserID: "u", ThingID: "t"}, "not both"},
		{"a user of dots", Topic{Name: "n", UserID: ".."}, "userID"},
		{"a thing of a dot", Topic{Name: "n", ThingID: "."}, "thingID"},
	} {
		for _, call := range topicCalls {
			t.Run(x.name+"/"+call.name, func(t *testing.T) { fails(t, call.call(both, x.topic), CodeInvalidArgument, x.says) })
		}
	}
	_, named := both.ListTopics(context.Background(), news, "")
	fails(t, named, CodeInvalidArgument, "no name")
	_, listed := both.ListTopics(context.Background(), Topic{UserID: "u", ThingID: "t"}, "")
	fails(t, listed, CodeInvalidArgument, "not both")
	_, empty := both.SendToTopic(context.Background(), news, PushMessage{})
	fails(t, empty, CodeInvalidArgument, "data is missing")
}

func TestMeIsNoThing(t *testing.T) {
	c := serve(t).aThing()
	for _, call := range topicCalls {
		t.Run(call.name, func(t *testing.T) {
			fails(t, call.call(c, Topic{Name: "n", UserID: "me"}), CodeInvalidArgument, "a thing is")
		})
	}
	_, err := c.ListTopics(context.Background(), Topic{UserID: "me"}, "")
	fails(t, err, CodeInvalidArgument, "a thing is")
}

func TestTopicsNeedALogin(t *testing.T) {
	c := serve(t).stranger()
	for _, call := range topicCalls {
		t.Run(call.name, func(t *testing.T) {
			e := fails(t, call.call(c, news), CodeNotLoggedIn, "nobody is logged in")
			for _, way := range []string{"login", "loginAsThing", "useToken"} {
				assert.Contains(t, e.Remedy, way)
			}
		})
	}
	_, err := c.ListTopics(context.Background(), Topic{}, "")
	fails(t, err, CodeNotLoggedIn, "list topics failed")
}

func TestListTopics(t *testing.T) {
	ctx := context.Background()
	s := serve(t,
		reply{status: 200, body: `{"topics":[{"topicID":"a"},{"topicID":"b","more":1}],"paginationKey":"b/2 &c"}`},
		reply{status: 200, body: `{"topics":[{"topicID":"c"}]}`},
		reply{status: 200, body: `{"topics":[],"paginationKey":null}`},
		reply{status: 200, body: `{"topics":[],"paginationKey":""}`})
	c := s.client()
	page, err := c.ListTopics(ctx, Topic{}, "")
	require.NoError(t, err)
	assert.Equal(t, TopicList{[]string{"a", "b"}, "b/2 &c"}, page)
	page, err = c.ListTopics(ctx, Topic{}, page.PaginationKey)
	require.NoError(t, err)
	assert.Equal(t, TopicList{Names: []string{"c"}}, page)
	for _, scope := range []Topic{{UserID: "me"}, {ThingID: "t"}} {
		page, err = c.ListTopics(ctx, scope, "")
		require.NoError(t, err)
		assert.Equal(t, TopicList{Names: []string{}}, page)
	}
	for i, uri := range []string{"topics", "topics?paginationKey=b%2F2%20%26c", "users/me/topics", "things/t/topics"} {
		assert.Equal(t, "GET /api/apps/app-1/"+uri, s.seen()[i].method+" "+s.seen()[i].uri)
	}
}

func TestListTopicsBadResponse(t *testing.T) {
	for name, body := range map[string]string{
		"nothing": ``, "no topics": `{}`, "topics are an object": `{"topics":{}}`, "topics are null": `{"topics":null}`,
		"a name alone": `{"topics":["a"]}`, "no name": `{"topics":[{"topicID":"a"},{}]}`, "an empty name": `{"topics":[{"topicID":""}]}`,
		"a key that is a number": `{"topics":[],"paginationKey":7}`,
	} {
		t.Run(name, func(t *testing.T) {
			_, err := serve(t, reply{status: 200, body: body}).client().ListTopics(context.Background(), Topic{}, "")
			fails(t, err, CodeBadResponse, "list topics failed")
		})
	}
}

// The checks of a message are those of SendToMe.
func TestSendToTopicLimit(t *testing.T) {
	data := map[string]any{"k": strings.Repeat("x", 4097-len(`{"k":""}`))}
	_, err := serve(t).client().SendToTopic(context.Background(), news, PushMessage{Data: data})
	fails(t, err, CodePushTooLarge, "4097 bytes")
	_, err = serve(t, reply{status: 413}).client().SendToTopic(context.Background(), news, PushMessage{Data: map[string]any{}})
	fails(t, err, CodePushTooLarge, "413")
	_, err = serve(t, reply{status: 201, body: `{}`}).client().SendToTopic(context.Background(), news, PushMessage{Data: map[string]any{}})
	fails(t, err, CodeBadResponse, "pushMessageID")
}

func TestSendToTopic(t *testing.T) {
	s := serve(t, reply{status: 201, body: sent})
	id, err := s.client().SendToTopic(context.Background(), news, PushMessage{Data: map[string]any{"k": "v"}, SendTopicID: true})
	require.NoError(t, err)
	assert.Equal(t, "p-1", id)
	assert.JSONEq(t, `{"data":{"k":"v"},"mqtt":{"enabled":true},"gcm":{"enabled":false},"apns":{"enabled":false},
		"jpush":{"enabled":false},"sendTopicID":true}`, s.seen()[0].body)
}
