package jsx

import (
	"context"
	"errors"
	"syscall/js"

	"github.com/kiiweb/kiiweb/internal/fault"
)

var promiseClass = global.Get("Promise")

// NewPromise runs work in a goroutine and gives the promise of its result, which is
// anything that js.ValueOf takes. The promise always settles: it rejects with
// ToJS(err), and with code CRASHED when work panics or ends its goroutine.
func NewPromise(work func() (any, error)) js.Value {
	var resolve, reject js.Value
	executor := NewFunc(func(args []js.Value) any {
		resolve, reject = args[0], args[1]
		return nil
	})
	defer executor.Release()
	promise := promiseClass.New(executor.Value())
	go func() {
		value, err := guarded(work)
		if err == nil {
			if _, err = Invoke(resolve, value); err == nil {
				return
			}
			err = fault.Wrap(fault.Crashed, "The result could not be handed to JavaScript", err)
		}
		_, _ = Invoke(reject, ToJS(err))
	}()
	return promise
}

// guarded runs work in a goroutine of its own, so that even runtime.Goexit in it
// leaves somebody to settle the promise.
func guarded(work func() (any, error)) (value any, err error) {
	done := make(chan struct{})
	err = fault.New(fault.Crashed, "The call ended without a result.")
	go func() {
		defer close(done)
		defer func() {
			if r := recover(); r != nil {
				reportPanic(r)
				err = fault.Wrap(fault.Crashed, "The call crashed", errors.New(fault.PanicText(r)))
			}
		}()
		value, err = work()
	}()
	<-done
	return value, err
}

// Await waits until promise settles or ctx ends. A rejection is FromJS of its reason,
// the end of ctx is ctx.Err(). What is no promise is its own result. It blocks, so it
// must not be called from a function that JavaScript called.
func Await(ctx context.Context, promise js.Value) (js.Value, error) {
	promise, err := Call(promiseClass, "resolve", promise)
	if err != nil {
		return js.Undefined(), err
	}
	type outcome struct {
		value js.Value
		err   error
	}
	settled := make(chan outcome, 1)
	// The functions belong to the promise: when ctx ends first they live on until it
	// settles, because JavaScript will still call one of them.
	var funcs Owner
	fulfilled := funcs.Func(func(args []js.Value) any {
		funcs.Release()
		settled <- outcome{value: args[0]}
		return nil
	})
	rejected := funcs.Func(func(args []js.Value) any {
		funcs.Release()
		settled <- outcome{err: FromJS(args[0])}
		return nil
	})
	if _, err := Call(promise, "then", fulfilled, rejected); err != nil {
		funcs.Release()
		return js.Undefined(), err
	}
	select {
	case o := <-settled:
		return o.value, o.err
	case <-ctx.Done():
		select {
		case o := <-settled: // a result that is there counts
			return o.value, o.err
		default:
			return js.Undefined(), ctx.Err()
		}
	}
}

// SignalContext gives a context that ends when parent does or when signal, an
// AbortSignal, aborts. A signal that is undefined or null never does. The caller calls
// cancel in the end, which may be called more than once.
func SignalContext(parent context.Context, signal js.Value) (ctx context.Context, cancel context.CancelFunc) {
	ctx, end := context.WithCancel(parent)
	if signal.IsUndefined() || signal.IsNull() {
		return ctx, end
	}
	aborted, _ := Get(signal, "aborted")
	if TypeOf(aborted) == js.TypeBoolean && aborted.Bool() {
		end()
		return ctx, end
	}
	f := NewFunc(func([]js.Value) any {
		end()
		return nil
	})
	_, _ = Call(signal, "addEventListener", "abort", f.Value())
	return ctx, func() {
		_, _ = Call(signal, "removeEventListener", "abort", f.Value())
		f.Release()
		end()
	}
}
