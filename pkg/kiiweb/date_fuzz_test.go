package kiiweb

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// httpDate is the form of a date in HTTP, as package time writes it.
const httpDate = "Mon, 02 Jan 2006 15:04:05 GMT"

// FuzzParseHTTPDate: what is read is what package time would write, but for the day of the
// week, which says nothing; and all that it writes is read.
func FuzzParseHTTPDate(f *testing.F) {
	for _, s := range []string{"Sun, 06 Nov 1994 08:49:37 GMT", "Thu, 29 Feb 2024 23:59:59 GMT", "Sun, 06 anF 1994 08:49:37 GMT", "120"} {
		f.Add(s, int64(784111777))
	}
	f.Fuzz(func(t *testing.T, s string, seconds int64) {
		if at, ok := parseHTTPDate(s); ok {
			require.Equal(t, s[len("Sun"):], at.Format(httpDate)[len("Sun"):])
		}
		want := time.Unix(seconds%(9999*365*24*3600), 0).UTC()
		if want.Year() < 0 {
			return
		}
		got, ok := parseHTTPDate(want.Format(httpDate))
		require.True(t, ok, want)
		require.True(t, want.Equal(got), "%v %v", want, got)
	})
}
