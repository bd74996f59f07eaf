import assert from "node:assert/strict";
import { test } from "node:test";

import { KiiError } from "../src/errors.js";
import { Publisher } from "../src/publisher.js";

/** Reads what is staged, as the program does. */
function read(staged: Uint8Array): string[] {
  const list: string[] = [];
  const view = new DataView(staged.buffer, staged.byteOffset, staged.byteLength);
  for (let at = 0; at < staged.length; ) {
    const [name, size] = [view.getUint16(at + 1), view.getUint32(at + 3)];
    const text = (start: number, length: number) => new TextDecoder().decode(staged.subarray(start, start + length));
    list.push(`${view.getUint8(at)} ${text(at + 7, name)} ${text(at + 7 + name, size)}`);
    at += 7 + name + size;
  }
  return list;
}

function setUp(timeout?: number) {
  const sent: [number, string[]][] = [];
  const forgotten: number[] = [];
  const publisher = new Publisher(
    { send: (staged, first) => void sent.push([first, read(staged)]), forget: (ticket) => void forgotten.push(ticket) },
    timeout,
  );
  return { publisher, sent, forgotten };
}

test("what is published in one turn goes together, as it was then", async () => {
  const { publisher, sent } = setUp();
  const bytes = new Uint8Array([104, 105]);
  const promises = [
    publisher.publish("a", "héllo", {})!,
    publisher.publish("b/ç", bytes, { qos: 0 })!,
    publisher.publish("", new Uint8Array([33]).buffer, { retain: true })!,
  ];
  bytes.fill(0);
  assert.deepEqual(sent, []);
  await Promise.resolve();
  assert.deepEqual(sent, [[1, ["1 a héllo", "0 b/ç hi", "5  !"]]]);
  promises.push(publisher.publish("c", "", {})!);
  publisher.flush();
  assert.deepEqual(sent[1], [4, ["1 c "]]);
  const refused = new KiiError("no", { code: "UNSUPPORTED", retryable: false, remedy: "" });
  publisher.settle(Int32Array.of(1, 2, 4, 99));
  publisher.settle(Int32Array.of(3), refused);
  assert.deepEqual(
    (await Promise.allSettled(promises)).map(({ status }) => status),
    ["fulfilled", "fulfilled", "rejected", "fulfilled"],
  );
});

test("nothing is left of what was staged in the same place before", async () => {
  const { publisher, sent } = setUp();
  void publisher.publish("t", new Uint8Array(500).fill(0xff), {});
  publisher.flush();
  for (const payload of ["a", "", "b".repeat(300)]) void publisher.publish("t", payload, {});
  publisher.flush();
  assert.deepEqual(sent[1], [2, ["1 t a", "1 t ", `1 t ${"b".repeat(300)}`]]);
  publisher.settle(Int32Array.of(1, 2, 3, 4));
});

test("tickets stay what the program can count", async () => {
  const sent: [number, number][] = [];
  const most = 2 ** 31 - 1;
  const publisher = new Publisher({ send: (staged, first) => void sent.push([first, read(staged).length]), forget: () => {} }, 1000, most - 2 ** 16 - 1);
  for (let turn = 0; turn < 3; turn++) {
    const all = Array.from({ length: 5000 }, () => publisher.publish("", "", { qos: 0 })!);
    await Promise.resolve();
    for (const [first, count] of sent) {
      assert.ok(first > 0 && first + count - 1 <= most, `${first} and ${count - 1} more`);
      publisher.settle(Int32Array.from({ length: count }, (_, i) => first + i));
    }
    await Promise.all(all);
    if (turn < 2) sent.length = 0;
  }
  assert.ok(sent.every(([first]) => first < 2 ** 16), JSON.stringify(sent));
});

test("what does not fit goes in the next portion", async () => {
  const { publisher, sent } = setUp();
  const all = Array.from({ length: 5 }, (_, i) => publisher.publish("t", new Uint8Array(30_000).fill(97 + i), {})!);
  await Promise.resolve();
  assert.deepEqual(sent.map(([first, list]) => [first, list.length]), [[1, 2], [3, 2], [5, 1]]);
  assert.ok(sent.every(([, list]) => list.every((m) => m.length === 4 + 30_000)));
  publisher.settle(Int32Array.of(1, 2, 3, 4, 5));
  await Promise.all(all);
});

test("what is unusual is for another way", () => {
  const { publisher, sent } = setUp();
  const bytes = new Uint8Array(4);
  structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
  const unusual: [unknown, unknown, object][] = [
    ["t", "x", { qos: 2 }],
    ["t", "x", { qos: "1" }],
    ["t", "x", { retain: 1 }],
    ["t", "x", { timeout: 5 }],
    ["t", "x", { signal: new AbortController().signal }],
    [7, "x", {}],
    ["t".repeat(2000), "x", {}],
    ["t", 7, {}],
    ["t", null, {}],
    ["t", undefined, {}],
    ["t", new Uint16Array(2), {}],
    ["t", new Uint8Array(40_000), {}],
    ["t", bytes, {}],
    ["t", bytes.buffer, {}],
    ["t", "x".repeat(20_000), {}],
  ];
  for (const [topic, payload, options] of unusual) assert.equal(publisher.publish(topic, payload, options), undefined);
  publisher.flush();
  assert.deepEqual(sent, []);
});

test("nobody waits for ever", async () => {
  const { publisher, forgotten } = setUp(10);
  const first = publisher.publish("t", "1", {})!;
  const second = publisher.publish("t", "2", {})!;
  await Promise.resolve();
  publisher.settle(Int32Array.of(1));
  await first;
  await assert.rejects(second, { code: "TIMEOUT" });
  assert.deepEqual(forgotten, [2]);
  const third = publisher.publish("t", "3", {})!;
  await assert.rejects(third, { code: "TIMEOUT" });
  assert.deepEqual(forgotten, [2, 3]);
});

test("the end of the connection ends what waits", async () => {
  const { publisher } = setUp();
  const promise = publisher.publish("t", "1", {})!;
  publisher.end(new KiiError("gone", { code: "CLOSED", retryable: false, remedy: "" }));
  await assert.rejects(promise, { code: "CLOSED" });
});

test("nothing is watched after the end", async (t) => {
  const { publisher } = setUp();
  const timers: unknown[] = [];
  const { setTimeout } = globalThis;
  t.after(() => (globalThis.setTimeout = setTimeout));
  globalThis.setTimeout = ((...args: Parameters<typeof setTimeout>) => (timers.push(args), setTimeout(...args))) as typeof setTimeout;
  const promise = publisher.publish("t", "1", {})!;
  publisher.end(new KiiError("gone", { code: "CLOSED", retryable: false, remedy: "" }));
  await assert.rejects(promise, { code: "CLOSED" });
  publisher.flush();
  assert.deepEqual(timers, []);
});
