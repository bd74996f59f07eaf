package rest

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const inDemo = "/api/apps/demo"

// crowd is everybody who may call, and the scopes that there are, as paths.
type crowd struct {
	*lab
	annID, lampID string
	tokens        map[string]string // by caller
	scopes        map[string]string
}

func newCrowd(t testing.TB, change ...func(*Config)) *crowd {
	l := newLab(t, change...)
	c := &crowd{lab: l, tokens: map[string]string{"nobody": "", "admin": l.admin()}}
	c.annID, c.tokens["ann"] = l.user("ann")
	_, c.tokens["bob"] = l.user("bob")
	c.lampID, c.tokens["lamp"] = l.thing("lamp")
	_, c.tokens["fan"] = l.thing("fan")
	c.scopes = map[string]string{"app": inDemo, "ann's": inDemo + "/users/" + c.annID, "lamp's": inDemo + "/things/" + c.lampID}
	return c
}

// as calls in the name of somebody.
func (c *crowd) as(who, method, path string, body ...string) answer {
	c.t.Helper()
	return c.call(method, path, c.tokens[who], strings.Join(body, ""))
}

func (c *crowd) must(who, method, path string, body ...string) answer {
	c.t.Helper()
	a := c.as(who, method, path, body...)
	require.Less(c.t, a.StatusCode, 300, "%s %s: %s", method, path, a.text)
	return a
}

func TestWhoMayDoWhatWithTopics(t *testing.T) {
	const message = `{"data":{"a":1},"mqtt":{"enabled":true}}`
	everybody := []string{"admin", "ann", "bob", "lamp", "fan", "nobody"}
	owners := map[string][]string{"app": {"admin"}, "ann's": {"admin", "ann"}, "lamp's": {"admin", "lamp"}}
	readers := map[string][]string{"app": {"admin", "ann", "bob", "lamp", "fan"}, "ann's": owners["ann's"], "lamp's": owners["lamp's"]}
	actions := []struct {
		name, method, path, body string
		status                   int
		allowed                  map[string][]string
	}{
		{"create", "PUT", "/topics/new", "", 204, owners},
		{"delete", "DELETE", "/topics/new", "", 204, owners},
		{"send", "POST", "/topics/news/push/messages", message, 201, owners},
		{"look", "HEAD", "/topics/news", "", 204, readers},
		{"look with GET", "GET", "/topics/news", "", 204, readers},
		{"list", "GET", "/topics", "", 200, readers},
	}
	c := newCrowd(t)
	for scope, path := range c.scopes {
		c.must("admin", "PUT", path+"/topics/news")
		for _, action := range actions {
			for _, who := range everybody {
				t.Run(fmt.Sprintf("%s in %s by %s", action.name, scope, who), func(t *testing.T) {
					if action.name == "delete" {
						c.as("admin", "PUT", path+action.path)
					}
					a := c.as(who, action.method, path+action.path, action.body)
					if slices.Contains(action.allowed[scope], who) {
						require.Equal(t, action.status, a.StatusCode, a.text)
						c.as("admin", "DELETE", path+"/topics/new")
						return
					}
					a.want(t, 401, "UNAUTHORIZED")
				})
			}
		}
	}
}

