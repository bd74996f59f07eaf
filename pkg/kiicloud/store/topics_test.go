package store

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func createTopic(t testing.TB, s *SQL, scope Scope, name string) Topic {
	t.Helper()
	topic, err := s.CreateTopic(context.Background(), Topic{Scope: scope, Name: name})
	require.NoError(t, err)
	return topic
}

func receivers(t testing.TB, s *SQL, topic Topic, in Environments) []string {
	t.Helper()
	found, err := s.TopicReceivers(context.Background(), topic.ID, "MQTT", in)
	require.NoError(t, err)
	ids := []string{}
	for _, i := range found {
		ids = append(ids, i.ID)
	}
	return ids
}

var (
	appScope   = Scope{AppID: "app", Kind: ScopeApp}
	annScope   = Scope{AppID: "app", Kind: ScopeUser, ID: "ann"}
	thingScope = Scope{AppID: "app", Kind: ScopeThing, ID: "ann"} // the same id, another kind
	otherApp   = Scope{AppID: "other", Kind: ScopeApp}
	everywhere = Environments{Development: true, Production: true}
)

func TestATopicsNameIsItsScopes(t *testing.T) {
	onEach(t, func(t *testing.T, open opener) {
		clk := newClock()
		s := open(t, t.TempDir(), clk.Now)
		ctx := context.Background()
		ids := map[string]bool{}
		scopes := []Scope{appScope, annScope, thingScope, otherApp}
		for _, scope := range scopes {
			_, err := s.TopicByName(ctx, scope, "news")
			require.ErrorIs(t, err, ErrNotFound)
			made := createTopic(t, s, scope, "news")
			assert.Equal(t, Topic{ID: made.ID, Scope: scope, Name: "news", CreatedAt: clk.Now()}, made)
			found, err := s.TopicByName(ctx, scope, "news")
			require.NoError(t, err)
			assert.Equal(t, made, found)
			ids[made.ID] = true
			_, err = s.CreateTopic(ctx, Topic{Scope: scope, Name: "news"})
			require.ErrorIs(t, err, ErrExists)
		}
		assert.Len(t, ids, len(scopes))

		require.NoError(t, s.DeleteTopic(ctx, annScope, "news"))
		require.ErrorIs(t, s.DeleteTopic(ctx, annScope, "news"), ErrNotFound)
		_, err := s.TopicByName(ctx, thingScope, "news")
		require.NoError(t, err, "the others stay")
	})
}

func TestTopicsAreListedInTheOrderOfTheirNames(t *testing.T) {
	onEach(t, func(t *testing.T, open opener) {
		s := open(t, t.TempDir(), nil)
		for _, name := range []string{"b", "a", "C", "a.1", "_", "0", "a-1"} {
			createTopic(t, s, annScope, name)
		}
		createTopic(t, s, appScope, "elsewhere")
		list := func(after string, limit int) (names []string) {
			found, err := s.Topics(context.Background(), annScope, after, limit)
			require.NoError(t, err)
			for _, topic := range found {
				assert.Equal(t, annScope, topic.Scope)
				names = append(names, topic.Name)
			}
			return names
		}
		assert.Equal(t, []string{"0", "C", "_", "a", "a-1", "a.1", "b"}, list("", 100))
		assert.Equal(t, []string{"0", "C"}, list("", 2))
		assert.Equal(t, []string{"_", "a"}, list("C", 2))
		assert.Equal(t, []string{"a", "a-1"}, list("_gone", 2), "a name that is not there has a place, too")
		assert.Empty(t, list("b", 2))
	})
}

