import assert from "node:assert/strict";
import { test } from "node:test";

import { columns, NAME, TOPIC, type Batch } from "../src/batch.js";
import { KiiError } from "../src/errors.js";
import type { Host, Link, Sink } from "../src/host.js";
import { decodeProperties } from "../src/properties.js";
import { Asks } from "../src/tabs/asks.js";
import { patience, start, step, type Event, type Role } from "../src/tabs/election.js";
import { matches, mine } from "../src/tabs/filters.js";
import { Member } from "../src/tabs/member.js";
import { Recent } from "../src/tabs/recent.js";
import { Relay } from "../src/tabs/relay.js";
import { Term, type Applicant, type Electorate } from "../src/tabs/term.js";
import { settled } from "./fakebrowser.js";
import type { MqttEndpoint } from "../types/index.js";
import { batch } from "./messages.js";

const transitions: [from: Role, event: Event, to: Role, effects: string][] = [
  ["out", "enter", "candidate", "request hello"],
  ["candidate", "granted", "leader", "lead"],
  ["candidate", "barred", "leader", "lead"],
  ["candidate", "leave", "out", "withdraw"],
  ["candidate", "suspend", "away", "withdraw"],
  ["leader", "leave", "out", "stop release"],
  ["leader", "suspend", "away", "stop release"],
  ["leader", "robbed", "candidate", "stop request hello"],
  ["away", "resume", "candidate", "request hello"],
  ["away", "leave", "out", ""],
];
const events: Event[] = ["enter", "leave", "granted", "robbed", "barred", "suspend", "resume", "sign", "tick"];

for (const from of ["out", "candidate", "leader", "away"] as Role[]) {
  for (const event of events) {
    const [, , to, effects] = transitions.find(([role, happens]) => role === from && happens === event) ?? [from, event, from, ""];
    test(`${from}, ${event}: ${to}`, () => {
      const [state, does] = step({ role: from, doubts: 0 }, event);
      assert.equal(state.role, to);
      assert.equal(does.join(" "), effects);
    });
  }
}

test("a leader that does not answer is robbed, one that does is not", () => {
  let state = step(start, "enter")[0];
  const tick = () => {
    const [next, effects] = step(state, "tick");
    state = next;
    return effects.join(" ");
  };
  for (let i = 0; i < patience; i++) assert.equal(tick(), i === 0 ? "" : "ping");
  state = step(state, "sign")[0];
  for (let i = 0; i < patience; i++) assert.equal(tick(), i === 0 ? "" : "ping");
  assert.equal(tick(), "withdraw steal");
  assert.deepEqual(state, { role: "candidate", doubts: 0 });
});

for (const [filter, topic, want] of [
  ["a/b", "a/b", true], ["a/b", "a/b/c", false], ["a/b/c", "a/b", false], ["a/+", "a/b", true], ["a/+", "a", false], ["+/+", "/a", true],
  ["a/#", "a", true], ["a/#", "a/b/c", true], ["#", "a", true], ["#", "$SYS/a", false], ["+/a", "$SYS/a", false], ["$SYS/#", "$SYS/a", true],
  ["$share/g/a/+", "a/b", true],
] as [string, string, boolean][]) {
  test(`${filter} ${want ? "takes in" : "leaves out"} ${topic}`, () => assert.equal(matches(filter, topic), want));
}

test("a tab gets its own topic and what it has subscribed to", () => {
  const b = batch([{ payload: "1" }, { topic: 1, payload: "2" }, { topic: 2, payload: "3" }], ["own", "x/1", "y"]);
  const topics = (filters: string[]) => {
    const part = mine(b, "own", filters);
    return part && Array.from({ length: part.table.length / columns }, (_, i) => part.topics[part.table[i * columns + TOPIC]!]);
  };
  assert.deepEqual(topics([]), ["own"]);
  assert.deepEqual(topics(["x/+"]), ["own", "x/1"]);
  assert.equal(mine(b, "own", ["#"]), b);
  assert.equal(mine(batch([{ payload: "1" }], ["y"]), "own", []), undefined);
});

