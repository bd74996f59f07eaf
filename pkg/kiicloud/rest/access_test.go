package rest

import (
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// access is a line of the table: what each caller gets from one route.
type access struct {
	route string       // method and pattern, without /api/apps/{appID}
	body  string       // {new} stands for a name that nobody has, {number} for a number
	needs func(*world) // makes what the path names
	// A word for each of accessCallers: ok is the route's success; 401 is UNAUTHORIZED,
	// 403 WRONG_TOKEN; others are status:code.
	want string
}

// Each route is called by each kind of caller.
func TestAccess(t *testing.T) {
	l := newLab(t)
	table := map[string]access{}
	for _, row := range accessTable() {
		require.NotContains(t, table, row.route)
		table[row.route] = row
	}
	for _, route := range Routes() {
		name := routeName(route)
		row, ok := table[name]
		if !assert.True(t, ok, "the access table has no line for %s", name) {
			continue
		}
		delete(table, name)
		want := strings.Fields(row.want)
		require.Len(t, want, len(accessCallers), name)
		for n, caller := range accessCallers {
			t.Run(name+" by "+caller, func(t *testing.T) {
				assert.Equal(t, want[n], observe(t, l, route, row, caller))
			})
		}
	}
	assert.Empty(t, table, "lines for routes that do not exist")
}

// observe makes one call in a world of its own and gives the word for its outcome.
func observe(t *testing.T, l *lab, route Route, row access, caller string) string {
	w := newWorld(t, l, route.Pattern)
	if row.needs != nil {
		row.needs(w)
	}
	a := w.call(route.Method, w.path(route.Pattern), w.tokens[caller], w.unique(row.body))
	code := a.str("errorCode")
	switch {
	case a.StatusCode == route.Status:
		return "ok"
	case a.StatusCode == 401 && code == "UNAUTHORIZED":
		return "401"
	case a.StatusCode == 403 && code == "WRONG_TOKEN":
		return "403"
	}
	return strconv.Itoa(a.StatusCode) + ":" + code
}

func routeName(r Route) string { return r.Method + " " + strings.TrimPrefix(r.Pattern, inApp) }
