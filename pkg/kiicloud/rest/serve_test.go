package rest

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Each route is called by each kind of caller; who may not gets 401 or 403 and nothing else.
// Each call has a token of its own, since some routes end it.
func TestEveryRouteForEveryCaller(t *testing.T) {
	l := newLab(t)
	l.user("ann")
	l.thing("v")
	otherApp := []string{"X-Kii-AppID", "other", "X-Kii-AppKey", "other-key"}
	ann := func() string { return l.login("ann", "pw-ann") }
	callers := []struct {
		name  string
		kind  Callers
		token func() string
	}{
		{"nobody", ByNobody, func() string { return "" }},
		{"user", ByUser, ann},
		{"thing", ByThing, func() string { return l.login("VENDOR_THING_ID:v", "pw-v") }},
		{"administrator", ByAdmin, l.admin},
	}
	for _, route := range Routes() {
		path := strings.ReplaceAll(route.Pattern, "{appID}", "demo")
		path = regexp.MustCompile(`\{[^}]+\}`).ReplaceAllString(path, "x")
		for _, c := range callers {
			t.Run(route.Method+" "+route.Pattern+" by "+c.name, func(t *testing.T) {
				a := l.call(route.Method, path, c.token(), `{}`)
				refused := a.str("errorCode") == "WRONG_TOKEN" || strings.Contains(a.str("message"), "needs a token")
				allowed := route.Callers&(c.kind|ByNobody) != 0
				assert.Equal(t, allowed, !refused, a.text)
				assert.NotEqual(t, 405, a.StatusCode)
				assert.NotEqual(t, "NOT_FOUND", a.str("errorCode"), "the route exists")
			})
		}
		t.Run(route.Method+" "+route.Pattern+" for another app", func(t *testing.T) {
			user := ann()
			if route.Callers&ByNobody == 0 {
				a := l.call(route.Method, strings.Replace(path, "/demo", "/other", 1), user, `{}`, otherApp...)
				a.want(t, 403, "WRONG_TOKEN")
			}
			if strings.Contains(path, "/demo") {
				l.call(route.Method, path, user, `{}`, otherApp...).want(t, 403, "WRONG_APP")
			}
			for _, h := range [][2]string{{"X-Kii-AppKey", "wrong"}, {"X-Kii-AppKey", ""}, {"X-Kii-AppID", "unknown"}, {"X-Kii-AppID", ""}} {
				l.call(route.Method, path, user, `{}`, h[0], h[1]).want(t, 403, "WRONG_APP")
			}
		})
	}
}

func TestPathsAndMethods(t *testing.T) {
	l := newLab(t)
	_, ann := l.user("ann")
	cases := []struct {
		name, method, path string
		status             int
		code, allow        string
	}{
		{"as it is", "GET", "/api/apps/demo/users/me", 200, "", ""},
		{"double slashes", "GET", "/api//apps/demo//users///me", 200, "", ""},
		{"slash at the end", "GET", "/api/apps/demo/users/me/", 200, "", ""},
		{"a dot as an id", "GET", "/api/apps/demo/users/.", 404, "NOT_FOUND", ""},
		{"two dots as an id mean no parent", "DELETE", "/api/apps/demo/users/me/topics/..", 404, "NOT_FOUND", ""},
		{"two dots on the way", "DELETE", "/api/apps/demo/installations/../users/me", 404, "NOT_FOUND", ""},
		{"two dots at the root", "GET", "/api/../..", 404, "NOT_FOUND", ""},
		{"query", "GET", "/api/apps/demo/users/me?disable_cache=1700000000000", 200, "", ""},
		{"broken query", "GET", "/api/apps/demo/users/me?%zz&;", 200, "", ""},
		{"head", "HEAD", "/api/apps/demo/users/me", 200, "", ""},
		{"bucket path", "GET", "/api/apps/demo//buckets/notes/objects/none", 404, "OBJECT_NOT_FOUND", ""},
		{"nothing", "GET", "/api", 404, "NOT_FOUND", ""},
		{"escaped slash", "GET", "/api/apps/demo/users/a%2Fb", 404, "USER_NOT_FOUND", ""},
		{"escaped percent", "GET", "/api/apps/demo//users/a%25b", 404, "USER_NOT_FOUND", ""},
		{"wrong method", "PUT", "/api/apps/demo/users/me", 405, "METHOD_NOT_ALLOWED", "DELETE, GET, HEAD, OPTIONS, POST"},
		{"wrong method of two", "POST", "/api/apps/demo/installations/x", 405, "METHOD_NOT_ALLOWED", "DELETE, GET, HEAD, OPTIONS"},
		{"options without an origin", "OPTIONS", "/api/apps/demo/installations", 204, "", "OPTIONS, POST"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			a := l.call(c.method, c.path, ann, "")
			assert.Equal(t, c.status, a.StatusCode, a.text)
			assert.Equal(t, c.code, a.str("errorCode"))
			assert.Equal(t, c.allow, a.Header.Get("Allow"))
		})
	}
}

