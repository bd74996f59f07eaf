package chrome

import (
	_ "embed"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

//go:embed wasmtest.js
var wasmTestScript []byte

// wasmTestLimit bounds one run; the test binary's own timeout is a little shorter.
const (
	wasmTestLimit  = 5 * time.Minute
	wasmTestOwnEnd = "-test.timeout=4m30s"
)

// WasmTest is a package's tests, compiled to WebAssembly.
type WasmTest struct {
	root string
	file string
}

// BuildWasmTest compiles the tests of pkg, which is given as go test takes it, relative
// to the folder of go.mod.
func BuildWasmTest(t testing.TB, pkg string) *WasmTest {
	t.Helper()
	root, err := Root()
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "test.wasm")
	build := exec.Command("go", "test", "-c", "-o", file, pkg)
	build.Dir = root
	build.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm")
	output, err := build.CombinedOutput()
	require.NoError(t, err, "%s", output)
	return &WasmTest{root: root, file: file}
}

// Repack makes the tests' module as the shipped one is: their messages no longer say on which lines they are.
func (w *WasmTest) Repack(t testing.TB) {
	t.Helper()
	command := exec.Command("go", "run", "./internal/build", "-repack", w.file)
	command.Dir = w.root
	output, err := command.CombinedOutput()
	require.NoError(t, err, "%s", output)
}

// In says where in a browser a test runs.
type In string

// The places.
const (
	Page   In = "page"
	Worker In = "worker"
)

// Run runs the tests in b with env and further arguments ("-test.run=…"). What they
// print goes to t's log; their failure fails t.
func (w *WasmTest) Run(t testing.TB, b *Browser, in In, env map[string]string, args ...string) {
	t.Helper()
	code, err := w.exitCode(t, b, in, env, args...)
	require.NoError(t, err)
	require.Zero(t, code, "exit code of the tests in the browser")
}

func (w *WasmTest) exitCode(t testing.TB, b *Browser, in In, env map[string]string, args ...string) (code int, err error) {
	server := httptest.NewServer(w.handler())
	defer server.Close()
	tab := b.Tab(t)
	defer tab.Close()
	tab.console.divert(goOutput(tab.log))
	tab.Open(server.URL + "/")

	if env == nil {
		env = map[string]string{}
	}
	job, err := json.Marshal(map[string]any{
		"argv": append([]string{"test.wasm", "-test.v", wasmTestOwnEnd}, args...),
		"env":  env,
	})
	if err != nil {
		return 0, err
	}
	start := "runHere"
	if in == Worker {
		start = "runInWorker"
	}
	err = tab.TryEval(wasmTestLimit, start+"("+string(job)+")", &code)
	return code, err
}

// RunWasmTest builds and runs the tests of pkg in the page and in a worker of a browser
// started for them.
func RunWasmTest(t *testing.T, pkg string, env map[string]string, args ...string) {
	t.Helper()
	test, b := BuildWasmTest(t, pkg), Start(t, Options{})
	for _, in := range []In{Page, Worker} {
		t.Run(string(in), func(t *testing.T) { test.Run(t, b, in, env, args...) })
	}
}

// goOutput takes the lines that wasmtest.js has marked.
func goOutput(log *logger) func(Entry) bool {
	return func(e Entry) bool {
		line, marked := strings.CutPrefix(e.Text, "go: ")
		if marked {
			log.printf("%s", line)
		}
		return marked
	}
}

func (w *WasmTest) handler() http.Handler {
	file := func(path string) http.HandlerFunc {
		return func(rw http.ResponseWriter, r *http.Request) { http.ServeFile(rw, r, path) }
	}
	text := func(kind string, body []byte) http.HandlerFunc {
		return func(rw http.ResponseWriter, _ *http.Request) {
			rw.Header().Set("Content-Type", kind)
			_, _ = rw.Write(body)
		}
	}
	mux := http.NewServeMux()
	mux.Handle("/{$}", text("text/html", []byte(`<!doctype html><link rel="icon" href="data:,"><title>test</title>`+
		`<script src="/wasm_exec.js"></script><script src="/wasmtest.js"></script>`)))
	mux.Handle("/worker.js", text("text/javascript", []byte(`importScripts("/wasm_exec.js", "/wasmtest.js");`)))
	mux.Handle("/wasmtest.js", text("text/javascript", wasmTestScript))
	mux.Handle("/wasm_exec.js", file(filepath.Join(w.root, "wasm_exec.js")))
	mux.Handle("/test.wasm", file(w.file))
	return mux
}
