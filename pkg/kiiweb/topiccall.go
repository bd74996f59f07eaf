package kiiweb

import (
	"context"
	"errors"

	"github.com/kiiweb/kiiweb/internal/fault"
)

// maxTopicName is the greatest length of a topic's name, in characters.
const maxTopicName = 64

// paginated asks for a page of a list, by the key that follows.
const paginated = "?paginationKey="

// me stands in a path for the user whose token is used.
const me = "me"

// The errorCodes that mean more than their status.
const (
	codeTopicGone        = "TOPIC_NOT_FOUND"
	codeSubscriptionGone = "PUSH_SUBSCRIPTION_NOT_FOUND"
	codeSubscribed       = "PUSH_SUBSCRIPTION_ALREADY_EXISTS"
)

// topicCall asks something about a topic that is answered with yes or no.
func (c *Client) topicCall(ctx context.Context, action, method string, t Topic) error {
	path, login, err := c.topicPath(action, t)
	if err != nil {
		return err
	}
	_, err = c.ask(ctx, call{action: action, method: method, path: path, login: login})
	return err
}

// subscriptionCall is topicCall about the login's own subscription to the topic.
func (c *Client) subscriptionCall(ctx context.Context, action, method string, t Topic) error {
	path, login, err := c.topicPath(action, t)
	if err != nil {
		return err
	}
	path += "/push/subscriptions" + login.Owner.fullPath()
	_, err = c.ask(ctx, call{action: action, method: method, path: path, login: login})
	return err
}

// topicPath gives the path of a topic and who asks for it. The error is INVALID_ARGUMENT
// or NOT_LOGGED_IN.
func (c *Client) topicPath(action string, t Topic) (string, Login, error) {
	if !isTopicName(t.Name) {
		return "", Login{}, invalid("the topic's name must be 1 to 64 of the characters A-Z, a-z, 0-9, _ and -")
	}
	path, login, err := c.topicsPath(action, t)
	return path + "/" + t.Name, login, err
}

// topicsPath is topicPath for all topics of an owner.
func (c *Client) topicsPath(action string, t Topic) (path string, login Login, err error) {
	var owner string
	switch {
	case t.UserID != "" && t.ThingID != "":
		err = invalid("a topic's owner is a user or a thing, not both")
	case t.UserID != "":
		err = checkID("userID", t.UserID)
		owner = Owner{OwnerUser, t.UserID}.fullPath()
	case t.ThingID != "":
		err = checkID("thingID", t.ThingID)
		owner = Owner{OwnerThing, t.ThingID}.fullPath()
	}
	if err == nil {
		login, err = c.authorized(action)
	}
	if err == nil && t.UserID == me && login.Owner.Kind != OwnerUser {
		err = invalid("the userID me is the user who is logged in, but a thing is")
	}
	return c.app(owner + "/topics"), login, err
}

func isTopicName(s string) bool {
	for i := 0; i < len(s); i++ {
		if b := s[i]; !isAlnum(b) && b != '_' && b != '-' {
			return false
		}
	}
	return s != "" && len(s) <= maxTopicName
}

// fullPath is where an owner lies under its app.
func (o Owner) fullPath() string {
	if o.Kind == OwnerThing {
		return "/things/" + escape(o.ID)
	}
	return "/users/" + escape(o.ID)
}

// ask is do for topics. An answer that is not the API's is no success: it may be the page
// of a network that wants to be logged in to. And the remedies fit.
func (c *Client) ask(ctx context.Context, k call) (*answer, error) {
	a, err := c.do(ctx, k)
	if err == nil && len(a.Body) > 0 {
		err = a.fields().done()
	}
	if e, _ := errors.AsType[*Error](err); e != nil && e.KiiCode != "" {
		switch e.Code {
		case fault.NotFound:
			e.Remedy = "Check the topic's name and whose it is; createTopic makes one."
		case fault.Unauthorized:
			e.Remedy = "Log in again if the token has ended; only administrators create, delete and send to the app's topics, and only its owner uses another topic."
		}
	}
	return a, err
}

func kiiCodeOf(err error) string {
	if e, _ := errors.AsType[*Error](err); e != nil {
		return e.KiiCode
	}
	return ""
}