func TestAuthorizationHeader(t *testing.T) {
	l := newLab(t)
	_, ann := l.user("ann")
	for header, status := range map[string]int{
		"Bearer " + ann: 200, "bearer " + ann: 200, "BEARER  " + ann: 200, " bearer " + ann + " ": 200,
		"Basic " + ann: 401, ann: 401, "Bearer": 401, "Bearer ": 401, "Bearer undefined": 401, "Bearer " + ann + " x": 401,
	} {
		a := l.call("GET", "/api/apps/demo/users/me", "", "", "Authorization", header)
		assert.Equal(t, status, a.StatusCode, header)
		if status == 401 {
			assert.Equal(t, "Bearer", a.Header.Get("WWW-Authenticate"))
		}
	}
	stale := l.call("POST", "/api/oauth2/token", "stale", `{"username":"ann","password":"pw-ann"}`)
	assert.Equal(t, 200, stale.StatusCode, "an old token does not keep anybody from logging in")
}

func TestMalformedBodies(t *testing.T) {
	l := newLab(t)
	_, ann := l.user("ann")
	cases := []struct{ name, body, message string }{
		{"empty", "", "is empty"},
		{"blank", " \n", "is empty"},
		{"cut off", `{"deviceType":"MQ`, "line 1, column"},
		{"not JSON", "{\n  \"deviceType\": MQTT\n}", "line 2, column 17"},
		{"two values", `{"deviceType":"MQTT"} {}`, "line 1, column 23"},
		{"after umlauts", `{"ä":"ö" x}`, "line 1, column 10"},
		{"array", `[1]`, "must be a JSON object, not an array"},
		{"string", `"x"`, "must be a JSON object, not a string"},
		{"null", " null\n", "must be a JSON object, not a null"},
		{"wrong type", `{"deviceType":{"a":1}}`, "The field deviceType must not be an object"},
		{"wrong flag", "{\"development\":\"maybe\"}", "The field development must not be a string"},
		{"not UTF-8", "{\"deviceType\":\"\xff\"}", "not UTF-8"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			a := l.call("POST", "/api/apps/demo/installations", ann, c.body)
			a.want(t, 400, "INVALID_INPUT_DATA")
			assert.Contains(t, a.str("message"), c.message)
			assert.NotContains(t, a.str("message"), "installRequest", "no names of ours")
		})
	}
	for _, number := range []string{"1.5", "1e13", "1700000000000.0", "9223372036854775808", "-1e400"} {
		a := l.call("POST", "/api/oauth2/token", "", `{"username":"ann","password":"pw-ann","expiresAt":`+number+`}`)
		a.want(t, 400, "INVALID_INPUT_DATA")
		assert.Contains(t, a.str("message"), "The field expiresAt must be a whole number of at most 18 digits, without a fraction or an exponent, line 1, column")
	}
	for _, other := range []string{`"1"`, "true", "[1]"} {
		a := l.call("POST", "/api/oauth2/token", "", `{"username":"ann","password":"pw-ann","expiresAt":`+other+`}`)
		a.want(t, 400, "INVALID_INPUT_DATA")
		assert.Contains(t, a.str("message"), "The field expiresAt must not be a")
	}
	large := `{"deviceType":"MQTT","x":"` + strings.Repeat("x", MaxBody) + `"}`
	l.call("POST", "/api/apps/demo/installations", ann, large).want(t, 413, "REQUEST_TOO_LARGE")
}

