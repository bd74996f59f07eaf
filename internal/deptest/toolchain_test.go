package deptest

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func goEnv(t *testing.T, name string) string {
	t.Helper()
	command := exec.Command("go", "env", name)
	command.Dir = root
	output, err := command.Output()
	require.NoError(t, err)
	return strings.TrimSpace(string(output))
}

// TestGlueBelongsToTheToolchain: a module runs only under the wasm_exec.js of the
// toolchain that built it.
func TestGlueBelongsToTheToolchain(t *testing.T) {
	original, err := os.ReadFile(filepath.Join(goEnv(t, "GOROOT"), "lib", "wasm", "wasm_exec.js"))
	require.NoError(t, err)
	ours, err := os.ReadFile(filepath.Join(root, "wasm_exec.js"))
	require.NoError(t, err)
	assert.True(t, string(original) == string(ours),
		"wasm_exec.js is not that of %s; copy it from GOROOT/lib/wasm", goEnv(t, "GOVERSION"))
}

// TestToolchainIsTheOneOfGoMod: then everybody builds the same module.
func TestToolchainIsTheOneOfGoMod(t *testing.T) {
	file, err := os.ReadFile(filepath.Join(root, "go.mod"))
	require.NoError(t, err)
	line := regexp.MustCompile(`(?m)^go (\S+)$`).FindSubmatch(file)
	require.NotNil(t, line, "go.mod has no go line")
	version, _, _ := strings.Cut(goEnv(t, "GOVERSION"), " ") // what follows names experiments
	assert.Equal(t, version, "go"+string(line[1]), "go.mod asks for another toolchain than the one that runs")
}
