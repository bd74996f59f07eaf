package kiicloud

import (
	"net/http"
	"net/url"
	"strings"
)

// originPolicy decides which pages may use the cloud from a browser: its own and those
// listed, or where none are, any page of this machine when only this machine can
// connect, and else only pages that came from the address that they call. A proxy on this machine may pass on what others
// send, so the cloud's own pages, by the name that it advertises, may use it in any case.
func (c Config) originPolicy() func(*http.Request) bool {
	loopback := c.onLoopback()
	return func(r *http.Request) bool {
		origin := r.Header.Get("Origin")
		if len(c.AllowOrigins) > 0 {
			for _, allowed := range c.AllowOrigins {
				if allowed == "*" || strings.EqualFold(allowed, origin) {
					return true
				}
			}
			return c.ownOrigin(origin, r.Host)
		}
		u, err := url.Parse(origin)
		if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
			return false
		}
		if loopback { // not what the Host header says: a foreign name can be made to point here
			return loopbackHost(u.Hostname()) || c.ownOrigin(origin, r.Host)
		}
		return strings.EqualFold(u.Host, r.Host)
	}
}

// ownOrigin reports whether a page came from this cloud itself, by a name that is
// surely its own: the one that it advertises, or one of this machine's.
func (c Config) ownOrigin(origin, host string) bool {
	u, err := url.Parse(origin)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && strings.EqualFold(u.Host, host) &&
		(loopbackHost(u.Hostname()) || strings.EqualFold(u.Hostname(), c.advertised()))
}

// originLike reports whether s is an origin as browsers send it: scheme and host, with
// the port where it is not the scheme's own.
func originLike(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Scheme != "" && u.Host != "" && s == u.Scheme+"://"+u.Host
}
