package tap

import (
	"bytes"
	"compress/flate"
	"io"
)

// Levels gives the protocol level in the CONNECT of each connection, in order: 5, 4 for
// MQTT 3.1.1 and 3 for 3.1; 0 where no CONNECT has come yet. It understands MQTT over
// TCP and over WebSocket.
func (t *Tap) Levels() []byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	var levels []byte
	for _, b := range t.hello {
		levels = append(levels, level(b))
	}
	return levels
}

// level finds the protocol level: the byte after the protocol's name.
func level(b []byte) byte {
	if bytes.HasPrefix(b, []byte("GET ")) {
		b = firstFrame(b)
	}
	for _, name := range []string{"\x00\x04MQTT", "\x00\x06MQIsdp"} {
		if i := bytes.Index(b, []byte(name)); i >= 0 && i+len(name) < len(b) {
			return b[i+len(name)]
		}
	}
	return 0
}

// firstFrame gives the payload, as far as it is there, of the first WebSocket frame
// after a handshake. A client's frames are masked (RFC 6455, 5.3), and compressed where
// the two have agreed on that, which RSV1 tells (RFC 7692, 7.2).
func firstFrame(b []byte) []byte {
	_, b, found := bytes.Cut(b, []byte("\r\n\r\n"))
	if !found || len(b) < 2 {
		return nil
	}
	n, compressed := 2, b[0]&0x40 != 0
	switch b[1] & 0x7f {
	case 126:
		n += 2
	case 127:
		n += 8
	}
	if len(b) < n+4 {
		return nil
	}
	mask, b := b[n:n+4], b[n+4:]
	out := make([]byte, len(b))
	for i := range b {
		out[i] = b[i] ^ mask[i%4]
	}
	if compressed {
		out, _ = io.ReadAll(flate.NewReader(bytes.NewReader(append(out, 0, 0, 0xff, 0xff)))) // as far as it is there
	}
	return out
}
