package kiiweb

import "context"

// Subscribe subscribes the login's owner: what is sent to the topic reaches the owner's
// installations. It succeeds when the subscription is there, also when it was before, so
// that a call whose answer was lost can be repeated. NOT_FOUND: there is no such topic.
func (c *Client) Subscribe(ctx context.Context, t Topic) error {
	err := c.subscriptionCall(ctx, "subscribe", "PUT", t)
	if kiiCodeOf(err) == codeSubscribed {
		return nil
	}
	return err
}

// Unsubscribe ends the subscription of the login's owner. It succeeds when there is none,
// also when there was none before. NOT_FOUND: there is no such topic.
func (c *Client) Unsubscribe(ctx context.Context, t Topic) error {
	err := c.subscriptionCall(ctx, "unsubscribe", "DELETE", t)
	if kiiCodeOf(err) == codeSubscriptionGone {
		return nil
	}
	return err
}

// IsSubscribed reports whether the login's owner is subscribed to the topic. NOT_FOUND:
// there is no such topic.
func (c *Client) IsSubscribed(ctx context.Context, t Topic) (bool, error) {
	err := c.subscriptionCall(ctx, "check subscription", "GET", t)
	if kiiCodeOf(err) == codeSubscriptionGone {
		return false, nil
	}
	return err == nil, err
}
