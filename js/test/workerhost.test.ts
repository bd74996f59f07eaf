import assert from "node:assert/strict";
import { test } from "node:test";

import type { Batch } from "../src/batch.js";
import { LiveConnection } from "../src/connection.js";
import { KiiError } from "../src/errors.js";
import type { Host, Link, Sink } from "../src/host.js";
import { firstWords, WorkerHost } from "../src/workerhost.js";
import type { Config, GetToken } from "../src/options.js";
import type { ToPage } from "../src/workermessages.js";
import type { CallOptions, Login, Owner } from "../types/index.js";
import { FakeWorker, workerScript } from "./fakeworker.js";
import { batch, plain } from "./messages.js";

type Test = { after(end: () => unknown): void };

const config = { appID: "a", appKey: "k", baseURL: "http://127.0.0.1:1/api" };
const endpoint = { installationID: "i", username: "u", password: "p", mqttTopic: "t", host: "h" };
const link: Link = { call: async () => undefined, wake: () => {} };

/** A host in the page, before a worker that hands on to inner, which sees what options are there. */
async function pair(t: Test, inner: Partial<Host>, login: () => Login | null = () => null, grace?: number, getToken?: GetToken) {
  const worker = new FakeWorker();
  t.after(() => worker.terminate());
  const died: unknown[] = [];
  const made: [Config, string][] = [];
  let loggedIn: () => Login | null = () => null;
  const greeted = new Promise<void>((resolve) => (worker.onmessage = () => resolve()));
  workerScript((...settings) => {
    made.push([settings[0], settings[1]]);
    loggedIn = settings[2];
    return { place: { name: "main", reason: null }, call: async () => undefined, connect: async () => link, signal: () => {}, end: () => {}, ...inner };
  })(worker);
  const settings = { ...config, ...(getToken && { getToken }) };
  worker.postMessage(firstWords(settings, "https://here.example/k.wasm"));
  await greeted;
  const host = new WorkerHost(worker as unknown as Worker, settings, login, () => died.push(1), grace);
  return { worker, host, died, made, loggedIn: () => loggedIn() };
}

/** A promise, and what settles it. */
function defer<T = void>() {
  let resolve!: (value: T) => void;
  const promise = new Promise<T>((r) => (resolve = r));
  return { promise, resolve };
}

test("calls reach the host in the worker, and answers the page", async (t) => {
  const { host, made } = await pair(t, { call: async (...call) => call.slice(0, 2) });
  assert.deepEqual(await host.call("useToken", ["t", { userID: "u" }], { timeout: 1000 }), ["useToken", ["t", { userID: "u" }]]);
  assert.deepEqual(await host.call("logout", [], {}), ["logout", []]);
  assert.deepEqual(made, [[config, "https://here.example/k.wasm"]], "one host, set up first");
  assert.deepEqual(host.place, { name: "worker", reason: null });
});

test("the time that a call has crosses", async (t) => {
  const seen: CallOptions[] = [];
  const { host } = await pair(t, { call: async (_method, _args, options) => void seen.push(options) });
  await host.call("a", [], { timeout: 1234 });
  await host.call("a", [], {});
  assert.equal(seen[0]!.timeout, 1234);
  assert.ok(!("timeout" in seen[1]!));
});

test("errors are the same as without a worker", async (t) => {
  const fields = { code: "CONFLICT" as const, retryable: false, remedy: "r", status: 409, kiiCode: "K" };
  const failures = [new KiiError("taken", fields), new RangeError("a bug")];
  const { host } = await pair(t, { call: () => Promise.reject(failures.shift()) });
  await assert.rejects(host.call("a", [], {}), { name: "KiiError", message: "taken", ...fields });
  await assert.rejects(host.call("a", [], {}), { name: "KiiError", code: "CRASHED", cause: new RangeError("a bug") });
});

test("what cannot cross is refused, and nothing is sent", async (t) => {
  const { host, worker } = await pair(t, {});
  const before = worker.heard.length;
  for (const args of [[() => {}], ["a", Symbol("s")]]) await assert.rejects(host.call("login", args, {}), { code: "INVALID_ARGUMENT" });
  await assert.rejects(host.connect((() => {}) as never, {}, new LiveConnection().sink, {}), { code: "INVALID_ARGUMENT" });
  assert.equal(worker.heard.length, before);
});

