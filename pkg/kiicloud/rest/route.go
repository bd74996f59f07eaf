package rest

import (
	"net/http"
	"slices"
	"sort"
	"strings"
)

// Callers is a set of kinds of caller.
type Callers uint8

// The kinds of caller. Every caller names the app and its key.
const (
	ByNobody Callers = 1 << iota // no token is asked for, and one that comes along is not looked at
	ByUser
	ByThing
	ByAdmin

	byOwner    = ByUser | ByThing           // who can be installed and subscribe
	byAnyToken = ByUser | ByThing | ByAdmin // who may use what is found is decided later
)

// Route is one call of the API.
type Route struct {
	Method   string
	Pattern  string // as http.ServeMux has it, without the method
	Callers  Callers
	Status   int    // of success
	Produces string // content type of success, "" for no body
	Summary  string

	handle func(*API, *call) (any, error) // gives the body of success
}

const (
	inApp = "/api/apps/{appID}"

	typeJSON = "application/json"
)

// Routes gives all calls of the API. A path that several methods share has a line for each.
func Routes() []Route {
	return slices.Concat(loginRoutes(), userRoutes(), thingRoutes(), installationRoutes(), topicRoutes(), bucketRoutes())
}

// router makes a mux of the routes that answers in JSON even where it has no route.
func (a *API) router(routes []Route) *http.ServeMux {
	byPattern := map[string]map[string]Route{}
	for _, r := range routes {
		if byPattern[r.Pattern] == nil {
			byPattern[r.Pattern] = map[string]Route{}
		}
		byPattern[r.Pattern][r.Method] = r
	}
	mux := http.NewServeMux()
	for pattern, methods := range byPattern {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { a.dispatch(w, r, methods) })
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		nothingHere().write(w)
	})
	return mux
}

func nothingHere() *failure {
	return notFound("NOT_FOUND", "There is nothing at this path. The API begins at /api/apps/{appID}.")
}

// dispatch picks the route by method; HEAD is GET without the body, which the server leaves
// out, and clients that cannot send PATCH, as the official SDK, name it in a POST's header.
func (a *API) dispatch(w http.ResponseWriter, r *http.Request, methods map[string]Route) {
	method := r.Method
	if method == http.MethodPost && strings.EqualFold(r.Header.Get("X-HTTP-Method-Override"), http.MethodPatch) {
		method = http.MethodPatch
	}
	if _, ok := methods[method]; !ok && method == http.MethodHead {
		method = http.MethodGet
	}
	route, ok := methods[method]
	if ok {
		a.serve(w, r, route)
		return
	}
	allowed := []string{"OPTIONS"}
	for m := range methods {
		allowed = append(allowed, m)
		if m == http.MethodGet {
			allowed = append(allowed, http.MethodHead)
		}
	}
	sort.Strings(allowed)
	w.Header().Set("Allow", strings.Join(slices.Compact(allowed), ", "))
	if r.Method == http.MethodOptions {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	fail(http.StatusMethodNotAllowed, "METHOD_NOT_ALLOWED", "This path does not know the method "+shortMethod(r.Method)+"; it knows those that the header Allow names.").write(w)
}

// serve runs a route for a caller who may call it.
func (a *API) serve(w http.ResponseWriter, r *http.Request, route Route) {
	setRoute(w, route)
	c := &call{w: w, r: r, status: route.Status, produces: route.Produces}
	body, err := a.run(c, route)
	c.answering()
	switch {
	case err != nil:
		a.explain(c, err).write(w)
	case c.produces == "":
		w.WriteHeader(c.status)
	default:
		writeJSON(w, c.status, c.produces, body)
	}
}

func (a *API) run(c *call, route Route) (any, error) {
	if err := a.identify(c, route.Callers); err != nil {
		return nil, err
	}
	return route.handle(a, c)
}
