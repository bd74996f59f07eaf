package kiiweb

import (
	"strings"
	"time"
)

// parseHTTPDate reads the one form of a date that senders of HTTP may use, as in "Sun,
// 06 Nov 1994 08:49:37 GMT" (RFC 9110, 5.6.7). It is not time.Parse, whose 40 KB of
// code a browser would have to load for it.
func parseHTTPDate(s string) (time.Time, bool) {
	if len(s) != len("Sun, 06 Nov 1994 08:49:37 GMT") || s[3:5] != ", " || s[7] != ' ' || s[11] != ' ' ||
		s[16] != ' ' || s[19] != ':' || s[22] != ':' || s[25:] != " GMT" {
		return time.Time{}, false
	}
	month := strings.Index("JanFebMarAprMayJunJulAugSepOctNovDec", s[8:11])
	if month < 0 || month%3 != 0 {
		return time.Time{}, false
	}
	var n [5]int // day, year, hour, minute, second
	for i, digits := range [5]string{s[5:7], s[12:16], s[17:19], s[20:22], s[23:25]} {
		value, ok := parseDigits(digits, 9999)
		if !ok {
			return time.Time{}, false
		}
		n[i] = value
	}
	at := time.Date(n[1], time.Month(month/3+1), n[0], n[2], n[3], n[4], 0, time.UTC)
	if at.Day() != n[0] || at.Hour() != n[2] || at.Minute() != n[3] {
		return time.Time{}, false // such as the 31st of April
	}
	return at, true
}
