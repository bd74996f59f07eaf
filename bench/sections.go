package main

import (
	"github.com/kiiweb/kiiweb/bench/report"
)

// What is measured.
var (
	receiveCPU   = rate("receive-cpu", "Messages received per CPU second", "messages per second of the renderer's CPU time")
	receiveMain  = rate("receive-main", "Messages received per CPU second of the page's thread", "messages per second of the page's thread's CPU time")
	receiveWall  = rate("receive-wall", "Messages received per second", "messages per second")
	longestTask  = less("longest-task", "Longest task", "ms, 0 for under 50")
	longestGap   = less("longest-gap", "Longest wait for the page's thread", "ms between two beats of a timer of 4 ms")
	publishCPU   = rate("publish-cpu", "Messages published per CPU second", "messages per second of the renderer's CPU time")
	publishWall  = rate("publish-wall", "Messages published per second", "messages per second")
	roundTripP50 = less("roundtrip-p50", "Round trip, median", "ms")
	roundTripP99 = less("roundtrip-p99", "Round trip, 99th percentile", "ms")
	startReady   = less("start-ready", "Navigation to subscribed", "ms")
	startMessage = less("start-message", "Navigation to the first message", "ms")
	startGap     = less("start-gap", "Longest wait for the page's thread during the start", "ms between two beats of a timer of 4 ms")
	startTask    = less("start-task", "Longest task of the start", "ms, 0 for under 50")
	startBytes   = less("start-bytes", "Bytes transferred", "bytes, compressed, without headers")
	growthCPU    = rate("growth-cpu", "Messages received per CPU second as their number grows", "messages per second of the renderer's CPU time")

	memoryPrivate = less("memory-private", "Memory of the renderer alone", "MiB")
	memoryUsed    = less("memory-used", "Memory in use by the page and its worker, after a collection", "MiB")
	memoryHeap    = less("memory-heap", "JavaScript heap of the page and its worker, after a collection", "MiB")
	memoryWasm    = less("memory-wasm", "WebAssembly memory of the page and its worker", "MiB")

	memoryGrowth    = less("memory-growth", "Memory in use that is added", "MiB, by a line through ten points")
	privateGrowth   = less("private-growth", "Memory of the renderer alone that is added", "MiB, by a line through ten points")
	memoryLarge     = less("memory-large", "Memory of the renderer alone that stays when a large message is gone", "MiB")
	memoryLargeWasm = less("memory-large-wasm", "WebAssembly memory that stays when a large message is gone", "MiB")
	floodPeak       = less("flood-peak", "Memory of the renderer alone on top while more comes than is handled", "MiB, the most that was seen")
	floodDropped    = less("flood-dropped", "Messages dropped while more comes than is handled", "messages")

	topicsCPU       = rate("topics-cpu", "Messages received per CPU second as topics grow", "messages per second of the renderer's CPU time")
	mosquittoCPU    = rate("mosquitto-cpu", "Messages received per CPU second from mosquitto", "messages per second of the renderer's CPU time")
	mosquittoFrames = rate("mosquitto-frames", "Packets per frame", "packets, counted by the frame counter")
	queuedCPU       = rate("queued-cpu", "Messages received per CPU second from the cloud's queue", "messages per second of the renderer's CPU time")
	queuedWall      = rate("queued-wall", "Messages received per second from the cloud's queue", "messages per second")
	queuedFrames    = rate("queued-frames", "Packets per frame of the cloud's queue", "packets")
	cloudCPU        = less("cloud-cpu", "CPU time per push from the local cloud", "µs of the renderer's CPU time")
)

// metrics are all of them.
var metrics []report.Metric

func rate(id, title, unit string) report.Metric {
	return known(report.Metric{ID: id, Title: title, Unit: unit, More: true})
}

func less(id, title, unit string) report.Metric {
	return known(report.Metric{ID: id, Title: title, Unit: unit})
}

func known(m report.Metric) report.Metric {
	metrics = append(metrics, m)
	return m
}

// lesser are the steps of growth that are not among what is won and lost: that after which every client had as many
// rounds is. ends are those that tell of memory in parts.
var (
	lesser = []string{grown(told[0], growing(0)), grown(told[1], growing(0)), grown(told[3], growing(0)), grown(told[4], growing(0))}
	ends   = []string{grown(told[0], growing(0)), grown(told[4], growing(0)), grown(told[4], growing(1))}
)

