import assert from "node:assert/strict";
import { test } from "node:test";

import { Decoder, type Batch } from "../src/batch.js";
import type { Handled } from "../src/host.js";
import { Outlet } from "../src/outlet.js";
import { batch, decoded, plain } from "./messages.js";

/** An outlet, what it has posted, and the other thread's word that the oldest was handled. */
function setUp(most?: number) {
  const posted: Batch[] = [];
  const words: ((stops: Handled[]) => void)[] = [];
  const portions: Batch[][] = [];
  const gone: Uint8Array[] = [];
  const post = (batches: Batch[]) => {
    posted.push(...batches);
    portions.push(batches);
    return new Promise<Handled[]>((resolve) => words.push(resolve));
  };
  const outlet = new Outlet(post, (list) => gone.push(list), most);
  const decoder = new Decoder();
  const messages = () => posted.splice(0).map((b) => decoded(decoder, b).map((m) => `${m.topic} ${m.text()}`));
  const handled = async (...stops: Handled[]) => {
    words.shift()!(stops);
    await new Promise((resolve) => setTimeout(resolve));
  };
  return { outlet, posted, portions, words, gone, messages, handled };
}

/** A frame as it comes the short way, with one message. */
function frame(payload: string, { qos = 0, topic = 256, name = "" } = {}): Batch {
  const bytes = new TextEncoder().encode(`..${name}${payload}`);
  bytes.set([0, name.length]);
  const table = Int32Array.of(topic, qos << 1, 0, 2 + name.length, payload.length, bytes.length, 0, name ? 2 : 0);
  return { bytes, table, topics: [], firstTopic: 0 };
}

test("what comes while the other thread is busy goes as one", async () => {
  const { outlet, messages, handled } = setUp();
  void outlet.hand(frame("1", { name: "a" }));
  const late: string[] = [];
  for (const n of ["2", "3", "4"]) void outlet.hand(frame(n)).then(() => late.push(n));
  assert.deepEqual(messages(), [["a 1"]], "at once");
  await handled();
  assert.deepEqual(messages(), [["a 2", "a 3", "a 4"]]);
  assert.deepEqual(late, []);
  await handled();
  assert.deepEqual(late, ["2", "3", "4"]);
  void outlet.hand(frame("5"));
  assert.deepEqual(messages(), [["a 5"]]);
});

test("large frames go as they are, with the others in one", async () => {
  const { outlet, portions, messages, handled } = setUp();
  const large = [1, 2].map((n) => frame(String(n).repeat(4096)));
  const done: number[] = [];
  void outlet.hand(frame("first", { name: "a" }));
  const given = [frame("s"), frame("t"), large[0]!, large[1]!, frame("u"), frame("v")];
  given.forEach((batch, n) => void outlet.hand(batch).then(() => done.push(n)));
  messages();
  await handled();
  assert.equal(portions.length, 2);
  assert.deepEqual(portions[1]!.slice(1, 3).map(({ bytes }) => bytes.buffer), large.map(({ bytes }) => bytes.buffer), "not copied");
  assert.deepEqual(messages(), [["a s", "a t"], [`a ${"1".repeat(4096)}`], [`a ${"2".repeat(4096)}`], ["a u", "a v"]]);
  assert.deepEqual(done, []);
  await handled();
  assert.deepEqual(done, [0, 1, 2, 3, 4, 5]);
});

test("what waits or is given away has a table of its own", async () => {
  const { outlet, posted, messages, handled } = setUp();
  const lent = frame("", { name: "a" });
  for (const n of ["1", "2", "3"]) {
    const { bytes, table } = frame(n, { name: "a" });
    lent.table.set(table);
    void outlet.hand({ ...lent, bytes });
    if (n === "1") assert.deepEqual(messages(), [["a 1"]]);
    lent.table.fill(0);
  }
  await handled();
  assert.deepEqual(messages(), [["a 2", "a 3"]]);
  await handled();
  const two = new Int32Array(16);
  void outlet.hand({ ...lent, table: two });
  assert.deepEqual(posted[0]!.table, two);
  assert.ok(posted[0]!.table !== two);
});

