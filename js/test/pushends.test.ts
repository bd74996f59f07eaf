import assert from "node:assert/strict";
import { test } from "node:test";

import { Patience } from "../src/patience.js";
import { client, failure, storage, until } from "./fakejourney.js";
import { plain } from "./messages.js";

test("a module that crashes again and again is started less and less often, and the state says so", async (t) => {
  storage(t);
  const { kii, connections } = client();
  await kii.login("alice", "p");
  const push = await kii.startPush();
  const waits: [retryIn: number, reason: string][] = [];
  push.on("state", ({ state, code, retryIn, reason }) => {
    if (state === "waiting") waits.push([retryIn!, `${code}: ${reason}`]);
  });
  for (let crashes = 1; crashes <= 8; crashes++) {
    connections.at(-1)!.sink.state({ state: "failed", code: "CRASHED", reason: "", error: failure("CRASHED", true) });
    assert.equal(push.state, "waiting");
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.equal(connections.length, crashes, "it was started at once");
    push.wake();
    await until(() => push.state === "online");
  }
  waits.forEach(([retryIn, reason], i) => {
    const most = Math.min(1000 * 2 ** i, 60_000);
    assert.ok(retryIn >= most / 2 && retryIn <= most, `${i}: ${retryIn}`);
    assert.match(reason, i === 0 ? /^CRASHED: CRASHED$/ : new RegExp(`^CRASHED: CRASHED .*${i + 1} times running.*message that is waiting`));
  });
  assert.equal(waits.length, 8);
  await push.stop();
});

test("a connection that has stood for long is connected again soon", () => {
  let now = 0;
  const patience = new Patience(() => now);
  const error = failure("CRASHED", true);
  const fall = (after: number) => {
    patience.stands();
    now += after;
    patience.ended();
    return patience.next();
  };
  for (let i = 0; i < 5; i++) fall(29_999);
  assert.ok(fall(29_999) >= 16_000);
  assert.match(patience.explain(error), /6 times/);
  assert.equal(patience.explain(failure("NETWORK", true)), "NETWORK");
  assert.ok(fall(30_000) <= 1000);
  assert.equal(patience.explain(error), "CRASHED");
  assert.ok(patience.next() >= 1000, "the attempt that followed has failed");
});

test("a wait ends with the push, and with another login", async (t) => {
  storage(t);
  const { kii, connections } = client();
  await kii.login("alice", "p");
  const push = await kii.startPush();
  const crash = () => connections.at(-1)!.sink.state({ state: "failed", code: "CRASHED", reason: "", error: failure("CRASHED", true) });
  crash();
  await kii.login("bob", "p");
  await until(() => push.state === "online");
  assert.equal(connections.at(-1)!.owner, "bob");
  crash();
  assert.ok(push.lastChange.retryIn! <= 1000, "bob's first");
  await push.stop();
  assert.equal(push.state, "closed");
  push.wake();
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(connections.length, 2);
});

test("who ends a push when it begins to wait leaves no timer", async (t) => {
  storage(t);
  const { kii, connections } = client();
  await kii.login("alice", "p");
  const push = await kii.startPush();
  let stopped: Promise<void> | undefined;
  push.on("state", ({ state }) => state === "waiting" && (stopped = push.stop()));
  const { setTimeout: begin, clearTimeout: end } = globalThis;
  const timers = new Set<unknown>();
  globalThis.setTimeout = ((work: () => void, delay?: number) => {
    const timer = begin(work, delay);
    timers.add(timer);
    return timer;
  }) as typeof setTimeout;
  globalThis.clearTimeout = ((timer: never) => (timers.delete(timer), end(timer))) as typeof clearTimeout;
  t.after(() => Object.assign(globalThis, { setTimeout: begin, clearTimeout: end }));
  connections[0]!.sink.state({ state: "failed", code: "CRASHED", reason: "", error: failure("CRASHED", true) });
  await stopped;
  assert.equal(push.state, "closed");
  assert.equal(timers.size, 0);
});

test("a connection that dies is followed by another, one that is revoked is not", async (t) => {
  const items = storage(t);
  const { kii, connections } = client();
  await kii.login("alice", "p");
  const push = await kii.startPush();
  const error = failure("CRASHED", true);
  connections[0]!.sink.state({ state: "failed", code: "CRASHED", reason: "", error });
  await until(() => connections.length === 2 && push.state === "online");
  connections[1]!.sink.state({ state: "closed", code: "REVOKED", reason: "" });
  assert.equal(push.state, "closed");
  assert.equal(push.lastChange.code, "REVOKED");
  assert.equal(items.size, 0);
});

test("a connection that ends as soon as it stands is no push that looks alive", async (t) => {
  storage(t);
  const { kii, connections, endAtOnce } = client();
  await kii.login("alice", "p");
  endAtOnce.push({ state: "closed", code: "REVOKED", reason: "" });
  assert.equal((await kii.startPush()).state, "closed");
  endAtOnce.push({ state: "failed", code: "CRASHED", reason: "", error: failure("CRASHED", true) });
  const push = await kii.startPush();
  await until(() => connections.length === 3 && push.state === "online");
});

test("no message comes after the call of stop", async (t) => {
  storage(t);
  const { kii, connections } = client();
  await kii.login("alice", "p");
  const push = await kii.startPush();
  const seen: string[] = [];
  let stopping: Promise<void> | undefined;
  push.on("message", (m) => {
    seen.push(m.text());
    stopping ??= push.stop();
  });
  await new Promise((resolve) => setTimeout(resolve));
  void connections[0]!.sink.batch(plain("1", "2"));
  void connections[0]!.sink.batch(plain("3"));
  await stopping;
  assert.deepEqual(seen, ["1"]);
});

test("a public network's page in place of the cloud is waited out, once push has begun", async (t) => {
  storage(t);
  const { kii, failures } = client();
  await kii.login("alice", "p");
  failures.set("installMqtt", [failure("BAD_RESPONSE", false)]);
  await assert.rejects(kii.startPush(), { code: "BAD_RESPONSE" });
  const push = await kii.startPush();
  await kii.logout();
  failures.set("installMqtt", [failure("BAD_RESPONSE", false)]);
  await kii.login("bob", "p");
  await until(() => push.state === "waiting");
  assert.equal(push.lastChange.code, "BAD_RESPONSE");
  push.wake();
  await until(() => push.state === "online");
  await push.stop();
});