func TestTopicsComeAndGo(t *testing.T) {
	c := newCrowd(t)
	scopes := map[string]struct {
		who, path string
		object    map[string]any
	}{
		"app":    {"admin", c.scopes["app"], map[string]any{"appID": "demo", "type": "APP"}},
		"user":   {"ann", c.scopes["ann's"], map[string]any{"appID": "demo", "type": "APP_AND_USER", "userID": c.annID}},
		"me":     {"ann", inDemo + "/users/me", map[string]any{"appID": "demo", "type": "APP_AND_USER", "userID": c.annID}},
		"thing":  {"lamp", c.scopes["lamp's"], map[string]any{"appID": "demo", "type": "APP_AND_THING", "thingID": c.lampID}},
		"vendor": {"lamp", inDemo + "/things/VENDOR_THING_ID:lamp", map[string]any{"appID": "demo", "type": "APP_AND_THING", "thingID": c.lampID}},
		"slash":  {"admin", inDemo + "/", map[string]any{"appID": "demo", "type": "APP"}},
	}
	for name, s := range scopes {
		t.Run(name, func(t *testing.T) {
			topic := s.path + "/topics/News_1-a"
			missing := func(method, path string, body ...string) {
				t.Helper()
				a := c.as(s.who, method, path, body...)
				a.want(t, 404, "TOPIC_NOT_FOUND")
				assert.Equal(t, "News_1-a", a.json["topicID"])
				assert.Equal(t, s.object, a.json["objectScope"])
			}
			missing("HEAD", topic)
			missing("GET", topic)
			missing("DELETE", topic)
			missing("POST", topic+"/push/messages", `{"data":{},"mqtt":{}}`)
			a := c.must(s.who, "PUT", topic)
			assert.Equal(t, 204, a.StatusCode)
			assert.Empty(t, a.text)
			a = c.as(s.who, "PUT", topic)
			a.want(t, 409, "TOPIC_ALREADY_EXISTS")
			assert.Equal(t, "News_1-a", a.json["topicID"])
			assert.Equal(t, s.object, a.json["objectScope"])
			assert.Equal(t, 204, c.as(s.who, "HEAD", topic).StatusCode)
			assert.Equal(t, 204, c.as(s.who, "DELETE", topic).StatusCode)
			missing("HEAD", topic)
		})
	}
	c.must("ann", "PUT", inDemo+"/users/me/topics/mine")
	assert.Equal(t, 204, c.as("admin", "HEAD", c.scopes["ann's"]+"/topics/mine").StatusCode, "me and the id are one scope")
	c.as("admin", "HEAD", inDemo+"/topics/mine").want(t, 404, "TOPIC_NOT_FOUND")
	c.as("admin", "PUT", inDemo+"/users/nobody/topics/x").want(t, 404, "USER_NOT_FOUND")
	c.as("admin", "PUT", inDemo+"/things/VENDOR_THING_ID:none/topics/x").want(t, 404, "THING_NOT_FOUND")
	c.as("lamp", "PUT", inDemo+"/users/me/topics/x").want(t, 403, "WRONG_TOKEN")
}

func TestTopicNames(t *testing.T) {
	c := newCrowd(t)
	for name, ok := range map[string]bool{
		"a": true, "A-z_0": true, strings.Repeat("x", 64): true, "-": true,
		strings.Repeat("x", 65): false, "a.b": false, "a b": false, "a%b": false, "日本": false, "a/b": false, "a:b": false, "..a": false,
	} {
		t.Run(name, func(t *testing.T) {
			a := c.as("admin", "PUT", inDemo+"/topics/"+url.PathEscape(name))
			if ok {
				require.Equal(t, 204, a.StatusCode, a.text)
				return
			}
			a.want(t, 400, "INVALID_INPUT_DATA")
			c.as("admin", "HEAD", inDemo+"/topics/"+url.PathEscape(name)).want(t, 404, "TOPIC_NOT_FOUND")
		})
	}
}

// names lists page after page.
func (c *crowd) names(who, scope string) (pages [][]string) {
	c.t.Helper()
	for query := ""; ; {
		a := c.must(who, "GET", scope+"/topics"+query)
		page := []string{}
		for _, topic := range a.json["topics"].([]any) {
			page = append(page, topic.(map[string]any)["topicID"].(string))
		}
		pages = append(pages, page)
		if a.str("paginationKey") == "" {
			require.NotContains(c.t, a.json, "paginationKey")
			return pages
		}
		query = "?paginationKey=" + url.QueryEscape(a.str("paginationKey")) + "&disable_cache=1"
	}
}

