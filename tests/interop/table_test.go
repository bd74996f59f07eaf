package interop

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/kiiweb/kiiweb/pkg/kiiweb"
	"github.com/kiiweb/kiiweb/tests/interop/brokers"
)

// column is one of the table's: where our client runs, and what it talks to how.
type column struct {
	broker    string
	protocol  int // the protocol level: 5, 4 for MQTT 3.1.1, 3 for 3.1
	transport kiiweb.Transport
	platform  string
	short     bool // belongs to the short form, too
}

// The brokers and the platforms.
const (
	localCloud = "local cloud"
	mosquitto  = "Mosquitto"
	nats       = "nats-server"
	aedes      = "aedes"
	rabbitMQ   = "RabbitMQ"

	onNative   = "native"
	onChromium = "Chromium"
)

var columns = []column{
	{localCloud, 5, kiiweb.TransportTCP, onNative, true},
	{localCloud, 4, kiiweb.TransportTCP, onNative, true},
	{localCloud, 3, kiiweb.TransportTCP, onNative, false},
	{mosquitto, 5, kiiweb.TransportTCP, onNative, true},
	{mosquitto, 4, kiiweb.TransportTCP, onNative, false},
	{nats, 4, kiiweb.TransportTCP, onNative, true},
	{aedes, 4, kiiweb.TransportTCP, onNative, false},
	{aedes, 4, kiiweb.TransportWS, onNative, false},
	{rabbitMQ, 4, kiiweb.TransportWS, onNative, false},

	{localCloud, 5, kiiweb.TransportWS, onChromium, false},
	{localCloud, 4, kiiweb.TransportWS, onChromium, false},
	{localCloud, 3, kiiweb.TransportWS, onChromium, false},
	{mosquitto, 5, kiiweb.TransportWS, onChromium, false},
	{mosquitto, 4, kiiweb.TransportWS, onChromium, true},
	{nats, 4, kiiweb.TransportWS, onChromium, false},
	{aedes, 4, kiiweb.TransportWS, onChromium, false},
	{rabbitMQ, 4, kiiweb.TransportWS, onChromium, false},
}

type start struct {
	broker string
	start  func(testing.TB) venue
}

// starts gives each broker's start, in the order of the table.
var starts = []start{
	{localCloud, func(t testing.TB) venue { return private{brokers.StartCloud(t)} }},
	{mosquitto, func(t testing.TB) venue { return public{brokers.Mosquitto(t)} }},
	{nats, func(t testing.TB) venue { return public{brokers.NATS(t)} }},
	{aedes, func(t testing.TB) venue { return public{brokers.Aedes(t)} }},
	{rabbitMQ, func(t testing.TB) venue { return public{brokers.RabbitMQ(t)} }},
}

// TestInterop plays every scenario in every column and compares the outcomes with those
// that are expected. With -short it takes some of both; with -update, and all of both, it
// writes docs/interop.md.
func TestInterop(t *testing.T) {
	r := newReport()
	play := slices.DeleteFunc(slices.Clone(starts), func(b start) bool { return len(columnsOf(b.broker)) == 0 })
	sideBySide(len(play), 2, func(i int) {
		b := play[i]
		mine := columnsOf(b.broker)
		t.Run(b.broker, func(t *testing.T) {
			v := b.start(t)
			r.version(v.about())
			for _, c := range mine {
				t.Run(c.title(), func(t *testing.T) { c.playAll(t, v, r) })
			}
		})
	})
	if *update && !t.Failed() {
		r.write(t)
	}
}

func columnsOf(broker string) (mine []column) {
	for _, c := range columns {
		if c.broker == broker && (c.short || !testing.Short()) {
			mine = append(mine, c)
		}
	}
	return mine
}

func (c column) playAll(t *testing.T, v venue, r *report) {
	var p platform = native{}
	if c.platform == onChromium {
		p = newChromium(t)
	}
	r.version(p.about())
	for _, x := range scenarios {
		if !x.short && testing.Short() {
			continue
		}
		t.Run(x.name, func(t *testing.T) {
			want, why := expected(c, x.name)
			limit := soon
			if want == outcome(kiiweb.CodeTimeout) {
				limit = hopeless
			}
			got := x.play(newStage(t, c, v, p, limit))
			assert.Equal(t, want, got, "expected because: %s", why)
			r.note(c, x.name, got)
		})
	}
}

var versionNames = map[int]string{5: "5", 4: "3.1.1", 3: "3.1"}

// title says what a column is about within its broker.
func (c column) title() string {
	return "MQTT " + versionNames[c.protocol] + " over " + string(c.transport) + ", " + c.platform
}
