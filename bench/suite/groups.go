package suite

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Group is a part of a profile, or of a count.
type Group struct {
	Name  string
	Share float64 // of the time in which the thread was not idle; of a count, the number
}

type group struct {
	name string
	has  func(name string) bool
}

// groups say to which part of kiiweb a function belongs: the first whose test says yes.
var groups = []group{
	{"the browser's own work", is("(program)", "send")},
	{"JavaScript's garbage collector", is("(garbage collector)")},
	{"syscall/js: wasm_exec.js", inLoader("syscall/js.")},
	{"clock and timers: wasm_exec.js", inLoader("runtime.")},
	{"the loader and the page", suffix(".mjs", ".js")},
	{"syscall/js: crossings", is("wasm-to-js", "decode", "now", "set", "js-to-wasm::", "js-to-wasm::i")},
	{"Go: finalizers of js.Value", contains("addspecial", "inalizer", "removespecial")},
	{"Go: allocation and collector", contains("runtime.malloc", "weep", "runtime.gc", "growslice", "memclr", "newobject",
		"memmove", "runtime.scan", "mspan", "mcache", "mheap", "pageAlloc", "bgscavenge", "gcBits")},
	{"Go: scheduler, channels, the rest of the runtime", prefix("runtime.", "wasm_pc", "internal_runtime", "sync", "time.")},
	{"syscall/js: Go's side", prefix("syscall_js.")},
	{"kiiweb: internal/mqtt", contains("kiiweb_internal_mqtt.")},
	{"kiiweb: internal/session", contains("kiiweb_internal_session.")},
	{"kiiweb: the rest of its Go", contains("github.com_kiiweb_", "main.")},
	{"the rest", func(string) bool { return true }},
}

func is(names ...string) func(string) bool {
	return func(name string) bool { return slices.Contains(names, name) }
}

func inLoader(prefix string) func(string) bool {
	return func(name string) bool { return strings.HasPrefix(name, prefix) && strings.HasSuffix(name, ".mjs") }
}

func suffix(parts ...string) func(string) bool { return match(strings.HasSuffix, parts) }

func prefix(parts ...string) func(string) bool { return match(strings.HasPrefix, parts) }

func contains(parts ...string) func(string) bool { return match(strings.Contains, parts) }

func match(test func(s, part string) bool, parts []string) func(string) bool {
	return func(name string) bool {
		return slices.ContainsFunc(parts, func(part string) bool { return test(name, part) })
	}
}

// idle is what the profiler calls a thread that has nothing to do.
const idle = "(idle)"

// Groups adds a profile up by the parts of kiiweb, largest first.
func Groups(profile []Spent) []Group {
	return shares(profile, func(function string) string {
		i := slices.IndexFunc(groups, func(g group) bool { return g.has(function) })
		return groups[i].name // the last takes all
	})
}

// Shares gives the part of each function, largest first.
func Shares(profile []Spent) []Group {
	return shares(profile, func(function string) string { return function })
}

// shares adds a profile up by the names that a function gives, without the time in which
// nothing was done.
func shares(profile []Spent, name func(function string) string) []Group {
	var sum time.Duration
	sums := make(map[string]time.Duration)
	for _, s := range profile {
		if s.Function != idle {
			sum += s.Self
			sums[name(s.Function)] += s.Self
		}
	}
	if sum == 0 {
		return nil
	}
	var list []Group
	for name, self := range sums {
		list = append(list, Group{name, float64(self) / float64(sum)})
	}
	sortGroups(list)
	return list
}

func sortGroups(list []Group) {
	slices.SortFunc(list, func(x, y Group) int { return cmp.Or(cmp.Compare(y.Share, x.Share), cmp.Compare(x.Name, y.Name)) })
}
