package main

import (
	"net"
	"net/http"
	"strconv"
	"strings"
)

// contentPolicy is the page's Content-Security-Policy. Scripts come from this server
// alone, 'wasm-unsafe-eval' lets the WebAssembly module start, and the page talks to
// this server and to the broker's WebSocket ports, nowhere else.
func contentPolicy(host string, portWS, portWSS int) string {
	connect := "'self'"
	for _, source := range socketSources(host, portWS, portWSS) {
		connect += " " + source
	}
	return strings.Join([]string{
		"default-src 'none'",
		"script-src 'self' 'wasm-unsafe-eval'",
		"worker-src 'self'",
		"style-src 'self'",
		"img-src 'self' data:",
		"connect-src " + connect,
		"base-uri 'none'",
		"form-action 'none'",
		"frame-ancestors 'none'",
	}, "; ")
}

// socketSources names the broker's two WebSocket origins. They have to be named beside
// 'self': a page opened as 127.0.0.1 is told to connect to localhost, and browsers differ
// in whether 'self' covers WebSockets. A policy cannot name an IPv6 address, so there the
// scheme alone has to do.
func socketSources(host string, portWS, portWSS int) []string {
	var sources []string
	for _, s := range []struct {
		scheme string
		port   int
	}{{"ws:", portWS}, {"wss:", portWSS}} {
		switch {
		case s.port == 0:
		case host == "" || strings.Contains(host, ":"):
			sources = append(sources, s.scheme)
		default:
			sources = append(sources, s.scheme+"//"+net.JoinHostPort(host, strconv.Itoa(s.port)))
		}
	}
	return sources
}

// protect sets the headers that every answer of the site carries.
func protect(h http.Header) {
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
}

// share lets pages of other origins load the library, which is public and holds no
// secret: a page under development elsewhere may take it from here.
func share(h http.Header) {
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
}
