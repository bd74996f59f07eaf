package rest

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const asPatch = "X-HTTP-Method-Override"

// What the official SDK does with an object, from its creation to its end, with the answers
// that it reads.
func TestTheLifeOfAnObject(t *testing.T) {
	l := newBucketLab(t)
	began := float64(l.clock().UnixMilli())
	a := l.call("POST", appBucket+"/objects", l.ann, `{"score":1,"name":"game"}`, "Content-Type", "application/vnd.demo.scores+json")
	require.Equal(t, 201, a.StatusCode, a.text)
	id := a.str("objectID")
	assert.Regexp(t, `^[0-9A-Za-z]{22}$`, id)
	assert.Equal(t, map[string]any{"objectID": id, "createdAt": began, "modifiedAt": began, "dataType": "application/vnd.demo.scores+json"}, a.json)
	assert.Equal(t, `"1"`, a.Header.Get("ETag"))
	assert.Equal(t, "application/vnd.kii.ObjectCreationResponse+json", a.Header.Get("Content-Type"))
	path := appBucket + "/objects/" + id
	assert.Equal(t, path, a.Header.Get("Location"))

	a = l.call("GET", path, l.bob, "")
	require.Equal(t, 200, a.StatusCode, a.text)
	whole := map[string]any{"score": 1., "name": "game", "_id": id, "_created": began, "_modified": began,
		"_owner": l.annID, "_version": "1", "_dataType": "scores"}
	assert.Equal(t, whole, a.json)
	assert.Equal(t, `"1"`, a.Header.Get("ETag"))
	assert.Equal(t, "application/vnd.demo.scores+json", a.Header.Get("Content-Type"))

	l.advance(time.Second)
	now := float64(l.clock().UnixMilli())
	a = l.call("POST", path, l.ann, `{"score":2}`, asPatch, "PATCH", "Content-Type", "application/vnd.demo.scores+json", "If-Match", `"1"`)
	require.Equal(t, 200, a.StatusCode, a.text)
	whole["score"], whole["_modified"], whole["_version"] = 2., now, "2"
	assert.Equal(t, whole, a.json)
	assert.Equal(t, `"2"`, a.Header.Get("ETag"))

	l.advance(time.Second)
	now = float64(l.clock().UnixMilli())
	a = l.call("PUT", path, l.ann, `{"other":true}`, "If-Match", "2")
	require.Equal(t, 200, a.StatusCode, a.text)
	assert.Equal(t, map[string]any{"objectID": id, "createdAt": began, "modifiedAt": now, "dataType": "application/json"}, a.json)
	assert.Equal(t, "application/vnd.kii.ObjectUpdateResponse+json", a.Header.Get("Content-Type"))
	assert.Equal(t, map[string]any{"other": true, "_id": id, "_created": began, "_modified": now, "_owner": l.annID, "_version": "3"},
		l.call("GET", path, l.ann, "").json, "the type goes with the fields")

	assert.Equal(t, 204, l.call("DELETE", path, l.ann, "").StatusCode)
	for _, method := range []string{"GET", "DELETE", "PATCH"} {
		a := l.call(method, path, l.ann, `{}`)
		a.want(t, 404, "OBJECT_NOT_FOUND")
		assert.Equal(t, id, a.str("objectID"))
		assert.Equal(t, "notes", a.str("bucketID"))
		assert.Equal(t, map[string]any{"appID": "demo", "type": "APP"}, a.json["objectScope"])
	}
	a = l.call("PUT", path, l.ann, `{}`)
	require.Equal(t, 201, a.StatusCode, "PUT makes what is not there")
	assert.Equal(t, `"1"`, a.Header.Get("ETag"))
	assert.Equal(t, path, a.Header.Get("Location"))
}