func TestALargeBodyOfUnknownLengthIsCutOff(t *testing.T) {
	l := newLab(t)
	_, ann := l.user("ann")
	srv := httptest.NewServer(l.api)
	defer srv.Close()
	r, err := http.NewRequest("POST", srv.URL+"/api/apps/demo/installations", struct{ *strings.Reader }{strings.NewReader(`{"x":"` + strings.Repeat("x", 2*MaxBody))})
	require.NoError(t, err)
	r.ContentLength = -1
	r.Header.Set("X-Kii-AppID", "demo")
	r.Header.Set("X-Kii-AppKey", "demo-key")
	r.Header.Set("Authorization", "Bearer "+ann)
	res, err := srv.Client().Do(r)
	require.NoError(t, err)
	defer res.Body.Close()
	assert.Equal(t, 413, res.StatusCode)
}

func TestCORS(t *testing.T) {
	l := newLab(t)
	_, ann := l.user("ann")
	const allowed, path = "http://localhost:8080", "/api/apps/demo/installations/x"
	pre := func(origin string) answer {
		return l.call("OPTIONS", path, "", "", "Origin", origin, "X-Kii-AppID", "", "X-Kii-AppKey", "",
			"Access-Control-Request-Method", "DELETE", "Access-Control-Request-Headers", "authorization,x-kii-appid,x-kii-appkey,x-kii-sdk,content-type")
	}
	a := pre(allowed)
	assert.Equal(t, 204, a.StatusCode)
	assert.Equal(t, allowed, a.Header.Get("Access-Control-Allow-Origin"))
	assert.Contains(t, a.Header.Values("Vary"), "Origin")
	for _, m := range []string{"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"} {
		assert.Contains(t, strings.Split(a.Header.Get("Access-Control-Allow-Methods"), ", "), m)
	}
	for _, h := range []string{"X-Kii-AppID", "X-Kii-AppKey", "X-Kii-SDK", "Authorization", "Content-Type"} {
		assert.Contains(t, strings.Split(a.Header.Get("Access-Control-Allow-Headers"), ", "), h)
	}
	assert.Empty(t, a.Header.Get("Access-Control-Allow-Credentials"), "no cookies here")

	for _, origin := range []string{"https://evil.example", "null", "http://localhost:8080.evil.example"} {
		a := pre(origin)
		a.want(t, 403, "ORIGIN_NOT_ALLOWED")
		assert.Empty(t, a.Header.Get("Access-Control-Allow-Origin"))
		b := l.call("GET", path, ann, "", "Origin", origin)
		b.want(t, 403, "ORIGIN_NOT_ALLOWED")
		assert.Empty(t, b.Header.Get("Access-Control-Allow-Origin"))
	}
	b := l.call("GET", path, ann, "", "Origin", allowed) // failures can be read, too
	b.want(t, 404, "INSTALLATION_NOT_FOUND")
	assert.Equal(t, allowed, b.Header.Get("Access-Control-Allow-Origin"))
	for _, h := range []string{"X-MQTT-TTL", "Location", "Retry-After"} {
		assert.Contains(t, strings.Split(b.Header.Get("Access-Control-Expose-Headers"), ", "), h)
	}
	assert.Empty(t, l.call("GET", path, ann, "").Header.Get("Access-Control-Allow-Origin"))
}

