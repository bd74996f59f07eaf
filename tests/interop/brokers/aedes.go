package brokers

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

// Aedes starts aedes on Node.js, which speaks MQTT 3.1.1 and 3.1.
func Aedes(t testing.TB) *Broker {
	t.Helper()
	folder := Folder(t)
	var about struct{ Version string }
	file, err := os.ReadFile(filepath.Join(folder, "node_modules", "aedes", "package.json"))
	require.NoError(t, err, "aedes is missing: run `make deps`, which installs it")
	require.NoError(t, json.Unmarshal(file, &about))
	_, ports := launch(t, 2, func(ports []int) *exec.Cmd {
		cmd := exec.Command("node", filepath.Join(folder, "brokers", "aedes.mjs"), strconv.Itoa(ports[0]), strconv.Itoa(ports[1]))
		cmd.Env = append(os.Environ(), "MQTT_USERNAME="+everybody.Username, "MQTT_PASSWORD="+everybody.Password)
		return cmd
	})
	return &Broker{Account: everybody, Name: "aedes", Version: about.Version, TCP: ports[0], WS: ports[1], Path: "/mqtt"}
}

// Folder is that of this Go module, above the working folder or below it: the tests run
// in the folder of the main module.
func Folder(t testing.TB) string {
	t.Helper()
	folder, err := filepath.Abs(filepath.Join("tests", "interop"))
	require.NoError(t, err)
	_, err = os.Stat(filepath.Join(folder, "go.mod"))
	require.NoError(t, err, "the tests run in the folder of the main module")
	return folder
}
