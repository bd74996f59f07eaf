import assert from "node:assert/strict";
import { test } from "node:test";

import { KiiError } from "../src/errors.js";
import type { Host, Sink } from "../src/host.js";
import { Patience } from "../src/patience.js";
import { readStaged } from "../src/staged.js";
import type { StateChange } from "../types/index.js";
import { plain } from "./messages.js";
import { newClient } from "./newclient.js";

const failure = (code: KiiError["code"], retryable: boolean) => new KiiError(code, { code, retryable, remedy: "r" });

/** A client whose host plays a cloud with one installation per owner. */
function client() {
  const calls: string[] = [];
  const connections: { owner: string; sink: Sink; open: boolean }[] = [];
  const failures = new Map<string, KiiError[]>();
  /** The first ticket and the number of the messages that were sent at a time. */
  const sends: [number, number][] = [];
  const waits = new Map<string, Promise<void>>();
  /** How connections end in the very turn in which they come to stand. */
  const endAtOnce: StateChange[] = [];
  let owner = "";
  const host: Host = {
    place: { name: "worker", reason: null },
    call: async (method, args) => {
      calls.push([method, ...args].join(" "));
      await waits.get(method);
      const error = failures.get(method)?.shift();
      if (error) throw error;
      if (method === "login") return { userID: (owner = args[0] as string), token: "t" };
      if (method === "installMqtt") return { installationID: `i-${owner}`, installationRegistrationID: `r-${owner}` };
      return { installationID: args[0], mqttTopic: "topic" };
    },
    connect: async (_, __, sink) => {
      const connection = { owner, sink, open: true };
      connections.push(connection);
      sink.state({ state: "online", reason: "" });
      const end = endAtOnce.shift();
      if (end) sink.state(end);
      return {
        call: async (method) => {
          if (method !== "close") return void calls.push(method);
          connection.open = false;
          sink.state({ state: "closed", code: "CLOSED", reason: "" });
        },
        wake: () => {},
        sender: { send: (staged, first) => void sends.push([first, readStaged(staged).length]), forget: () => {} },
      };
    },
    end: () => {},
    signal: () => {},
  };
  return { kii: newClient(() => host), calls, connections, sends, failures, waits, endAtOnce };
}

/** A page's storage, until t ends; broken throws like a sandboxed frame's. */
function storage(t: { after(end: () => unknown): void }, broken = false): Map<string, string> {
  const items = new Map<string, string>();
  const deny = () => {
    throw new Error("denied");
  };
  const value = {
    getItem: (key: string) => (broken ? deny() : (items.get(key) ?? null)),
    setItem: (key: string, item: string) => (broken ? deny() : void items.set(key, item)),
    removeItem: (key: string) => (broken ? deny() : void items.delete(key)),
  };
  Object.defineProperty(globalThis, "localStorage", { value, configurable: true });
  t.after(() => Reflect.deleteProperty(globalThis, "localStorage"));
  return items;
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 1));
}

test("the whole journey, and what arrives", async (t) => {
  storage(t);
  const { kii, calls } = client();
  await assert.rejects(kii.startPush(), { code: "NOT_LOGGED_IN" });
  await kii.login("alice", "p");
  await assert.rejects(kii.startPush({ development: "yes" as never }), { code: "INVALID_ARGUMENT" });
  const push = await kii.startPush({ development: true });
  assert.deepEqual(calls, ["login alice p", "installMqtt true", "getMqttEndpoint i-alice"]);
  assert.equal(push.state, "online");
  assert.deepEqual(push.installation, { installationID: "i-alice", installationRegistrationID: "r-alice" });
  await push.publish("", "x", { timeout: 1000 });
  assert.equal(calls.at(-1), "publish");
});

test("what is published in one turn goes together where the connection can, and has an end when that has none", async (t) => {
  storage(t);
  const { kii, connections, sends } = client();
  await kii.login("alice", "p");
  const push = await kii.startPush();
  const well = Array.from({ length: 50 }, (_, i) => push.publish("t", `${i}`));
  await until(() => sends.length > 0);
  assert.deepEqual(sends, [[1, 50]]);
  const refused = failure("FORBIDDEN", false);
  connections[0]!.sink.sent(Int32Array.of(50), refused);
  connections[0]!.sink.sent(Int32Array.from({ length: 49 }, (_, i) => i + 1));
  assert.deepEqual((await Promise.allSettled(well)).filter(({ status }) => status === "rejected"), [{ status: "rejected", reason: refused }]);
  const late = assert.rejects(push.publish("t", "late"), { code: "CLOSED", retryable: true });
  await until(() => sends.length > 1);
  await kii.logout();
  await late;
  connections[0]!.sink.sent(Int32Array.of(51)); // too late
  await kii.login("bob", "p");
  await until(() => push.state === "online");
  const lost = assert.rejects(push.publish("t", "lost"), { code: "CRASHED" });
  await until(() => sends.length > 2);
  connections[1]!.sink.state({ state: "failed", code: "CRASHED", reason: "", error: failure("CRASHED", true) });
  await lost;
  await push.stop();
});

