package journey

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/tests/cloud"
)

// around is a program of somebody else's, with the lines of README.md in it.
const around = `package main

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/kiiweb/kiiweb/pkg/kiiweb"
)

func main() {
LINES	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	if _, err := client.Register(ctx, "alice", "a long enough password"); err != nil {
		log.Fatal(err)
	}
	installation, err := client.InstallMQTT(ctx, false)
	if err != nil {
		log.Fatal(err)
	}
	endpoint, err := client.MQTTEndpoint(ctx, installation.InstallationID)
	if err != nil {
		log.Fatal(err)
	}
	conn, err := client.Connect(ctx, endpoint, kiiweb.ConnectOptions{})
	if err != nil {
		log.Fatal(err)
	}
	if _, err := client.SendToMe(ctx, kiiweb.PushMessage{Data: map[string]any{"text": "as printed"}}); err != nil {
		log.Fatal(err)
	}
	for message := range conn.Messages(ctx) {
		fmt.Printf("%s\n", message.Payload)
		break
	}
}
`

// TestTheReadmesGo: its lines for Go, in a module of their own, as they are printed there but for the paths and the port.
func TestTheReadmesGo(t *testing.T) {
	readme, err := os.ReadFile(filepath.Join(cloud.Root(), "README.md"))
	require.NoError(t, err)
	blocks := regexp.MustCompile("(?s)```sh\n(go mod edit[^`]*)```\n\n```go\n(.*?)```").FindSubmatch(readme)
	require.NotNil(t, blocks)
	c := cloud.Start(t)
	lines := string(blocks[2])
	for from, to := range map[string]string{"<path of the clone>/.kiicloud/ca.pem": c.Ready.CA, "https://localhost:8443": c.Ready.HTTPS} {
		require.Equal(t, 1, strings.Count(lines, from), "%s in\n%s", from, lines)
		lines = strings.Replace(lines, from, to, 1)
	}
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "main.go"), []byte(strings.Replace(around, "LINES", lines, 1)), 0o644))
	script := "go mod init example.com/mine && " + strings.ReplaceAll(string(blocks[1]), "<path of the clone>", cloud.Root()) + "go run ."
	command := exec.Command("sh", "-ec", script)
	command.Dir = dir
	said, err := command.Output()
	var failed *exec.ExitError
	if err != nil {
		require.ErrorAs(t, err, &failed)
		require.NoError(t, err, "%s", failed.Stderr)
	}
	assert.Contains(t, string(said), `"text":"as printed"`)
}
