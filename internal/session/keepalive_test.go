package session

import (
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/mqtt"
)

// A broker drops who is silent for one and a half times the keep alive, whatever the application is at: while it
// is slow nothing is read, the answer to a PINGREQ neither.
func TestASlowHandlerDoesNotStopTheKeepAlive(t *testing.T) {
	release, begun := make(chan struct{}), make(chan struct{}, 6)
	h := newHarness(t, func(c *Config) {
		c.MaxBacklog = 2
		deliver := c.Deliver
		c.Deliver = func(m []Message) { begun <- struct{}{}; <-release; deliver(m) }
	})
	b := h.online()
	for n := range uint16(6) {
		b.send(push(n+1, "t", strconv.Itoa(int(n))))
		if n == 0 {
			<-begun
		}
	}
	require.Eventually(t, func() bool {
		reading := make(chan bool, 1)
		h.s.post(func(l *loop) { reading <- l.reading() })
		return !<-reading
	}, patience, time.Millisecond)
	last := h.elapsed()
	for h.elapsed() < 10*time.Minute {
		require.Equal(t, Online, h.s.State().State)
		if len(b.frames) > 0 {
			b.expect(mqtt.PINGREQ)
			b.send(&mqtt.Pingresp{})
			require.LessOrEqual(t, h.elapsed()-last, 60*time.Second)
			last = h.elapsed()
		}
		h.tick()
		h.wroteAll()
	}
	assert.LessOrEqual(t, h.elapsed()-last, 60*time.Second)
	close(release)
	var got []string
	for len(got) < 6 {
		got = append(got, payloads(h.batch())...)
	}
	assert.Equal(t, []string{"0", "1", "2", "3", "4", "5"}, got)
}

// A server that sends on has what acknowledges the messages before: of that next to nothing is under way, however much it came to. So a
// network that dies under a flood of messages is found out as soon as another.
func TestANetworkThatDiesUnderAFlood(t *testing.T) {
	for _, qos := range []byte{1, 2} {
		t.Run(strconv.Itoa(int(qos)), func(t *testing.T) {
			const batches, size = 20, 1000 // at QoS 1, acknowledgements of 80 KB, for which a slow network takes 5 s
			h := newHarness(t, nil)
			b := h.online()
			for n := range batches {
				packets := make([]mqtt.Packet, 0, 2*size)
				for i := range size {
					id := uint16(n%2*size + i + 1)
					p := push(id, "t", "x")
					p.QoS = qos
					packets = append(packets, p)
					if qos == 2 {
						packets = append(packets, &mqtt.Ack{Kind: mqtt.PUBREL, PacketID: id})
					}
				}
				b.send(packets...)
				for got := 0; got < size; {
					got += len(h.batch())
				}
				h.wroteAll()
			}
			h.settled()
			from := h.elapsed()
			h.s.Wake("a look at the page")
			for h.s.State().State == Online {
				h.tick()
				h.sync()
			}
			assert.Equal(t, wakeWait, h.elapsed()-from)
		})
	}
}