test("batches of the long way keep their place, and their topics", async () => {
  const { outlet, messages, handled } = setUp();
  void outlet.hand(plain("1"));
  void outlet.hand(frame("2", { name: "a" }));
  void outlet.hand(frame("3", { topic: 257, name: "bc" }));
  void outlet.hand(batch([{ payload: "4" }], ["other"]));
  void outlet.hand(batch([{ payload: "5", properties: [1, 1] }]));
  void outlet.hand(frame("6", { topic: 257 }));
  messages();
  await handled();
  assert.deepEqual(messages(), [["a 2", "bc 3"]]);
  await handled();
  assert.deepEqual(messages(), [["other 4", "other 5", "bc 6"]]);
});

test("a batch was handled when its part of the whole was", async () => {
  const { outlet, handled } = setUp();
  void outlet.hand(plain("1"));
  let done = false;
  void outlet.hand(frame("2", { name: "a" })).then(() => (done = true));
  void outlet.hand(plain("3"));
  await handled();
  assert.equal(done, false);
  await handled();
  assert.equal(done, true);
});

test("where the whole was handled in part, each batch is told what became of it", async () => {
  const { outlet, handled } = setUp();
  const word = (packetId: number) => outlet.hand(batch([{ payload: "", flags: 2, packetId }, { payload: "", flags: 2, packetId: packetId + 1 }]));
  const words = [word(1), word(3), word(5), word(7)];
  await handled(2);
  await handled(6);
  assert.deepEqual(await Promise.all(words), [2, undefined, 6, 6]);
});

test("of large frames each is told what became of it, and those behind the first that nobody wants that nobody does", async () => {
  const { outlet, handled } = setUp();
  const word = (packetId: number, payload: string) => outlet.hand(batch([{ payload, flags: 2, packetId }]));
  const large = "x".repeat(4096);
  const words = [word(1, ""), word(2, large), word(3, large), word(4, ""), word(5, ""), word(6, large), word(7, "")];
  await handled(undefined);
  await handled(undefined, undefined, 5, undefined, undefined);
  assert.deepEqual(await Promise.all(words), [undefined, undefined, undefined, undefined, 5, 5, 5]);
});

test("what waits can be posted before the word comes", async () => {
  const { outlet, messages, handled } = setUp();
  void outlet.hand(frame("1", { name: "a" }));
  void outlet.hand(frame("2"));
  outlet.flush();
  outlet.flush();
  assert.deepEqual(messages(), [["a 1"], ["a 2"]]);
  void outlet.hand(frame("3"));
  await handled();
  assert.deepEqual(messages(), [], "there is another one in hand");
  await handled();
  assert.deepEqual(messages(), [["a 3"]]);
});

test("too many at QoS 0 push the oldest out, which are counted, and take no topic with them", async () => {
  const { outlet, posted, messages, handled } = setUp(400);
  void outlet.hand(frame("0", { name: "a" }));
  messages();
  let dropped = false;
  void outlet.hand(frame("1", { topic: 257, name: "b" }), false).then(() => (dropped = true));
  void outlet.hand(frame("2", { qos: 1 }));
  void outlet.hand(batch([{ payload: "3" }], ["long"]));
  for (let n = 4; n <= 11; n++) void outlet.hand(frame(String(n), { topic: 257 }));
  void outlet.hand(batch([{ payload: "12" }]));
  await handled();
  assert.ok(dropped);
  assert.ok(posted[0]!.dropped! > 3);
  const dropping = posted[0]!.dropped!;
  const got = messages().flat();
  await handled();
  got.push(...messages().flat());
  assert.equal(got.length + dropping, 12);
  assert.equal(got[0], "a 2");
  assert.deepEqual(got.slice(-2), ["b 11", "long 12"]);
});

/** The user property by which a push is known. */
const idProperty = (id: string) => [0x26, 0, 13, ...new TextEncoder().encode(`pushMessageID\0${String.fromCharCode(id.length)}${id}`)];

const withID = (id: string, payload: string, topics: string[] = []) => batch([{ payload, properties: idProperty(id) }], topics);

