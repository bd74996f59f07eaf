package jsx

import (
	"errors"
	"syscall/js"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestFuncCountsAndReleases(t *testing.T) {
	before := Live()
	f := NewFunc(func(args []js.Value) any { return args[0].Int() + 1 })
	assert.Equal(t, before+1, Live())
	assert.Equal(t, 42, f.Value().Invoke(41).Int())
	f.Release()
	f.Release()
	assert.Equal(t, before, Live())
	assert.True(t, f.Value().Invoke(41).IsUndefined(), "nothing of it is kept")
}

func TestFuncMayReleaseItself(t *testing.T) {
	before := Live()
	var f *Func
	f = NewFunc(func([]js.Value) any {
		f.Release()
		return "done"
	})
	assert.Equal(t, "done", f.Value().Invoke().String())
	assert.Equal(t, before, Live())
}

func TestFuncPanicStaysInside(t *testing.T) {
	reported, end := errorsOfTheConsole()
	defer end()
	for _, value := range []any{"a string", errors.New("an error"), 7} {
		f := NewFunc(func([]js.Value) any { panic(value) })
		assert.True(t, f.Value().Invoke().IsUndefined())
		f.Release()
	}
	require.Len(t, *reported, 3)
	assert.Contains(t, (*reported)[0], "a string")
	assert.Contains(t, (*reported)[1], "an error")
	assert.Contains(t, (*reported)[1], "goroutine", "the report has a stack")
}

// errorsOfTheConsole gathers what is reported there, until end is called.
func errorsOfTheConsole() (reported *[]string, end func()) {
	console := js.Global().Get("console")
	original := console.Get("error")
	reported = new([]string)
	report := NewFunc(func(args []js.Value) any {
		*reported = append(*reported, args[0].String())
		return nil
	})
	console.Set("error", report.Value())
	return reported, func() {
		console.Set("error", original)
		report.Release()
	}
}

func TestOwnerReleasesAll(t *testing.T) {
	before := Live()
	var o Owner
	for range 3 {
		o.Func(func([]js.Value) any { return nil })
	}
	assert.Equal(t, before+3, Live())
	o.Release()
	assert.Equal(t, before, Live())
	assert.Empty(t, o.funcs, "nor kept")
	o.Func(func([]js.Value) any { return nil })
	o.Release()
	assert.Equal(t, before, Live(), "an owner can be used again")
}
