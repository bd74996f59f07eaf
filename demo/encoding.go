package main

import (
	"strconv"
	"strings"
)

// An encoding is a content coding that a build leaves beside the plain file.
type encoding struct {
	name   string // as Accept-Encoding and Content-Encoding spell it
	suffix string // of the precompressed file
}

// encodings lists the codings in the order of preference: the smallest first.
var encodings = []encoding{{"br", ".br"}, {"gzip", ".gz"}}

// accepts tells whether an Accept-Encoding header allows the coding (RFC 9110,
// section 12.5.3). A coding named with q=0 is refused even where "*" allows it.
func accepts(header, coding string) bool {
	wildcard := false
	for part := range strings.SplitSeq(header, ",") {
		name, params, _ := strings.Cut(part, ";")
		name = strings.TrimSpace(name)
		switch {
		case strings.EqualFold(name, coding):
			return quality(params) > 0
		case name == "*":
			wildcard = quality(params) > 0
		}
	}
	return wildcard
}

// quality reads the q parameter of one element of an Accept header. Absent means 1;
// one that cannot be read means 0, so that a broken header gets the plain file.
func quality(params string) float64 {
	for param := range strings.SplitSeq(params, ";") {
		key, value, found := strings.Cut(param, "=")
		if !found || !strings.EqualFold(strings.TrimSpace(key), "q") {
			continue
		}
		q, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
		if err != nil {
			return 0
		}
		return q
	}
	return 1
}
