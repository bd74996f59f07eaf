package browser_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/mqtt"
	"github.com/kiiweb/kiiweb/tests/browser/chrome"
	"github.com/kiiweb/kiiweb/tests/cloud"
	"github.com/kiiweb/kiiweb/tests/relay"
)

var fights = flag.String("fights", "", "have all clients fight for half a minute, and write the result to this file")

// mostConnects is how often two kiiwebs with one endpoint may connect in all, however
// long they are left alone.
const mostConnects = 6

// fighter is a client with the version of MQTT that it is to speak.
type fighter struct {
	client   string // a file of the folder fight
	name     string
	version  int  // 5, or 4 for 3.1.1
	wordless bool // the broker closes without saying why, as most do before MQTT 5
}

var kiiwebs = []fighter{{"kiiweb", "kiiweb", 5, false}, {"kiiweb", "kiiweb", 4, false}, {"kiiweb", "kiiweb", 4, true}}

// others are what users have elsewhere, as they come.
var others = []fighter{{"mqttjs", "MQTT.js", 5, false}, {"mqttjs", "MQTT.js", 4, true}, {"paho", "Paho JS", 4, true}}

func (f fighter) String() string {
	s := f.name + ", MQTT " + map[int]string{5: "5", 4: "3.1.1"}[f.version]
	if f.wordless {
		s += ", closed without a word"
	}
	return s
}

// fought is what came of two tabs in two profiles that had one endpoint.
type fought struct {
	fighter
	connects [2]int    // of each tab
	states   [2]string // at the end
	sent     int       // pushes meanwhile, one a second
	arrived  int       // of these, in any of the two tabs
	repeated int       // arrivals beyond the first of a push
}

func (f fought) together() int { return f.connects[0] + f.connects[1] }

// TestTwoTabsWithOneEndpoint: in two profiles, which know nothing of each other, so that only
// the broker tells. kiiweb does not fight.
func TestTwoTabsWithOneEndpoint(t *testing.T) {
	contest, span := kiiwebs, 8*time.Second
	if *fights != "" {
		contest, span = append(contest, others...), 30*time.Second
	}
	s := newSite(t)
	var results []fought
	for _, f := range contest {
		t.Run(f.String(), func(t *testing.T) {
			on := *s
			on.t = t
			result := on.fight(f, span)
			t.Logf("CONNECTs %v, in the end %v, of %d pushes %d arrived, %d again", result.connects, result.states,
				result.sent, result.arrived, result.repeated)
			results = append(results, result)
			if f.client == "kiiweb" {
				assert.LessOrEqual(t, result.together(), mostConnects)
				assert.Equal(t, result.sent, result.arrived, "one of them keeps working")
			}
		})
	}
	if *fights != "" && !t.Failed() {
		require.NoError(t, os.WriteFile(filepath.Join(cloud.Root(), *fights), []byte(fightsDocument(results, span)), 0o644))
	}
}

// fight has two tabs connect one after the other, and watches them for span.
func (s *site) fight(f fighter, span time.Duration) fought {
	u := s.NewUser()
	endpoint := s.endpointOf(u)
	script := bundled(s.t, f.client)
	var tabs [2]*chrome.Tab
	var relays [2]*relay.Relay
	for i := range tabs {
		relays[i] = relay.Start(s.t, "http://127.0.0.1:"+strconv.Itoa(s.Ready.PortWS))
		if f.wordless {
			relays[i].Wordless()
		}
		tabs[i] = s.browser.Tab(s.t)
		tabs[i].Open("http://localhost:" + strconv.Itoa(relays[i].Port()) + relay.Blank)
		tabs[i].Eval(script+"\n0", nil)
		options, err := json.Marshal(map[string]any{"endpoint": endpoint, "port": relays[i].Port(), "version": f.version})
		require.NoError(s.t, err)
		tabs[i].Eval("Promise.resolve(fight("+string(options)+")).then(() => 0)", nil)
		require.Eventually(s.t, func() bool { return len(relays[i].Sent(mqtt.SUBSCRIBE)) > 0 }, patience, 10*time.Millisecond)
	}
	result := fought{fighter: f}
	pace := time.NewTicker(time.Second)
	defer pace.Stop()
	for began := time.Now(); time.Since(began) < span; <-pace.C {
		s.Push(u, map[string]any{"text": strconv.Itoa(result.sent)})
		result.sent++
	}
	look := func() bool {
		for i, r := range relays {
			result.connects[i] = len(r.Sent(mqtt.CONNECT))
			tabs[i].Eval("fighter.state()", &result.states[i])
		}
		states := result.states[0] + " " + result.states[1]
		return states == "online displaced" || states == "displaced online"
	}
	if !look() && f.client == "kiiweb" { // by now, or soon: the waits are random
		require.Eventually(s.t, look, patience, 50*time.Millisecond)
	}
	result.count(s.t, tabs, f.client == "kiiweb")
	for _, tab := range tabs {
		tab.Open("about:blank")
	}
	return result
}

