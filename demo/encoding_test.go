package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestAccepts(t *testing.T) {
	cases := []struct {
		name, header string
		br, gzip     bool
	}{
		{"no header", "", false, false},
		{"what browsers send", "gzip, deflate, br, zstd", true, true},
		{"plain http in a browser", "gzip, deflate", false, true},
		{"upper case", "BR", true, false},
		{"no spaces", "gzip,br", true, true},
		{"refused by name", "br;q=0, gzip", false, true},
		{"refused in decimals", "br; q=0.000, gzip;q=0.1", false, true},
		{"everything", "*", true, true},
		{"everything but one", "br;q=0, *", false, true},
		{"nothing", "*;q=0", false, false},
		{"identity alone", "identity", false, false},
		{"a longer name is another coding", "brotli, gzipped", false, false},
		{"weight that is no number", "br;q=high", false, false},
		{"other parameters are passed over", "br;level=3;q=0.5", true, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			assert.Equal(t, c.br, accepts(c.header, "br"), "br")
			assert.Equal(t, c.gzip, accepts(c.header, "gzip"), "gzip")
		})
	}
}
