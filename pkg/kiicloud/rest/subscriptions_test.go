package rest

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// subscriber is how the path of a subscription names somebody.
func (c *crowd) subscriber(who string) string {
	switch who {
	case "lamp", "fan":
		return "things/VENDOR_THING_ID:" + who
	default:
		return "users/" + c.must(who, "GET", inDemo+"/users/me").str("userID")
	}
}

func TestWhoMaySubscribeWhom(t *testing.T) {
	c := newCrowd(t)
	subscribers := []string{"ann", "bob", "lamp", "fan"}
	allowed := func(scope, who, whom string) bool {
		switch {
		case who == "admin":
			return true
		case who != whom:
			return false
		}
		return scope == "app" || scope == "ann's" && who == "ann" || scope == "lamp's" && who == "lamp"
	}
	for scope, path := range c.scopes {
		c.must("admin", "PUT", path+"/topics/news")
		for _, whom := range subscribers {
			one := path + "/topics/news/push/subscriptions/" + c.subscriber(whom)
			for _, who := range append(subscribers, "admin", "nobody") {
				t.Run(fmt.Sprintf("%s by %s in %s", whom, who, scope), func(t *testing.T) {
					for _, step := range []struct {
						method string
						status int
						code   string
					}{
						{"GET", 404, "PUSH_SUBSCRIPTION_NOT_FOUND"},
						{"DELETE", 404, "PUSH_SUBSCRIPTION_NOT_FOUND"},
						{"PUT", 204, ""},
						{"PUT", 409, "PUSH_SUBSCRIPTION_ALREADY_EXISTS"},
						{"GET", 204, ""},
						{"HEAD", 204, ""},
						{"DELETE", 204, ""},
						{"GET", 404, "PUSH_SUBSCRIPTION_NOT_FOUND"},
					} {
						a := c.as(who, step.method, one)
						switch {
						case !allowed(scope, who, whom):
							a.want(t, 401, "UNAUTHORIZED")
						case step.code == "":
							require.Equal(t, step.status, a.StatusCode, a.text)
							require.Empty(t, a.text)
						default:
							a.want(t, step.status, step.code)
							assert.Equal(t, "news", a.json["topicID"])
							assert.Equal(t, "demo", a.json["objectScope"].(map[string]any)["appID"])
						}
					}
				})
			}
		}
	}
}

func TestSubscribingOneself(t *testing.T) {
	c := newCrowd(t)
	news := inDemo + "/topics/news"
	c.must("admin", "PUT", news)
	for _, k := range []struct {
		who, kind string
		status    int
		code      string
	}{
		{"ann", "users", 204, ""},
		{"ann", "users", 409, "PUSH_SUBSCRIPTION_ALREADY_EXISTS"},
		{"ann", "things", 403, "WRONG_TOKEN"},
		{"lamp", "things", 204, ""},
		{"lamp", "users", 403, "WRONG_TOKEN"},
		{"admin", "users", 403, "WRONG_TOKEN"},
		{"nobody", "users", 401, "UNAUTHORIZED"},
	} {
		t.Run(k.who+" as "+k.kind+" "+k.code, func(t *testing.T) {
			a := c.as(k.who, "POST", news+"/push/subscriptions/"+k.kind)
			if k.code == "" {
				require.Equal(t, k.status, a.StatusCode, a.text)
				return
			}
			a.want(t, k.status, k.code)
		})
	}
	assert.Equal(t, 204, c.as("ann", "GET", news+"/push/subscriptions/users/me").StatusCode)
	assert.Equal(t, 204, c.as("lamp", "GET", news+"/push/subscriptions/things/"+c.lampID).StatusCode)
	c.as("lamp", "GET", news+"/push/subscriptions/users/me").want(t, 403, "WRONG_TOKEN")
	a := c.as("ann", "POST", news+"/push/subscriptions/users")
	assert.Equal(t, "users/"+c.annID, a.json["subject"])

	for method, path := range map[string]string{"PUT": "/users/me", "GET": "/users/me", "DELETE": "/users/me", "POST": "/users"} {
		c.as("ann", method, inDemo+"/topics/none/push/subscriptions"+path).want(t, 404, "TOPIC_NOT_FOUND")
	}
	c.as("admin", "PUT", news+"/push/subscriptions/users/none").want(t, 404, "USER_NOT_FOUND")
	c.as("admin", "PUT", news+"/push/subscriptions/things/none").want(t, 404, "THING_NOT_FOUND")
}

func TestAMessageReachesTheSubscribers(t *testing.T) {
	c := newCrowd(t)
	news := inDemo + "/topics/news"
	c.must("admin", "PUT", news)
	installed := map[string]string{}
	install := func(who, development string) {
		t.Helper()
		a := c.must(who, "POST", inDemo+"/installations", `{"deviceType":"MQTT","development":`+development+`}`)
		installed[who] = a.str("installationID")
	}
	install("ann", "true")
	install("bob", "false")
	install("lamp", "false")
	install("fan", "false")
	for _, who := range []string{"ann", "bob", "lamp"} {
		c.must(who, "PUT", news+"/push/subscriptions/"+c.subscriber(who))
	}
	send := func(flags string, want ...string) {
		t.Helper()
		before := c.engine.count()
		c.must("admin", "POST", news+"/push/messages", `{"data":{"a":1},"mqtt":{}`+flags+`}`)
		got, expected := []string{}, []string{}
		for _, p := range c.engine.pushes[before:] {
			got = append(got, p.InstallationID)
		}
		for _, who := range want {
			expected = append(expected, installed[who])
		}
		assert.ElementsMatch(t, expected, got, flags)
	}
	send(``, "ann", "bob", "lamp")
	send(`,"sendToDevelopment":false`, "bob", "lamp")
	send(`,"sendToProduction":"false"`, "ann")
	send(`,"sendToDevelopment":false,"sendToProduction":false`)

	c.must("bob", "DELETE", inDemo+"/installations/"+installed["bob"])
	send(``, "ann", "lamp")
	c.must("lamp", "DELETE", news+"/push/subscriptions/things/"+c.lampID)
	send(``, "ann")
	install("bob", "false")
	send(``, "ann", "bob")

	c.must("admin", "DELETE", news)
	c.must("admin", "PUT", news)
	send(``)
	c.as("ann", "GET", news+"/push/subscriptions/users/me").want(t, 404, "PUSH_SUBSCRIPTION_NOT_FOUND")
}