func TestConditionsOnAnObject(t *testing.T) {
	l := newBucketLab(t)
	for _, tc := range []struct {
		name, method string
		there        bool // at version 2, as ann left it
		header       []string
		status       int
		code         string
	}{
		{"PUT of a new one", "PUT", false, nil, 201, ""},
		{"PUT of a new one, if there is none", "PUT", false, []string{"If-None-Match", "*"}, 201, ""},
		{"PUT, if there is none", "PUT", true, []string{"If-None-Match", "*"}, 409, "OBJECT_ALREADY_EXISTS"},
		{"PUT, whatever is there", "PUT", true, nil, 200, ""},
		{"PUT over the version", "PUT", true, []string{"If-Match", `"2"`}, 200, ""},
		{"PUT over the version without quotes", "PUT", true, []string{"If-Match", "2"}, 200, ""},
		{"PUT over any version", "PUT", true, []string{"If-Match", "*"}, 200, ""},
		{"PUT over an older version", "PUT", true, []string{"If-Match", `"1"`}, 409, "OBJECT_VERSION_IS_STALE"},
		{"PUT over what was never a version", "PUT", true, []string{"If-Match", "two"}, 409, "OBJECT_VERSION_IS_STALE"},
		{"PUT over a version of none", "PUT", false, []string{"If-Match", "1"}, 404, "OBJECT_NOT_FOUND"},
		{"both conditions", "PUT", true, []string{"If-Match", "2", "If-None-Match", "*"}, 400, "INVALID_INPUT_DATA"},
		{"an odd condition", "PUT", true, []string{"If-None-Match", `"2"`}, 400, "INVALID_INPUT_DATA"},
		{"PATCH", "PATCH", true, nil, 200, ""},
		{"PATCH of the version", "PATCH", true, []string{"If-Match", `"2"`}, 200, ""},
		{"PATCH of an older version", "PATCH", true, []string{"If-Match", `"1"`}, 409, "OBJECT_VERSION_IS_STALE"},
		{"PATCH, if there is none", "PATCH", true, []string{"If-None-Match", "*"}, 409, "OBJECT_ALREADY_EXISTS"},
		{"PATCH of none", "PATCH", false, nil, 404, "OBJECT_NOT_FOUND"},
		{"POST as PATCH", "POST", true, []string{asPatch, "patch"}, 200, ""},
		{"POST as itself", "POST", true, nil, 405, "METHOD_NOT_ALLOWED"},
		{"POST as another method", "POST", true, []string{asPatch, "DELETE"}, 405, "METHOD_NOT_ALLOWED"},
		{"DELETE", "DELETE", true, nil, 204, ""},
		{"DELETE of the version", "DELETE", true, []string{"If-Match", `"2"`}, 204, ""},
		{"DELETE of an older version", "DELETE", true, []string{"If-Match", `"1"`}, 409, "OBJECT_VERSION_IS_STALE"},
		{"DELETE, where If-None-Match says nothing", "DELETE", true, []string{"If-None-Match", "*"}, 204, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			path := appBucket + "/objects/" + strings.Map(func(r rune) rune {
				if 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' {
					return r
				}
				return '-'
			}, tc.name)
			if tc.there {
				l.call("PUT", path, l.ann, `{"n":1}`)
				require.Equal(t, `"2"`, l.call("PUT", path, l.ann, `{"n":2}`).Header.Get("ETag"))
			}
			a := l.call(tc.method, path, l.ann, `{"n":3}`, tc.header...)
			after := l.call("GET", path, l.ann, "")
			if tc.code != "" {
				a.want(t, tc.status, tc.code)
				if tc.there {
					assert.Equal(t, "2", after.str("_version"))
					assert.Equal(t, 2., after.json["n"])
				} else {
					assert.Equal(t, 404, after.StatusCode)
				}
				return
			}
			require.Equal(t, tc.status, a.StatusCode, a.text)
			if tc.method == "DELETE" {
				assert.Equal(t, 404, after.StatusCode)
			} else {
				assert.Equal(t, 3., after.json["n"])
				assert.Equal(t, a.Header.Get("ETag"), after.Header.Get("ETag"))
			}
		})
	}
}

// Of writers who saw the same version one succeeds; in the end every success has counted.
func TestConcurrentWritersOfAnObject(t *testing.T) {
	l := newBucketLab(t)
	path := l.create(l.ann, appBucket, `{"n":0}`)
	const writers, each = 4, 5
	var wg sync.WaitGroup
	for range writers {
		wg.Go(func() {
			for done := 0; done < each; {
				now := l.call("GET", path, l.ann, "")
				body := fmt.Sprintf(`{"n":%v}`, now.json["n"].(float64)+1)
				a := l.call("PATCH", path, l.ann, body, "If-Match", now.Header.Get("ETag"))
				if a.StatusCode == 200 {
					done++
				} else if !assert.Equal(t, "OBJECT_VERSION_IS_STALE", a.str("errorCode"), a.text) {
					return
				}
			}
		})
	}
	wg.Wait()
	a := l.call("GET", path, l.ann, "")
	assert.EqualValues(t, writers*each, a.json["n"])
	assert.Equal(t, fmt.Sprint(writers*each+1), a.str("_version"))
}

