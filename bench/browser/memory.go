package browser

import (
	"context"
	"encoding/json"
	"errors"
)

// Memory says what a page and its workers hold after their garbage was collected, in bytes.
type Memory struct {
	Heap    int // of JavaScript
	Buffers int // array buffers, other than WebAssembly memory
	Wasm    int // WebAssembly memory, which never shrinks
	Private int // memory of the renderer's alone, with all of the browser's own in it
}

// Used is what the page and its workers have hold of. Private is more: what the browser itself needs, and what was
// free by then but not given back, which comes and goes by many MiB.
func (m Memory) Used() int { return m.Heap + m.Buffers + m.Wasm }

// collections is how often garbage is collected: what a worker has let go may be held by the page until that
// has collected, too, and the other way round.
const collections = 2

// Memory collects the garbage of the page and of its workers and reads what is left. A worker has a heap of its
// own, of which a look at the page shows nothing.
func (tab *Tab) Memory(ctx context.Context) (m Memory, err error) {
	workers, leave, err := tab.workers(ctx)
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, leave()) }()
	sessions := append([]string{tab.session}, workers...)
	for range collections {
		for _, session := range sessions {
			if err := tab.b.conn.call(ctx, session, "HeapProfiler.collectGarbage", nil, nil); err != nil {
				return m, err
			}
		}
	}
	for _, session := range sessions {
		wasm, err := tab.wasm(ctx, session)
		if err != nil {
			return m, err
		}
		m.Wasm += wasm
		var heap struct{ UsedSize, BackingStorageSize float64 }
		if err := tab.b.conn.call(ctx, session, "Runtime.getHeapUsage", nil, &heap); err != nil {
			return m, err
		}
		m.Heap, m.Buffers = m.Heap+int(heap.UsedSize), m.Buffers+int(heap.BackingStorageSize)
	}
	m.Private, err = tab.Private()
	return m, err
}

// workers attaches to the page's dedicated workers until leave is called.
func (tab *Tab) workers(ctx context.Context) (sessions []string, leave func() error, err error) {
	attach := func(on bool) error {
		return tab.Call(ctx, "Target.setAutoAttach", map[string]any{"autoAttach": on, "waitForDebuggerOnStart": false, "flatten": true}, nil)
	}
	tab.b.conn.watch(tab.session, func(method string, params json.RawMessage) {
		var attached struct {
			SessionID  string
			TargetInfo struct{ Type string }
		}
		if method == "Target.attachedToTarget" && json.Unmarshal(params, &attached) == nil && attached.TargetInfo.Type == "worker" {
			sessions = append(sessions, attached.SessionID)
		}
	})
	err = attach(true)
	tab.b.conn.watch(tab.session, nil)
	return sessions, func() error { return attach(false) }, err
}

// wasm gives the size of all WebAssembly memory of a session's, which nothing but a look at the heap tells of.
func (tab *Tab) wasm(ctx context.Context, session string) (size int, err error) {
	call := func(method string, params, out any) {
		if err == nil {
			err = tab.b.conn.call(ctx, session, method, params, out)
		}
	}
	const group = "memory"
	var class struct{ Result struct{ ObjectID string } }
	var all struct{ Objects struct{ ObjectID string } }
	var sum struct{ Result struct{ Value int } }
	call("Runtime.evaluate", map[string]any{"expression": "WebAssembly.Memory.prototype", "objectGroup": group}, &class)
	call("Runtime.queryObjects", map[string]any{"prototypeObjectId": class.Result.ObjectID, "objectGroup": group}, &all)
	call("Runtime.callFunctionOn", map[string]any{
		"objectId": all.Objects.ObjectID, "returnByValue": true,
		"functionDeclaration": "function () { return this.reduce((sum, memory) => sum + memory.buffer.byteLength, 0); }",
	}, &sum)
	call("Runtime.releaseObjectGroup", map[string]any{"objectGroup": group}, nil)
	return sum.Result.Value, err
}
