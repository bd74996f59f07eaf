package kiiweb

import (
	"errors"
	"strings"
)

// baseURL is an http or https URL in the few parts that this package needs. It is
// read here and not by net/url, which would weigh on the wasm.
type baseURL struct {
	scheme string // "http" or "https"
	host   string // lower case; an IPv6 address without its brackets
	port   string // decimal, "" for the scheme's own
	path   string // "" or "/a/b", without a slash at the end
}

// String puts the URL together again, ready for a path to be appended.
func (u baseURL) String() string {
	s := u.scheme + "://" + bracket(u.host)
	if u.port != "" {
		s += ":" + u.port
	}
	return s + u.path
}

// parseBaseURL reads an absolute http or https URL without user, query and
// fragment. It is strict on purpose: what a browser and a Go program might read
// differently is refused, so that both send credentials to the same host.
func parseBaseURL(s string) (baseURL, error) {
	scheme, rest, ok := strings.Cut(s, "://")
	scheme = lower(scheme)
	if !ok || scheme != "http" && scheme != "https" {
		return baseURL{}, errors.New("it must start with https:// or http://")
	}
	authority, path := rest, ""
	if i := strings.IndexByte(rest, '/'); i >= 0 {
		authority, path = rest[:i], strings.TrimRight(rest[i:], "/")
	}
	host, port, err := splitAuthority(authority)
	if err != nil {
		return baseURL{}, err
	}
	if err := checkPath(path); err != nil {
		return baseURL{}, err
	}
	return baseURL{scheme: scheme, host: host, port: port, path: path}, nil
}

func splitAuthority(s string) (host, port string, err error) {
	if strings.Contains(s, "@") {
		return "", "", errors.New("it must not contain a user name or password")
	}
	hasPort := false
	if strings.HasPrefix(s, "[") {
		inner, after, ok := strings.Cut(s[1:], "]")
		if !ok || !isIPv6(inner) || after != "" && after[0] != ':' {
			return "", "", errors.New("its IPv6 address is malformed")
		}
		host, hasPort, port = inner, after != "", strings.TrimPrefix(after, ":")
	} else {
		if host, port, hasPort = strings.Cut(s, ":"); !isHostName(host) {
			return "", "", errors.New("its host is missing or malformed")
		}
	}
	if hasPort && !isPort(port) {
		return "", "", errors.New("its port is not a number from 1 to 65535")
	}
	return lower(host), port, nil
}

// checkPath allows the characters of RFC 3986, 3.3, and no dot segments, which one
// side might remove and the other keep.
func checkPath(path string) error {
	for i := 0; i < len(path); i++ {
		c := path[i]
		switch {
		case c == '?' || c == '#':
			return errors.New("it must not contain a query or fragment")
		case c == '%':
			if i+2 >= len(path) || !isHex(path[i+1]) || !isHex(path[i+2]) {
				return errors.New("its path has a % that escapes nothing")
			}
		case !isUnreserved(c) && strings.IndexByte("/!$&'()*+,;=:@", c) < 0:
			return errors.New("its path has a character that must be escaped")
		}
	}
	for _, segment := range strings.Split(path, "/") {
		if isDotSegment(segment) {
			return errors.New("its path must not contain . or ..")
		}
	}
	return nil
}

// escape percent-encodes an id for use as one path segment (RFC 3986, 2.3). "." and
// ".." have no safe form (browsers resolve their escaped forms too); checkID refuses
// them before.
func escape(id string) string {
	const digits = "0123456789ABCDEF"
	var b strings.Builder
	for i := 0; i < len(id); i++ {
		if c := id[i]; isUnreserved(c) {
			b.WriteByte(c)
		} else {
			b.WriteByte('%')
			b.WriteByte(digits[c>>4])
			b.WriteByte(digits[c&15])
		}
	}
	return b.String()
}

// isLoopback reports whether traffic to host stays on this machine: localhost, its
// sub-domains (RFC 6761, 6.3), 127.0.0.0/8 in its plain form, and ::1.
func isLoopback(host string) bool {
	host = lower(host)
	if host == "localhost" || strings.HasSuffix(host, ".localhost") || host == "::1" || host == "[::1]" {
		return true
	}
	return strings.HasPrefix(host, "127.") && isIPv4(host)
}

// bracket puts the brackets of RFC 3986, 3.2.2, around an IPv6 address.
func bracket(host string) string {
	if strings.Contains(host, ":") && !strings.HasPrefix(host, "[") {
		return "[" + host + "]"
	}
	return host
}

// isHost reports whether s is a host name or an IP address, with or without the
// brackets of IPv6, and nothing more.
func isHost(s string) bool {
	if strings.HasPrefix(s, "[") && strings.HasSuffix(s, "]") {
		return isIPv6(s[1 : len(s)-1])
	}
	return isHostName(s) || isIPv6(s)
}

// isHostName accepts ASCII names and IPv4 addresses; an international name is given
// in its xn-- form. Underscores are no host name letters but occur in private networks.
func isHostName(s string) bool {
	if s == "" || len(s) > 253 {
		return false
	}
	labels := strings.Split(strings.TrimSuffix(s, "."), ".")
	if last := labels[len(labels)-1]; isNumber(last) && !isIPv4(s) {
		return false // browsers read 0x7f.1 and 127.1 as addresses, others as names
	}
	for _, label := range labels {
		if label == "" || len(label) > 63 {
			return false
		}
		for i := 0; i < len(label); i++ {
			if c := label[i]; !isAlnum(c) && c != '-' && c != '_' {
				return false
			}
		}
	}
	return true
}

// isIPv4 accepts four decimal numbers without leading zeros, which some read as octal.
func isIPv4(s string) bool {
	parts := strings.Split(s, ".")
	for _, p := range parts {
		if _, ok := parseDigits(p, 255); !ok || len(p) > 1 && p[0] == '0' {
			return false
		}
	}
	return len(parts) == 4
}

// isNumber reports whether a browser would read a label as a number (WHATWG URL, 3.5).
func isNumber(label string) bool {
	return isDigits(label) || strings.HasPrefix(lower(label), "0x")
}

// isIPv6 accepts the text forms of RFC 4291, 2.2, without a zone.
func isIPv6(s string) bool {
	head, tail, gap := strings.Cut(s, "::")
	n, ok := ipv6Groups(head, !gap)
	if !gap {
		return ok && n == 8
	}
	m, tailOK := ipv6Groups(tail, true)
	return ok && tailOK && n+m < 8
}

// ipv6Groups counts the groups of 16 bits in a part of an IPv6 address, none in "". At
// the end of the address the last two may be written as IPv4.
func ipv6Groups(s string, end bool) (n int, ok bool) {
	for s != "" {
		group, rest, more := strings.Cut(s, ":")
		switch {
		case end && !more && isIPv4(group):
			n++
		case group == "" || len(group) > 4 || more && rest == "":
			return 0, false
		default:
			for i := 0; i < len(group); i++ {
				if !isHex(group[i]) {
					return 0, false
				}
			}
		}
		n++
		s = rest
	}
	return n, true
}

func isPort(s string) bool {
	n, ok := parseDigits(s, 65535)
	return ok && n > 0
}

func isDotSegment(s string) bool {
	switch lower(s) {
	case ".", "%2e", "..", ".%2e", "%2e.", "%2e%2e":
		return true
	}
	return false
}

func isAlnum(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}

func isUnreserved(c byte) bool { return isAlnum(c) || c == '-' || c == '.' || c == '_' || c == '~' }

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}