test("an answer that cannot cross is an error, and not silence", async (t) => {
  const { host } = await pair(t, { call: async () => () => {} });
  await assert.rejects(host.call("a", [], {}), { code: "CRASHED" });
});

test("a signal ends the call in the worker", async (t) => {
  const entered = defer();
  const ended = defer();
  const { host } = await pair(t, {
    call: (_method, _args, { signal }) =>
      new Promise((_resolve, reject) => {
        entered.resolve();
        signal!.addEventListener("abort", () => {
          ended.resolve();
          reject(new KiiError("The call was aborted.", { code: "ABORTED", retryable: false, remedy: "" }));
        });
      }),
  });
  const controller = new AbortController();
  const call = host.call("a", [], { signal: controller.signal });
  await entered.promise;
  controller.abort("enough");
  await ended.promise;
  await assert.rejects(call, { code: "ABORTED", cause: "enough" });
  await assert.rejects(host.call("a", [], { signal: controller.signal }), { code: "ABORTED", cause: "enough" });
});

test("who is logged in crosses with each call", async (t) => {
  let login: Login | null = { userID: "u", token: "t" };
  const { host, loggedIn } = await pair(t, {}, () => login);
  await host.call("a", [], {});
  assert.deepEqual(loggedIn(), login);
  login = null;
  await host.connect(endpoint, {}, new LiveConnection().sink, {});
  assert.equal(loggedIn(), null);
});

test("the worker asks the page for a token", async (t) => {
  const owners: Owner[] = [];
  const answers = [async () => "t2", async () => null, () => Promise.reject(new RangeError("no network"))];
  const { host, made } = await pair(t, {}, undefined, undefined, (owner) => (owners.push(owner), answers[owners.length - 1]!()));
  await host.call("a", [], {});
  const ask = made[0]![0].getToken!;
  assert.equal(await ask({ userID: "u" }), "t2");
  assert.equal(await ask({ thingID: "th" }), null);
  await assert.rejects(ask({ userID: "u" }), new RangeError("no network"));
  assert.deepEqual(owners, [{ userID: "u" }, { thingID: "th" }, { userID: "u" }]);
});

test("messages and states cross, and buffers are given away", async (t) => {
  let sink!: Sink;
  const { host } = await pair(t, {
    connect: async (_endpoint, _options, s) => {
      sink = s;
      sink.state({ state: "online", reason: "" });
      return link;
    },
  });
  const connection = new LiveConnection();
  const seen: string[] = [];
  connection.on("message", (m) => seen.push(`${m.topic} ${m.text()}`));
  connection.on("state", ({ state, error }) => seen.push(`${state} ${error instanceof KiiError && error.code}`));
  connection.attach(await host.connect(endpoint, { keepAlive: 5 }, connection.sink, {}));
  assert.equal(connection.state, "online");
  const batch = plain("1", "2");
  await sink.batch(batch);
  assert.equal(batch.bytes.buffer.byteLength, 0, "transferred");
  const error = new KiiError("gone", { code: "REVOKED", retryable: false, remedy: "" });
  sink.state({ state: "closed", reason: "gone", code: "REVOKED", error });
  await host.call("a", [], {}); // behind the state
  assert.deepEqual(seen, ["online false", "topic 1", "topic 2", "closed REVOKED"]);
});

test("a batch is delivered when the page's handlers have returned, and what came meanwhile follows as one", async (t) => {
  let sink!: Sink;
  const { host, worker } = await pair(t, { connect: async (_endpoint, _options, s) => ((sink = s), link) });
  const events: string[] = [];
  const connection = new LiveConnection();
  connection.on("message", (m) => events.push(`handled ${m.text()}`));
  connection.attach(await host.connect(endpoint, {}, connection.sink, {}));
  const take = worker.onmessage!;
  const held: MessageEvent[] = [];
  worker.onmessage = (event) => void held.push(event); // the page is busy
  const arrival = async (count: number) => {
    while (held.length < count) await new Promise((resolve) => setTimeout(resolve));
  };
  const first = Promise.resolve(sink.batch(plain("1"))).then(() => events.push("delivered 1"));
  const others = [[], []].map((topics, i) => Promise.resolve(sink.batch({ ...plain(String(i + 2)), topics })).then(() => events.push(`delivered ${i + 2}`)));
  await arrival(1);
  take.call(worker as never, held[0]!);
  await first;
  assert.deepEqual(events, ["handled 1", "delivered 1"]);
  await arrival(2);
  take.call(worker as never, held[1]!);
  await Promise.all(others);
  assert.deepEqual(events.slice(2), ["handled 2", "handled 3", "delivered 2", "delivered 3"]);
});