test("a push whose repeat is acknowledged is kept, whatever is dropped", async () => {
  const { outlet, words, messages, handled } = setUp(600);
  void outlet.hand(withID("id-0", "0", ["t"]));
  messages();
  for (const n of ["1", "2", "3"]) void outlet.hand(withID(`id-${n}`, n), false);
  outlet.firm(Uint8Array.from(idProperty("id-2").slice(3)));
  outlet.firm(Uint8Array.from(idProperty("id").slice(3))); // nobody has it
  let acknowledged = false;
  void outlet.hand(batch([])).then(() => (acknowledged = true)); // the repeat
  for (let n = 4; n <= 20; n++) void outlet.hand(withID(`id-${n}`, String(n)), false);
  await handled();
  const got: string[] = [];
  while (words.length > 0) {
    assert.ok(!acknowledged || got.includes("t 2"), "nothing is acknowledged before its message was handled");
    got.push(...messages().flat());
    await handled();
  }
  assert.ok(acknowledged);
  assert.deepEqual([got[0], got.at(-1)], ["t 2", "t 20"]);
  assert.ok(!got.includes("t 1"), "something was dropped");
});

test("a push whose repeat came before it was handed over is kept", async () => {
  const { outlet, words, messages, handled } = setUp(600);
  void outlet.hand(withID("id-0", "0", ["t"]));
  messages();
  void outlet.hand(withID("id-1", "1"), false);
  void outlet.hand({ ...withID("id-2", "2"), firm: true });
  for (let n = 3; n <= 20; n++) void outlet.hand(withID(`id-${n}`, String(n)), false);
  const got: string[] = [];
  do {
    await handled();
    got.push(...messages().flat());
  } while (words.length > 0);
  assert.deepEqual([got[0], got.at(-1)], ["t 2", "t 20"]);
});

test("a batch that is dropped is not acknowledged before what came before it, for it stands for so many acknowledgements", async () => {
  const { outlet, words, messages, handled } = setUp(400);
  const done: string[] = [];
  void outlet.hand(frame("0", { name: "a", qos: 1 })).then(() => done.push("0"));
  void outlet.hand(frame("1", { qos: 1 })).then(() => done.push("1"));
  void outlet.hand(frame("2")).then(() => done.push("2, with a repeat"));
  for (let n = 3; n <= 20; n++) void outlet.hand(frame(String(n)), false);
  await Promise.resolve();
  assert.deepEqual(done, []);
  const got: string[] = [];
  while (words.length > 0) {
    got.push(...messages().flat());
    await handled();
  }
  assert.ok(!got.includes("a 2"), "it is dropped");
  assert.ok(got.includes("a 20"));
  assert.deepEqual(done, ["0", "1", "2, with a repeat"]);
});

test("what the program has dropped is counted with it, once", async () => {
  const { outlet, posted, handled } = setUp(100);
  const told = async () => {
    const counts = posted.splice(0).map((b) => b.dropped ?? 0);
    await handled();
    return counts;
  };
  void outlet.hand({ ...frame("0", { name: "a" }), dropped: 2 });
  void outlet.hand({ ...batch([]), dropped: 3 });
  void outlet.hand({ ...frame("1".repeat(4096), { qos: 1 }), dropped: 1 });
  void outlet.hand({ ...frame("2".repeat(4096), { qos: 1 }), dropped: 1 });
  void outlet.hand(frame("3"));
  assert.deepEqual(await told(), [2]);
  const rest: number[] = [];
  while (posted.length > 0) rest.push(...(await told()));
  assert.equal(rest.reduce((sum, n) => sum + n, 0), 3 + 1 + 1 + 1, "the last one is dropped here");
});

test("the program is told of pushes that are dropped, for they are no repeats when they come again", async () => {
  const { outlet, gone, handled } = setUp(300);
  void outlet.hand(frame("first", { name: "a" }));
  for (let n = 1; n <= 5; n++) void outlet.hand(batch([{ payload: "", properties: [n, n, n] }, { payload: "x".repeat(40) }]));
  void outlet.hand(batch([{ payload: "", flags: 2, properties: [9] }]));
  await handled();
  assert.deepEqual(gone.map((list) => [...list]).flat().slice(0, 14), [3, 0, 0, 0, 1, 1, 1, 3, 0, 0, 0, 2, 2, 2]);
  assert.ok(!gone.flatMap((list) => [...list]).includes(9), "what is acknowledged is never dropped");
});

