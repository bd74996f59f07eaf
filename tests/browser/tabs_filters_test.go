package browser_test

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/mqtt"
)

// generous is the cloud but for its broker: this one grants every topic filter, keeps no session, and sends nothing.
type generous struct {
	t       *testing.T
	running sync.WaitGroup

	mu      sync.Mutex
	over    bool
	clients []*websocket.Conn
	filters map[string]bool // of the client that came last
}

// generous has pages come through a port of its own.
func (s *sharing) generous() *generous {
	s.t.Helper()
	cloud, err := url.Parse("http://127.0.0.1:" + strconv.Itoa(s.Ready.PortWS))
	require.NoError(s.t, err)
	g := &generous{t: s.t, filters: map[string]bool{}}
	pages := httputil.NewSingleHostReverseProxy(cloud)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if websocket.IsWebSocketUpgrade(r) {
			g.upgrade(w, r)
			return
		}
		pages.ServeHTTP(w, r)
	}))
	s.t.Cleanup(func() {
		g.stop()
		server.CloseClientConnections()
		server.Close()
	})
	at, err := url.Parse(server.URL)
	require.NoError(s.t, err)
	s.origin = "http://localhost:" + at.Port()
	return g
}

func (g *generous) upgrade(w http.ResponseWriter, r *http.Request) {
	upgrader := websocket.Upgrader{Subprotocols: []string{"mqtt"}}
	client, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return // it has gone
	}
	defer client.Close()
	g.mu.Lock()
	if g.over {
		g.mu.Unlock()
		return
	}
	g.clients = append(g.clients, client)
	g.running.Add(1)
	g.mu.Unlock()
	defer g.running.Done()
	g.serve(client)
}

func (g *generous) stop() {
	g.mu.Lock()
	g.over = true
	for _, client := range g.clients {
		_ = client.Close()
	}
	g.mu.Unlock()
	g.running.Wait()
}

// serve answers a client until it goes.
func (g *generous) serve(client *websocket.Conn) {
	codec, err := mqtt.NewCodec(mqtt.V5)
	assert.NoError(g.t, err)
	split := mqtt.NewSplitter(0)
	for {
		_, frame, err := client.ReadMessage()
		if err != nil {
			return
		}
		split.Feed(frame)
		for {
			pkt, err := split.Next()
			if !assert.NoError(g.t, err) {
				return
			}
			if pkt == nil {
				break
			}
			p, err := codec.Decode(pkt, mqtt.FromClient)
			if !assert.NoError(g.t, err) {
				return
			}
			answer := g.answer(p)
			if answer == nil {
				continue
			}
			b, err := codec.Append(nil, answer)
			if !assert.NoError(g.t, err) || client.WriteMessage(websocket.BinaryMessage, b) != nil {
				return
			}
		}
	}
}

func (g *generous) answer(p mqtt.Packet) mqtt.Packet {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch p := p.(type) {
	case *mqtt.Connect:
		clear(g.filters)
		return &mqtt.Connack{}
	case *mqtt.Subscribe:
		s := p.Subscriptions[0]
		g.filters[s.Filter] = true
		return &mqtt.Suback{PacketID: p.PacketID, ReasonCodes: []mqtt.ReasonCode{mqtt.ReasonCode(s.QoS)}}
	case *mqtt.Unsubscribe:
		delete(g.filters, p.Filters[0])
		return &mqtt.Unsuback{PacketID: p.PacketID, ReasonCodes: []mqtt.ReasonCode{mqtt.Success}}
	case *mqtt.Pingreq:
		return &mqtt.Pingresp{}
	}
	return nil
}

// await waits until the client is subscribed to these filters besides its own topic, and no others.
func (g *generous) await(want ...string) {
	g.t.Helper()
	require.EventuallyWithT(g.t, func(c *assert.CollectT) {
		g.mu.Lock()
		have := slices.Sorted(maps.Keys(g.filters))
		g.mu.Unlock()
		have = slices.DeleteFunc(have, func(filter string) bool { return !strings.HasSuffix(filter, "/+") })
		assert.Equal(c, want, have)
	}, patience, 10*time.Millisecond)
}

// TestFiltersEndWithTheirTab: a tab that is closed, or is killed, or whose page is left, leaves no subscription of its own
// behind, and one that comes back has its own again.
func TestFiltersEndWithTheirTab(t *testing.T) {
	s := newSite(t).sharing()
	g := s.generous()
	s.open()
	one, two, three := s.open(), s.open(), s.open()
	for p, filters := range map[*tabPage][]string{one: {"all/+", "one/+"}, two: {"all/+", "two/+"}, three: {"all/+"}} {
		for _, filter := range filters {
			p.eval(`await connection.subscribe(`+quote(filter)+`)`, nil)
		}
	}
	g.await("all/+", "one/+", "two/+")
	one.Close()
	g.await("all/+", "two/+")

	two.Open(s.origin + "/kiiweb/build-info.json?elsewhere")
	g.await("all/+")
	two.Eval(`history.back(); 0`, nil)
	g.await("all/+", "two/+")

	four := s.open()
	four.eval(`await connection.subscribe("four/+")`, nil)
	g.await("all/+", "four/+", "two/+")
	go func() { _ = four.TryRun(chromedp.Navigate("chrome://kill")) }() // never answers
	g.await("all/+", "two/+")

	two.eval(`await connection.close()`, nil)
	g.await("all/+")
}
