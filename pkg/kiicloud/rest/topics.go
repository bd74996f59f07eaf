package rest

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"regexp"
	"slices"

	"github.com/kiiweb/kiiweb/pkg/kiicloud/store"
)

const typeTopics = "application/vnd.kii.TopicsRetrievalResponse+json"

// topicPage is how many topics one answer lists.
const topicPage = 50

// validTopic is what a topic may be called, as Kii has it.
var validTopic = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

func topicRoutes() []Route {
	return slices.Concat(
		scoped(func(scope string) []Route {
			topic := scope + "/topics/{topicID}"
			return []Route{
				{"GET", scope + "/topics", byAnyToken, 200, typeTopics, "list the topics of a scope", (*API).listTopics},
				{"PUT", topic, byAnyToken, 204, "", "create a topic", (*API).createTopic},
				{"HEAD", topic, byAnyToken, 204, "", "tell whether there is such a topic", (*API).topicExists},
				{"GET", topic, byAnyToken, 204, "", "tell whether there is such a topic", (*API).topicExists},
				{"DELETE", topic, byAnyToken, 204, "", "delete a topic and its subscriptions", (*API).deleteTopic},
				{"POST", topic + "/push/messages", byAnyToken, 201, typePushed, "push to all who are subscribed to a topic", (*API).pushToTopic},
			}
		}),
		subscriptionRoutes(),
	)
}

// TopicStore keeps topics and who has subscribed to them.
type TopicStore interface {
	CreateTopic(ctx context.Context, t store.Topic) (store.Topic, error)
	TopicByName(ctx context.Context, scope store.Scope, name string) (store.Topic, error)
	Topics(ctx context.Context, scope store.Scope, after string, limit int) ([]store.Topic, error)
	DeleteTopic(ctx context.Context, scope store.Scope, name string) error
	SubscribeToTopic(ctx context.Context, topicID string, o store.Owner) error
	UnsubscribeFromTopic(ctx context.Context, topicID string, o store.Owner) error
	TopicSubscription(ctx context.Context, topicID string, o store.Owner) error
	TopicReceivers(ctx context.Context, topicID, deviceType string, in store.Environments) ([]store.Installation, error)
}

func (a *API) createTopic(c *call) (any, error) {
	scope, err := a.ownTopics(c)
	if err != nil {
		return nil, err
	}
	name := c.r.PathValue("topicID")
	if !validTopic.MatchString(name) {
		return nil, invalidInput("A topic's name must have 1 to 64 letters, digits, hyphens or underscores.").with("topicID", name)
	}
	_, err = a.Store.CreateTopic(c.ctx(), store.Topic{Scope: scope, Name: name, CreatedAt: a.Now()})
	if errors.Is(err, store.ErrExists) {
		return nil, ofTopic(fail(http.StatusConflict, "TOPIC_ALREADY_EXISTS", "There is a topic of this name already."), scope, name)
	}
	return nil, err
}

func (a *API) topicExists(c *call) (any, error) {
	_, err := a.topic(c)
	return nil, err
}

func (a *API) deleteTopic(c *call) (any, error) {
	scope, err := a.ownTopics(c)
	if err != nil {
		return nil, err
	}
	name := c.r.PathValue("topicID")
	err = a.Store.DeleteTopic(c.ctx(), scope, name)
	if errors.Is(err, store.ErrNotFound) {
		return nil, topicNotFound(scope, name)
	}
	return nil, err
}

func (a *API) pushToTopic(c *call) (any, error) {
	if _, err := a.ownTopics(c); err != nil {
		return nil, err
	}
	t, err := a.topic(c)
	if err != nil {
		return nil, err
	}
	return a.send(c, origin{topic: &t}, func(in store.Environments) ([]store.Installation, error) {
		return a.Store.TopicReceivers(c.ctx(), t.ID, deviceMQTT, in)
	})
}

type topicResponse struct {
	TopicID string `json:"topicID"`
}

type topicsResponse struct {
	Topics        []topicResponse `json:"topics"`
	PaginationKey string          `json:"paginationKey,omitempty"` // none on the last page
}

func (a *API) listTopics(c *call) (any, error) {
	scope, err := a.scope(c)
	if err != nil {
		return nil, err
	}
	after, err := readPaginationKey(c.r.URL.Query().Get("paginationKey"))
	if err != nil {
		return nil, err
	}
	found, err := a.Store.Topics(c.ctx(), scope, after, topicPage+1)
	if err != nil {
		return nil, err
	}
	res := topicsResponse{Topics: []topicResponse{}}
	if len(found) > topicPage {
		found = found[:topicPage]
		res.PaginationKey = paginationKey(found[topicPage-1].Name)
	}
	for _, t := range found {
		res.Topics = append(res.Topics, topicResponse{t.Name})
	}
	return res, nil
}

// A pagination key is the last name of the page before, made opaque. So a list goes on where
// it was, whatever was created or deleted meanwhile.

func paginationKey(name string) string { return base64.RawURLEncoding.EncodeToString([]byte(name)) }

func readPaginationKey(key string) (after string, err error) {
	if key == "" {
		return "", nil
	}
	name, err := base64.RawURLEncoding.DecodeString(key)
	if err != nil || !validTopic.Match(name) {
		return "", fail(http.StatusBadRequest, "INVALID_PAGINATION_KEY", "paginationKey is not one that a list of topics has given.")
	}
	return string(name), nil
}

// topic finds the topic that the path names. Whoever may know its scope may know it: every
// user and thing the app's topics, of the others only the own ones.
func (a *API) topic(c *call) (store.Topic, error) {
	scope, err := a.scope(c)
	if err != nil {
		return store.Topic{}, err
	}
	name := c.r.PathValue("topicID")
	t, err := a.Store.TopicByName(c.ctx(), scope, name)
	if errors.Is(err, store.ErrNotFound) {
		return t, topicNotFound(scope, name)
	}
	return t, err
}

// ownTopics gives the scope that the path names to who may change its topics and send to
// them.
func (a *API) ownTopics(c *call) (store.Scope, error) {
	scope, err := a.scope(c)
	if err == nil && !c.owns(scope) {
		err = c.notYours("Only an administrator can create, delete and send to the app's topics.")
	}
	return scope, err
}

func topicNotFound(scope store.Scope, name string) *failure {
	return ofTopic(notFound("TOPIC_NOT_FOUND", "There is no topic of this name."), scope, name)
}

// ofTopic adds which topic a failure is about.
func ofTopic(f *failure, scope store.Scope, name string) *failure {
	return f.with("topicID", name).with("appID", scope.AppID).with("objectScope", describeScope(scope))
}

type objectScope struct {
	AppID   string `json:"appID"`
	UserID  string `json:"userID,omitempty"`
	ThingID string `json:"thingID,omitempty"`
	Type    string `json:"type"`
}

// describeScope is how an answer names a scope.
func describeScope(s store.Scope) objectScope {
	o := objectScope{AppID: s.AppID, Type: scopeType(s.Kind)}
	switch s.Kind {
	case store.ScopeUser:
		o.UserID = s.ID
	case store.ScopeThing:
		o.ThingID = s.ID
	}
	return o
}
