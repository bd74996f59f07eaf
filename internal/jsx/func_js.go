package jsx

import (
	"runtime"
	"sync"
	"sync/atomic"
	"syscall/js"

	"github.com/kiiweb/kiiweb/internal/fault"
)

var live atomic.Int64

// Live is the number of functions made by this package and not yet released. It
// goes back to zero when everything that made one has ended.
func Live() int { return int(live.Load()) }

// Func is one function that JavaScript can call.
type Func struct {
	f    js.Func
	once sync.Once
}

// NewFunc makes a function of fn, which must not block. If fn panics, the panic is
// reported on the console and JavaScript gets undefined. Its maker calls Release.
func NewFunc(fn func(args []js.Value) any) *Func {
	live.Add(1)
	return &Func{f: js.FuncOf(func(_ js.Value, args []js.Value) (result any) {
		defer func() {
			if r := recover(); r != nil {
				reportPanic(r)
				result = js.Undefined()
			}
		}()
		return fn(args)
	})}
}

// Value is the function as JavaScript sees it.
func (f *Func) Value() js.Value { return f.f.Value }

// Release frees the function. It may be called more than once, and from within the
// function itself; JavaScript must not call the function afterwards.
func (f *Func) Release() {
	f.once.Do(func() {
		f.f.Release()
		live.Add(-1)
	})
}

// Owner holds functions that are released together.
type Owner struct {
	mu    sync.Mutex
	funcs []*Func
}

// Func makes a function, as NewFunc does, that o releases.
func (o *Owner) Func(fn func(args []js.Value) any) js.Value {
	f := NewFunc(fn)
	o.mu.Lock()
	defer o.mu.Unlock()
	o.funcs = append(o.funcs, f)
	return f.Value()
}

// Release frees every function made so far.
func (o *Owner) Release() {
	o.mu.Lock()
	funcs := o.funcs
	o.funcs = nil
	o.mu.Unlock()
	for _, f := range funcs {
		f.Release()
	}
}

func reportPanic(r any) {
	stack := make([]byte, 8<<10)
	stack = stack[:runtime.Stack(stack, false)]
	_, _ = Call(global.Get("console"), "error", "kiiweb: a callback panicked: "+fault.PanicText(r)+"\n"+string(stack))
}
