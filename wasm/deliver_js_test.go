package main

import (
	"runtime"
	"strconv"
	"syscall/js"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/jsx"
	"github.com/kiiweb/kiiweb/pkg/kiiweb"
)

// handed is what onBatch was called with.
type handed struct {
	bytes  []byte
	count  int
	topics []string
	first  int

	dropped int
}

// row reads message number i of the table.
func (h handed) row(i int) (row [8]int) {
	for column := range row {
		at := h.bytes[i*rowSize+column*4:]
		row[column] = int(at[0]) | int(at[1])<<8 | int(at[2])<<16 | int(at[3])<<24
	}
	return row
}

func (h handed) slice(offset, length int) string { return string(h.bytes[offset : offset+length]) }

// record makes an encoder that notes what it hands over.
func record(t *testing.T) (*encoder, *[]handed) {
	t.Helper()
	var calls []handed
	f := jsx.NewFunc(func(args []js.Value) any {
		h := handed{count: args[1].Int(), first: args[3].Int(), dropped: args[4].Int()}
		h.bytes, _ = jsx.Bytes(args[0])
		for i := range args[2].Length() {
			h.topics = append(h.topics, args[2].Index(i).String())
		}
		calls = append(calls, h)
		return nil
	})
	t.Cleanup(f.Release)
	return newEncoder(f.Value(), none), &calls
}

func none() int { return 0 }

// The loader counts what is dropped here with what it drops itself.
func TestABatchSaysHowManyWereDropped(t *testing.T) {
	e, calls := record(t)
	dropped := []int{0, 3, 0}
	e.dropped = func() int { n := dropped[0]; dropped = dropped[1:]; return n }
	for range 3 {
		e.deliver([]kiiweb.Message{{Topic: "a"}})
	}
	require.Len(t, *calls, 3)
	for i, n := range []int{0, 3, 0} {
		assert.Equal(t, n, (*calls)[i].dropped)
	}
}

func TestTopicsReachThePageWhole(t *testing.T) {
	e, calls := record(t)
	topics := []string{"\ufeff", "\ufeffa\ufeff", "\ufeff\ufeff", "a\ufeff", ""}
	for _, topic := range topics {
		e.deliver([]kiiweb.Message{{Topic: topic}})
		require.Equal(t, topic, messageToJS(kiiweb.Message{Topic: topic}).Get("topic").String())
	}
	for i, h := range *calls {
		assert.Equal(t, topics[i:i+1], h.topics)
	}
}

func TestABatchIsOneCall(t *testing.T) {
	e, calls := record(t)
	e.deliver([]kiiweb.Message{
		{Topic: "a", Payload: []byte("first"), QoS: 1, Dup: true, PacketID: 7},
		{Topic: "b", Payload: nil, Retain: true},
		{Topic: "a", Payload: []byte("third"), QoS: 2, PacketID: 65535},
	})
	e.deliver([]kiiweb.Message{{Topic: "c", Payload: []byte("x")}, {Topic: "b", Payload: []byte("y")}})

	require.Len(t, *calls, 2)
	h := (*calls)[0]
	assert.Equal(t, 3, h.count)
	assert.Equal(t, []string{"a", "b"}, h.topics)
	assert.Equal(t, 0, h.first)
	assert.Equal(t, [8]int{0, 0b1010, 7, 96, 5, 101, 0, 0}, h.row(0))
	assert.Equal(t, [8]int{1, 0b0001, 0, 101, 0, 101, 0, 0}, h.row(1))
	assert.Equal(t, [8]int{0, 0b0100, 65535, 101, 5, 106, 0, 0}, h.row(2))
	assert.Equal(t, "first", h.slice(96, 5))
	assert.Equal(t, "third", h.slice(101, 5))

	h = (*calls)[1]
	assert.Equal(t, []string{"c"}, h.topics, "only what is new")
	assert.Equal(t, 2, h.first)
	assert.Equal(t, 2, h.row(0)[0])
	assert.Equal(t, 1, h.row(1)[0])
}

// Repeats leave no message, but are handed over, so that they keep their place.
func TestAnEmptyBatchIsACallToo(t *testing.T) {
	e, calls := record(t)
	e.deliver(nil)
	require.Len(t, *calls, 1)
	assert.Equal(t, handed{bytes: []byte{}}, (*calls)[0])
}