func TestTopicsAreListedPageByPage(t *testing.T) {
	c := newCrowd(t)
	me := inDemo + "/users/me"
	assert.Equal(t, [][]string{{}}, c.names("ann", me))
	var all []string
	for i := range topicPage {
		all = append(all, fmt.Sprintf("t-%03d", i))
	}
	for i := range all { // the order of the names, not of the creation
		c.must("ann", "PUT", me+"/topics/"+all[len(all)-1-i])
	}
	c.must("admin", "PUT", inDemo+"/topics/of-the-app")
	assert.Equal(t, [][]string{all}, c.names("ann", me), "one full page has no next one")
	assert.Equal(t, [][]string{{"of-the-app"}}, c.names("lamp", inDemo))

	c.must("ann", "PUT", me+"/topics/zz")
	assert.Equal(t, [][]string{all, {"zz"}}, c.names("ann", me))
	first := c.must("ann", "GET", me+"/topics")
	c.must("ann", "DELETE", me+"/topics/"+all[len(all)-1])
	c.must("ann", "PUT", me+"/topics/zzz")
	second := c.must("ann", "GET", me+"/topics?paginationKey="+first.str("paginationKey"))
	assert.Equal(t, []any{map[string]any{"topicID": "zz"}, map[string]any{"topicID": "zzz"}}, second.json["topics"], "changes meanwhile move nothing")

	for name, key := range map[string]string{
		"not base64": "!!", "padded": base64.URLEncoding.EncodeToString([]byte("a")), "no name": base64.RawURLEncoding.EncodeToString([]byte("a.b")),
		"half a character": "a", "too long": base64.RawURLEncoding.EncodeToString([]byte(strings.Repeat("x", 65))),
	} {
		t.Run(name, func(t *testing.T) {
			c.as("ann", "GET", me+"/topics?paginationKey="+url.QueryEscape(key)).want(t, 400, "INVALID_PAGINATION_KEY")
		})
	}
}

func TestTopicMessagePayload(t *testing.T) {
	c := newCrowd(t)
	c.install(c.tokens["bob"])
	fromApp := map[string]any{"topic": "news", "objectScopeType": "APP", "objectScopeAppID": "demo", "sourceURI": "kiicloud://topics/news",
		"senderURI": "kiicloud://admins/APP_ADMIN"}
	annURI, lampURI := "kiicloud://users/"+c.annID, "kiicloud://things/"+c.lampID
	with := func(more map[string]any, base map[string]any, without ...string) map[string]any {
		all := map[string]any{}
		for _, m := range []map[string]any{base, more} {
			for k, v := range m {
				all[k] = v
			}
		}
		for _, k := range without {
			delete(all, k)
		}
		return all
	}
	msg := map[string]any{"msg": "hi"}
	cases := []struct {
		name, scope, who, flags string
		want                    map[string]any
	}{
		{"by default", "app", "admin", ``, with(msg, fromApp)},
		{"a user's", "ann's", "ann", ``, map[string]any{"msg": "hi", "topic": "news", "objectScopeType": "APP_AND_USER", "objectScopeAppID": "demo",
			"objectScopeUserID": c.annID, "sourceURI": annURI + "/topics/news", "sender": c.annID, "senderURI": annURI}},
		{"a thing's", "lamp's", "lamp", ``, map[string]any{"msg": "hi", "topic": "news", "objectScopeType": "APP_AND_THING", "objectScopeAppID": "demo",
			"objectScopeThingID": c.lampID, "sourceURI": lampURI + "/topics/news", "sender": c.lampID, "senderURI": lampURI}},
		{"every flag", "app", "admin", `,"pushMessageType":"t","sendAppID":true,"sendSender":true,"sendWhen":true,"sendOrigin":true,"sendObjectScope":true,"sendTopicID":true`,
			with(map[string]any{"msg": "hi", "type": "t", "appID": "demo", "when": 1.7e12, "origin": "EXPLICIT"}, fromApp)},
		{"no sender", "ann's", "ann", `,"sendSender":false`, map[string]any{"msg": "hi", "topic": "news", "objectScopeType": "APP_AND_USER",
			"objectScopeAppID": "demo", "objectScopeUserID": c.annID, "sourceURI": annURI + "/topics/news"}},
		{"no topic", "app", "admin", `,"sendTopicID":"false"`, with(msg, fromApp, "topic", "sourceURI")},
		{"no scope", "app", "admin", `,"sendObjectScope":false`, with(msg, fromApp, "objectScopeType", "objectScopeAppID", "sourceURI")},
		{"nothing", "app", "admin", `,"sendObjectScope":false,"sendTopicID":false,"sendSender":false`, msg},
		{"own data for mqtt", "app", "admin", `,"mqtt":{"enabled":true,"data":{"topic":"mine","x":1}}`, with(map[string]any{"x": 1.0}, fromApp)},
	}
	for _, scope := range []string{"app", "ann's", "lamp's"} {
		c.must("admin", "PUT", c.scopes[scope]+"/topics/news")
		bobID := c.must("bob", "GET", inDemo+"/users/me").str("userID")
		c.must("admin", "PUT", c.scopes[scope]+"/topics/news/push/subscriptions/users/"+bobID)
	}
	for _, k := range cases {
		t.Run(k.name, func(t *testing.T) {
			before := c.engine.count()
			a := c.must(k.who, "POST", c.scopes[k.scope]+"/topics/news/push/messages", `{"data":{"msg":"hi"},"gcm":{"enabled":true}`+k.flags+`}`)
			assert.Equal(t, 201, a.StatusCode)
			require.Equal(t, before+1, c.engine.count())
			assert.Equal(t, a.str("pushMessageID"), c.engine.pushes[before].MessageID)
			assert.Equal(t, k.want, c.engine.last(t))
		})
	}
}

