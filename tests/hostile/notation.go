package hostile

import (
	"encoding/hex"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/mqtt"
)

// parse turns the notation of the table into bytes:
//
//	1F 00       bytes
//	<text>      a string with its two byte length
//	'text'      the bytes of text
//	{ ... }     what is inside, with its length as one byte (properties): on MQTT 5 only
//	|           the length of all that follows (the remaining length)
//	@           a packet identifier, id
//
// Lengths are below 128, so that one byte holds them.
func parse(t testing.TB, notation string, v mqtt.Version, id uint16) []byte {
	t.Helper()
	p := parser{t, strings.ReplaceAll(notation, " ", ""), v, id}
	b := p.until("")
	require.Empty(t, p.rest, "%s", notation)
	return b
}

type parser struct {
	t    testing.TB
	rest string
	v    mqtt.Version
	id   uint16
}

func (p *parser) until(end string) (b []byte) {
	for p.rest != "" {
		c := p.rest[:1]
		switch c {
		case end:
			p.rest = p.rest[1:]
			return b
		case "<":
			text := p.cut(">")
			b = append(append(b, 0, byte(len(text))), text...)
		case "'":
			b = append(b, p.cut("'")...)
		case "@":
			p.rest = p.rest[1:]
			b = append(b, byte(p.id>>8), byte(p.id))
		case "{", "|":
			p.rest = p.rest[1:]
			inner := p.until(map[string]string{"{": "}", "|": ""}[c])
			require.Less(p.t, len(inner), 128)
			if c == "|" || p.v == mqtt.V5 {
				b = append(append(b, byte(len(inner))), inner...)
			}
		default:
			one, err := hex.DecodeString(p.rest[:2])
			require.NoError(p.t, err)
			p.rest = p.rest[2:]
			b = append(b, one...)
		}
	}
	return b
}

// cut takes what stands between the first character and end.
func (p *parser) cut(end string) string {
	text, after, found := strings.Cut(p.rest[1:], end)
	require.True(p.t, found, "no %s behind %q", end, p.rest)
	p.rest = after
	return text
}
