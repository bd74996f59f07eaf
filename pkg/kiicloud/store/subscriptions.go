package store

import "context"

const (
	// A topic that is gone takes no subscription, not even when it was found a moment ago.
	insertSubscription = `INSERT INTO topic_subscriptions (topic_id, app_id, owner_kind, owner_id, created_at)
		SELECT id, $2, $3, $4, $5 FROM topics WHERE id = $1 ON CONFLICT DO NOTHING`

	whichSubscription  = ` FROM topic_subscriptions WHERE topic_id = $1 AND owner_kind = $2 AND owner_id = $3`
	findSubscription   = `SELECT created_at` + whichSubscription
	deleteSubscription = `DELETE` + whichSubscription

	// The device type is no plain column in the condition, so that no index on it is chosen, which finds all that an app has:
	// PostgreSQL did so for each subscriber as long as it had not counted the rows, right after a restore for instance.
	topicReceivers = `SELECT i.id, i.topic, s.app_id, s.owner_kind, s.owner_id
		FROM topic_subscriptions s JOIN installations i
		ON i.app_id = s.app_id AND i.owner_kind = s.owner_kind AND i.owner_id = s.owner_id
		WHERE s.topic_id = $1 AND i.device_type || '' = $2 AND i.development IN ($3, $4)`
)

// Environments says which installations a message is meant for.
type Environments struct{ Development, Production bool }

// Has tells whether an installation is meant.
func (e Environments) Has(development bool) bool {
	return development && e.Development || !development && e.Production
}

// SubscribeToTopic subscribes an owner to a topic. The error is ErrExists when it is
// subscribed already, ErrNotFound when the topic is gone, a FullError when the owner has as many
// subscriptions as it may.
func (s *SQL) SubscribeToTopic(ctx context.Context, topicID string, o Owner) error {
	err := s.writer.do(ctx, func(x tx) error {
		var created int64
		if err := absent(notFound(x.row(findSubscription, topicID, string(o.Kind), o.ID).Scan(&created))); err != nil {
			return err
		}
		if err := x.room(countTopicSubscriptions, "subscriptions to topics", s.limits.Subscriptions, o.AppID, string(o.Kind), o.ID); err != nil {
			return err
		}
		n, err := x.affected(insertSubscription, topicID, o.AppID, string(o.Kind), o.ID, millis(s.now()))
		if err == nil && n == 0 {
			return ErrNotFound
		}
		return err
	})
	return wrap("subscribe to a topic", err)
}

// UnsubscribeFromTopic ends a subscription. The error is ErrNotFound when there is none.
func (s *SQL) UnsubscribeFromTopic(ctx context.Context, topicID string, o Owner) error {
	err := s.writer.do(ctx, func(x tx) error {
		n, err := x.affected(deleteSubscription, topicID, string(o.Kind), o.ID)
		if err == nil && n == 0 {
			return ErrNotFound
		}
		return err
	})
	return wrap("unsubscribe from a topic", err)
}

// TopicSubscription fails with ErrNotFound when the owner is not subscribed to the topic.
func (s *SQL) TopicSubscription(ctx context.Context, topicID string, o Owner) error {
	var created int64
	err := s.row(ctx, findSubscription, topicID, string(o.Kind), o.ID).Scan(&created)
	return wrap("find a subscription", notFound(err))
}

// TopicReceivers gives the installations of all who are subscribed to a topic, of one type
// of device and in the environments that are meant. There may be many, so it reads of each what
// a push needs and no more: ID, Owner, DeviceType and Topic.
func (s *SQL) TopicReceivers(ctx context.Context, topicID, deviceType string, in Environments) ([]Installation, error) {
	if in == (Environments{}) {
		return nil, nil
	}
	// What is in a list twice counts once, so this is one environment or both.
	rows, err := s.rows(ctx, topicReceivers, topicID, deviceType, bit(in.Development), bit(!in.Production))
	all, err := collect(rows, err, func(r scanner) (Installation, error) {
		i := Installation{DeviceType: deviceType}
		var kind string
		err := r.Scan(&i.ID, &i.Topic, &i.Owner.AppID, &kind, &i.Owner.ID)
		i.Owner.Kind = OwnerKind(kind)
		return i, err
	})
	return all, wrap("find a topic's receivers", err)
}
