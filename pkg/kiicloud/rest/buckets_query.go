package rest

import (
	"net/http"

	"github.com/kiiweb/kiiweb/pkg/kiicloud/store"
)

// The bounds of one answer to a query.
const (
	maxResults     = 200     // objects
	maxResultBytes = 1 << 20 // bytes of their fields; one object may always come
)

// queryRequest asks for a bucket's objects. Push needs no more of Kii's queries than all of
// them and their number, so there is one clause and no order.
type queryRequest struct {
	Query struct {
		Clause struct {
			Type string `json:"type"`
		} `json:"clause"`
		OrderBy      string        `json:"orderBy"`
		Aggregations []aggregation `json:"aggregations"`
	} `json:"bucketQuery"`
	Limit         int    `json:"bestEffortLimit"` // 0: as many as the server likes
	PaginationKey string `json:"paginationKey"`
}

type aggregation struct {
	Type string `json:"type"`
	Into string `json:"putAggregationInto"`
}

type queryResponse struct {
	Description   string           `json:"queryDescription"`
	Results       []map[string]any `json:"results"`
	PaginationKey string           `json:"nextPaginationKey,omitempty"`
	Aggregations  map[string]int   `json:"aggregations,omitempty"`
}

func (a *API) queryBucket(c *call) (any, error) {
	b, err := a.bucket(c)
	if err != nil {
		return nil, err
	}
	var req queryRequest
	if err := c.read(&req); err != nil {
		return nil, err
	}
	if err := req.check(); err != nil {
		return nil, err
	}
	res := queryResponse{Description: "all objects", Results: []map[string]any{}}
	if len(req.Query.Aggregations) > 0 {
		n, err := a.Store.CountObjects(c.ctx(), b)
		if err != nil {
			return nil, err
		}
		res.Aggregations = map[string]int{req.Query.Aggregations[0].Into: n}
		return res, nil
	}
	if err := a.list(c, b, req, &res); err != nil {
		return nil, err
	}
	return res, nil
}

// list fills in a page of objects. The key of the next page is the id of the last object.
func (a *API) list(c *call, b store.Bucket, req queryRequest, res *queryResponse) error {
	limit := maxResults
	if req.Limit > 0 {
		limit = min(req.Limit, maxResults)
	}
	page, more, err := a.Store.Objects(c.ctx(), b, req.PaginationKey, limit, maxResultBytes)
	if err != nil {
		return err
	}
	for _, o := range page {
		object, err := describeObject(&o)
		if err != nil {
			return err
		}
		res.Results = append(res.Results, object)
	}
	if more {
		res.PaginationKey = page[len(page)-1].ID
	}
	return nil
}

func (q queryRequest) check() error {
	unsupported := func(message string) error { return fail(http.StatusBadRequest, "QUERY_NOT_SUPPORTED", message) }
	switch {
	case q.Query.Clause.Type == "":
		return invalidInput(`The clause is missing: send "bucketQuery":{"clause":{"type":"all"}}.`)
	case q.Query.Clause.Type != "all":
		return unsupported("This server knows no clause but all; query all objects and choose among them.")
	case q.Query.OrderBy != "":
		return unsupported("This server does not order objects; leave orderBy out and order them when they are there.")
	case q.Limit < 0:
		return invalidInput("bestEffortLimit must not be negative.")
	}
	for n, a := range q.Query.Aggregations {
		if n > 0 || a.Type != "COUNT" || a.Into == "" {
			return unsupported(`The one aggregation of this server is {"type":"COUNT","putAggregationInto":"a name"}.`)
		}
	}
	return nil
}
