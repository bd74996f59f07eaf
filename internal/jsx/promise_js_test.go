package jsx

import (
	"context"
	"errors"
	"runtime"
	"syscall/js"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/fault"
)

func TestPromiseRoundTrip(t *testing.T) {
	reported, end := errorsOfTheConsole()
	defer end()
	before := Live()
	ctx := context.Background()
	cases := []struct {
		name string
		work func() (any, error)
		code string // of the rejection; "" when it resolves
		want string
	}{
		{"value", func() (any, error) { return "yes", nil }, "", "yes"},
		{"nothing", func() (any, error) { return nil, nil }, "", "null"},
		{"promise", func() (any, error) {
			return NewPromise(func() (any, error) { return "inner", nil }), nil
		}, "", "inner"},
		{"fault", func() (any, error) { return nil, fault.New(fault.NotFound, "It is gone.") }, "NOT_FOUND", "It is gone."},
		{"plain error", func() (any, error) { return nil, errors.New("odd") }, "CRASHED", "unexpected"},
		{"end of a context", func() (any, error) { return nil, context.Canceled }, "ABORTED", "aborted"},
		{"panic", func() (any, error) { panic("bug") }, "CRASHED", "crashed"},
		{"end of the goroutine", func() (any, error) { runtime.Goexit(); return nil, nil }, "CRASHED", "without a result"},
		{"result that JavaScript cannot hold", func() (any, error) { return struct{}{}, nil }, "CRASHED", "handed to JavaScript"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			value, err := Await(ctx, NewPromise(c.work))
			if c.code == "" {
				require.NoError(t, err)
				assert.Equal(t, c.want, stringClass.Invoke(value).String())
				return
			}
			var thrown *Error
			require.ErrorAs(t, err, &thrown)
			assert.Equal(t, "KiiError", thrown.Name)
			assert.Equal(t, c.code, thrown.Value.Get("code").String())
			assert.Contains(t, thrown.Message, c.want)
		})
	}
	assert.Equal(t, before, Live())
	require.Len(t, *reported, 1, "a panic is a mistake of ours, whatever becomes of the call")
	assert.Contains(t, (*reported)[0], "bug")
}

func TestAwaitOfAPromiseThatDoesNotTakeAnybody(t *testing.T) {
	before := Live()
	_, err := Await(context.Background(), eval(t, `Object.assign(Promise.resolve(), { then() { throw new Error("closed"); } })`))
	assert.ErrorContains(t, err, "closed")
	assert.Equal(t, before, Live())
}

func TestAwaitOfNoPromise(t *testing.T) {
	v, err := Await(context.Background(), js.ValueOf(7))
	require.NoError(t, err)
	assert.Equal(t, 7, v.Int())

	v, err = Await(context.Background(), eval(t, `{ then(ok) { ok("thenable"); } }`))
	require.NoError(t, err)
	assert.Equal(t, "thenable", v.String())

	_, err = Await(context.Background(), eval(t, `{ get then() { throw new Error("no"); } }`))
	require.ErrorContains(t, err, "no")
	assert.Zero(t, Live())
}

func TestAwaitEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	slow := eval(t, `(() => { let settle; const p = new Promise((ok) => { settle = ok; }); return { p, settle }; })()`)
	time.AfterFunc(time.Millisecond, cancel)
	_, err := Await(ctx, slow.Get("p"))
	require.ErrorIs(t, err, context.Canceled)

	slow.Call("settle", 1)
	assert.Eventually(t, func() bool { return Live() == 0 }, time.Minute, time.Millisecond,
		"the functions are released when the promise settles at last")
}

func TestSignalContext(t *testing.T) {
	t.Run("no signal", func(t *testing.T) {
		ctx, cancel := SignalContext(context.Background(), js.Undefined())
		require.NoError(t, ctx.Err())
		cancel()
		require.Error(t, ctx.Err())
	})
	t.Run("aborted before", func(t *testing.T) {
		ctx, cancel := SignalContext(context.Background(), eval(t, `AbortSignal.abort()`))
		defer cancel()
		require.ErrorIs(t, ctx.Err(), context.Canceled)
	})
	t.Run("aborted later", func(t *testing.T) {
		controller := js.Global().Get("AbortController").New()
		ctx, cancel := SignalContext(context.Background(), controller.Get("signal"))
		require.NoError(t, ctx.Err())
		controller.Call("abort")
		require.ErrorIs(t, ctx.Err(), context.Canceled)
		cancel()
		cancel()
	})
	t.Run("never aborted", func(t *testing.T) {
		controller := js.Global().Get("AbortController").New()
		reported, end := errorsOfTheConsole()
		defer end()
		ctx, cancel := SignalContext(context.Background(), controller.Get("signal"))
		cancel()
		require.Error(t, ctx.Err())
		controller.Call("abort")
		assert.Empty(t, *reported, "it reaches no function that was released")
	})
	assert.Zero(t, Live())
}
