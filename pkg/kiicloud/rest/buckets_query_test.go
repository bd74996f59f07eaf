package rest

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func toJSON(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	require.NoError(t, err)
	return string(text)
}

// results gives the n of all objects, page by page, and how many pages there were.
func (l *bucketLab) results(bucket, limit string) (all []float64, pages int) {
	l.t.Helper()
	for key := ""; ; {
		a := l.call("POST", bucket+"/query", l.ann, `{"bucketQuery":{"clause":{"type":"all"}}`+limit+key+`}`)
		require.Equal(l.t, 200, a.StatusCode, a.text)
		pages++
		for _, o := range a.json["results"].([]any) {
			all = append(all, o.(map[string]any)["n"].(float64))
		}
		next := a.str("nextPaginationKey")
		if next == "" {
			return all, pages
		}
		key = `,"paginationKey":"` + next + `"`
	}
}

func TestQueryingAllObjects(t *testing.T) {
	l := newBucketLab(t)
	none, pages := l.results(appBucket, "")
	assert.Empty(t, none)
	assert.Equal(t, 1, pages)

	want := []float64{}
	for n := range 7 {
		l.create(l.ann, appBucket, fmt.Sprintf(`{"n":%d}`, n))
		want = append(want, float64(n))
	}
	l.create(l.ann, appBucket+"2", `{"n":99}`)
	for _, tc := range []struct {
		limit string
		pages int
	}{{"", 1}, {`,"bestEffortLimit":3`, 3}, {`,"bestEffortLimit":7`, 1}, {`,"bestEffortLimit":6`, 2}, {`,"bestEffortLimit":1000`, 1}, {`,"bestEffortLimit":0`, 1}} {
		t.Run(tc.limit, func(t *testing.T) {
			all, pages := l.results(appBucket, tc.limit)
			assert.ElementsMatch(t, want, all)
			assert.Equal(t, tc.pages, pages)
		})
	}

	a := l.call("POST", appBucket+"/query", l.ann, `{"bucketQuery":{"clause":{"type":"all"},"descending":true},"bestEffortLimit":1}`)
	require.Equal(t, 200, a.StatusCode, a.text)
	one := a.json["results"].([]any)[0].(map[string]any)
	b := l.call("GET", appBucket+"/objects/"+one["_id"].(string), l.ann, "")
	assert.Equal(t, b.json, one, "as it is read")
}

// An answer stays within bounds when the objects are large.
func TestPagesOfLargeObjects(t *testing.T) {
	l := newBucketLab(t)
	text := strings.Repeat("x", 60<<10)
	want := []float64{}
	for n := range 20 {
		l.create(l.ann, appBucket, fmt.Sprintf(`{"n":%d,"text":"%s"}`, n, text))
		want = append(want, float64(n))
	}
	all, pages := l.results(appBucket, "")
	assert.ElementsMatch(t, want, all)
	assert.Equal(t, 2, pages)
}

func TestCountingObjects(t *testing.T) {
	l := newBucketLab(t)
	count := func() float64 {
		a := l.call("POST", appBucket+"/query", l.ann, `{"bucketQuery":{"clause":{"type":"all"},"aggregations":[{"type":"COUNT","putAggregationInto":"count_field"}]}}`)
		require.Equal(t, 200, a.StatusCode, a.text)
		assert.Empty(t, a.json["results"])
		return a.json["aggregations"].(map[string]any)["count_field"].(float64)
	}
	assert.Zero(t, count())
	l.create(l.ann, appBucket, `{}`)
	l.create(l.bob, appBucket, `{}`)
	assert.EqualValues(t, 2, count())
}

func TestQueriesThatAreNotAnswered(t *testing.T) {
	l := newBucketLab(t)
	l.create(l.ann, appBucket, `{"n":1}`)
	for _, tc := range []struct{ name, body, code string }{
		{"no query", `{}`, "INVALID_INPUT_DATA"},
		{"no clause", `{"bucketQuery":{}}`, "INVALID_INPUT_DATA"},
		{"null", `null`, "INVALID_INPUT_DATA"},
		{"a clause that is no object", `{"bucketQuery":{"clause":"all"}}`, "INVALID_INPUT_DATA"},
		{"another clause", `{"bucketQuery":{"clause":{"type":"eq","field":"n","value":1}}}`, "QUERY_NOT_SUPPORTED"},
		{"an order", `{"bucketQuery":{"clause":{"type":"all"},"orderBy":"n"}}`, "QUERY_NOT_SUPPORTED"},
		{"another aggregation", `{"bucketQuery":{"clause":{"type":"all"},"aggregations":[{"type":"SUM","field":"n","putAggregationInto":"x"}]}}`, "QUERY_NOT_SUPPORTED"},
		{"two aggregations", `{"bucketQuery":{"clause":{"type":"all"},"aggregations":[{"type":"COUNT","putAggregationInto":"x"},{"type":"COUNT","putAggregationInto":"y"}]}}`, "QUERY_NOT_SUPPORTED"},
		{"a negative limit", `{"bucketQuery":{"clause":{"type":"all"}},"bestEffortLimit":-1}`, "INVALID_INPUT_DATA"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			l.call("POST", appBucket+"/query", l.ann, tc.body).want(t, 400, tc.code)
		})
	}
}
