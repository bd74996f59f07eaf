package rest

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// Proxies are the addresses of reverse proxies whose word about a client's address is believed.
type Proxies []netip.Prefix

// ParseProxy reads an address, or a range such as 10.0.0.0/8.
func ParseProxy(s string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(s); err == nil {
		return netip.PrefixFrom(a.Unmap(), a.Unmap().BitLen()), nil
	}
	return netip.ParsePrefix(s)
}

func (p Proxies) has(a netip.Addr) bool {
	for _, prefix := range p {
		if prefix.Contains(a) {
			return true
		}
	}
	return false
}

// clientAddress is who sent a request: the peer, or where that is a trusted proxy the last in its
// header X-Forwarded-For that is none. What stands before that, the client could have made up.
//
// Forwarded (RFC 7239) is not read: a proxy that writes X-Forwarded-For passes a client's own Forwarded
// on, so to believe both would let clients choose their address.
func (p Proxies) clientAddress(r *http.Request) netip.Addr {
	peer := peerAddress(r.RemoteAddr)
	if !p.has(peer) {
		return peer
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0; i-- {
		a, ok := hopAddress(hops[i])
		if !ok {
			return peer
		}
		if !p.has(a) {
			return a
		}
		peer = a
	}
	return peer
}

// hopAddress reads one entry of X-Forwarded-For. The header has no standard: besides bare addresses proxies
// write IPv4:port, [IPv6] and [IPv6]:port. The port is not the client's identity and must be one; anything
// else is nobody's address.
func hopAddress(entry string) (netip.Addr, bool) {
	entry = strings.TrimSpace(entry)
	bare := entry
	if strings.HasPrefix(entry, "[") && strings.HasSuffix(entry, "]") {
		bare = entry[1 : len(entry)-1]
	}
	a, err := netip.ParseAddr(bare)
	if err == nil && bare != entry && !a.Is6() {
		return netip.Addr{}, false // brackets are for IPv6
	}
	if err != nil {
		ap, err := netip.ParseAddrPort(entry)
		if err != nil {
			return netip.Addr{}, false
		}
		a = ap.Addr()
	}
	return a.Unmap().WithZone(""), true // a zone is the proxy's own, and no range contains one
}

func peerAddress(hostport string) netip.Addr {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = hostport
	}
	a, _ := netip.ParseAddr(host)
	return a.Unmap().WithZone("")
}

// ClientKey is whom limits count a request to: an address, of IPv6 the network, since
// anybody has one of those; "" for nobody. Programs on this machine are not limited, except where
// a proxy on it, which is not trusted, passes others' requests on.
func (p Proxies) ClientKey(r *http.Request) string {
	addr := p.clientAddress(r)
	if addr.IsLoopback() && r.Header.Get("X-Forwarded-For") == "" && r.Header.Get("Forwarded") == "" {
		return ""
	}
	return key(addr)
}

// PeerKey is the same for a connection of which no more is known: trusted proxies are not limited
// either.
func (p Proxies) PeerKey(peer net.Addr) string {
	addr := peerAddress(peer.String())
	if addr.IsLoopback() || p.has(addr) {
		return ""
	}
	return key(addr)
}

func key(addr netip.Addr) string {
	if addr.Is6() {
		network, _ := addr.Prefix(64)
		return network.String()
	}
	return addr.String()
}
