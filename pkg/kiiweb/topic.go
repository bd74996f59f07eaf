package kiiweb

import "context"

// Topic names a topic and whose it is: with neither id the app's, else a user's or a
// thing's. UserID "me" is the user who is logged in.
//
// By default only administrators create, delete and send to an app's topics, and every
// user and thing may subscribe to them; a user's or thing's topics are its own to do all
// that with.
type Topic struct {
	Name    string // 1 to 64 of A-Z, a-z, 0-9, _ and -
	UserID  string
	ThingID string
}

// TopicList is a page of names of topics.
type TopicList struct {
	Names         []string
	PaginationKey string // asks for the next page; "" when there is none
}

// CreateTopic creates a topic. CONFLICT: there is one of that name, perhaps made by an
// earlier call whose answer was lost.
func (c *Client) CreateTopic(ctx context.Context, t Topic) error {
	return c.topicCall(ctx, "save topic", "PUT", t)
}

// DeleteTopic deletes a topic with its subscriptions. NOT_FOUND: there is none, perhaps
// since an earlier call whose answer was lost.
func (c *Client) DeleteTopic(ctx context.Context, t Topic) error {
	return c.topicCall(ctx, "delete topic", "DELETE", t)
}

// TopicExists reports whether there is such a topic. It asks for the login's subscription,
// and not with HEAD: a refusal then has a body, which tells a topic that is missing from a
// server that knows nothing of topics.
func (c *Client) TopicExists(ctx context.Context, t Topic) (bool, error) {
	err := c.subscriptionCall(ctx, "check topic", "GET", t)
	switch kiiCodeOf(err) {
	case codeTopicGone:
		return false, nil
	case codeSubscriptionGone:
		return true, nil
	}
	return err == nil, err
}

// ListTopics names the topics of the app, or of the user or thing that scope names, whose
// Name is empty. The first page is had with the paginationKey "", each further one with
// that of the page before.
func (c *Client) ListTopics(ctx context.Context, scope Topic, paginationKey string) (TopicList, error) {
	if scope.Name != "" {
		return TopicList{}, invalid("the scope whose topics are to be listed must have no name")
	}
	const action = "list topics"
	path, login, err := c.topicsPath(action, scope)
	if err != nil {
		return TopicList{}, err
	}
	if paginationKey != "" {
		path += paginated + escape(paginationKey)
	}
	a, err := c.ask(ctx, call{action: action, method: "GET", path: path, login: login})
	if err != nil {
		return TopicList{}, err
	}
	f := a.fields()
	list := TopicList{Names: f.names("topics", "topicID"), PaginationKey: f.optional("paginationKey")}
	if err := f.done(); err != nil {
		return TopicList{}, err
	}
	return list, nil
}
