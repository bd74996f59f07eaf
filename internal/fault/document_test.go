package fault

import (
	"os"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestTheDocumentHasEveryCode: docs/errors.md has a line for each code, with the remedy that
// goes with it and whether the call may succeed later.
func TestTheDocumentHasEveryCode(t *testing.T) {
	text, err := os.ReadFile("../../docs/errors.md")
	require.NoError(t, err)
	documented := map[Code]preset{}
	for _, m := range regexp.MustCompile("(?m)^\\| `([A-Z_]+)` \\| [^|]+ \\| ([^|]+) \\| (yes|no) \\|$").FindAllStringSubmatch(string(text), -1) {
		documented[Code(m[1])] = preset{remedy: m[2], retryable: m[3] == "yes"}
	}
	assert.Equal(t, defaults, documented)
}
