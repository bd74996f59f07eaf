package suite

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestGroups(t *testing.T) {
	for function, want := range map[string]string{
		"(program)":                      "the browser's own work",
		"syscall/js.valueGet kiiweb.mjs": "syscall/js: wasm_exec.js",
		"runtime.nanotime1 kiiweb.mjs":   "clock and timers: wasm_exec.js",
		"#r kiiweb.mjs":                  "the loader and the page",
		"take page.js":                   "the loader and the page",
		"wasm-to-js":                     "syscall/js: crossings",
		"runtime.addspecial":             "Go: finalizers of js.Value",
		"runtime.mallocgcTiny":           "Go: allocation and collector",
		"runtime.scanobject":             "Go: allocation and collector",
		"runtime.selectgo":               "Go: scheduler, channels, the rest of the runtime",
		"syscall_js.Value.Get":           "syscall/js: Go's side",
		"github.com_kiiweb_kiiweb_internal_mqtt.ParsePublish":       "kiiweb: internal/mqtt",
		"github.com_kiiweb_kiiweb_internal_mqtt.__reader_.scanned":  "kiiweb: internal/mqtt",
		"github.com_kiiweb_kiiweb_internal_session.__loop_.message": "kiiweb: internal/session",
		"main.encode":     "kiiweb: the rest of its Go",
		"getRandomValues": "the rest",
	} {
		got := Groups([]Spent{{function, time.Second}, {idle, time.Hour}})
		assert.Equal(t, []Group{{want, 1}}, got, function)
	}
	assert.Equal(t, []Group{{"the loader and the page", 0.75}, {"the browser's own work", 0.25}},
		Groups([]Spent{{"a page.js", time.Second}, {"(program)", time.Second}, {"b kiiweb.mjs", 2 * time.Second}}))
}

func TestSelfTimes(t *testing.T) {
	p := profile{Nodes: []node{{ID: 1}, {ID: 2}, {ID: 3}}, Samples: []int{1, 2, 3, 1}, TimeDeltas: []int64{5, 10, 20, 30}}
	for _, i := range []int{0, 2} { // the same function on two ways
		p.Nodes[i].CallFrame.FunctionName, p.Nodes[i].CallFrame.URL = "f", "http://x/kiiweb/kiiweb.mjs"
	}
	assert.Equal(t, []Spent{
		{"f kiiweb.mjs", 40 * time.Microsecond}, // the last sample's length is not known
		{"(anonymous)", 20 * time.Microsecond},
	}, p.selfTimes())
}