test("what was dropped before a batch is told to each tab, also where nothing of the batch is for it", () => {
  const dropped = (b: Batch | undefined) => b && [b.dropped, b.table.length];
  const foreign = { ...batch([{ payload: "1" }], ["y"]), dropped: 2 };
  assert.deepEqual(dropped(mine(foreign, "own", [])), [2, 0]);
  const recent = new Recent(decodeProperties);
  const push = () => batch([{ payload: "", properties: [0x26, 0, 13, ...new TextEncoder().encode("pushMessageID"), 0, 1, 65] }], ["own"]);
  recent.pass(push());
  recent.expectRepeats();
  assert.deepEqual(dropped(recent.pass({ ...push(), dropped: 3 })), [3, 0]);
  assert.equal(dropped(recent.pass(push())), undefined);
});

test("a leader's batches hold all names that they need, whatever was told before", () => {
  const relay = new Relay();
  relay.complete(batch([{ payload: "" }], ["a", "b"]));
  const later = relay.complete(batch([{ topic: 1, payload: "" }, { topic: 2, payload: "" }, { topic: 1, payload: "" }], ["c"], 2));
  assert.deepEqual(later.topics, ["b", "c"]);
  assert.equal(later.firstTopic, 0);
  assert.deepEqual([0, 1, 2].map((i) => later.table[i * columns + TOPIC]), [0, 1, 0]);
  assert.equal(later.table[NAME], 0);
});

test("a name that comes in a frame is known from then on, unless it is too long for that", () => {
  const relay = new Relay();
  const named = (topic: number, name: string) => {
    const b = batch([{ topic, payload: "", properties: [0, name.length, ...new TextEncoder().encode(name)] }], [], 0);
    b.table[NAME] = b.bytes.length - name.length;
    return relay.complete(b).topics;
  };
  const plain = (topic: number) => relay.complete(batch([{ topic, payload: "" }])).topics;
  assert.deepEqual(named(0, "first"), ["first"]);
  assert.deepEqual(named(1, "second"), ["second"]);
  assert.deepEqual(named(-1, "long"), ["long"]);
  assert.deepEqual([plain(0), plain(1)], [["first"], ["second"]]);
  assert.deepEqual(named(0, "another"), ["another"], "a number may come to mean another one");
  assert.deepEqual(plain(0), ["another"]);
});

test("repeats are looked for among the last messages, and no more of them are kept", () => {
  const id = (n: number) => {
    const text = `${n}`;
    return [0x26, 0, 13, ...new TextEncoder().encode("pushMessageID"), 0, text.length, ...new TextEncoder().encode(text)];
  };
  const of = (...numbers: number[]) => batch(numbers.map((n) => ({ payload: `${n}`, properties: id(n) })), ["t"]);
  const some = (from: number, to: number) => of(...Array.from({ length: to - from }, (_, i) => from + i));
  const recent = new Recent(decodeProperties);
  const left = (b: Batch) => (recent.pass(b)?.table.length ?? 0) / columns;
  assert.equal(left(of(1, 1)), 2, "while one tab leads nobody looks");
  recent.pass(some(2, 3000));
  recent.expectRepeats();
  assert.equal(left(of(1)), 1, "it is too long ago");
  assert.equal(left(of(2998, 2999, 3000)), 1);
  assert.equal(left(batch([{ payload: "" }, { payload: "" }], ["t"])), 2, "what has no id is no repeat");
  assert.equal(left(some(954, 3001)), 0, "so many at most are in doubt");
  assert.equal(left(of(2999)), 1, "and behind them none is looked at");
});

test("who gives the buffers of messages away does not disturb what looks for repeats", () => {
  const id = [0x26, 0, 13, ...new TextEncoder().encode("pushMessageID"), 0, 1, 65];
  const relay = new Relay();
  const one = () => relay.complete(batch([{ payload: "x".repeat(300_000), properties: id }], ["t"]));
  const recent = new Recent(decodeProperties);
  for (let i = 0; i < 5; i++) { // more bytes than are kept
    const { bytes } = recent.pass(one())!;
    structuredClone(bytes, { transfer: [bytes.buffer as ArrayBuffer] });
  }
  recent.expectRepeats();
  assert.ok(recent.pass(one()), "who cannot know lets it pass");
  assert.equal(recent.pass(one()), undefined);
});