// count looks at what has arrived; where all of it has to, it is waited for.
func (f *fought) count(t *testing.T, tabs [2]*chrome.Tab, wait bool) {
	look := func() bool {
		seen := map[string]int{}
		f.repeated = 0
		for _, tab := range tabs {
			var got []string
			tab.Eval("fighter.got", &got)
			for _, text := range got {
				if seen[text]++; seen[text] > 1 {
					f.repeated++
				}
			}
		}
		f.arrived = len(seen)
		return f.arrived == f.sent
	}
	if !look() && wait {
		require.Eventually(t, look, patience, 50*time.Millisecond)
	}
}

// endpointOf installs a user by REST and gives the endpoint as the cloud does.
func (s *site) endpointOf(u cloud.User) map[string]any {
	base := "/apps/" + s.Ready.AppID + "/installations"
	_, installation := s.Call("POST", base, u.Token, "application/vnd.kii.InstallationCreationRequest+json",
		map[string]any{"deviceType": "MQTT", "development": false})
	var endpoint map[string]any
	require.Eventually(s.t, func() bool {
		var status int
		status, endpoint = s.Call("GET", base+"/"+installation["installationID"].(string)+"/mqtt-endpoint", u.Token, "", nil)
		return status == 200
	}, patience, 50*time.Millisecond)
	return endpoint
}

// bundled is a client's script with the client in it.
func bundled(t *testing.T, client string) string {
	command := exec.Command("go", "tool", "esbuild", "--bundle", "--format=iife", "--target=es2022", "--platform=browser",
		"--log-level=warning", "--define:global=globalThis", "--external:/kiiweb/*", "./tests/browser/fight/"+client+".js")
	command.Dir = cloud.Root()
	command.Env = append(os.Environ(), "NODE_PATH="+filepath.Join(cloud.Root(), "bench", "node_modules"))
	command.Stderr = os.Stderr
	script, err := command.Output()
	require.NoError(t, err, "is bench/node_modules there? make deps installs it")
	return string(script)
}

func fightsDocument(results []fought, span time.Duration) string {
	var b strings.Builder
	fmt.Fprintf(&b, `# Two tabs with one endpoint

Kii allows one connection per user: the broker ends the older one when a newer one with the same client identifier comes. A client
that takes that for a failure of the network connects again, and so ends the other, which does the same. Here two tabs in two
profiles of one Chromium, which know nothing of each other, get the same endpoint; the second connects when the first has
subscribed, then both are left alone for %d seconds, in which one push a second is sent. The broker is the local cloud, and each client
reconnects as it does when nothing else is said (Paho with its option reconnect). Before MQTT 5 a broker cannot say why it ends a connection; the local
cloud says so in the WebSocket's closing handshake, others close without a word. Written by `+"`make displacement`"+`.

| client | CONNECTs of the tabs | together | in the end they are | pushes sent | arrived | arrived again |
|---|---|---|---|---|---|---|
`, int(span.Seconds()))
	for _, f := range results {
		fmt.Fprintf(&b, "| %s | %d and %d | %d | %s, %s | %d | %d | %d |\n", f.fighter,
			f.connects[0], f.connects[1], f.together(), f.states[0], f.states[1], f.sent, f.arrived, f.repeated)
	}
	b.WriteString("\nA push counts as arrived when any of the two tabs got it, and as arrived again with each further time.\n")
	return b.String()
}
