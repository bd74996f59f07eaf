package main

import (
	"runtime"
	"syscall/js"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/jsx"
)

// left is what a program has that does not go by itself.
type left struct{ functions, goroutines int }

func leftNow() left { return left{jsx.Live(), runtime.NumGoroutine()} }

// TestCallsLeaveNothing makes every call in three ways: until it fails, until it is out of
// time, and until it is aborted. Afterwards the program has as many functions and goroutines as before.
func TestCallsLeaveNothing(t *testing.T) {
	kiiweb := startApp(t)
	before := leftNow()
	enter := func() {
		_, code := settle(t, kiiweb.Call("useToken", "token", eval(t, `{ userID: "u" }`)))
		require.Empty(t, code)
	}
	for _, s := range signatures {
		for name, options := range map[string]string{
			"failed":                  `{ timeout: 5000 }`,
			"out of time":             `{ timeout: 1 }`,
			"aborted before":          `{ signal: AbortSignal.abort() }`,
			"aborted while it is off": `{ signal: AbortSignal.timeout(2) }`,
		} {
			enter()
			_, code := settle(t, s.call(t, kiiweb, len(s.args), options))
			if name == "aborted before" {
				assert.Equal(t, "ABORTED", code, s.name)
			}
		}
	}
	var after left
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if after = leftNow(); after == before {
			break
		}
	}
	require.Equal(t, before, after)
	t.Logf("functions and goroutines before and after: %+v", after)
}

// TestTheCheckFindsWhatIsLeft holds that one function more is seen.
func TestTheCheckFindsWhatIsLeft(t *testing.T) {
	before := leftNow()
	f := jsx.NewFunc(func([]js.Value) any { return nil })
	assert.NotEqual(t, before, leftNow())
	f.Release()
	assert.Equal(t, before, leftNow())
}