func TestTopicMessageRefusals(t *testing.T) {
	c := newCrowd(t)
	c.install(c.tokens["ann"])
	news := inDemo + "/users/me/topics/news"
	c.must("ann", "PUT", news)
	c.must("ann", "POST", news+"/push/subscriptions/users")
	added := len(`{"m":"","objectScopeAppID":"demo","objectScopeType":"APP_AND_USER","objectScopeUserID":"","topic":"news","sender":"",`+
		`"senderURI":"kiicloud://users/","sourceURI":"kiicloud://users//topics/news"}`) + 4*len(c.annID)
	text := func(n int) string { return `{"data":{"m":"` + strings.Repeat("x", n) + `"},"mqtt":{}}` }
	for name, k := range map[string]struct {
		body   string
		status int
		code   string
	}{
		"no channel":                {`{"data":{"a":1}}`, 400, "INVALID_INPUT_DATA"},
		"no data":                   {`{"mqtt":{"enabled":true}}`, 400, "INVALID_INPUT_DATA"},
		"nested object":             {`{"data":{"a":{}},"mqtt":{}}`, 400, "INVALID_INPUT_DATA"},
		"nested array in mqtt.data": {`{"data":{"a":1},"mqtt":{"data":{"a":[]}}}`, 400, "INVALID_INPUT_DATA"},
		"empty":                     {``, 400, "INVALID_INPUT_DATA"},
		"all of it counts":          {text(MaxPush - added + 1), 413, "PUSH_MESSAGE_TOO_LARGE"},
		"exactly the limit":         {text(MaxPush - added), 201, ""},
		"mqtt is off":               {`{"data":{"a":1},"gcm":{"enabled":true},"mqtt":{"enabled":false}}`, 201, "off"},
	} {
		t.Run(name, func(t *testing.T) {
			before := c.engine.count()
			a := c.as("ann", "POST", news+"/push/messages", k.body)
			if k.status == 201 {
				require.Equal(t, 201, a.StatusCode, a.text)
				assert.NotEmpty(t, a.str("pushMessageID"))
				assert.Equal(t, k.code == "", c.engine.count() > before)
				return
			}
			a.want(t, k.status, k.code)
			assert.Equal(t, before, c.engine.count())
		})
	}
}
