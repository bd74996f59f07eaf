package kiiweb

import (
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestLower(t *testing.T) {
	for _, s := range []string{"", "abc", "ABC", "aBc-Ü@[`{Zz", "%2E"} {
		want := strings.Map(func(r rune) rune {
			if r >= 'A' && r <= 'Z' {
				return r + 'a' - 'A'
			}
			return r
		}, s)
		assert.Equal(t, want, lower(s), s)
	}
}

func TestParseDigits(t *testing.T) {
	const most = 65535
	for n := range most + 1 {
		if got, ok := parseDigits(strconv.Itoa(n), most); !ok || got != n {
			t.Fatalf("%d: %d %v", n, got, ok)
		}
	}
	for _, s := range []string{"", "-1", "+1", " 1", "1 ", "65536", "99999", "655350", "18446744073709551616", "1e3", "٣"} {
		_, ok := parseDigits(s, most)
		assert.False(t, ok, s)
	}
	n, ok := parseDigits("007", most)
	assert.True(t, ok)
	assert.Equal(t, 7, n)
	assert.True(t, isDigits("123456789012345678901234567890"))
	assert.False(t, isDigits("12a"))
	assert.False(t, isDigits(""))
}
