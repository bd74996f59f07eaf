package mqtt

import (
	"encoding/hex"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// raw turns the notation of the byte tables into bytes:
//
//	1F 00       bytes
//	<text>      a string with its two byte length
//	'text'      the bytes of text
//	{ ... }     what is inside, with its length as a variable byte integer (properties)
//	|           the length of all that follows (the remaining length)
func raw(t testing.TB, notation string) []byte {
	t.Helper()
	b, rest := rawUntil(t, notation, "")
	require.Empty(t, rest)
	return b
}

func rawUntil(t testing.TB, s, end string) (b []byte, rest string) {
	t.Helper()
	for s = strings.TrimLeft(s, " \t\n"); s != ""; s = strings.TrimLeft(s, " \t\n") {
		c := s[:1]
		s = s[1:]
		var inner []byte
		switch c {
		case end:
			return b, s
		case "<":
			text, after, ok := strings.Cut(s, ">")
			require.True(t, ok, "no > behind %q", s)
			b, s = append(b, byte(len(text)>>8), byte(len(text))), after
			b = append(b, text...)
		case "'":
			text, after, ok := strings.Cut(s, "'")
			require.True(t, ok, "no ' behind %q", s)
			b, s = append(b, text...), after
		case "{":
			inner, s = rawUntil(t, s, "}")
			b = append(appendVarint(b, len(inner)), inner...)
		case "|":
			inner, s = rawUntil(t, s, "")
			b = append(appendVarint(b, len(inner)), inner...)
		default:
			require.NotEmpty(t, s, "half a byte at the end")
			one, err := hex.DecodeString(c + s[:1])
			require.NoError(t, err)
			b, s = append(b, one...), s[1:]
		}
	}
	require.Empty(t, end, "no %s", end)
	return b, ""
}

func TestRaw(t *testing.T) {
	require.Equal(t, []byte{0x30, 9, 0, 1, 'a', 3, 0x23, 0, 1, 'h', 'i'}[:2], raw(t, "30 | <a> { 23 0001 } 'hi'")[:2])
	require.Equal(t, []byte{0x30, 9, 0, 1, 'a', 3, 0x23, 0, 1, 'h', 'i'}, raw(t, "30 | <a> { 23 0001 } 'hi'"))
	require.Equal(t, []byte{0xC0, 0}, raw(t, "C0 |"))
}