// sections are the document's.
var sections = []report.Section{
	{
		Title: "Receiving",
		Text: `A replay server of prepared frames sends as fast as TCP takes them, at QoS 1 up to 1,000 messages ahead of their acknowledgements. Each
message is looked at as an application does: its topic and its payload as bytes, which number the messages; a message that is lost, repeated or
out of turn is a failure. Every page is warmed up before. A burst is 4,000 messages with one packet per frame; with several it is 12,000 in frames of 2 KiB and 32,000 in frames of 16 KiB, or a quarter of that where they have 1 KiB; clients stay connected from turn to turn. **The CPU time is that of the whole renderer process**, all threads, by the scheduler's account: a client that works in
a worker, or leaves garbage behind, pays for it there. "Minimal parser" is twenty unchecked lines of JavaScript, "frame counter" reads nothing and is
what the browser itself costs, and "object counter" reads nothing either, but makes an object and a view of the payload for each message and calls the handler with it, which every
client has to. These are marks to measure by. At QoS 1 the two counters answer each frame with one frame of acknowledgements, prepared beforehand.`,
		Tables: []report.Table{{Metric: "receive-cpu", Plot: true}, {Metric: "receive-wall"}, {Metric: "receive-main", Silent: true}},
	},
	{
		Title: "The page's thread",
		Text: `While messages come as fast as they can, from the replay server. Browsers tell of tasks from 50 ms up. A timer that is due every 4 ms waits as well
for tasks of others that the browser puts first.`,
		Tables: []report.Table{{Metric: "longest-gap"}, {Metric: "longest-task", Silent: true}},
	},
	{
		Title: "Publishing",
		Text: `500 messages are published at once, and the next 500 when those are handed to the socket (QoS 0) or acknowledged (QoS 1). The server counts them.
u8-mqtt 0.6.7 throws a TypeError at QoS 0; what its ` + "`pub`" + ` would call is called directly.`,
		Tables: []report.Table{{Metric: "publish-cpu", Plot: true}, {Metric: "publish-wall"}},
	},
	{
		Title:  "Round trips",
		Text:   `The client publishes 100 messages a second, which the server sends back at once.`,
		Tables: []report.Table{{Metric: "roundtrip-p50", Plot: true}, {Metric: "roundtrip-p99"}},
	},
	{
		Title: "Starting",
		Text: `A page that connects at once, in a new tab: cold, with nothing in any cache, and then again with everything in the browser's caches. All clients are bundled,
minified and compressed with brotli, all served from the same machine: what a network adds to the bytes comes on top. A timer that is due every 4 ms begins with the page's
script; browsers themselves tell of tasks from 50 ms up.`,
		Tables: []report.Table{
			{Metric: "start-ready", Quiet: []string{"cold", "cached"}}, {Metric: "start-message", Plot: true}, {Metric: "start-gap"}, {Metric: "start-task", Silent: true}, {Metric: "start-bytes"},
		},
	},
	{
		Title: "Memory and growth",
		Text: `One connection in a fresh page. "Memory in use" is what is left of the JavaScript heaps, array buffers and WebAssembly memory of the page and its worker when
the garbage of both was collected, over the DevTools protocol. "Memory of the renderer alone" is what the process shares with no other then: the browser's own part is in every number, the frame counter's
being little else, and what was given back to the browser's allocator, but not to the system. WebAssembly memory never shrinks. What is added is the slope of a straight line through
ten points, so that no single one decides. Beyond 100,000 messages the clients other than kiiweb have three rounds, since MQTT.js takes a minute for a million, and at QoS 1, where that is minutes, none.

One large message comes between many small ones, and memory is read before it and after the last. In a flood the server sends as fast as TCP takes it while
the page's handler takes its time; what is counted is what comes on top of what the page had before, and what the client has told to be dropped. Here, too, the others have three rounds, since MQTT.js takes half a minute. All that was sent was either handled, in order, or dropped.`,
		Tables: []report.Table{
			{Metric: "growth-cpu", Quiet: lesser}, {Metric: "memory-private", Plot: true, Quiet: lesser},
			{Metric: "memory-used", Silent: true, Rows: ends}, {Metric: "memory-growth", Silent: true}, {Metric: "private-growth", Silent: true},
			{Metric: "memory-heap", Silent: true, Rows: ends}, {Metric: "memory-wasm", Silent: true, Rows: ends},
			{Metric: "memory-large", Silent: true}, {Metric: "memory-large-wasm", Silent: true}, {Metric: "flood-peak", Silent: true}, {Metric: "flood-dropped", Silent: true},
		},
	},
	{
		Title:  "Topics",
		Text:   `The messages' topics change in turn.`,
		Tables: []report.Table{{Metric: "topics-cpu", Quiet: []string{topicCase(1), topicCase(10), topicCase(100)}}},
	},
	{
		Title: "Other brokers",
		Text: `To see that the replay server shows nothing of its own making. Mosquitto gets the messages from a publisher over TCP. The cloud gets
pushes through its REST API: for a client that is online, so that what is measured is a message that comes alone, and for one that is not, to which it sends them
all when it has come. A gate between the two keeps the cloud's frames as they are until they are all there and the client has nothing else to do. A queue is 1,000 messages to a topic that one user for each burst has
subscribed to, so that all queues are filled at once; a first queue warms the page up. These messages are JSON objects, whose number every page reads.`,
		Tables: []report.Table{
			{Metric: "mosquitto-frames", Silent: true}, {Metric: "mosquitto-cpu"},
			{Metric: "queued-frames", Silent: true}, {Metric: "queued-cpu"}, {Metric: "queued-wall"}, {Metric: "cloud-cpu"},
		},
	},
}