test("messages are the same however they cross: alone, together, in large frames", async (t) => {
  let sink!: Sink;
  const { host, worker } = await pair(t, { connect: async (_endpoint, _options, s) => ((sink = s), link) });
  const connection = new LiveConnection();
  const seen: unknown[] = [];
  connection.on("message", (m) => seen.push([m.topic, m.text(), m.qos, m.retain, m.dup, m.packetId, m.properties]));
  connection.attach(await host.connect(endpoint, {}, connection.sink, {}));
  await sink.batch(plain("names the topic"));
  const forms: string[] = [];
  const take = worker.onmessage!;
  worker.onmessage = (event) => {
    forms.push(event.data.length > 3 ? "alone" : `${event.data[2].length}`);
    take.call(worker as never, event);
  };
  const frame = (payload: string, flags: number, packetId: number): Batch => {
    const bytes = new TextEncoder().encode(`..\x01\x01${payload}`);
    return { bytes, table: Int32Array.of(0, flags, packetId, 4, payload.length, 2, 2, 0), topics: [], firstTopic: 0 };
  };
  const large = "x".repeat(4096);
  const sent: [string, number, number][] = [["1", 0, 0], ["2", 3, 7], ["3", 10, 8], [large, 2, 65535], [large, 0, 0], ["4", 2, 9]];
  await sink.batch(frame(...sent[0]!)); // alone, since it has been handled before the next one comes
  await Promise.all(sent.slice(1).map((one) => sink.batch(frame(...one))));
  const properties = { payloadFormat: 1 };
  assert.deepEqual(seen.slice(1), sent.map(([text, flags, id]) => ["topic", text, (flags >> 1) & 3, (flags & 1) !== 0, (flags & 8) !== 0, id, properties]));
  assert.deepEqual(forms, ["alone", "alone", "4"]);
});

test("a close in the middle of several batches says at which message", async (t) => {
  let sink!: Sink;
  const { host } = await pair(t, { connect: async (_endpoint, _options, s) => ((sink = s), link) });
  const connection = new LiveConnection();
  let closing: Promise<void> | undefined;
  connection.on("message", (m) => m.packetId === 2 && (closing ??= connection.close()));
  connection.attach(await host.connect(endpoint, {}, connection.sink, {}));
  const payload = "x".repeat(4096);
  const words = [1, 2, 3, 4, 5].map((packetId) => sink.batch(batch([{ payload, flags: 2, packetId }], packetId === 1 ? ["topic"] : [])));
  assert.deepEqual(await Promise.all(words), [0, 0, 3, 3, 3]);
  await closing;
});

test("a close in the middle of a batch comes behind the word of how much was handled", async (t) => {
  let sink!: Sink;
  const events: unknown[] = [];
  const inner: Link = { call: async (method) => void events.push(method), wake: () => {} };
  const { host } = await pair(t, { connect: async (_endpoint, _options, s) => ((sink = s), inner) });
  const connection = new LiveConnection();
  let closing: Promise<void> | undefined;
  connection.on("message", (m) => m.text() === "2" && (closing ??= connection.close()));
  connection.attach(await host.connect(endpoint, {}, connection.sink, {}));
  const sent = ["1", "2", "3"].map((payload, i) => ({ payload, flags: 2, packetId: 5 + i }));
  events.push(await sink.batch(batch(sent, ["topic"])));
  await closing;
  assert.deepEqual(events, [7, "close"]);
});