test("no more is dropped than down to half of what may wait", async () => {
  const { outlet, messages, handled } = setUp(1000);
  void outlet.hand(frame("first", { name: "a" }));
  messages();
  for (const n of ["1", "2", "3", "4", "5"]) void outlet.hand(frame(n.repeat(200)), false); // 234 bytes each, with their rows
  await handled();
  assert.deepEqual(messages().flat(), ["4", "5"].map((n) => `a ${n.repeat(200)}`));
  for (const n of ["6", "7", "8", "9"]) void outlet.hand(frame(n.repeat(200)), false); // what was dropped, and what has gone, takes no room
  await handled();
  assert.deepEqual(messages().flat(), ["6", "7", "8", "9"].map((n) => `a ${n.repeat(200)}`));
});

test("much goes in portions, so that the other thread is free in between", async () => {
  const { outlet, posted, handled } = setUp();
  void outlet.hand(frame("0", { name: "a" }));
  for (let n = 0; n < 10_000; n++) void outlet.hand(frame("x"));
  const sizes: number[] = [];
  while (sizes.reduce((a, b) => a + b, 0) < 10_001) {
    sizes.push(...posted.splice(0).map(({ table }) => table.length / 8));
    await handled();
  }
  assert.deepEqual(sizes, [1, 4096, 4096, 1808]);
});

test("a number that has come to mean another topic means the first one to what was before", async () => {
  const { outlet, messages, handled } = setUp(300);
  void outlet.hand(frame("0", { name: "a", qos: 1 }));
  void outlet.hand(frame("1", { qos: 1 }));
  for (let n = 2; n <= 9; n++) void outlet.hand(frame(String(n), n === 2 ? { name: "b" } : {}));
  const got: string[] = [];
  for (let n = 0; n < 3; n++) {
    got.push(...messages().flat());
    await handled();
  }
  assert.deepEqual(got.slice(0, 2), ["a 0", "a 1"]);
  assert.ok(got.length < 10);
  assert.deepEqual(got.slice(2).map((m) => m[0]), got.slice(2).map(() => "b"));
});

test("an empty batch keeps its place, whatever is dropped", async () => {
  const { outlet, messages, handled } = setUp(100);
  const done: string[] = [];
  void outlet.hand(frame("0", { name: "a", qos: 1 }));
  void outlet.hand(batch([])).then(() => done.push("repeats"));
  for (let n = 1; n <= 20; n++) void outlet.hand(frame(String(n)));
  await handled();
  assert.deepEqual(done, [], "what is before it was handled, it itself goes on");
  assert.equal(messages().length, 2);
  await handled();
  assert.deepEqual(done, ["repeats"]);
});

test("what is acknowledged is never dropped", async () => {
  const { outlet, messages, handled } = setUp(100);
  void outlet.hand(frame("0", { name: "a" }));
  messages();
  for (let n = 1; n <= 20; n++) void outlet.hand(frame(String(n), { qos: 1 }));
  await handled();
  assert.equal(messages()[0]!.length, 20);
});

test("what waits beyond its bound because it cannot be dropped goes in portions that can be put together", async () => {
  const { outlet, portions, handled } = setUp();
  const large = "x".repeat(3 << 20);
  let done = 0;
  void outlet.hand(frame("first", { name: "a" }));
  for (let i = 0; i < 7; i++) void outlet.hand(frame(`${i}${large}`, { qos: 1 })).then(() => done++);
  for (let i = 0; i < 100; i++) void outlet.hand(frame("small", { qos: 1 })).then(() => done++);
  void outlet.hand(frame("dropped")).then(() => done++);
  const sizes: number[] = [];
  while (done < 108) {
    await handled();
    for (const batches of portions.splice(0)) sizes.push(batches.reduce((sum, b) => sum + b.bytes.length, 0));
  }
  assert.ok(Math.max(...sizes.slice(1)) <= 4 << 20, String(sizes));
  assert.equal(sizes.length, 8, "the small ones went with the last large one");
});
