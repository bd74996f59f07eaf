package chrome

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestWorkersArePreparedBeforeTheyBegin(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/worker.js" {
			w.Header().Set("Content-Type", "text/javascript")
			_, _ = w.Write([]byte(`globalThis.first = globalThis.prepared; postMessage(first); console.error("said by the worker")`))
			return
		}
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte(`<!doctype html><link rel="icon" href="data:,">`))
	}))
	t.Cleanup(server.Close)
	tab := Start(t, Options{}).Tab(t)
	tab.Open(server.URL)
	tab.PrepareWorkers(`globalThis.prepared = "yes"`)
	const greeting = `new Promise((done) => { new Worker("/worker.js").onmessage = ({ data }) => done(data) })`
	for range 2 {
		var first string
		tab.Eval(greeting, &first)
		assert.Equal(t, "yes", first)
	}
	workers := tab.Workers()
	require.Len(t, workers, 2)
	for _, w := range workers {
		assert.Equal(t, server.URL+"/worker.js", w.URL())
		var inside bool
		w.Eval(`(async () => first === "yes" && typeof document === "undefined")()`, &inside)
		assert.True(t, inside)
		require.Error(t, w.TryEval(opTimeout, `throw new Error("no")`, nil))
	}
	require.Eventually(t, func() bool { return len(tab.Problems()) >= 2 }, time.Minute, 10*time.Millisecond)
	said := tab.Problems()
	require.Len(t, said, 2)
	assert.Contains(t, said[0].Text, "said by the worker")
}
