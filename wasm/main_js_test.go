package main

import (
	"context"
	"syscall/js"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/jsx"
)

// eval runs a piece of JavaScript and gives its value.
func eval(t testing.TB, expression string) js.Value {
	t.Helper()
	v, err := jsx.Invoke(js.Global().Get("Function").New("return (" + expression + ")"))
	require.NoError(t, err, expression)
	return v
}

// startApp gives a global of its own, set up for a cloud that nobody can reach.
func startApp(t testing.TB) js.Value {
	t.Helper()
	kiiweb := newApp().global()
	_, code := settle(t, kiiweb.Call("init", eval(t, `{ appID: "app", appKey: "key", baseURL: "http://127.0.0.1:1/api" }`)))
	require.Empty(t, code)
	return kiiweb
}

// settle waits for a promise and gives its value, or what it was rejected with and the code of that.
func settle(t testing.TB, promise js.Value) (value js.Value, code string) {
	t.Helper()
	require.True(t, jsx.InstanceOf(promise, js.Global().Get("Promise")), "no promise was returned")
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	value, err := jsx.Await(ctx, promise)
	if err == nil {
		return value, ""
	}
	var thrown *jsx.Error
	require.ErrorAs(t, err, &thrown, "the promise did not settle")
	require.True(t, thrown.Value.InstanceOf(js.Global().Get("Error")), "rejected with something that is no Error")
	require.NotEmpty(t, thrown.Value.Get("remedy").String())
	return thrown.Value, thrown.Value.Get("code").String()
}
