import assert from "node:assert/strict";
import { test } from "node:test";

import { LiveConnection } from "../src/connection.js";
import { KiiError } from "../src/errors.js";
import type { Link } from "../src/host.js";
import { queueLimit } from "../src/queue.js";
import { batch, plain } from "./messages.js";

/** A connection, and what its Go end was asked to do. */
function connect() {
  const connection = new LiveConnection();
  const calls: unknown[][] = [];
  const link: Link = {
    call: async (method, args, options) => void calls.push([method, args, options]),
    wake: (cause) => void calls.push(["wake", cause]),
  };
  connection.attach(link);
  return { connection, calls };
}

const turn = () => new Promise((resolve) => setTimeout(resolve));

test("messages before the first listener are held for it, in order", async () => {
  const { connection } = connect();
  assert.equal(connection.sink.batch(plain("1", "2")), 0, "they count as delivered");
  const seen: string[] = [];
  connection.on("message", (m) => seen.push(m.text()));
  assert.deepEqual(seen, [], "not before on has returned");
  connection.sink.batch(plain("3"));
  await turn();
  connection.sink.batch(plain("4"));
  assert.deepEqual(seen, ["1", "2", "3", "4"]);
  assert.equal(connection.dropped, 0);
});

test("what nobody ever takes is bounded and counted", async () => {
  const { connection } = connect();
  for (let i = 0; i < queueLimit + 3; i++) connection.sink.batch(plain(String(i)));
  assert.equal(connection.dropped, 3);
  const seen: string[] = [];
  connection.on("message", (m) => seen.push(m.text()));
  await turn();
  assert.equal(seen.length, queueLimit);
  assert.equal(seen[0], "3");
  assert.equal(connection.dropped, 3);
});

test("a listener that throws is reported and disturbs nobody", async (t) => {
  const reported: unknown[] = [];
  const global = globalThis as { reportError?: (error: unknown) => void };
  global.reportError = (error) => reported.push(error);
  t.after(() => delete global.reportError);
  const { connection } = connect();
  const seen: string[] = [];
  connection.on("message", () => {
    throw new Error("mine");
  });
  connection.on("message", (m) => seen.push(m.text()));
  await turn();
  connection.sink.batch(plain("1", "2"));
  assert.deepEqual(seen, ["1", "2"]);
  assert.deepEqual(reported.map((e) => (e as Error).message), ["mine", "mine"]);
});

test("off and once end a listener, from within as well", async () => {
  const { connection } = connect();
  const seen: string[] = [];
  const off = connection.on("message", (m) => {
    seen.push(`on ${m.text()}`);
    if (m.text() === "2") off();
  });
  connection.once("message", (m) => seen.push(`once ${m.text()}`));
  const never = connection.once("message", () => seen.push("never"));
  never();
  await turn();
  connection.sink.batch(plain("1", "2", "3"));
  off();
  assert.deepEqual(seen, ["on 1", "once 1", "on 2"]);
});

test("wrong events and listeners are refused at once", () => {
  const { connection } = connect();
  const wrong = connection as unknown as { on(event: unknown, listener: unknown): void; once: typeof wrong.on };
  for (const [event, listener] of [["error", () => {}], ["message", "f"], [undefined, undefined]]) {
    assert.throws(() => wrong.on(event, listener), { code: "INVALID_ARGUMENT" });
    assert.throws(() => wrong.once(event, listener), { code: "INVALID_ARGUMENT" });
  }
});

test("each loop gets every message, and ends when the connection is closed", async () => {
  const { connection } = connect();
  const read = async () => {
    const seen: string[] = [];
    for await (const m of connection) seen.push(m.text());
    return seen;
  };
  connection.sink.batch(plain("0"));
  const loops = [read(), read()];
  await turn();
  connection.sink.batch(plain("1", "2"));
  connection.sink.state({ state: "closed", reason: "" });
  assert.deepEqual(await Promise.all(loops), [["0", "1", "2"], ["0", "1", "2"]]);
  assert.deepEqual(await read(), [], "a loop over a closed connection ends at once");
});

test("a loop throws what the connection failed with", async () => {
  const { connection } = connect();
  const error = new KiiError("gone", { code: "REVOKED", retryable: false, remedy: "" });
  const next = connection[Symbol.asyncIterator]().next();
  connection.sink.state({ state: "failed", reason: "gone", code: "REVOKED", error });
  await assert.rejects(next, { code: "REVOKED" });
  await assert.rejects(connection[Symbol.asyncIterator]().next(), { code: "REVOKED" });
});

test("the state is the last one told, and nothing follows a final one", () => {
  const { connection } = connect();
  const seen: string[] = [];
  connection.on("state", ({ state }) => seen.push(`${state} ${connection.state}`));
  assert.equal(connection.state, "idle");
  connection.sink.state({ state: "online", reason: "" });
  connection.sink.state({ state: "waiting", reason: "lost", retryIn: 1500 });
  assert.equal(connection.lastChange.retryIn, 1500);
  connection.sink.state({ state: "closed", reason: "" });
  connection.sink.state({ state: "failed", reason: "too late" });
  assert.deepEqual(seen, ["online online", "waiting waiting", "closed closed"]);
});

