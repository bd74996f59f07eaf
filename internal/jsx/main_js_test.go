package jsx

import (
	"os"
	"syscall/js"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestMain fails when a test left a function behind.
func TestMain(m *testing.M) {
	code := m.Run()
	if code == 0 && Live() != 0 {
		println("functions not released:", Live())
		code = 1
	}
	os.Exit(code)
}

// eval runs a piece of JavaScript and gives its value.
func eval(t testing.TB, expression string) js.Value {
	t.Helper()
	v, err := Invoke(js.Global().Get("Function").New("return (" + expression + ")"))
	require.NoError(t, err)
	return v
}
