package compat

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/tests/browser/chrome"
)

//go:embed script.js
var script string

// side is one of the two libraries: a page with it, and a cloud of its own, so that all names
// can be the same on both sides.
type side struct {
	t   *testing.T
	r   *relay
	tab *chrome.Tab
	ids map[string]string // what the server has made up -> what stands for it
	n   map[string]int    // how many of each kind
}

// step is one call of script.js.
type step struct {
	Name      string
	Deviation string
}

// run is what a step came to on one side, with the same words for the same thing on both.
type run struct {
	Outcome map[string]any
	Wire    []string // a line for each request
}

func newSide(t *testing.T, b *chrome.Browser, src string) *side {
	t.Helper()
	s := &side{t: t, r: newRelay(t, "-admin", "admin:a long enough secret"), ids: map[string]string{}, n: map[string]int{}}
	s.tab = b.Tab(t)
	s.tab.Open(s.r.url)
	s.tab.Eval(`new Promise((resolve, reject) => document.head.append(Object.assign(document.createElement("script"),
		{ src: `+strconv.Quote(src)+`, onload: resolve, onerror: reject })))`, nil)
	s.tab.Eval(script+"; undefined", nil)
	return s
}

// begin prepares the steps in a style, "callback" or "promise".
func (s *side) begin(style string) []step {
	s.t.Helper()
	options, err := json.Marshal(map[string]string{
		"appID": "demo", "appKey": "demo-key", "api": s.r.url + "/api",
		"clientID": s.r.Ready.ClientID, "clientSecret": s.r.Ready.ClientSecret, "style": style,
	})
	require.NoError(s.t, err)
	var steps []step
	s.tab.Eval(`globalThis.steps = makeSteps(`+string(options)+`); steps.map(([Name, Deviation]) => ({ Name, Deviation }))`, &steps)
	return steps
}

// do runs step number i. With straggler it waits for a request that comes after the step's end.
func (s *side) do(i int, style string, straggler bool) run {
	s.t.Helper()
	s.r.drain()
	var outcome json.RawMessage
	s.tab.Eval(fmt.Sprintf(`runStep(steps[%d], %q)`, i, style), &outcome)
	if straggler {
		require.Eventually(s.t, func() bool { return s.r.count() > 0 }, patience, time.Millisecond, "step %d sends nothing", i)
	}
	exchanges := s.r.drain()
	for _, e := range exchanges {
		if e.status < 300 { // errors repeat what the caller made up
			s.learn(e.answer, straggler)
		}
	}
	var r run
	for _, e := range exchanges {
		r.Wire = append(r.Wire, s.wireOf(e))
	}
	require.NoError(s.t, json.Unmarshal([]byte(s.plain(string(outcome))), &r.Outcome), "%s", outcome)
	return r
}

// made are the fields of answers whose values the server makes up.
var made = []string{
	"userID", "id", "access_token", "_accessToken", "_thingID", "installationID", "installationRegistrationID",
	"username", "password", "mqttTopic", "pushMessageID", "portTCP", "portSSL", "portWS", "portWSS",
}

// learn finds out what stands for what. What comes of a request that only one side sends is not
// numbered.
func (s *side) learn(said string, straggler bool) {
	var fields map[string]any
	if json.Unmarshal([]byte(said), &fields) != nil {
		return
	}
	for _, name := range made {
		value, ok := fields[name]
		text := fmt.Sprint(value)
		if number, is := value.(float64); is {
			text = strconv.FormatFloat(number, 'f', -1, 64)
		}
		const short = 16 // what is shorter is no id of the server's, but a script's own
		if _, known := s.ids[text]; !ok || known || text == s.r.Ready.ClientID || len(text) < short && !strings.HasPrefix(name, "port") {
			continue
		}
		if straggler {
			s.ids[text] = "<" + name + " of a straggler>"
			continue
		}
		s.n[name]++
		s.ids[text] = fmt.Sprintf("<%s %d>", name, s.n[name])
	}
}

var moments = regexp.MustCompile(`"(_created|expiresAt|fetchedAt)":\d+`)

// plain puts in the same words what differs by nature.
func (s *side) plain(text string) string {
	known := make([]string, 0, len(s.ids))
	for id := range s.ids {
		known = append(known, id)
	}
	sort.Slice(known, func(i, j int) bool { return len(known[i]) > len(known[j]) })
	pairs := []string{s.r.url + "/api", "<api>"}
	for _, id := range known {
		if _, err := strconv.Atoi(id); err == nil { // a port
			pairs = append(pairs, ":"+id, `:"`+s.ids[id]+`"`)
			continue
		}
		pairs = append(pairs, id, s.ids[id])
	}
	return moments.ReplaceAllString(strings.NewReplacer(pairs...).Replace(text), `"$1":"a moment"`)
}

var cacheBuster = regexp.MustCompile(`[?&]disable_cache=\d+`)

// wireOf tells of a request all that matters. What Kii's SDK always does otherwise, and
// TestAlwaysOtherwise is about, is not in it.
func (s *side) wireOf(e exchange) string {
	path := strings.Replace(cacheBuster.ReplaceAllString(e.path, ""), "/apps/demo//", "/apps/demo/", 1)
	line := e.method + " " + path + " " + e.header.Get("X-Kii-AppID") + ":" + e.header.Get("X-Kii-AppKey")
	if a := e.header.Get("Authorization"); a != "" {
		scheme, token, _ := strings.Cut(a, " ")
		line += " " + strings.ToLower(scheme) + " " + token
	}
	if e.body != "" {
		line += " " + e.header.Get("Content-Type") + " " + sortedJSON(e.body)
	}
	return s.plain(line)
}

func sortedJSON(text string) string {
	var value any
	if json.Unmarshal([]byte(text), &value) != nil {
		return text
	}
	b, err := json.Marshal(value)
	if err != nil {
		return text
	}
	return string(b)
}