func TestAPanicIsAnAnswer(t *testing.T) {
	l := newLab(t)
	_, ann := l.user("ann")
	id, _ := l.install(ann)
	l.engine.panicky = true
	a := l.call("GET", "/api/apps/demo/installations/"+id+"/mqtt-endpoint", ann, "", "Origin", "http://localhost:8080")
	a.want(t, 500, "INTERNAL_SERVER_ERROR")
	assert.NotContains(t, a.text, "secret-panic-detail")
	assert.NotContains(t, a.text, "goroutine")
	assert.NotEmpty(t, a.Header.Get("Access-Control-Allow-Origin"), "a page can read it")
	assert.Contains(t, l.log.String(), "secret-panic-detail")
	assert.Contains(t, l.log.String(), "stack=")
	assert.Contains(t, l.log.String(), "status=500")
}

func TestSecretsNeverReachTheLog(t *testing.T) {
	l := newLab(t)
	id, ann := l.user("ann")
	l.user("secretive")
	admin := l.admin()
	inst, _ := l.install(ann)
	l.call("POST", "/api/oauth2/token?password=pw-in-query", "", `{"username":"ann","password":"wrong-pw"}`)
	l.call("POST", "/api/oauth2/token", "", `{"username":"ann","password":"pw-broken-json"`)
	l.call("POST", "/api/oauth2/token", "", `{"username":"ann","password":["pw-wrong-type"]}`)
	l.call("POST", "/api/oauth2/token", "", `{"client_id":"root","client_secret":"wrong-secret"}`)
	l.call("POST", "/api/apps/demo/users", "", `{"loginName":"x y","password":"pw-invalid-name"}`)
	l.call("GET", "/api/apps/demo/users/me", "bad-token", "")
	e := l.call("GET", "/api/apps/demo/installations/"+inst+"/mqtt-endpoint?access_token="+ann, ann, "")
	l.call("POST", "/api/apps/demo/users/"+id+"/push/messages", admin, `{"data":{"m":"private-text"},"mqtt":{}}`)
	l.call("GET", "/api/apps/demo/nothing/"+ann, ann, "")
	l.engine.panicky = true
	l.call("GET", "/api/apps/demo/installations/"+inst+"/mqtt-endpoint", ann, "")
	l.call("DELETE", "/api/apps/demo/installations/"+inst, ann, "")

	log := l.log.String()
	require.Contains(t, log, "route=/api/oauth2/token status=400")
	for _, secret := range []string{ann, admin, "pw-", "wrong-pw", "root-secret", "wrong-secret", "bad-token", "demo-key",
		"mqtt-password", e.str("mqttTopic"), "private-text", "access_token"} {
		assert.NotContains(t, log, secret)
	}
}

// A client that breaks off in the middle of its body is not an error of ours.
func TestABrokenOffRequestIsNoServerError(t *testing.T) {
	l := newLab(t)
	srv := httptest.NewServer(l.api)
	defer srv.Close()
	conn, err := net.Dial("tcp", srv.Listener.Addr().String())
	require.NoError(t, err)
	fmt.Fprintf(conn, "POST /api/oauth2/token HTTP/1.1\r\nHost: x\r\nX-Kii-AppID: demo\r\nX-Kii-AppKey: demo-key\r\nContent-Length: 100\r\n\r\n{\"user")
	conn.(*net.TCPConn).CloseWrite()
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	defer conn.Close()
	defer res.Body.Close()
	assert.Equal(t, 400, res.StatusCode)
	assert.NotContains(t, l.log.String(), "level=ERROR")
}

// A method is any word: one that no route knows fills neither the log nor the answer.
func TestALongMethodIsToldOfInShort(t *testing.T) {
	l := newLab(t)
	a := l.call(strings.Repeat("M", 10_000), "/api/apps/demo/users/me", "", "")
	a.want(t, 405, "METHOD_NOT_ALLOWED")
	assert.Less(t, len(a.text), 300)
	assert.Contains(t, l.log.String(), "method=MMMM")
	assert.Less(t, len(l.log.String()), 1000)
}
