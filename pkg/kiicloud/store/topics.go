package store

import "context"

const (
	topicColumns = `id, app_id, scope_kind, scope_id, name, created_at`

	insertTopic = `INSERT INTO topics (` + topicColumns + `) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING`

	inTopicScope = ` FROM topics WHERE app_id = $1 AND scope_kind = $2 AND scope_id = $3 AND `

	topicByName = `SELECT ` + topicColumns + inTopicScope + `name = $4`
	topicsAfter = `SELECT ` + topicColumns + inTopicScope + `name > $4 ORDER BY name LIMIT $5`

	deleteTopic = `DELETE` + inTopicScope + `name = $4`
)

// CreateTopic stores a new topic and returns it; an empty ID is made. The error is ErrExists
// when the scope has a topic of this name, a FullError when a user's or thing's has as many as
// it may.
func (s *SQL) CreateTopic(ctx context.Context, t Topic) (Topic, error) {
	if t.ID == "" {
		t.ID = NewID()
	}
	if t.CreatedAt.IsZero() {
		t.CreatedAt = s.now()
	}
	err := s.writer.do(ctx, func(x tx) error {
		_, err := scanTopic(x.row(topicByName, t.Scope.AppID, string(t.Scope.Kind), t.Scope.ID, t.Name))
		if err = absent(err); err == nil && t.Scope.Kind != ScopeApp {
			err = x.room(countTopics, "topics in this scope", s.limits.Topics, t.Scope.AppID, string(t.Scope.Kind), t.Scope.ID)
		}
		if err != nil {
			return err
		}
		n, err := x.affected(insertTopic, t.ID, t.Scope.AppID, string(t.Scope.Kind), t.Scope.ID, t.Name, millis(t.CreatedAt))
		if err == nil && n == 0 {
			return ErrExists
		}
		return err
	})
	if err != nil {
		return Topic{}, wrap("create a topic", err)
	}
	return t, nil
}

// TopicByName finds a topic of a scope. The error may be ErrNotFound.
func (s *SQL) TopicByName(ctx context.Context, scope Scope, name string) (Topic, error) {
	t, err := scanTopic(s.row(ctx, topicByName, scope.AppID, string(scope.Kind), scope.ID, name))
	return t, wrap("find a topic", err)
}

// Topics gives up to limit topics of a scope whose names come after the given one, in the
// order of the names' bytes. Every name comes after the empty one.
func (s *SQL) Topics(ctx context.Context, scope Scope, after string, limit int) ([]Topic, error) {
	rows, err := s.rows(ctx, topicsAfter, scope.AppID, string(scope.Kind), scope.ID, after, limit)
	all, err := collect(rows, err, scanTopic)
	return all, wrap("list topics", err)
}

// DeleteTopic removes a topic and its subscriptions. The error is ErrNotFound when there is
// none of this name.
func (s *SQL) DeleteTopic(ctx context.Context, scope Scope, name string) error {
	err := s.writer.do(ctx, func(x tx) error {
		n, err := x.affected(deleteTopic, scope.AppID, string(scope.Kind), scope.ID, name)
		if err == nil && n == 0 {
			return ErrNotFound
		}
		return err
	})
	return wrap("delete a topic", err)
}

func scanTopic(r scanner) (t Topic, err error) {
	var kind string
	var created int64
	if err = r.Scan(&t.ID, &t.Scope.AppID, &kind, &t.Scope.ID, &t.Name, &created); err != nil {
		return Topic{}, notFound(err)
	}
	t.Scope.Kind, t.CreatedAt = ScopeKind(kind), fromMillis(created)
	return t, nil
}
