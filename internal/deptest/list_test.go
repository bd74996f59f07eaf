package deptest

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// module is the path that go.mod declares.
const module = "github.com/kiiweb/kiiweb"

// root is the folder of go.mod, as seen from this package.
var root = filepath.Join("..", "..")

// graph maps each package to what it imports.
type graph map[string][]string

// list asks the go command about packages, and with -deps about all they need, for a
// platform: "js" or "" for this machine's.
func list(t *testing.T, goos string, arguments ...string) graph {
	t.Helper()
	command := exec.Command("go", append([]string{"list", "-json=ImportPath,Imports"}, arguments...)...)
	command.Dir = root
	command.Env = os.Environ()
	if goos == "js" {
		command.Env = append(command.Env, "GOOS=js", "GOARCH=wasm")
	}
	var complaint bytes.Buffer
	command.Stderr = &complaint
	output, err := command.Output()
	require.NoError(t, err, "%s", complaint.String())

	g := graph{}
	for decoder := json.NewDecoder(bytes.NewReader(output)); ; {
		var p struct {
			ImportPath string
			Imports    []string
		}
		err := decoder.Decode(&p)
		if errors.Is(err, io.EOF) {
			return g
		}
		require.NoError(t, err)
		g[p.ImportPath] = p.Imports
	}
}

// chain gives a shortest way of imports from one package to another, or nil.
func (g graph) chain(from, to string) []string {
	before := map[string]string{from: ""}
	for queue := []string{from}; len(queue) > 0; queue = queue[1:] {
		if queue[0] == to {
			var way []string
			for p := to; p != ""; p = before[p] {
				way = append(way, p)
			}
			slices.Reverse(way)
			return way
		}
		for _, next := range g[queue[0]] {
			if _, seen := before[next]; !seen {
				before[next] = queue[0]
				queue = append(queue, next)
			}
		}
	}
	return nil
}

// own is a package's path inside the module, and "" for any other package.
func own(path string) string {
	inside, _ := strings.CutPrefix(path, module+"/")
	if inside == path {
		return ""
	}
	return inside
}

func TestChain(t *testing.T) {
	g := graph{"a": {"b", "c"}, "b": {"d"}, "c": {"e"}, "d": {"e"}, "e": {"a"}}
	assert.Equal(t, []string{"a", "c", "e"}, g.chain("a", "e"))
	assert.Equal(t, []string{"a"}, g.chain("a", "a"))
	assert.Nil(t, g.chain("a", "x"))
}

// TestListSeesImports proves that the tests of this package look at something.
func TestListSeesImports(t *testing.T) {
	g := list(t, "", "-deps", "./internal/transport")
	assert.Contains(t, g[module+"/internal/transport"], "net/http")
	assert.NotNil(t, g.chain(module+"/internal/transport", "crypto/tls"))
	assert.NotContains(t, list(t, "js", "./internal/transport")[module+"/internal/transport"], "net/http")
}
