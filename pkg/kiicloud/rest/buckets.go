package rest

func bucketRoutes() []Route { return nil }

// BucketStore keeps objects and who has subscribed to their buckets.
type BucketStore interface{}
