package rest

func topicRoutes() []Route { return nil }

// TopicStore keeps topics and who has subscribed to them.
type TopicStore interface{}
