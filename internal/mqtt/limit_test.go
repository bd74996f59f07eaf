package mqtt

import (
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// allocated gives the bytes and the allocations of one call of f.
func allocated(f func()) (bytes uint64, allocations float64) {
	const runs = 100
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	allocations = testing.AllocsPerRun(runs, f)
	runtime.ReadMemStats(&after)
	return (after.TotalAlloc - before.TotalAlloc) / runs, allocations
}

// A length that is declared costs nothing: room is made for what has come.
func TestDeclaredLengthsAreNotBelieved(t *testing.T) {
	for _, c := range []struct {
		name    string
		max     int
		bytes   string
		refused bool
	}{
		{"256 MB over a limit of 1 MiB", 1 << 20, "30 FF FF FF 7F", true},
		{"256 MB without a limit", 0, "30 FF FF FF 7F 0001", false},
		{"the limit itself", 1 << 20, "30 FC FF 3F 0001", false},
		{"one byte above it", 1 << 20, "30 FD FF 3F 0001", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			stream := raw(t, c.bytes)
			size, allocations := allocated(func() {
				s := NewSplitter(c.max)
				for i := range stream {
					s.Feed(stream[i : i+1])
					pkt, err := s.Next()
					if pkt != nil || err != nil {
						break
					}
				}
			})
			assert.LessOrEqual(t, allocations, 5.0)
			assert.Less(t, size, uint64(1024))
			s := NewSplitter(c.max)
			s.Feed(stream)
			_, err := s.Next()
			require.Equal(t, c.refused, err != nil, "%v", err)
		})
	}
	for _, c := range []struct {
		name  string
		from  Side
		bytes string
	}{
		{"property length", FromServer, "30 | <t> FF FF FF 7F"},
		{"property length of a will", FromClient, "10 | <MQTT> 05 06 0000 { } <c> FF FF FF 7F"},
		{"topic", FromServer, "30 | FFFF 61"},
		{"user property", FromServer, "30 | <t> { 26 FFFF 61 }"},
		{"correlation data", FromServer, "30 | <t> { 09 FFFF 61 }"},
		{"password", FromClient, "10 | <MQTT> 05 C2 0000 { } <c> <u> FFFF 61"},
		{"filter", FromClient, "82 | 0001 { } FFFF 61"},
	} {
		t.Run(c.name, func(t *testing.T) {
			pkt, codec := raw(t, c.bytes), newCodec(t, V5)
			size, allocations := allocated(func() { _, _ = codec.Decode(pkt, c.from) })
			assert.LessOrEqual(t, allocations, 5.0)
			assert.Less(t, size, uint64(1024))
			_, err := codec.Decode(pkt, c.from)
			require.Error(t, err)
		})
	}
}