func TestFieldsOfAnObject(t *testing.T) {
	l := newBucketLab(t)
	large := `{"text":"` + strings.Repeat("x", MaxObject-11) + `"}`
	require.Len(t, large, MaxObject)
	for _, tc := range []struct{ name, body, want, code string }{
		{"none", `{}`, `{}`, ""},
		{"every kind", `{"s":"x","n":1.50,"b":true,"z":null,"o":{"a":[1,{"b":2}]},"l":[]}`, `{"s":"x","n":1.50,"b":true,"z":null,"o":{"a":[1,{"b":2}]},"l":[]}`, ""},
		{"percent signs", `{"100%":"%41 % %zz","o":{"%":"%"}}`, `{"100%":"%41 % %zz","o":{"%":"%"}}`, ""},
		{"other characters", `{"é<&>":"日本\u0000\ud83d\ude00\u2028"}`, `{"é<&>":"日本\u0000😀\u2028"}`, ""},
		{"a number that no float holds", `{"n":12345678901234567890123}`, "", ""},
		{"the last of the same", `{"a":1,"a":2}`, `{"a":2}`, ""},
		{"what came with reading", `{"a":1,"_id":"x","_created":1,"_modified":1,"_owner":"bob","_version":"9","_dataType":"x","_calculated":{}}`, `{"a":1}`, ""},
		{"as large as may be", large, large, ""},
		{"a reserved name", `{"a":1,"_mine":2}`, "", "INVALID_INPUT_DATA"},
		{"an empty name", `{"":2}`, "", "INVALID_INPUT_DATA"},
		{"an array", `[1]`, "", "INVALID_INPUT_DATA"},
		{"null", `null`, "", "INVALID_INPUT_DATA"},
		{"a string", `"x"`, "", "INVALID_INPUT_DATA"},
		{"nothing", ``, "", "INVALID_INPUT_DATA"},
		{"half of it", `{"a":`, "", "INVALID_INPUT_DATA"},
		{"not UTF-8", "{\"a\":\"\xff\"}", "", "INVALID_INPUT_DATA"},
		{"too large", large + " ", "", "REQUEST_TOO_LARGE"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a := l.call("POST", appBucket+"/objects", l.ann, tc.body)
			if tc.code != "" {
				require.GreaterOrEqual(t, a.StatusCode, 400)
				a.want(t, a.StatusCode, tc.code)
				return
			}
			require.Equal(t, 201, a.StatusCode, a.text)
			b := l.call("GET", appBucket+"/objects/"+a.str("objectID"), l.ann, "")
			require.Equal(t, 200, b.StatusCode)
			if tc.want == "" { // as it came
				assert.Contains(t, b.text, `"n":12345678901234567890123`)
				return
			}
			for _, k := range []string{"_id", "_created", "_modified", "_owner", "_version"} {
				assert.Contains(t, b.json, k)
				delete(b.json, k)
			}
			assert.NotContains(t, b.json, "_dataType")
			assert.JSONEq(t, tc.want, toJSON(t, b.json))
		})
	}
}

// An object does not grow beyond its limit by updates either.
func TestAnObjectThatWouldGrowTooLarge(t *testing.T) {
	l := newBucketLab(t)
	half := strings.Repeat("x", MaxObject/2)
	path := l.create(l.ann, appBucket, `{"a":"`+half+`"}`)
	l.call("PATCH", path, l.ann, `{"b":"`+half+`"}`).want(t, 413, "OBJECT_TOO_LARGE")
	a := l.call("GET", path, l.ann, "")
	assert.Equal(t, "1", a.str("_version"))
	assert.NotContains(t, a.json, "b")
	assert.Equal(t, 200, l.call("PATCH", path, l.ann, `{"a":"x","b":"`+half+`"}`).StatusCode, "in place of the other")
}

func TestTypesOfObjects(t *testing.T) {
	l := newBucketLab(t)
	for _, tc := range []struct{ contentType, dataType string }{
		{"application/json", ""},
		{"", ""},
		{"text/plain", ""},
		{"application/vnd.demo.scores+json", "scores"},
		{" application/vnd.demo.my.scores-2_x+json ; charset=utf-8", "my.scores-2_x"},
		{"application/vnd.demo.+json", ""},
		{"application/vnd.demo.a b+json", ""},
		{"application/vnd.demo.a%41+json", ""},
		{"application/vnd.other.scores+json", ""},
		{"application/vnd.kii.RegistrationRequest+json", ""},
	} {
		t.Run(tc.contentType, func(t *testing.T) {
			a := l.call("POST", appBucket+"/objects", l.ann, `{}`, "Content-Type", tc.contentType)
			require.Equal(t, 201, a.StatusCode, a.text)
			want := "application/json"
			if tc.dataType != "" {
				want = "application/vnd.demo." + tc.dataType + "+json"
			}
			assert.Equal(t, want, a.str("dataType"))
			b := l.call("GET", appBucket+"/objects/"+a.str("objectID"), l.ann, "")
			assert.Equal(t, want, b.Header.Get("Content-Type"))
			assert.Equal(t, tc.dataType, b.str("_dataType"))
		})
	}
}

func TestAnAdministratorsObjectHasNoOwner(t *testing.T) {
	l := newBucketLab(t)
	path := l.create(l.root, appBucket, `{"n":1}`)
	assert.NotContains(t, l.call("GET", path, l.ann, "").json, "_owner")
	l.call("PATCH", path, l.ann, `{"n":2}`).want(t, 401, "UNAUTHORIZED")
	assert.Equal(t, 200, l.call("PATCH", path, l.admin(), `{"n":2}`).StatusCode)
}
