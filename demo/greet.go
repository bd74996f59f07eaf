package main

import (
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"

	"github.com/kiiweb/kiiweb/pkg/kiicloud"
)

// greet tells people what to open: three lines, and one more where the setup lacks
// something. Plain HTTP comes first on this machine, where it needs no certificate;
// to another machine the library sends no credentials over it, so there TLS is all.
func greet(w io.Writer, r kiicloud.Ready, host, notice string) {
	plain, secure := withHost(r.HTTP, host), withHost(r.HTTPS, host)
	trust := "its certificate is the one you gave."
	if r.CA != "" {
		trust = "the browser warns, unless it trusts " + r.CA
	}
	switch {
	case plain != "" && loopback(host):
		fmt.Fprintf(w, "Open  %s  in a browser: no certificate is needed.\n", plain)
		if secure != "" {
			fmt.Fprintf(w, "Or    %s  with TLS: %s\n", secure, trust)
		}
	case secure != "":
		fmt.Fprintf(w, "Open  %s  in a browser: %s\n", secure, trust)
		fmt.Fprintf(w, "      (Plain HTTP is for this machine alone: pages elsewhere send no passwords over it.)\n")
	default:
		fmt.Fprintf(w, "Open  %s  in a browser; without -https, or a proxy for TLS in front, it can log in on this machine alone.\n", plain)
	}
	fmt.Fprintf(w, "Stop  with Ctrl+C.\n")
	if notice != "" {
		fmt.Fprintf(w, "NOTE  The page cannot work yet: %s\n", notice)
	}
}

// withHost is a URL with another host and the same port; "" stays "".
func withHost(raw, host string) string {
	u, err := url.Parse(raw)
	if raw == "" || err != nil || host == "" {
		return raw
	}
	if port := u.Port(); port != "" {
		u.Host = net.JoinHostPort(host, port)
	} else {
		u.Host = host
	}
	return u.String()
}

// loopback reports whether a host name means this machine.
func loopback(host string) bool {
	if ip := net.ParseIP(host); ip != nil {
		return ip.IsLoopback()
	}
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}
