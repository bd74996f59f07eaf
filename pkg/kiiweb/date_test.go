package kiiweb

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestParseHTTPDate(t *testing.T) {
	for _, s := range []string{
		"Sun, 06 Nov 1994 08:49:37 GMT", "Thu, 29 Feb 2024 23:59:59 GMT", "Fri, 31 Dec 1999 00:00:00 GMT",
	} {
		t.Run(s, func(t *testing.T) {
			want, err := time.Parse(time.RFC1123, s)
			assert.NoError(t, err)
			got, ok := parseHTTPDate(s)
			assert.True(t, ok)
			assert.True(t, want.Equal(got), "%v %v", want, got)
		})
	}
	for name, s := range map[string]string{
		"empty": "", "a number": "120", "obsolete": "Sunday, 06-Nov-94 08:49:37 GMT", "asctime": "Sun Nov  6 08:49:37 1994",
		"no such month": "Sun, 06 Nob 1994 08:49:37 GMT", "between two months": "Sun, 06 anF 1994 08:49:37 GMT",
		"no such day": "Sat, 31 Apr 2027 08:49:37 GMT", "no such hour": "Sun, 06 Nov 1994 24:49:37 GMT",
		"no such minute": "Sun, 06 Nov 1994 08:60:37 GMT", "another zone": "Sun, 06 Nov 1994 08:49:37 CET",
		"signs": "Sun, +6 Nov 1994 08:49:37 GMT", "letters": "Sun, 06 Nov 199x 08:49:37 GMT",
	} {
		t.Run(name, func(t *testing.T) {
			_, ok := parseHTTPDate(s)
			assert.False(t, ok)
		})
	}
}
