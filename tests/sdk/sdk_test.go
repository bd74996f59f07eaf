// Package sdk runs Kii's official JavaScript SDK, and usual MQTT clients, against the
// shipped cloud. The tests themselves are TypeScript, in test/; see lib/ for what they share.
package sdk

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/kiiweb/kiiweb/tests/cloud"
)

// What ran before and has to run again: tests that vanish fail as those that fail do.
const (
	wantTests = 169 // tests, at least
	wantCalls = 60  // different calls of the SDK, at least

	patience = 15 * time.Minute // with all of Node's tests, which take half a minute on an idle machine
)

func TestMain(m *testing.M) {
	code := m.Run()
	cloud.Clean()
	http.DefaultClient.CloseIdleConnections()
	if code == 0 {
		if err := goleak.Find(); err != nil {
			println(err.Error())
			code = 1
		}
	}
	os.Exit(code)
}

func TestOfficialSDK(t *testing.T) {
	main := cloud.Start(t)
	clouds, err := json.Marshal(map[string]cloud.Ready{
		"main":  main.Ready,
		"late":  cloud.Start(t, "-endpoint-delay", "1500ms").Ready, // while the SDK asks three times in two seconds
		"never": cloud.Start(t, "-endpoint-delay", "24h").Ready,
	})
	require.NoError(t, err)

	files := bundle(t)
	tap, calls := filepath.Join(t.TempDir(), "tap"), filepath.Join(t.TempDir(), "calls")
	args := []string{"--dns-result-order=ipv4first", "--test",
		"--test-reporter=spec", "--test-reporter-destination=stdout",
		"--test-reporter=tap", "--test-reporter-destination=" + tap}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "node", append(args, files...)...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) } // which Node hands on to its own processes
	cmd.Env = append(os.Environ(), "KIIWEB_CLOUDS="+string(clouds), "KIIWEB_CALLS="+calls, "NODE_EXTRA_CA_CERTS="+main.Ready.CA)
	failed := stream(t, cmd)

	printCalls(t, calls)
	passed := summary(t, tap, "pass")
	t.Logf("%d tests passed", passed)
	assert.GreaterOrEqual(t, passed, wantTests, "tests that passed before did not run")
	assert.Zero(t, summary(t, tap, "skipped")+summary(t, tap, "todo")+summary(t, tap, "cancelled"))
	assert.NoError(t, failed, "node --test")
}

// bundle makes JavaScript of each test with what it imports from lib/; packages stay
// outside, so that what runs is what npm installed.
func bundle(t *testing.T) []string {
	t.Helper()
	tests, err := filepath.Glob("test/*.test.ts")
	require.NoError(t, err)
	require.NotEmpty(t, tests)
	require.DirExists(t, "node_modules/kii-cloud-sdk", "run `make deps` first")
	const out = "node_modules/.cache/test" // below node_modules, where imports find the packages
	require.NoError(t, os.RemoveAll(out))
	cmd := exec.Command("go", append([]string{"tool", "esbuild",
		"--bundle", "--packages=external", "--format=esm", "--platform=node", "--target=node18",
		"--sourcemap=inline", "--log-level=warning", "--outdir=" + out, "--out-extension:.js=.mjs"}, tests...)...)
	output, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", output)
	files, err := filepath.Glob(out + "/*.mjs")
	require.NoError(t, err)
	require.Len(t, files, len(tests))
	return files
}

// stream runs the command and logs each line as it comes.
func stream(t *testing.T, cmd *exec.Cmd) error {
	t.Helper()
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	cmd.Stderr = cmd.Stdout
	require.NoError(t, cmd.Start())
	lines := bufio.NewScanner(stdout)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		t.Log(lines.Text())
	}
	require.NoError(t, lines.Err())
	return cmd.Wait()
}

// summary reads a number from the end of Node's report.
func summary(t *testing.T, tap, what string) int {
	t.Helper()
	report, err := os.ReadFile(tap)
	require.NoError(t, err)
	m := regexp.MustCompile(`(?m)^# ` + what + ` (\d+)$`).FindSubmatch(report)
	require.NotNil(t, m, "node's report does not say %q", what)
	n, err := strconv.Atoi(string(m[1]))
	require.NoError(t, err)
	return n
}

// printCalls logs how often each call of the SDK was made, in which style.
func printCalls(t *testing.T, file string) {
	t.Helper()
	type count struct{ Promise, Callback int }
	data, err := os.ReadFile(file)
	require.NoError(t, err, "no test wrote down its calls")
	total, all := map[string]count{}, count{}
	for line := range strings.Lines(string(data)) {
		var one map[string]count
		require.NoError(t, json.Unmarshal([]byte(line), &one))
		for name, n := range one {
			total[name] = count{total[name].Promise + n.Promise, total[name].Callback + n.Callback}
			all = count{all.Promise + n.Promise, all.Callback + n.Callback}
		}
	}
	names := make([]string, 0, len(total))
	for name := range total {
		names = append(names, name)
	}
	sort.Strings(names)
	t.Logf("%-52s %8s %9s", "calls made, all with the SDK's own objects", "promise", "callback")
	for _, name := range names {
		t.Logf("%-52s %8d %9d", name, total[name].Promise, total[name].Callback)
		assert.True(t, total[name].Promise > 0 && total[name].Callback > 0, "%s was not made in both styles", name)
	}
	t.Logf("%-52s %8d %9d", strconv.Itoa(len(names))+" different calls", all.Promise, all.Callback)
	assert.GreaterOrEqual(t, len(names), wantCalls, "calls that were made before are not made any more")
}