test("methods go to the Go end with their options, close once it has ended does not", async () => {
  const { connection, calls } = connect();
  const { signal } = new AbortController();
  await connection.publish("t", "payload", { qos: 0, signal });
  await connection.publish("t", "payload", { properties: { payloadFormat: 1 } });
  await connection.subscribe("a/#", { qos: 2, timeout: 7 });
  await connection.unsubscribe("a/#");
  await connection.takeBack({ timeout: 5 });
  connection.wake("online");
  await connection.close();
  connection.sink.state({ state: "closed", reason: "" });
  await connection.close();
  assert.deepEqual(calls, [
    ["publish", ["t", "payload"], { qos: 0, signal, timeout: 30_000 }],
    ["publish", ["t", "payload"], { rawProperties: new Uint8Array([1, 1]), timeout: 30_000 }],
    ["subscribe", ["a/#"], { qos: 2, timeout: 7 }],
    ["unsubscribe", ["a/#"], { timeout: 30_000 }],
    ["takeBack", [], { timeout: 5 }],
    ["wake", "online"],
    ["close", [], { timeout: 30_000 }],
  ]);
});

test("no message comes to a listener that was taken away by one before it", async () => {
  const { connection } = connect();
  const seen: string[] = [];
  connection.on("message", () => off());
  const off = connection.on("message", (m) => seen.push(m.text()));
  await turn();
  connection.sink.batch(plain("1", "2"));
  assert.deepEqual(seen, []);
});

test("no message comes after the call of close, within a batch and behind it", async () => {
  const { connection } = connect();
  const seen: string[] = [];
  let closing: Promise<void> | undefined;
  connection.on("message", (m) => {
    seen.push(m.text());
    closing ??= connection.close();
  });
  await turn();
  connection.sink.batch(plain("1", "2", "3"));
  connection.sink.batch(plain("4"));
  await closing;
  connection.sink.batch(plain("5"));
  connection.sink.state({ state: "closed", reason: "" });
  assert.deepEqual(seen, ["1"]);
});

test("a close that fails has kept nothing back, and changed no order", async () => {
  const connection = new LiveConnection();
  const seen: string[] = [];
  let fail: (error: Error) => void = () => {};
  connection.attach({ call: () => new Promise((_, reject) => (fail = reject)), wake: () => {} });
  connection.on("message", (m) => seen.push(m.text()));
  await turn();
  const closing = connection.close();
  connection.sink.batch(plain("1", "2"));
  fail(new Error("not now"));
  await assert.rejects(closing, /not now/);
  connection.sink.batch(plain("3"));
  assert.deepEqual(seen, ["1", "2", "3"]);
});

test("a close that fails leaves what nobody has listened for to the first who does", async () => {
  const connection = new LiveConnection();
  let fail: (error: Error) => void = () => {};
  connection.attach({ call: () => new Promise((_, reject) => (fail = reject)), wake: () => {} });
  connection.sink.batch(plain("1"));
  const closing = connection.close();
  connection.sink.batch(plain("2"));
  fail(new Error("not now"));
  await assert.rejects(closing, /not now/);
  connection.sink.batch(plain("3"));
  const seen: string[] = [];
  connection.on("message", (m) => seen.push(m.text()));
  await turn();
  assert.deepEqual(seen, ["1", "2", "3"]);
});

test("a close in the middle of a batch says up to where that was handled, before it goes to the Go end", async () => {
  const connection = new LiveConnection();
  const events: unknown[] = [];
  connection.attach({ call: async (method) => void events.push(method), wake: () => {} });
  let closing: Promise<void> | undefined;
  connection.on("message", (m) => {
    events.push(m.text());
    if (m.text() === "2") closing = connection.close();
  });
  await turn();
  const sent = ["1", "2", "3", "4"].map((payload, i) => ({ payload, flags: 2, packetId: 10 + i }));
  events.push(connection.sink.batch(batch(sent.slice(0, 1), ["topic"])), connection.sink.batch(batch(sent, ["topic"])));
  events.push(connection.sink.batch(batch([{ payload: "5", flags: 2, packetId: 20 }], ["topic"])));
  assert.deepEqual(events, ["1", "1", "2", 0, 12, 12]);
  await closing;
  assert.equal(events.at(-1), "close");
});

test("the first that is kept is one that would be acknowledged", async () => {
  const { connection } = connect();
  connection.on("message", () => void connection.close());
  await turn();
  assert.equal(connection.sink.batch(batch([{ payload: "1" }, { payload: "2" }, { payload: "3", flags: 2, packetId: 7 }], ["topic"])), 7);
});

test("a close that is aborted before it begins keeps nothing back, which would not be acknowledged then", async () => {
  const { connection, calls } = connect();
  const seen: string[] = [];
  let closing: Promise<void> | undefined;
  connection.on("message", (m) => {
    seen.push(m.text());
    closing ??= connection.close({ signal: AbortSignal.abort() });
  });
  await turn();
  const sent = ["1", "2"].map((payload, i) => ({ payload, flags: 2, packetId: 1 + i }));
  assert.equal(connection.sink.batch(batch(sent, ["topic"])), 0, "all is handled");
  await assert.rejects(closing!, { code: "ABORTED" });
  assert.deepEqual(seen, ["1", "2"]);
  assert.deepEqual(calls, []);
});
