// What all pages have in common. A page brings an adapter, and this file measures it: the
// same work for every client, which is to look at each message as an application does.
//
// The adapter is `connect({ url, host, port, path, id, topic, qos, protocol, onMessage })`, which
// resolves once it is subscribed to `{ publish(topic, bytes, qos), close() }`. `publish` resolves when
// the message was handed to the socket (QoS 0) or acknowledged (QoS 1). `onMessage(topic, bytes)`
// gets every message.

const inBytes = (bytes) => bytes[0] | (bytes[1] << 8) | (bytes[2] << 16) | (bytes[3] << 24);

/**
 * The number in {"n":17, …}, read without JSON.parse and without a string: those take several times as long as
 * a client takes for the message, are the browser's, and would make all clients look the same.
 */
const inJSON = (bytes) => {
  let at = 0;
  while (bytes[at] !== 0x22 || bytes[at + 1] !== 0x6e || bytes[at + 2] !== 0x22) if (++at > bytes.length) return NaN;
  let n = 0;
  for (at += 4; bytes[at] >= 0x30 && bytes[at] <= 0x39; at++) n = n * 10 + bytes[at] - 0x30;
  return n;
};

/** Counts what arrives, and checks that each message is the one that is due. */
class Counter {
  received = 0;
  wrong = 0;
  frames = 0; // where a page counts them
  firstAt = 0;
  lastAt = 0;
  #next = 0;
  #finish;

  constructor({ messages, period, topicLength, json }) {
    this.wanted = messages;
    this.period = period;
    this.topicLength = topicLength;
    this.number = json ? inJSON : inBytes;
    this.done = new Promise((resolve) => (this.#finish = resolve));
  }

  take(topic, bytes) {
    if (this.received === 0) this.firstAt = performance.now();
    if (this.number(bytes) !== this.#next || topic.length !== this.topicLength) this.wrong++;
    if (++this.#next === this.period) this.#next = 0;
    if (++this.received === this.wanted) this.finish();
  }

  finish() {
    this.lastAt = performance.now();
    this.#finish();
  }

  get result() {
    return { received: this.received, wrong: this.wrong, frames: this.frames, wall: this.lastAt - this.firstAt };
  }
}

/** Watches how long the page's thread does not come back from what it does. */
class Watch {
  longestTask = 0; // ms; the browser tells of tasks over 50 ms only
  longestGap = 0; // ms between two beats of a timer that is due every 4 ms
  #observer = new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) this.longestTask = Math.max(this.longestTask, duration);
  });
  #timer;

  /** With past it knows of tasks before it, too. */
  constructor(past = false) {
    this.#observer.observe({ type: "longtask", buffered: past });
    let last = performance.now();
    this.#timer = setInterval(() => {
      const now = performance.now();
      this.longestGap = Math.max(this.longestGap, now - last);
      last = now;
    }, 4);
  }

  async end() {
    clearInterval(this.#timer);
    await later(100); // the last entries come a moment after their tasks
    this.#observer.disconnect();
    return { longestTask: this.longestTask, longestGap: this.longestGap };
  }
}

const later = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

class Bench {
  #connect;
  #client;
  #take = () => {};
  #watch;

  constructor(connect) {
    this.#connect = connect;
  }

  async open(options) {
    this.#client = await this.#connect({ ...options, onMessage: (topic, bytes) => this.#take(topic, bytes) });
    return true;
  }

  /** Makes ready for what `received` gives when all has come. */
  expect(options, watch) {
    const counter = (this.counter = new Counter(options));
    this.#client?.expect?.(options, counter);
    this.#take = (topic, bytes) => counter.take(topic, bytes);
    if (watch) this.#watch = new Watch();
    return true;
  }

  async received() {
    await this.counter.done;
    const watched = await this.#watch?.end();
    this.#watch = undefined;
    return { ...this.counter.result, ...watched };
  }

  /** How many have come by now: more than were wanted is an error as well. */
  count() {
    return this.counter.received;
  }

  /** Sends messages that come back, so many a second, and gives the milliseconds each took. */
  async roundTrip({ topic, count, rate, size }) {
    const sentAt = new Float64Array(count);
    const took = new Array(count);
    let back = 0;
    await new Promise((resolve, reject) => {
      this.#take = (_, bytes) => {
        const n = bytes[0] | (bytes[1] << 8);
        took[n] = performance.now() - sentAt[n];
        if (++back === count) resolve();
      };
      let n = 0;
      const timer = setInterval(() => {
        const bytes = new Uint8Array(size);
        bytes[0] = n & 255;
        bytes[1] = n >> 8;
        sentAt[n] = performance.now();
        Promise.resolve(this.#client.publish(topic, bytes, 0)).catch(reject);
        if (++n === count) clearInterval(timer);
      }, 1000 / rate);
    });
    return took;
  }

  /** Publishes in portions, each of which waits for the one before; gives the milliseconds. */
  async publish({ topic, count, portion, size, qos }) {
    const bytes = new Uint8Array(size).fill(97);
    const began = performance.now();
    for (let sent = 0; sent < count; ) {
      const waiting = [];
      for (; waiting.length < portion && sent < count; sent++) waiting.push(this.#client.publish(topic, bytes, qos));
      await Promise.all(waiting);
    }
    return performance.now() - began;
  }

  /** Handles messages with so many microseconds of work for each, until all are handled or told to be dropped. */
  async flood({ messages, micros }) {
    const told = () => this.#client.dropped?.() ?? 0;
    const before = told();
    let received = 0;
    let wrong = 0;
    let last = -1;
    this.#take = (_, bytes) => {
      const end = performance.now() + micros / 1000;
      const number = inBytes(bytes);
      if (number <= last) wrong++;
      last = number;
      received++;
      while (performance.now() < end);
    };
    this.flooding = true;
    while (received + told() - before < messages) await later(20);
    await later(100); // one too many comes late
    this.flooding = false;
    return { received, wrong, dropped: told() - before };
  }

  async close() {
    await this.#client.close();
    return true;
  }
}

/** Connects at once and reports when what had happened, in milliseconds since the navigation began. */
async function startUp(bench, options) {
  const script = performance.now();
  const watch = new Watch(true);
  bench.expect(options.expect);
  await bench.open(options.open);
  const ready = performance.now();
  const { wrong } = await bench.received();
  const message = bench.counter.lastAt;
  const { longestTask: longest, longestGap: gap } = await watch.end();
  await fetch("../report", { method: "POST", body: JSON.stringify({ script, ready, message, longest, gap, wrong }) });
}

/** Makes the page of an adapter. What follows # in its URL has it start by itself. */
export function page(connect) {
  const bench = new Bench(connect);
  globalThis.bench = bench;
  if (location.hash) void startUp(bench, JSON.parse(decodeURIComponent(location.hash.slice(1))));
}