test("what arrives during the goodbye is not acknowledged, though an attempt before had failed", async () => {
  const sinks: Sink[] = [];
  let closed = () => {};
  const link = { call: () => new Promise<void>((resolve) => (closed = resolve)), wake: () => {} } as Link;
  const connect = async (_: unknown, __: unknown, sink: Sink) => {
    if (sinks.push(sink) > 1) return link;
    sink.state({ state: "failed", reason: "" });
    throw new KiiError("no", { code: "FORBIDDEN", retryable: false, remedy: "r" });
  };
  const electorate: Electorate = {
    next: () => ({ call: undefined }) as Applicant, refused: () => {}, changed: () => {}, batch: () => {}, watch: () => ({ end: () => {} }), seated: async () => {},
  };
  const term = new Term({ connect } as Partial<Host> as Host, electorate, new Map());
  term.open();
  await settled();
  assert.equal(sinks.length, 2);
  void term.end({}, Promise.resolve());
  let acknowledged = false;
  void Promise.resolve(sinks[1]!.batch(batch([{ payload: "" }], ["t"]))).then(() => (acknowledged = true));
  await settled();
  assert.equal(acknowledged, false);
  closed();
  await settled();
  assert.equal(acknowledged, true, "when nothing can leave any more");
});

test("a subscription ends in time though the word about it does not get out", async () => {
  const electorate: Electorate = {
    next: () => undefined, refused: () => {}, changed: () => {}, batch: () => {}, watch: () => ({ end: () => {} }), seated: () => new Promise(() => {}),
  };
  const term = new Term({} as Host, electorate, new Map());
  await assert.rejects(term.call("tab", "subscribe", ["x"], { timeout: 10 }), { code: "TIMEOUT" });
  const over = new AbortController();
  const given = term.call("tab", "subscribe", ["x"], { signal: over.signal });
  over.abort();
  await assert.rejects(given, { code: "ABORTED" });
  await term.end({});
});

test("what bounds an attempt to connect, or a call to another tab, is gone when that has ended", async (t) => {
  const { setTimeout, clearTimeout } = globalThis;
  t.after(() => Object.assign(globalThis, { setTimeout, clearTimeout }));
  const timers = new Set<unknown>();
  globalThis.setTimeout = ((work: () => void, milliseconds: number) => {
    const timer = setTimeout(() => {
      timers.delete(timer);
      work();
    }, milliseconds);
    timers.add(timer);
    return timer;
  }) as typeof setTimeout;
  globalThis.clearTimeout = (timer) => {
    timers.delete(timer);
    clearTimeout(timer);
  };
  for (const what of ["attempt", "call"]) {
    const stop = new AbortController();
    const { signal } = stop;
    let listeners = 0;
    const [add, remove] = [signal.addEventListener.bind(signal), signal.removeEventListener.bind(signal)];
    signal.addEventListener = (...args: Parameters<typeof add>) => (listeners++, add(...args));
    signal.removeEventListener = (...args: Parameters<typeof remove>) => (listeners--, remove(...args));
    const begin = (timeout: number): Promise<unknown> => {
      if (what === "call") return new Asks("me", () => {}).ask("you", "t", "subscribe", ["x"], { signal, timeout });
      return new Member({} as MqttEndpoint, {}, {} as Sink, { signal, timeout }, {} as Link, () => {}).ready;
    };
    await assert.rejects(begin(1), { code: "TIMEOUT" });
    await settled();
    assert.deepEqual([listeners, timers.size], [0, 0], "a signal may be there for as long as the page is");
    const waiting = begin(60_000);
    assert.deepEqual([listeners, timers.size], [1, 1]);
    stop.abort();
    await assert.rejects(waiting, { code: "ABORTED" });
    await settled();
    assert.deepEqual([listeners, timers.size], [0, 0]);
  }
});
