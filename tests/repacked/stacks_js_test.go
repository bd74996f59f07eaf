package repacked

import (
	"errors"
	"runtime"
	"strings"
	"sync"
	"testing"
)

// recovered gives what f panics with.
func recovered(f func()) (v any) {
	defer func() { v = recover() }()
	f()
	return nil
}

func TestTheProgramIsRepacked(t *testing.T) {
	if _, file, line, ok := runtime.Caller(0); ok && (strings.HasSuffix(file, ".go") || line != 0) {
		t.Errorf("it still knows %s:%d", file, line)
	}
}

func TestStacksNameFunctions(t *testing.T) {
	b := make([]byte, 4<<10)
	stack := string(b[:runtime.Stack(b, false)])
	if !strings.Contains(stack, "TestStacksNameFunctions") || !strings.Contains(stack, "testing.tRunner") {
		t.Error(stack)
	}
}

type numbers []int

func (n numbers) at(i int) int { return n[i] } // is inlined

type inner struct{ failed any }

func (i *inner) recovers() { i.failed = recover() }

func (i *inner) asks() { i.recovers() } // is inlined, recovers is not

type outer struct{ *inner } // its methods are wrappers

func asks(i *inner, _ int) { i.recovers() }

func TestPanicsAreRecovered(t *testing.T) {
	var none *inner
	var list map[string]int
	one, two, five := len("a"), len("ab"), len("abcde")
	for name, f := range map[string]func(){
		"index out of range [5] with length 2":              func() { numbers{1, 2}.at(five) },
		"invalid memory address or nil pointer dereference": func() { none.failed = 1 },
		"assignment to entry in nil map":                    func() { list["a"] = 1 },
		"interface conversion: interface {} is string, not": func() { _ = any("a").(int) },
		"slice bounds out of range [:5] with capacity 2":    func() { _ = numbers(make([]int, two))[:five] },
		"slice bounds out of range [2:1]":                   func() { _ = numbers(make([]int, two))[two:one] },
		"integer divide by zero":                            func() { _ = 1 / len(list) },
		"cannot convert slice with length 2 to array or":    func() { _ = [4]int(make(numbers, two)) },
	} {
		err, ok := recovered(f).(error)
		if !ok || !strings.Contains(err.Error(), name) {
			t.Errorf("%v where %q was to be", err, name)
		}
	}
}

func TestWhoRecovers(t *testing.T) {
	i := new(inner)
	func() {
		defer outer{i}.recovers() // through a wrapper
		panic("wrapped")
	}()
	if i.failed != "wrapped" {
		t.Error("a wrapper was not passed over")
	}
	helper := func() any { return recover() } // called by what is deferred: not for it
	if v := recovered(func() {
		defer func() { helper() }()
		panic("too deep")
	}); v != "too deep" {
		t.Errorf("%v: it was recovered in a call of what is deferred", v)
	}
	for name, f := range map[string]func(){ // what is deferred is inlined in a wrapper, and recovers where it calls
		"a method":   func() { defer outer.asks(outer{i}); panic("too deep") },
		"a pointer":  func() { defer (*outer).asks(&outer{i}); panic("too deep") },
		"interfaces": func() { defer interface{ asks() }(outer{i}).asks(); panic("too deep") },
		"arguments":  func() { defer asks(i, 1); panic("too deep") },
	} {
		if v := recovered(f); v != "too deep" {
			t.Errorf("%s: %v: it was recovered in a call of what is deferred", name, v)
		}
	}
	again := errors.New("again")
	if v := recovered(func() {
		defer func() {
			_ = recover()
			panic(again)
		}()
		panic("first")
	}); v != again {
		t.Errorf("%v: not the second panic", v)
	}
}

// TestDeferredCallsRun is about those that the compiler has put in line, and those of a loop.
func TestDeferredCallsRun(t *testing.T) {
	var order []int
	note := func(n int) { order = append(order, n) }
	recovered(func() {
		defer note(1)
		for n := range 3 {
			defer note(10 + n)
		}
		defer note(2)
		panic("now")
	})
	done := make(chan bool)
	go func() {
		defer close(done)
		defer note(3)
		runtime.Goexit()
	}()
	<-done
	want := []int{2, 12, 11, 10, 1, 3}
	for i := range want {
		if len(order) != len(want) || order[i] != want[i] {
			t.Fatalf("%v where %v was to be", order, want)
		}
	}
}

// node is on the heap; frames of deep point to it and to one another.
type node struct {
	value int
	next  *node
}

//go:noinline
func deep(depth int, below *[4]*node) int {
	var own [4]*node // on the stack, with pointers to the heap in it
	for i := range own {
		own[i] = &node{depth + i, below[i]}
	}
	if depth%64 == 0 {
		runtime.GC() // nothing that a frame alone points to may go
	}
	sum := 0
	if depth > 0 {
		sum = deep(depth-1, &own)
	}
	for i, n := range own {
		if n.value != depth+i || n.next != below[i] {
			panic("a frame has lost what it pointed to")
		}
		sum += n.value
	}
	return sum
}

func TestStacksGrowWhileGarbageIsCollected(t *testing.T) {
	const depth = 400
	want := deep(depth, new([4]*node))
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			runtime.Gosched()
			if got := deep(depth, new([4]*node)); got != want {
				t.Errorf("%d where %d was to be", got, want)
			}
		})
	}
	wg.Wait()
}
