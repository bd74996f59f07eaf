package kiicloud

import (
	"bytes"
	"log/slog"
)

// httpLog takes what package net/http has to say. A handshake that fails is a client's
// affair, often a browser that does not trust the local CA; the rest, such as a panic
// in the page's handler, is for whoever runs the cloud.
type httpLog struct{ log *slog.Logger }

// Write takes one line.
func (l httpLog) Write(line []byte) (int, error) {
	text := string(bytes.TrimSpace(line))
	if bytes.HasPrefix(line, []byte("http: TLS handshake error")) {
		l.log.Debug(text)
	} else {
		l.log.Error("HTTP server: " + text)
	}
	return len(line), nil
}