func TestTopicNamesAreBounded(t *testing.T) {
	e, calls := record(t)
	const total = 3*maxTopics + 10
	var batch []kiiweb.Message
	for i := range total {
		batch = append(batch, kiiweb.Message{Topic: "t" + strconv.Itoa(i), Payload: []byte(strconv.Itoa(i))})
	}
	e.deliver(batch)
	e.deliver(batch[:1])

	known := make([]string, maxTopics)
	var seen []string
	for _, h := range *calls {
		copy(known[h.first:], h.topics)
		require.LessOrEqual(t, h.first+len(h.topics), maxTopics)
		for i := range h.count {
			row := h.row(i)
			assert.Equal(t, "t"+h.slice(row[3], row[4]), known[row[0]])
			seen = append(seen, known[row[0]])
		}
	}
	require.Len(t, seen, total+1)
	assert.Equal(t, "t"+strconv.Itoa(total-1), seen[total-1])
	assert.Equal(t, "t0", seen[total])
	assert.LessOrEqual(t, len(e.topics), maxTopics)
}

// A batch that another thread handles is delivered when that has said so, however it went.
func TestABatchIsDeliveredWhenItsPromiseSettles(t *testing.T) {
	for name, settle := range map[string]string{"handled": "resolve", "failed": "reject"} {
		t.Run(name, func(t *testing.T) {
			page := eval(t, `(() => { const page = { calls: 0 }; page.onBatch = () => { page.calls++; return new Promise((resolve, reject) => Object.assign(page, { resolve, reject })) }; return page })()`)
			e := newEncoder(page.Get("onBatch"), none)
			delivered := make(chan struct{})
			go func() {
				defer close(delivered)
				e.deliver([]kiiweb.Message{{Topic: "a"}})()
			}()
			for page.Get("calls").Int() == 0 {
				runtime.Gosched()
			}
			for range 100 {
				runtime.Gosched()
				select {
				case <-delivered:
					t.Fatal("delivered while the page is busy with it")
				default:
				}
			}
			page.Call(settle)
			<-delivered
			assert.Equal(t, 1, page.Get("calls").Int())
		})
	}
}

func TestAMessageWithoutTheLoader(t *testing.T) {
	o := messageToJS(kiiweb.Message{Topic: "t", Payload: []byte(`{"text":"héllo"}`), QoS: 1, Dup: true, PacketID: 9})
	assert.Equal(t, "t", o.Get("topic").String())
	assert.Equal(t, 17, o.Get("bytes").Length())
	assert.Equal(t, 1, o.Get("qos").Int())
	assert.Equal(t, 9, o.Get("packetId").Int())
	assert.True(t, o.Get("dup").Bool())
	assert.False(t, o.Get("retain").Bool())
	assert.Equal(t, `{"text":"héllo"}`, o.Call("text").String())
	assert.Equal(t, "héllo", o.Call("json").Get("text").String())
	text := o.Get("text")
	assert.Equal(t, `{"text":"héllo"}`, text.Invoke().String(), "functions are bound")

	broken := messageToJS(kiiweb.Message{Payload: []byte("{")})
	_, err := jsx.Call(broken, "json")
	assert.ErrorContains(t, err, "SyntaxError")
}

func TestAHandlerThatThrowsIsReported(t *testing.T) {
	reported := eval(t, `(() => { const seen = []; globalThis.reportError = (e) => seen.push(e); return seen; })()`)
	defer js.Global().Delete("reportError")
	thrower := eval(t, `(m) => { throw new RangeError("from the page: " + m.topic); }`)
	deliver, _ := deliverer(connectOptions{onMessage: thrower}, func() bool { return false }, none)
	deliver([]kiiweb.Message{{Topic: "a"}, {Topic: "b"}})
	require.Equal(t, 2, reported.Length(), "each message is delivered")
	assert.Equal(t, "from the page: b", reported.Index(1).Get("message").String())

	js.Global().Set("reportError", eval(t, `() => { throw new Error("broken as well"); }`))
	console := js.Global().Get("console")
	deliver([]kiiweb.Message{{Topic: "c"}}) // ends in the console, and here
	assert.False(t, console.IsUndefined())
}

func TestAPageThatHasClosedGetsNoMore(t *testing.T) {
	got := 0
	f := jsx.NewFunc(func([]js.Value) any { got++; return nil })
	t.Cleanup(f.Release)
	deliver, _ := deliverer(connectOptions{onMessage: f.Value()}, func() bool { return got == 1 }, none)
	deliver([]kiiweb.Message{{Topic: "a"}, {Topic: "b"}, {Topic: "c"}})
	assert.Equal(t, 1, got)
}
