package kiiweb

import (
	"syscall/js"
	"testing"

	"github.com/stretchr/testify/assert"
)

// checkAgainstStandard holds the splitter against the URL class of the browser.
func checkAgainstStandard(t *testing.T, u baseURL) {
	std := js.Global().Get("URL").New(u.String())
	assert.Equal(t, u.scheme+":", std.Get("protocol").String())
	assert.Equal(t, "", std.Get("username").String()+std.Get("search").String()+std.Get("hash").String())
	assert.Equal(t, u.path, map[bool]string{true: "", false: std.Get("pathname").String()}[std.Get("pathname").String() == "/"])
}
