package interop

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/pkg/kiiweb"
	"github.com/kiiweb/kiiweb/tests/interop/brokers"
	"github.com/kiiweb/kiiweb/tests/interop/peer"
	"github.com/kiiweb/kiiweb/tests/interop/tap"
)

// stage is what one scenario plays on: one account at one broker, our client's platform
// and the tap between the two.
type stage struct {
	testing.TB
	column   column
	venue    venue
	platform platform
	options  options // of the column
	own      string  // the account's topic
	there    counterpart
	tap      *tap.Tap

	endpoint kiiweb.Endpoint // leads through the tap
	private  bool            // the own topic is the only one
}

func newStage(t testing.TB, c column, v venue, p platform, limit time.Duration) *stage {
	t.Helper()
	e, there := v.arrive(t)
	s := &stage{TB: t, column: c, venue: v, platform: p, own: e.MQTTTopic, there: there, endpoint: e}
	_, s.private = v.(private)
	s.options = options{protocol: c.protocol, transport: c.transport, path: v.path(), qos: 1, keepAlive: 60, limit: limit}
	port := &s.endpoint.PortTCP
	if c.transport == kiiweb.TransportWS {
		port = &s.endpoint.PortWS
	}
	s.tap = tap.Start(t, brokers.Loopback(*port))
	*port = s.tap.Port()
	return s
}

// connect opens a connection with the column's options, as change alters them.
func (s *stage) connect(change ...func(*options)) client {
	s.Helper()
	c, code := s.tryConnect(change...)
	require.Empty(s, code, "connect")
	return c
}

func (s *stage) tryConnect(change ...func(*options)) (client, kiiweb.Code) {
	s.Helper()
	o := s.options
	for _, f := range change {
		f(&o)
	}
	return s.platform.connect(s.TB, s.endpoint, o)
}

func withQoS(qos byte) func(*options) { return func(o *options) { o.qos = qos } }

// receives waits until exactly these payloads have come, in order and once, and gives
// the messages.
func (s *stage) receives(messages func() []peer.Message, payloads ...string) []peer.Message {
	s.Helper()
	s.await(func() bool { return len(messages()) >= len(payloads) }, "%d messages", len(payloads))
	got := messages()
	var texts []string
	for _, m := range got {
		texts = append(texts, m.Payload)
	}
	if !slices.Equal(payloads, texts) {
		require.Fail(s, "other messages came than were sent", "%s", difference(payloads, texts))
	}
	return got
}

// once gives those payloads that are wanted, each where it came first.
func once(messages []peer.Message, wanted []string) (list []string) {
	missing := map[string]bool{}
	for _, w := range wanted {
		missing[w] = true
	}
	for _, m := range messages {
		if missing[m.Payload] {
			delete(missing, m.Payload)
			list = append(list, m.Payload)
		}
	}
	return list
}

// difference says where two lists part, without printing megabytes.
func difference(want, got []string) string {
	for i := range max(len(want), len(got)) {
		if i >= len(want) || i >= len(got) || want[i] != got[i] {
			return "of " + strconv.Itoa(len(want)) + " wanted and " + strconv.Itoa(len(got)) + " come, the first that differs is number " +
				strconv.Itoa(i+1) + ": wanted " + at(want, i) + ", got " + at(got, i)
		}
	}
	return "none"
}

func at(list []string, i int) string {
	if i >= len(list) {
		return "nothing"
	}
	s := list[i]
	return s[:min(len(s), 40)] + " (" + strconv.Itoa(len(s)) + " bytes)"
}

// reaches waits until c's latest state is one.
func (s *stage) reaches(c client, state kiiweb.State) {
	s.Helper()
	s.await(func() bool { return last(c.states()) == state }, "the state %s, after %v", state, c.states())
}

func last(states []kiiweb.State) kiiweb.State {
	if len(states) == 0 {
		return ""
	}
	return states[len(states)-1]
}

func count(states []kiiweb.State, state kiiweb.State) (n int) {
	for _, s := range states {
		if s == state {
			n++
		}
	}
	return n
}

// in sends payloads to our client's own topic and tells how they came.
func (s *stage) in(qos byte, payloads ...string) outcome {
	s.Helper()
	c := s.connect(withQoS(qos))
	if o := s.there.publish(qos, false, s.own, payloads...); o != yes {
		s.receives(c.messages) // nothing came of it
		return o
	}
	return sameQoS(qos, s.receives(c.messages, payloads...))
}

// out sends payloads from our client to the other side and tells how they came. Where
// there is no other side for messages, they come back.
func (s *stage) out(qos byte, payloads ...string) outcome {
	s.Helper()
	topic, heard := fresh("out"), s.there.messages
	c := s.connect(withQoS(qos))
	if s.private {
		topic, heard = s.own, c.messages
	} else {
		s.there.hears(topic, qos)
	}
	if code := c.publish(qos, false, topic, payloads...); code != "" {
		return s.refused(c, code)
	}
	return sameQoS(qos, s.receives(heard, payloads...))
}

// refused is the outcome of a message that could not be sent at the broker where the own
// topic is the only one. The next one can.
func (s *stage) refused(c client, code kiiweb.Code) outcome {
	s.Helper()
	require.True(s, s.private, "refused with %s", code)
	require.Empty(s, c.publish(1, false, s.own, numbered(7, 7)...))
	s.receives(c.messages, numbered(7, 7)...)
	return outcome(code)
}

// sameQoS says yes when all messages came at a QoS, else at which the first came.
func sameQoS(qos byte, messages []peer.Message) outcome {
	for _, m := range messages {
		if m.QoS != qos {
			return outcome("QoS " + strconv.Itoa(int(m.QoS)))
		}
	}
	return yes
}

// numbered makes JSON objects with the numbers from first to last.
func numbered(first, last int) []string {
	var list []string
	for n := first; n <= last; n++ {
		list = append(list, `{"n":"`+strconv.Itoa(n)+`"}`)
	}
	return list
}

// sized makes a JSON object of n bytes.
func sized(n int) string {
	const frame = `{"x":""}`
	return frame[:6] + strings.Repeat("0123456789abcdef", n/16+1)[:n-len(frame)] + frame[6:]
}

func TestSized(t *testing.T) {
	assert.Len(t, sized(4096), 4096)
	assert.Equal(t, `{"x":"01"}`, sized(10))
}