test("it goes where the login goes, and gives nobody what is another's", async (t) => {
  storage(t);
  const { kii, connections } = client();
  await kii.login("alice", "p");
  const push = await kii.startPush();
  const got: string[] = [];
  const states: string[] = [];
  push.on("message", (m) => got.push(m.text()));
  push.on("state", ({ state }) => states.push(state));
  await new Promise((resolve) => setTimeout(resolve, 0));
  connections[0]!.sink.batch(plain("for alice"));
  await kii.logout();
  assert.equal(push.state, "idle");
  assert.equal(push.installation, null);
  assert.equal(connections[0]!.open, false);
  connections[0]!.sink.batch(plain("late for alice"));
  await assert.rejects(push.publish("", "x"), { code: "CLOSED", retryable: true });
  await kii.login("bob", "p");
  await until(() => push.state === "online");
  assert.equal(connections[1]!.owner, "bob");
  connections[1]!.sink.batch(plain("for bob"));
  assert.deepEqual(got, ["for alice", "for bob"]);
  assert.deepEqual(states, ["idle", "connecting", "online"]);
});

test("what comes too late waits no longer than the connection is there", async (t) => {
  storage(t);
  const { kii, connections } = client();
  await kii.login("alice", "p");
  await kii.startPush();
  const { sink } = connections[0]!;
  let handled: void | Promise<void>;
  const state = sink.state;
  sink.state = (change) => {
    // As the program does: behind what was handed out before.
    handled = sink.batch(plain("late"));
    void Promise.resolve(handled).then(() => state(change));
  };
  await kii.logout();
  let done = false;
  void Promise.resolve(handled!).then(() => (done = true));
  await new Promise((resolve) => setTimeout(resolve, 1));
  assert.ok(done);
});

test("the installation is remembered, and forgotten when it is gone", async (t) => {
  const items = storage(t);
  const { kii, calls, failures } = client();
  await kii.login("alice", "p");
  await (await kii.startPush()).stop();
  calls.length = 0;
  await (await kii.startPush()).stop();
  assert.deepEqual(calls, ["getMqttEndpoint i-alice"]);
  calls.length = 0;
  await (await kii.startPush({ development: true })).stop();
  assert.deepEqual(calls, ["installMqtt true", "getMqttEndpoint i-alice"], "what is wanted differs");
  calls.length = 0;
  failures.set("getMqttEndpoint", [failure("NOT_FOUND", false)]);
  const push = await kii.startPush({ development: true });
  assert.deepEqual(calls, ["getMqttEndpoint i-alice", "installMqtt true", "getMqttEndpoint i-alice"]);
  await Promise.all([push.stop({ uninstall: true }), push.stop({ uninstall: true }), push.close()]);
  assert.deepEqual(calls.slice(3), ["uninstallByInstallationID i-alice"], "once");
  assert.equal(items.size, 0);
  assert.equal(push.state, "closed");
});

test("a page that may store nothing has push all the same", async (t) => {
  storage(t, true);
  const { kii } = client();
  await kii.login("alice", "p");
  await (await kii.startPush()).stop({ uninstall: true });
});

test("an endpoint that is being prepared is waited for, as long as the call may take", async (t) => {
  storage(t);
  const { kii, failures } = client();
  await kii.login("alice", "p");
  failures.set("getMqttEndpoint", [failure("ENDPOINT_NOT_READY", true)]);
  assert.equal((await kii.startPush()).state, "online");
  failures.set("getMqttEndpoint", [failure("ENDPOINT_NOT_READY", true)]);
  await assert.rejects(kii.startPush({ timeout: 30 }), { code: "TIMEOUT" });
  failures.set("installMqtt", [failure("FORBIDDEN", false)]);
  await assert.rejects(kii.startPush({ development: true }), { code: "FORBIDDEN" });
  await assert.rejects(kii.startPush({ timeout: 0 }), { code: "INVALID_ARGUMENT" });
  failures.set("getMqttEndpoint", [failure("ENDPOINT_NOT_READY", true), failure("ENDPOINT_NOT_READY", true)]);
  await assert.rejects(kii.startPush({ signal: AbortSignal.timeout(20) }), { code: "ABORTED" });
  const disposed = assert.rejects(kii.startPush(), { code: "CLOSED" });
  await kii.dispose();
  await disposed;
});

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

