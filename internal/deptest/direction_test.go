package deptest

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// allowed says which other packages of the module a package, or the packages below it,
// may import, on any platform. A row that ends with /... covers a whole folder; the
// longest row counts. Who has no row has no place yet: add it here and to
// docs/architecture.md, whose table says the same.
var allowed = map[string][]string{
	"internal/fault":     {},
	"internal/mqtt":      {},
	"internal/jsx":       {"internal/fault"},
	"internal/transport": {"internal/fault", "internal/jsx"},
	"internal/session":   {"internal/fault", "internal/mqtt", "internal/transport"},

	"internal/transport/testserver": {},
	"internal/deptest":              {},
	"internal/syncbuf":              {},
	"internal/build/...":            {},

	"pkg/kiiweb":   {"internal/fault", "internal/jsx", "internal/mqtt", "internal/session", "internal/transport"},
	"pkg/kiicloud": {"pkg/kiicloud/..."},

	"pkg/kiicloud/rest":              {"pkg/kiicloud/engine", "pkg/kiicloud/store"},
	"pkg/kiicloud/store":             {},
	"pkg/kiicloud/store/pgtest":      {"internal/syncbuf"},
	"pkg/kiicloud/engine":            {"internal/mqtt", "pkg/kiicloud/guard", "pkg/kiicloud/store"},
	"pkg/kiicloud/engine/enginetest": {"internal/mqtt", "pkg/kiicloud/engine", "pkg/kiicloud/guard/guardtest", "pkg/kiicloud/store"},
	"pkg/kiicloud/engine/rabbitmq":   {"pkg/kiicloud/engine", "pkg/kiicloud/store"},
	"pkg/kiicloud/guard":             {"internal/mqtt"},
	"pkg/kiicloud/guard/guardtest":   {"internal/mqtt"},

	"wasm":       {"pkg/kiiweb", "internal/fault", "internal/jsx", "internal/transport"},
	"demo":       {"pkg/kiicloud", "pkg/kiicloud/store"},
	"demo/thing": {"pkg/kiiweb"},
	"tests/...":  {"internal/...", "pkg/...", "tests/..."},
	"bench/...":  {"internal/...", "pkg/...", "tests/...", "bench/..."},
}

func TestDependenciesPointOneWay(t *testing.T) {
	for _, g := range []graph{list(t, "", "./..."), list(t, "js", linked...)} {
		require.NotEmpty(t, g)
		for _, path := range sorted(g) {
			targets, found := rowOf(own(path))
			if !assert.True(t, found, "%s has no row in the table of dependencies", path) {
				continue
			}
			for _, imported := range g[path] {
				if inside := own(imported); inside != "" {
					assert.True(t, covered(targets, inside), "%s must not import %s", path, imported)
				}
			}
		}
	}
}

// rowOf gives the longest row that covers a package.
func rowOf(path string) (targets []string, found bool) {
	longest := -1
	for row, t := range allowed {
		if covers(row, path) && len(row) > longest {
			longest, targets, found = len(row), t, true
		}
	}
	return targets, found
}

func covered(rows []string, path string) bool {
	return slices.ContainsFunc(rows, func(row string) bool { return covers(row, path) })
}

func covers(row, path string) bool {
	folder, below := strings.CutSuffix(row, "/...")
	return path == folder || below && strings.HasPrefix(path, folder+"/")
}

func TestCovers(t *testing.T) {
	assert.True(t, covers("pkg/a", "pkg/a"))
	assert.False(t, covers("pkg/a", "pkg/a/b"))
	assert.True(t, covers("pkg/a/...", "pkg/a"))
	assert.True(t, covers("pkg/a/...", "pkg/a/b/c"))
	assert.False(t, covers("pkg/a/...", "pkg/ab"))
}

func TestTheClientAndTheCloudDoNotKnowEachOther(t *testing.T) {
	for _, pair := range [][2]string{{"pkg/kiiweb", "pkg/kiicloud"}, {"pkg/kiicloud", "pkg/kiiweb"}} {
		targets, found := rowOf(pair[0])
		require.True(t, found)
		assert.False(t, covered(targets, pair[1]), "the table must not allow %s to import %s", pair[0], pair[1])
	}
}