test("methods of a connection go to that connection, at once", async (t) => {
  const calls: unknown[][] = [];
  const { host, worker } = await pair(t, {
    connect: async ({ mqttTopic }, options) => ({
      call: async (method, args, { signal: _, ...rest }) => void calls.push([mqttTopic, options.keepAlive, method, args, rest]),
      wake: (cause) => void calls.push([mqttTopic, "wake", cause]),
    }),
  });
  const [one, two] = await Promise.all(
    ["1", "2"].map((mqttTopic, i) => host.connect({ ...endpoint, mqttTopic }, { keepAlive: i + 5 }, new LiveConnection().sink, {})),
  );
  const before = worker.heard.length;
  const done = two!.call("publish", ["t", new Uint8Array([7])], { qos: 0, rawProperties: new Uint8Array([1, 1]), timeout: 9000 });
  assert.equal(worker.heard.length, before + 1, "a page that goes away has no later");
  await done;
  two!.wake("online");
  await one!.call("close", [], {});
  assert.deepEqual(calls, [
    ["2", 6, "publish", ["t", new Uint8Array([7])], { qos: 0, rawProperties: new Uint8Array([1, 1]), timeout: 9000 }],
    ["2", "wake", "online"],
    ["1", 5, "close", [], {}],
  ]);
});

test("what the browser says goes to the worker at once", async (t) => {
  const told: unknown[][] = [];
  const { host, worker } = await pair(t, { signal: (...signal) => void told.push(signal) });
  const before = worker.heard.length;
  host.signal("pause", "pagehide");
  host.signal("wake", "pageshow");
  assert.equal(worker.heard.length, before + 2, "a page that goes away has no later");
  await host.call("a", [], {});
  assert.deepEqual(told, [["pause", "pagehide"], ["wake", "pageshow"]]);
});

test("a connection that comes after the caller has gone is closed", async (t) => {
  const entered = defer();
  const connected = defer<Link>();
  const closed = defer();
  const { host } = await pair(t, {
    connect: (_endpoint, _options, _sink) => (entered.resolve(), connected.promise), // does not look at the signal
  });
  const controller = new AbortController();
  const connecting = host.connect(endpoint, {}, new LiveConnection().sink, { signal: controller.signal });
  await entered.promise;
  controller.abort();
  connected.resolve({ call: async (method) => (method === "close" ? closed.resolve() : undefined), wake: () => {} });
  await assert.rejects(connecting, { code: "ABORTED" });
  await closed.promise;
});

test("a worker that is stuck keeps no caller waiting", async (t) => {
  const { host, worker } = await pair(t, { call: () => new Promise(() => {}), connect: () => new Promise(() => {}) }, () => null, 5);
  await assert.rejects(host.call("a", [], { timeout: 5 }), { code: "TIMEOUT" });
  await assert.rejects(host.connect(endpoint, {}, new LiveConnection().sink, { timeout: 5 }), { code: "TIMEOUT" });
  assert.deepEqual(worker.heard.slice(1).map(({ type }) => type), ["call", "abort", "connect", "abort"]);
});

const ends: [string, (worker: FakeWorker) => unknown, RegExp][] = [
  ["an error in it", (w) => assert.ok(w.fail("Uncaught RangeError: out of stack"), "the page's console is left alone"), /out of stack/],
  ["a message that cannot be read", (w) => w.onmessageerror?.({} as MessageEvent), /cannot be read/],
  ["a message that is broken", (w) => w.say({ type: "state", link: 1 }), /./],
];

for (const [name, end, cause] of ends) {
  test(`${name} ends the worker, its calls and its connections`, async (t) => {
    const { host, worker, died } = await pair(t, { call: () => new Promise(() => {}) });
    const connection = new LiveConnection();
    const states: string[] = [];
    connection.on("state", ({ state, code }) => states.push(`${state} ${code} ${died.length}`));
    const wire = await host.connect(endpoint, {}, connection.sink, {});
    connection.attach(wire);
    const next = connection[Symbol.asyncIterator]().next();
    const pending = host.call("a", [], {});
    end(worker);
    await assert.rejects(pending, { code: "CRASHED", retryable: true });
    await pending.catch(({ cause: c }) => assert.match(String(c), cause));
    await assert.rejects(next, { code: "CRASHED" });
    assert.deepEqual(states, ["failed CRASHED 1"]);
    assert.ok(worker.terminated);
    worker.fail("again");
    assert.equal(died.length, 1);
    wire.wake("online");
    await connection.close();
    await assert.rejects(wire.call("takeBack", [], {}), { code: "CRASHED" });
    await assert.rejects(host.call("a", [], {}), { code: "CRASHED" });
  });
}

