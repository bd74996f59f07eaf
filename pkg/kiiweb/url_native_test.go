//go:build !js

package kiiweb

import (
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// checkAgainstStandard holds the splitter against net/url, which the wasm must not link.
func checkAgainstStandard(t *testing.T, u baseURL) {
	std, err := url.Parse(u.String())
	require.NoError(t, err)
	assert.Equal(t, u.scheme, std.Scheme)
	assert.Equal(t, u.host, std.Hostname())
	assert.Equal(t, u.port, std.Port())
	assert.Equal(t, u.path, std.EscapedPath())
	assert.Nil(t, std.User)
	assert.Empty(t, std.RawQuery+std.Fragment)
}

func FuzzEscape(f *testing.F) {
	f.Add("a/b%?#\u65e5 \x00\xff")
	f.Fuzz(func(t *testing.T, id string) {
		back, err := url.PathUnescape(escape(id))
		require.NoError(t, err)
		assert.Equal(t, id, back)
	})
}
