package rest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// trick is another way to write a request that must not get anybody further than the plain one.
type trick struct {
	name   string
	path   func(path, id string) string // id is the last one in the path that names somebody's thing
	header []string
}

func replaceLast(path, old, new string) string {
	if i := strings.LastIndex(path, old); i >= 0 {
		return path[:i] + new + path[i+len(old):]
	}
	return path
}

func tricks(callerID, token string) []trick {
	return []trick{
		{name: "double slashes", path: func(p, _ string) string { return strings.ReplaceAll(p, "/", "//") }},
		{name: "a slash at the end", path: func(p, _ string) string { return p + "/" }},
		{name: "another case of the path", path: func(p, id string) string {
			return replaceLast(strings.ToUpper(p), strings.ToUpper(id), id)
		}},
		{name: "another case of the id", path: func(p, id string) string { return replaceLast(p, id, swapCase(id)) }},
		{name: "a letter of the id encoded", path: func(p, id string) string { return replaceLast(p, id, fmt.Sprintf("%%%02x%s", id[0], id[1:])) }},
		{name: "the id encoded twice", path: func(p, id string) string { return replaceLast(p, id, fmt.Sprintf("%%25%02x%s", id[0], id[1:])) }},
		{name: "a slash encoded", path: func(p, id string) string { return replaceLast(p, "/"+id, "%2F"+id) }},
		{name: "up from oneself", path: func(p, id string) string { return replaceLast(p, id, callerID+"/../"+id) }},
		{name: "up from oneself, encoded", path: func(p, id string) string { return replaceLast(p, id, callerID+"%2f%2e%2e%2f"+id) }},
		{name: "up from oneself, in halves", path: func(p, id string) string { return replaceLast(p, id, callerID+"/%2e./"+id) }},
		{name: "oneself, and then", path: func(p, id string) string { return replaceLast(p, id, "me%2F"+id) }},
		{name: "a parameter", path: func(p, id string) string { return replaceLast(p, id, id+";owner="+callerID) }},
		{name: "a query", path: func(p, _ string) string {
			return p + "?userID=" + callerID + "&access_token=" + token + "&disable_cache=1"
		}},
		{name: "a NUL at the end", path: func(p, id string) string { return replaceLast(p, id, id+"%00") }},
		{name: "a space at the end", path: func(p, id string) string { return replaceLast(p, id, id+"%20") }},
		{name: "not UTF-8", path: func(p, id string) string { return replaceLast(p, id, id+"%ff") }},
		{name: "full width", path: func(p, id string) string { return replaceLast(p, id, id[:len(id)-1]+"%EF%BC%A1") }},
		{name: "a backslash", path: func(p, id string) string { return replaceLast(p, "/"+id, `%5C`+id) }},
		{name: "a wildcard", path: func(p, id string) string { return replaceLast(p, id, "%25") }},
		{name: "a quote", path: func(p, id string) string { return replaceLast(p, id, "x'%20OR%20'1'='1") }},
		{name: "by a kind", path: func(p, id string) string { return replaceLast(p, id, "MQTT:"+id) }},
		{name: "a forwarded path", path: func(p, _ string) string { return p }, header: []string{"X-Original-URL", "/api/apps/demo/users/me", "X-Rewrite-URL", "/api/apps/demo/users/me"}},
		{name: "another method", path: func(p, _ string) string { return p }, header: []string{"X-HTTP-Method-Override", "PATCH"}},
		{name: "a forwarded user", path: func(p, _ string) string { return p }, header: []string{"X-Forwarded-For", "127.0.0.1", "X-Forwarded-User", "root"}},
	}
}

func swapCase(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z':
			return r - 32
		case r >= 'A' && r <= 'Z':
			return r + 32
		}
		return r
	}, s)
}

// Who gets nothing from a route gets nothing by any trick either, and what the route is about
// is as it was.
func TestNoTrickGetsAnybodyFurther(t *testing.T) {
	l := newLab(t)
	rows := map[string]access{}
	for _, row := range accessTable() {
		rows[row.route] = row
	}
	tried := 0
	for _, route := range Routes() {
		row := rows[routeName(route)]
		words := strings.Fields(row.want)
		w := newWorld(t, l, route.Pattern)
		if row.needs != nil {
			row.needs(w)
		}
		path := w.path(route.Pattern)
		for n, caller := range accessCallers {
			if words[n] == "ok" || strings.HasPrefix(words[n], "400") {
				continue
			}
			token := w.tokens[caller]
			for _, tr := range tricks(w.idOf(token), w.tokens["the owner"]) {
				tried++
				if tr.name == "another case of the id" && routeName(route) == "PUT /buckets/{bucket}/objects/{object}" {
					continue // names an object that is not there, and anybody may make one
				}
				a := w.call(route.Method, tr.path(path, w.lastID(path)), token, w.unique(row.body), tr.header...)
				assert.GreaterOrEqual(t, a.StatusCode, 400, "%s by %s with %s: %s", routeName(route), caller, tr.name, a.text)
				assert.Less(t, a.StatusCode, 500, "%s by %s with %s: %s", routeName(route), caller, tr.name, a.text)
			}
		}
		if words[1] == "ok" { // the owner finds all as it was
			a := w.call(route.Method, path, w.tokens["the owner"], w.unique(row.body))
			assert.Equal(t, route.Status, a.StatusCode, "%s after all tricks: %s", routeName(route), a.text)
		}
	}
	require.Greater(t, tried, 4000)
	t.Logf("%d requests", tried)
}

// idOf is the id of a token's owner, or of nobody.
func (w *world) idOf(token string) string {
	if token == "" {
		return "nobody"
	}
	a := w.call("GET", "/api/apps/demo/users/me", token, "")
	if id := a.str("userID"); id != "" {
		return id
	}
	return "me"
}

// lastID is the last segment of a path that is an id, or a name, of something in this world.
func (w *world) lastID(path string) string {
	segments := strings.Split(path, "/")
	for i := len(segments) - 1; i >= 0; i-- {
		for name, value := range w.values {
			if value == segments[i] && name != "appID" {
				return value
			}
		}
	}
	return "demo"
}