/** Values of every kind that can cross, from a generator of numbers that is the same each time. */
function* strangers(count: number): Generator<unknown> {
  let seed = 1;
  const below = (n: number) => (seed = (seed * 48271) % 2147483647) % n;
  const names = ["type", "id", "link", "method", "args", "value", "error", "cause", "build", "login", "x"];
  const value = (depth: number): unknown => {
    const leaves = [undefined, null, 0, -1, NaN, 2 ** 53, 5n, "", "call", "hello", true, new Uint8Array(3), new Date(0), new Map([[1, 2]]), new Error("e")];
    if (depth === 0 || below(3) > 0) return leaves[below(leaves.length)];
    if (below(2)) return Array.from({ length: below(4) }, () => value(depth - 1));
    return Object.fromEntries(Array.from({ length: below(6) }, () => [names[below(names.length)], value(depth - 1)]));
  };
  for (let i = 0; i < count; i++) yield value(3);
}

test("the worker passes over what it does not know", async (t) => {
  const { host, worker } = await pair(t, { call: async (method) => method });
  for (const stranger of strangers(2000)) worker.postMessage(stranger as never);
  worker.postMessage([99, undefined] as never);
  for (const type of ["abort", "wake", "init", "token", "noToken", "signal"]) worker.postMessage({ type, id: 99, link: 99, cause: "c" } as never);
  assert.equal(await host.call("still here", [], {}), "still here");
});

test("the worker answers a call that makes no sense", async (t) => {
  const { worker } = await pair(t, { connect: async () => link });
  const answers: ToPage[] = [];
  const three = new Promise<void>((resolve) => {
    worker.onmessage = ({ data }) => answers.push(data as ToPage) === 3 && resolve();
  });
  worker.postMessage({ type: "call", id: 1, link: 77, method: "close", args: [] } as never);
  worker.postMessage({ type: "connect", id: 2 } as never);
  worker.postMessage({ type: "call", id: 3, link: 2, method: "close" } as never);
  await three;
  assert.deepEqual(answers.map((answer) => `${answer.type} ${"id" in answer && answer.id}`).sort(), ["error 1", "result 2", "result 3"]);
});

test("the page passes over what it does not know", async (t) => {
  const { host, worker, died } = await pair(t, { call: async (method) => method });
  for (const stranger of strangers(2000)) {
    const known = Array.isArray(stranger) || ["result", "error", "state", "renew"].includes((stranger as { type?: string } | null)?.type ?? "");
    if (!known) worker.say(stranger as object);
  }
  worker.say({ type: "result", id: 99, value: 1 });
  worker.say([99, 99, [plain("1")]]);
  worker.say([99, 99, new ArrayBuffer(1), 0, 0, 0, 0, 1, 0, 0, 0]);
  assert.equal(await host.call("still here", [], {}), "still here");
  assert.deepEqual(died, []);
});

test("an argument that cannot cross is named", async (t) => {
  const { host } = await pair(t, { connect: async () => link });
  const refused = (message: RegExp) => ({ code: "INVALID_ARGUMENT", message });
  await assert.rejects(host.call("login", ["name", () => {}], {}), refused(/^Argument 2 of login is a function/));
  const sink = new LiveConnection().sink;
  await assert.rejects(host.connect(Symbol("s") as never, {}, sink, {}), refused(/^endpoint is a symbol/));
  await assert.rejects(host.connect(endpoint, { keepAlive: 1n } as object, sink, {}), refused(/^options cannot be read/));
  const stands = await host.connect(endpoint, {}, sink, {});
  await assert.rejects(stands.call("publish", [() => {}, "x"], {}), refused(/^Argument 1 of publish is a function/));
});
