package session

import (
	"testing"

	"github.com/kiiweb/kiiweb/internal/mqtt"
)

// BenchmarkReceive is the way of a message from a chunk to Deliver and back to its
// acknowledgement, 100 messages to a chunk.
func BenchmarkReceive(b *testing.B) {
	for name, id := range map[string]string{"plain": "", "with pushMessageID": "x"} {
		b.Run(name, func(b *testing.B) {
			const perChunk = 100
			delivered := make(chan int, 1024)
			h := newHarness(b, func(c *Config) { c.Deliver = func(m []Message) { delivered <- len(m) } })
			broker := h.online()
			var chunk []byte
			for n := range perChunk {
				p := push(uint16(n+1), "topic-1", `{"message":"hello, how are you?"}`)
				if id != "" {
					p = marked(p, "3f0c1d8e-0000-4000-8000-00000000000"+string(rune('0'+n%10)))
				}
				chunk = append(chunk, broker.encode(p)...)
			}
			b.ReportAllocs()
			b.SetBytes(int64(len(chunk)))
			for b.Loop() {
				h.s.post(func(l *loop) { l.seen = dedupe{} })
				broker.raw(chunk)
				for acks := 0; acks < perChunk; {
					acks += len(<-broker.frames) / len(broker.encode(&mqtt.Ack{Kind: mqtt.PUBACK, PacketID: 1}))
				}
				for len(delivered) > 0 {
					<-delivered
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*perChunk), "ns/message")
		})
	}
}