func TestSubscribing(t *testing.T) {
	onEach(t, func(t *testing.T, open opener) {
		s := open(t, t.TempDir(), nil)
		ctx := context.Background()
		topic, other := createTopic(t, s, appScope, "news"), createTopic(t, s, appScope, "other")
		ann, thing := owner("ann"), Owner{AppID: "app", Kind: OwnerThing, ID: "ann"}

		require.ErrorIs(t, s.TopicSubscription(ctx, topic.ID, ann), ErrNotFound)
		require.ErrorIs(t, s.UnsubscribeFromTopic(ctx, topic.ID, ann), ErrNotFound)
		require.NoError(t, s.SubscribeToTopic(ctx, topic.ID, ann))
		require.ErrorIs(t, s.SubscribeToTopic(ctx, topic.ID, ann), ErrExists)
		require.NoError(t, s.TopicSubscription(ctx, topic.ID, ann))
		require.ErrorIs(t, s.TopicSubscription(ctx, topic.ID, thing), ErrNotFound, "a thing is not the user of the same id")
		require.ErrorIs(t, s.TopicSubscription(ctx, other.ID, ann), ErrNotFound)
		require.NoError(t, s.SubscribeToTopic(ctx, topic.ID, thing))
		require.NoError(t, s.UnsubscribeFromTopic(ctx, topic.ID, ann))
		require.ErrorIs(t, s.TopicSubscription(ctx, topic.ID, ann), ErrNotFound)
		require.NoError(t, s.TopicSubscription(ctx, topic.ID, thing))

		require.NoError(t, s.DeleteTopic(ctx, appScope, "news"))
		require.ErrorIs(t, s.SubscribeToTopic(ctx, topic.ID, ann), ErrNotFound, "the topic is gone")
		require.ErrorIs(t, s.TopicSubscription(ctx, topic.ID, thing), ErrNotFound, "its subscriptions went with it")
		again := createTopic(t, s, appScope, "news")
		require.ErrorIs(t, s.TopicSubscription(ctx, again.ID, thing), ErrNotFound, "and do not come back")
	})
}

func TestReceiversAreTheSubscribersInstallations(t *testing.T) {
	onEach(t, func(t *testing.T, open opener) {
		s := open(t, t.TempDir(), nil)
		ctx := context.Background()
		topic := createTopic(t, s, appScope, "news")
		install := func(o Owner, deviceType string, development bool) string {
			i, _, err := s.Install(ctx, Installation{Owner: o, DeviceType: deviceType, Development: development})
			require.NoError(t, err)
			return i.ID
		}
		ann, bob, thing := owner("ann"), owner("bob"), Owner{AppID: "app", Kind: OwnerThing, ID: "ann"}
		annDev, bobProd, thingProd := install(ann, "MQTT", true), install(bob, "MQTT", false), install(thing, "MQTT", false)
		install(ann, "ANDROID", false)
		install(Owner{AppID: "other", Kind: OwnerUser, ID: "ann"}, "MQTT", false)
		install(owner("stranger"), "MQTT", false)
		for _, o := range []Owner{ann, bob, thing, owner("without an installation")} {
			require.NoError(t, s.SubscribeToTopic(ctx, topic.ID, o))
		}
		for _, c := range []struct {
			in   Environments
			want []string
		}{
			{everywhere, []string{annDev, bobProd, thingProd}},
			{Environments{Development: true}, []string{annDev}},
			{Environments{Production: true}, []string{bobProd, thingProd}},
			{Environments{}, []string{}},
		} {
			t.Run(fmt.Sprintf("%+v", c.in), func(t *testing.T) { assert.ElementsMatch(t, c.want, receivers(t, s, topic, c.in)) })
		}
		found, err := s.TopicReceivers(ctx, topic.ID, "MQTT", Environments{Development: true})
		require.NoError(t, err)
		same, err := s.InstallationByID(ctx, "app", annDev)
		require.NoError(t, err)
		assert.Equal(t, []Installation{{ID: same.ID, Topic: same.Topic, Owner: same.Owner, DeviceType: "MQTT"}}, found, "what a push needs")

		_, err = s.DeleteInstallation(ctx, "app", bobProd)
		require.NoError(t, err)
		require.NoError(t, s.UnsubscribeFromTopic(ctx, topic.ID, thing))
		assert.Equal(t, []string{annDev}, receivers(t, s, topic, everywhere))
		again := install(bob, "MQTT", false)
		assert.ElementsMatch(t, []string{annDev, again}, receivers(t, s, topic, everywhere), "the subscription is the user's, not the installation's")
		require.NoError(t, s.DeleteTopic(ctx, appScope, "news"))
		assert.Empty(t, receivers(t, s, topic, everywhere))
	})
}

// TestReceiversAreFoundByIndex keeps a topic with many subscribers from being slow.
func TestReceiversAreFoundByIndex(t *testing.T) {
	s := open(t, t.TempDir(), nil)
	rows, err := s.read.Query("EXPLAIN QUERY PLAN "+topicReceivers, "t", "MQTT", 0, 1)
	require.NoError(t, err)
	defer rows.Close()
	steps := 0
	for rows.Next() {
		var id, parent, unused int
		var detail string
		require.NoError(t, rows.Scan(&id, &parent, &unused, &detail))
		assert.Regexp(t, "^SEARCH (s|i) USING (COVERING )?INDEX", detail)
		steps++
	}
	require.NoError(t, rows.Err())
	assert.Equal(t, 2, steps)
}
