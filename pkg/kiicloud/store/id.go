package store

import (
	"crypto/rand"
	"strings"
)

// The alphabet of every id, topic, token and password that this project makes. It has
// no '%', '/', '+' or '#', so that a value is the same in a URL, in JSON, in an MQTT
// topic and in the hands of clients that decode what they should not.
const idAlphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// IDLength is the length of an id: 131 random bits in 22 characters, within the 23
// that MQTT 3.1 allows a client identifier.
const IDLength = 22

// NewID makes an id that nobody can guess.
func NewID() string { return RandomString(IDLength) }

// IsID tells whether s could have been made by NewID.
func IsID(s string) bool {
	return len(s) == IDLength && strings.Trim(s, idAlphabet) == ""
}

// RandomString makes a string of n letters and digits, each drawn evenly by crypto/rand.
func RandomString(n int) string {
	const limit = 256 - 256%len(idAlphabet) // above this a byte would favour the first letters
	out := make([]byte, 0, n)
	var buf [64]byte
	for len(out) < n {
		rand.Read(buf[:]) // never fails: crypto/rand ends the process when the system has no randomness
		for _, b := range buf {
			if int(b) < limit && len(out) < n {
				out = append(out, idAlphabet[int(b)%len(idAlphabet)])
			}
		}
	}
	return string(out)
}