test("who hears that it is online can use it at once", async (t) => {
  storage(t);
  const { kii, connections, calls, sends } = client();
  await kii.login("alice", "p");
  const push = await kii.startPush();
  const uses: Promise<unknown>[] = [];
  push.on("state", ({ state }) => state === "online" && uses.push(push.publish("t", "x"), push.subscribe("more")));
  await kii.logout();
  await kii.login("bob", "p");
  await until(() => uses.length > 0);
  await uses[1];
  assert.equal(calls.at(-1), "subscribe");
  assert.deepEqual(sends, [[1, 1]]);
  connections[1]!.sink.sent(Int32Array.of(1));
  await uses[0];
  await push.stop();
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

test("mounting twice is harmless", async (t) => {
  storage(t);
  const { kii, connections } = client();
  await kii.login("alice", "p");
  const first = kii.startPush();
  const stopped = first.then((push) => push.stop());
  const second = await kii.startPush();
  await stopped;
  assert.equal(second.state, "online");
  assert.deepEqual(connections.map(({ open }) => open), [false, true]);
  await kii.dispose();
  assert.equal(second.state, "closed");
});

test("a push that has ended does not come back with the next login", async (t) => {
  storage(t);
  const { kii, calls, connections } = client();
  await kii.login("alice", "p");
  const push = await kii.startPush();
  connections[0]!.sink.state({ state: "closed", code: "REVOKED", reason: "" });
  await kii.logout();
  calls.length = 0;
  await kii.login("bob", "p");
  await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal(push.state, "closed");
  assert.deepEqual(calls, ["login bob p"]);
  assert.equal(connections.length, 1);
});

test("stop uninstalls after close as well, and again where that failed", async (t) => {
  const items = storage(t);
  const { kii, calls, failures } = client();
  await kii.login("alice", "p");
  const push = await kii.startPush();
  await push.close();
  calls.length = 0;
  failures.set("uninstallByInstallationID", [failure("NETWORK", true)]);
  await assert.rejects(push.stop({ uninstall: true }), { code: "NETWORK" });
  await push.stop({ uninstall: true });
  await push.stop({ uninstall: true });
  assert.deepEqual(calls, Array(2).fill("uninstallByInstallationID i-alice"));
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

test("one owner's installation is not remembered as another's", async (t) => {
  const items = storage(t);
  const { kii, failures, waits } = client();
  await kii.login("alice", "p");
  let go = () => {};
  waits.set("installMqtt", new Promise<void>((resolve) => (go = resolve)));
  const starting = kii.startPush();
  await kii.login("bob", "p");
  go();
  const push = await starting;
  await until(() => push.state === "online" && push.installation?.installationID === "i-bob");
  for (const [key, item] of items) assert.ok(key.includes("bob") && item.includes("i-bob"), `${key}: ${item}`);
  await push.stop();
  failures.set("getMqttEndpoint", [failure("FORBIDDEN", false)]); // what was remembered is another's
  assert.equal((await kii.startPush()).state, "online");
});

test("what waits for a listener when its owner logs out is given to nobody", async (t) => {
  storage(t);
  const { kii, connections } = client();
  await kii.login("alice", "p");
  const push = await kii.startPush();
  connections[0]!.sink.batch(plain("held", "as well"));
  await kii.logout();
  await kii.login("bob", "p");
  const got: string[] = [];
  push.on("message", (m) => got.push(m.text()));
  await until(() => push.state === "online");
  const loop = push[Symbol.asyncIterator]();
  connections[1]!.sink.batch(plain("for bob"));
  await kii.login("carol", "p");
  await until(() => connections.length === 3 && push.state === "online");
  connections[2]!.sink.batch(plain("for carol"));
  assert.equal((await loop.next()).value?.text(), "for carol");
  assert.deepEqual(got, ["for bob", "for carol"]);
  assert.equal(push.dropped, 3);
});

test("nobody is uninstalled when nobody is logged in, and stop says so", async (t) => {
  storage(t);
  const { kii } = client();
  await kii.login("alice", "p");
  const push = await kii.startPush();
  await kii.logout();
  await assert.rejects(push.stop({ uninstall: true }), { code: "NOT_LOGGED_IN" });
  assert.equal(push.state, "closed");
  await push.stop();
});
