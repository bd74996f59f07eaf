import assert from "node:assert/strict";
import { test } from "node:test";

import { Queue, queueLimit } from "../src/queue.js";
import { Stream } from "../src/stream.js";

const nothing = () => {};

test("a queue keeps the newest in order and counts the rest", () => {
  const queue = new Queue<number>(3);
  for (let i = 0; i < 100; i++) {
    queue.push(i);
    if (i % 10 === 9) assert.equal(queue.shift(), i - 2);
  }
  assert.equal(queue.length, 2);
  assert.deepEqual([queue.shift(), queue.shift(), queue.shift()], [98, 99, undefined]);
  assert.equal(queue.dropped, 100 - 10 - 2);
});

test("a queue is empty when all was taken, as often as it is filled", () => {
  const queue = new Queue<number>(2);
  for (let i = 0; i < 20; i++) {
    queue.push(i);
    queue.push(-i);
    if (i % 3 === 0) queue.clear();
    else assert.deepEqual([queue.shift(), queue.shift()], [i, -i]);
    assert.deepEqual([queue.length, queue.shift()], [0, undefined]);
  }
  assert.equal(queue.dropped, 14);
});

test("a loop gets what was pushed before and after it waits", async () => {
  const stream = new Stream<number>(nothing);
  stream.push(1);
  setTimeout(() => {
    stream.push(2);
    stream.push(3);
    stream.end();
  });
  const seen: number[] = [];
  for await (const value of stream) seen.push(value);
  assert.deepEqual(seen, [1, 2, 3]);
});

test("an error comes after what waits, once", async () => {
  const stream = new Stream<number>(nothing);
  stream.push(1);
  stream.end(new Error("broken"));
  stream.end(new Error("again"));
  assert.deepEqual(await stream.next(), { done: false, value: 1 });
  await assert.rejects(stream.next(), { message: "broken" });
  assert.deepEqual(await stream.next(), { done: true, value: undefined });
});

test("several readers are served in their order, and all are ended", async () => {
  const stream = new Stream<string>(nothing);
  const readers = [stream.next(), stream.next(), stream.next()];
  stream.push("a");
  stream.push("b");
  stream.end();
  assert.deepEqual((await Promise.all(readers)).map((r) => r.value), ["a", "b", undefined]);
});

test("leaving a loop frees what waits, and tells", async () => {
  let left = 0;
  const stream = new Stream<number>(() => left++);
  stream.push(1);
  stream.push(2);
  for await (const value of stream) {
    assert.equal(value, 1);
    break;
  }
  assert.equal(left, 1);
  assert.deepEqual(await stream.next(), { done: true, value: undefined });
});

test("a loop that is slow loses the oldest, counted", async () => {
  const stream = new Stream<number>(nothing);
  for (let i = 0; i < queueLimit + 5; i++) stream.push(i);
  assert.equal(stream.dropped, 5);
  assert.equal((await stream.next()).value, 5);
});
