package browser_test

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/mqtt"
	"github.com/kiiweb/kiiweb/tests/relay"
)

// stubBroker speaks MQTT as far as these tests go, to whoever comes, and does what a broker that users have would not. Its
// pages are the cloud's, since those of the cloud itself may connect nowhere else.
type stubBroker struct {
	t     *testing.T
	codec mqtt.Codec
	pace  int // bytes that it reads in a second; 0: any number
	url   *url.URL
	reply []mqtt.Packet // to the first PUBLISH
	done  chan struct{} // closed when all of that is written: Done is answered

	mu   sync.Mutex
	came map[mqtt.Type]int // packets, by type
}

// stubDone is a path that it answers when its reply is written.
const stubDone = "/done"

func (s *site) stubBroker(version mqtt.Version, pace int, reply ...mqtt.Packet) *stubBroker {
	t := s.t
	t.Helper()
	upstream, err := url.Parse("http://127.0.0.1:" + strconv.Itoa(s.Ready.PortWS))
	require.NoError(t, err)
	pages := httputil.NewSingleHostReverseProxy(upstream)
	codec, err := mqtt.NewCodec(version)
	require.NoError(t, err)
	b := &stubBroker{t: t, codec: codec, pace: pace, reply: reply, done: make(chan struct{}), came: map[mqtt.Type]int{}}
	var running sync.WaitGroup
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == relay.Blank:
			w.Header().Set("Content-Type", "text/html")
			_, _ = w.Write([]byte("<!doctype html>\n<link rel=\"icon\" href=\"data:,\">\n"))
			return
		case r.URL.Path == stubDone:
			select {
			case <-b.done:
			case <-r.Context().Done():
			}
			return
		case !websocket.IsWebSocketUpgrade(r):
			pages.ServeHTTP(w, r)
			return
		}
		running.Add(1)
		defer running.Done()
		upgrader := websocket.Upgrader{Subprotocols: []string{"mqtt"}, CheckOrigin: func(*http.Request) bool { return true }}
		if conn, err := upgrader.Upgrade(w, r, nil); err == nil {
			defer conn.Close()
			stop := make(chan struct{})
			defer close(stop)
			go func() {
				select {
				case <-t.Context().Done():
					_ = conn.Close()
				case <-stop:
				}
			}()
			b.serve(conn)
		}
	}))
	server.Start()
	t.Cleanup(func() { server.Close(); running.Wait() })
	b.url, err = url.Parse(server.URL)
	require.NoError(t, err)
	return b
}

func (b *stubBroker) serve(conn *websocket.Conn) {
	splitter := mqtt.NewSplitter(1 << 20)
	for {
		_, message, err := conn.ReadMessage()
		if err != nil {
			return
		}
		if b.pace > 0 {
			time.Sleep(time.Duration(len(message)) * time.Second / time.Duration(b.pace)) // it is the slow network
		}
		splitter.Feed(message)
		for {
			pkt, err := splitter.Next()
			if pkt == nil || err != nil {
				break
			}
			if !b.answer(conn, pkt) {
				return
			}
		}
	}
}

func (b *stubBroker) answer(conn *websocket.Conn, pkt []byte) bool {
	var answers []mqtt.Packet
	kind := mqtt.PacketTypeOf(pkt)
	switch kind {
	case mqtt.CONNECT:
		answers = []mqtt.Packet{&mqtt.Connack{}}
	case mqtt.SUBSCRIBE:
		p, err := b.codec.Decode(pkt, mqtt.FromClient)
		if err != nil {
			return false
		}
		answers = []mqtt.Packet{&mqtt.Suback{PacketID: p.(*mqtt.Subscribe).PacketID, ReasonCodes: []mqtt.ReasonCode{mqtt.GrantedQoS1}}}
	case mqtt.PINGREQ:
		answers = []mqtt.Packet{&mqtt.Pingresp{}}
	}
	b.mu.Lock()
	b.came[kind]++
	first := kind == mqtt.PUBLISH && b.came[kind] == 1
	b.mu.Unlock()
	if first {
		answers = b.reply
		defer close(b.done)
	}
	var frames [][]byte
	for _, p := range answers {
		same, ok := p.(behind)
		if ok {
			p = same.Packet
		} else {
			frames = append(frames, nil)
		}
		last := &frames[len(frames)-1]
		var err error
		if *last, err = b.codec.Append(*last, p); err != nil {
			return false
		}
	}
	for _, frame := range frames {
		if conn.WriteMessage(websocket.BinaryMessage, frame) != nil {
			return false
		}
	}
	return true
}

// behind is a packet that comes in one frame with the one before.
type behind struct{ mqtt.Packet }

func (b *stubBroker) count(kind mqtt.Type) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.came[kind]
}

// page opens a page that is connected to it.
func (b *stubBroker) page(s *site, keepAlive int) *page {
	s.t.Helper()
	tab := s.browser.Tab(s.t)
	tab.Open("http://localhost:" + b.url.Port() + relay.Blank)
	p := &page{Tab: tab, t: s.t, host: s.host}
	p.prepare()
	p.eval(`const endpoint = { installationID: "i", username: "u", password: "p", mqttTopic: "t", host: "localhost", portWS: `+b.url.Port()+` };
		attach(await kii.connect(endpoint, { keepAlive: `+strconv.Itoa(keepAlive)+`, protocol: `+strconv.Itoa(int(b.codec.Version()))+` }))`, nil)
	return p
}
