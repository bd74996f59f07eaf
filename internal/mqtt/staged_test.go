package mqtt

import (
	"bytes"
	big "encoding/binary"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// stage appends a message as the loader stages it.
func stage(b []byte, flags byte, topic, payload string) []byte {
	b = big.BigEndian.AppendUint16(append(b, flags), uint16(len(topic)))
	b = big.BigEndian.AppendUint32(b, uint32(len(payload)))
	return append(append(b, topic...), payload...)
}

func TestPackStaged(t *testing.T) {
	messages := []Publish{
		{Topic: "a", Payload: []byte("first")},
		{Topic: "a", Payload: []byte{}},
		{Topic: "b/é", Payload: bytes.Repeat([]byte("x"), 200), Retain: true},
		{Topic: strings.Repeat("t", 300), Payload: bytes.Repeat([]byte("y"), 20_000)},
		{Topic: "a", Payload: []byte("last")},
	}
	for _, v := range []Version{V31, V311, V5} {
		codec, err := NewCodec(v)
		require.NoError(t, err)
		var b, want []byte
		for _, m := range messages {
			flags := byte(0)
			if m.Retain {
				flags = 4
			}
			b = stage(b, flags, m.Topic, string(m.Payload))
			want, err = codec.Append(want, &m)
			require.NoError(t, err)
		}
		size, n, ok := PackStaged(v, b, 0, true)
		require.True(t, ok)
		assert.Equal(t, len(messages), n)
		assert.Equal(t, want, b[:size])
	}
}

func TestPackStagedLeavesTheRest(t *testing.T) {
	whole := stage(nil, 0, "a", "payload")
	for name, b := range map[string][]byte{
		"QoS 1":         stage(nil, 1, "a", "b"),
		"retained":      stage(nil, 4, "a", "b"),
		"a wildcard":    stage(nil, 0, "a/+", "b"),
		"no topic":      stage(nil, 0, "", "b"),
		"no UTF-8":      stage(nil, 0, "\xff", "b"),
		"too large":     stage(nil, 0, "a", strings.Repeat("x", 100)),
		"cut":           whole[:len(whole)-1],
		"a header":      whole[:3],
		"half a second": append(bytes.Clone(whole), 0, 0, 1),
		"a vast size":   {0, 0, 1, 0xff, 0xff, 0xff, 0xff, 'a'},
	} {
		_, _, ok := PackStaged(V5, append(bytes.Clone(whole), b...), 60, false)
		assert.False(t, ok, "%s, behind another", name)
		_, _, ok = PackStaged(V5, b, 60, false)
		assert.False(t, ok, name)
	}
	_, n, ok := PackStaged(V5, nil, 60, false)
	assert.True(t, ok)
	assert.Zero(t, n)
	_, n, ok = PackStaged(V5, bytes.Clone(whole), 60, false)
	assert.True(t, ok, "what is not retained needs no broker that retains")
	assert.Equal(t, 1, n)
}

// A packet may have as many bytes as the limit, and none is longer than what it is made of.
func TestPackStagedHasLimits(t *testing.T) {
	for _, v := range []Version{V311, V5} {
		size, _, ok := PackStaged(v, stage(nil, 0, "a", "payload"), 0, false)
		require.True(t, ok)
		for max, want := range map[int]bool{size - 1: false, size: true, size + 1: true} {
			_, _, ok = PackStaged(v, stage(nil, 0, "a", "payload"), max, false)
			assert.Equal(t, want, ok, "a limit of %d for %d bytes", max, size)
		}
		longest := 1<<21 - 1 - 3 // its remaining length is the last of three bytes
		if v == V5 {
			longest--
		}
		for payload, want := range map[int]bool{longest: true, longest + 1: false} {
			b := stage(stage(nil, 0, "a", strings.Repeat("x", payload)), 0, "b", "behind it")
			size, _, ok = PackStaged(v, b, 0, false)
			require.Equal(t, want, ok, "a payload of %d bytes", payload)
			if ok {
				behind, err := newCodec(t, v).Append(nil, &Publish{Topic: "b", Payload: []byte("behind it")})
				require.NoError(t, err)
				assert.Equal(t, behind, b[size-len(behind):size])
			}
		}
	}
}

// FuzzPackStaged holds the packets to what the codec makes of the same messages.
func FuzzPackStaged(f *testing.F) {
	f.Add(byte(5), stage(stage(nil, 0, "a", "1"), 4, "b", ""))
	f.Add(byte(4), stage(nil, 0, "+", ""))
	f.Add(byte(3), []byte{0, 0, 1, 0, 0, 0, 9, 'a'})
	f.Fuzz(func(t *testing.T, version byte, b []byte) {
		v := Version(version)
		codec, err := NewCodec(v)
		if err != nil {
			return
		}
		var want []byte
		count, valid := 0, true
		for rest := b; valid && len(rest) > 0; count++ {
			m, size := ReadStaged(rest)
			p := Publish{Topic: string(m.Topic), Payload: bytes.Clone(m.Payload), Retain: m.Retain}
			if valid = size > 0 && m.QoS == 0 && ValidTopicName(p.Topic); valid {
				want, err = codec.Append(want, &p)
				require.NoError(t, err)
				rest = rest[size:]
			}
		}
		size, n, ok := PackStaged(v, bytes.Clone(b), 0, true)
		require.Equal(t, valid, ok)
		if ok {
			packed := bytes.Clone(b)
			_, _, _ = PackStaged(v, packed, 0, true)
			assert.Equal(t, count, n)
			assert.True(t, bytes.Equal(want, packed[:size]))
		}
	})
}

func TestReadStaged(t *testing.T) {
	b := stage(stage(nil, 5, "a", "hi"), 0, "", "!")
	m, size := ReadStaged(b)
	assert.Equal(t, Staged{QoS: 1, Retain: true, Topic: []byte("a"), Payload: []byte("hi")}, m)
	again, rest := ReadStaged(b[size:])
	assert.Equal(t, Staged{Topic: []byte{}, Payload: []byte("!")}, again)
	assert.Len(t, b, size+rest)
	for n := range size {
		_, size := ReadStaged(b[:n])
		assert.Zero(t, size, "what is cut is none")
	}
}
