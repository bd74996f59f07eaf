package browser_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/mqtt"
)

// TestMuchAtQoS0OverASlowNetwork: browsers and systems take megabytes ahead of what the network does, and a PINGREQ is behind
// them. That its answer takes so long does not mean that the connection is dead.
func TestMuchAtQoS0OverASlowNetwork(t *testing.T) {
	s := newSite(t)
	const messages, size, pace, keepAlive = 5000, 1000, 400 << 10, 4
	b := s.stubBroker(mqtt.V311, pace)
	p := b.page(s, keepAlive)
	began := time.Now()
	p.Eval(`(async () => {
		const payload = new Uint8Array(1000);
		for (let n = 0; n < 50; n++) {
			await Promise.all(Array.from({ length: 100 }, () => connection.publish("up", payload, { qos: 0 })));
		}
	})(); 0`, nil)
	require.Eventually(t, func() bool { return b.count(mqtt.PUBLISH) == messages || p.states() != "" }, 3*patience, 50*time.Millisecond)
	t.Logf("%d messages of %d bytes in %v, with %d PINGREQ", b.count(mqtt.PUBLISH), size, time.Since(began), b.count(mqtt.PINGREQ))
	assert.Greater(t, time.Since(began), 2*keepAlive*time.Second, "it was slow enough")
	assert.Empty(t, p.states(), "the connection stands")
	assert.Equal(t, messages, b.count(mqtt.PUBLISH))
	assert.Equal(t, 1, b.count(mqtt.CONNECT))
}

// TestWhatIsTooLargeIsCounted: before MQTT 5 it is passed over, and the page can see how often that was.
func TestWhatIsTooLargeIsCounted(t *testing.T) { onEachHost(t, whatIsTooLarge) }

func whatIsTooLarge(t *testing.T, s *site) {
	large := func(id uint16) *mqtt.Publish {
		return &mqtt.Publish{Topic: "t", QoS: 1, PacketID: id, Payload: []byte(strings.Repeat("x", 1<<20+1<<16))}
	}
	b := s.stubBroker(mqtt.V311, 0, large(1), large(2), &mqtt.Publish{Topic: "t", QoS: 1, PacketID: 3, Payload: []byte(`{"text":"small"}`)})
	p := b.page(s, far)
	p.eval(`await connection.publish("go", "", { qos: 0 })`, nil)
	p.awaitTexts("small")
	p.await(`connection.dropped === 2`)
	require.Eventually(t, func() bool { return b.count(mqtt.PUBACK) == 3 }, patience, 10*time.Millisecond)
	var codes []string
	p.Eval(`states.map((s) => s.code)`, &codes)
	assert.Equal(t, []string{"PACKET_TOO_LARGE", "PACKET_TOO_LARGE"}, codes)
	assert.Equal(t, 1, b.count(mqtt.CONNECT))
}

// TestWhatAWorkerDropsIsNoRepeat: while the page is busy the worker drops what is too much at QoS 0, and counts it. When such a push comes
// again, nobody has had it. What was acknowledged by a repeat it keeps.
func TestWhatAWorkerDropsIsNoRepeat(t *testing.T) {
	for name, repeat := range map[string]func(mqtt.Packet) mqtt.Packet{
		"the repeat in a frame of its own": func(p mqtt.Packet) mqtt.Packet { return p },
		"the repeat in the same frame":     func(p mqtt.Packet) mqtt.Packet { return behind{p} },
	} {
		t.Run(name, func(t *testing.T) { whatAWorkerDropsIsNoRepeat(t, repeat) })
	}
}

func whatAWorkerDropsIsNoRepeat(t *testing.T, repeat func(mqtt.Packet) mqtt.Packet) {
	const flood = 400
	pad := strings.Repeat("x", 100<<10)
	message := func(text, id string) *mqtt.Publish {
		p := &mqtt.Publish{Topic: "t", Payload: []byte(`{"text":"` + text + `","pad":"` + pad + `"}`)}
		if id != "" {
			p.Properties.User = []mqtt.UserProperty{{Key: "pushMessageID", Value: id}}
		}
		return p
	}
	atQoS1 := func(p *mqtt.Publish, packetID uint16) *mqtt.Publish {
		p.QoS, p.PacketID = 1, packetID
		return p
	}
	reply := []mqtt.Packet{message("busy", "")}
	for n := range flood {
		reply = append(reply, message(strconv.Itoa(n), "id-"+strconv.Itoa(n)))
		if n == 5 {
			reply = append(reply, repeat(atQoS1(message("the repeat", "id-5"), 2)))
		}
	}
	again := atQoS1(message("again", "id-0"), 1)
	s := newSite(t)
	s.host = inWorker
	b := s.stubBroker(mqtt.V5, 0, append(reply, again)...)
	p := b.page(s, far)
	p.eval(`connection.once("message", () => { // all of it is with the worker, but for what the network holds
		const wait = new XMLHttpRequest();
		wait.open("GET", "`+stubDone+`", false);
		wait.send();
	});
	await connection.publish("go", "", { qos: 0 })`, nil)
	p.await(`got.at(-1)?.text === "again"`)
	var texts []string
	p.Eval(`got.map((m) => m.text)`, &texts)
	var dropped int
	p.Eval(`connection.dropped`, &dropped)
	t.Logf("%d of %d were dropped", dropped, flood)
	assert.Positive(t, dropped)
	assert.NotContains(t, texts, "0")
	assert.Contains(t, texts, "5")
	assert.Equal(t, flood+2, len(texts)+dropped, "each is handed out or counted")
	require.Eventually(t, func() bool { return b.count(mqtt.PUBACK) == 2 }, patience, 10*time.Millisecond)
}
