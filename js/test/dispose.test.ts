import assert from "node:assert/strict";
import { test } from "node:test";

import { build } from "../src/build.js";
import { ChosenHost } from "../src/chosenhost.js";
import type { Host, Link, Sink } from "../src/host.js";
import { EarlyHost } from "../src/earlyhost.js";
import type { CallOptions, HostOption, Kii, KiiError } from "../types/index.js";
import { serve, wasm } from "./crasher.js";
import { installWorkers, workerScript } from "./fakeworker.js";
import { newClient } from "./newclient.js";

const config = { appID: "a", appKey: "k", baseURL: "http://127.0.0.1:1/api" };
const main = async () => ({ build, MainHost: EarlyHost });
const endpoint = { installationID: "i", username: "u", password: "p", mqttTopic: "t", host: "h" };

/** Rejects when the call's signal says so, and never settles otherwise. */
function until({ signal }: CallOptions): Promise<never> {
  return new Promise((_, reject) => {
    const abort = () => reject(Object.assign(new Error("aborted"), { code: "ABORTED" }));
    if (signal?.aborted) abort();
    signal?.addEventListener("abort", abort);
  });
}

/** A client on a host of parts, what was asked of its connections, and what the host was ended with. */
function client(parts: Partial<Host> = {}, close: (options: CallOptions) => Promise<unknown> = async () => undefined) {
  const asked: string[] = [];
  const ends: KiiError[] = [];
  const sinks: Sink[] = [];
  const link: Link = {
    call: async (method, _args, options) => {
      asked.push(method);
      if (method === "close") await close(options);
    },
    wake: () => {},
  };
  const host: Host = {
    place: { name: "main", reason: null },
    call: (_method, _args, options) => until(options),
    connect: async (_endpoint, _options, sink) => {
      sinks.push(sink);
      sink.state({ state: "online", reason: "" });
      return link;
    },
    signal: () => {},
    end: (error) => void ends.push(error),
    ...parts,
  };
  return { kii: newClient(() => host) as Kii, asked, ends, sinks, link };
}

/** Every method that sends, with arguments. */
function everyCall(kii: Kii, options: CallOptions): Record<string, Promise<unknown>> {
  return {
    register: kii.register("a", "b", options),
    login: kii.login("a", "b", options),
    useToken: kii.useToken("t", null, options),
    registerThing: kii.registerThing("a", "b", options),
    loginAsThing: kii.loginAsThing("a", "b", options),
    logout: kii.logout(options),
    installMqtt: kii.installMqtt(false, options),
    getMqttEndpoint: kii.getMqttEndpoint("i", options),
    connect: kii.connect(endpoint, options),
    uninstall: kii.uninstall("i", "MQTT", options),
    uninstallByInstallationID: kii.uninstallByInstallationID("i", options),
    sendToMe: kii.sendToMe({ data: {} }, options),
    createTopic: kii.createTopic("n", options),
    deleteTopic: kii.deleteTopic("n", options),
    topicExists: kii.topicExists("n", options),
    listTopics: kii.listTopics(null, null, options),
    subscribe: kii.subscribe("n", options),
    unsubscribe: kii.unsubscribe("n", options),
    isSubscribed: kii.isSubscribed("n", options),
    sendToTopic: kii.sendToTopic("n", { data: {} }, options),
  };
}

/** The codes that the calls are rejected with. */
async function codes(calls: Record<string, Promise<unknown>>): Promise<Record<string, string>> {
  const settled = Object.entries(calls).map(async ([name, call]) => {
    const error = await call.then(() => undefined, (e: KiiError) => e);
    return [name, error?.code ?? "resolved"];
  });
  return Object.fromEntries(await Promise.all(settled)) as Record<string, string>;
}

const stuck = { connect: ((_endpoint, _options, _sink, call) => until(call)) as Host["connect"] };

test("every method takes a signal and a timeout, and the list is whole", async () => {
  const { kii } = client(stuck);
  const controller = new AbortController();
  const calls = everyCall(kii, { signal: controller.signal });
  controller.abort();
  const all = await codes(calls);
  for (const [name, code] of Object.entries(all)) assert.equal(code, "ABORTED", name);
  for (const wrong of [{ timeout: 0 }, { timeout: 1.5 }, { timeout: "1" }, { signal: {} }, 5]) {
    for (const [name, code] of Object.entries(await codes(everyCall(kii, wrong as CallOptions)))) {
      assert.equal(code, "INVALID_ARGUMENT", `${name} ${JSON.stringify(wrong)}`);
    }
  }
  const others = ["constructor", "current", "host", "hostReason", "tabs", "tabsReason", "startPush"]; // push.test.ts has the last
  const own = Object.getOwnPropertyNames(Object.getPrototypeOf(kii)).filter((name) => !others.includes(name));
  assert.deepEqual(own.sort(), [...Object.keys(all), "dispose"].sort());
});

test("dispose ends calls under way with CLOSED, and refuses further ones", async () => {
  const { kii, ends } = client(stuck);
  const under = codes(everyCall(kii, {}));
  await kii.dispose();
  for (const [name, code] of Object.entries(await under)) assert.equal(code, "CLOSED", name);
  for (const [name, code] of Object.entries(await codes(everyCall(kii, {})))) assert.equal(code, "CLOSED", name);
  assert.deepEqual(ends.map(({ code }) => code), ["CLOSED"]);
});

test("dispose says goodbye on each connection, once, and may be called again", async () => {
  const { kii, asked, ends, sinks } = client({}, async () => {
    for (const sink of sinks) sink.state({ state: "closed", reason: "" });
  });
  const connection = await kii.connect(endpoint);
  const over = await kii.connect(endpoint);
  await over.close();
  await Promise.all([kii.dispose(), kii.dispose(), kii[Symbol.asyncDispose]()]);
  await kii.dispose();
  await connection.close();
  assert.deepEqual(asked, ["close"], "the first close ended both");
  assert.equal(ends.length, 1);
  assert.equal(kii.current, null);
});

test("a broker that does not answer holds dispose up no longer than its timeout, or its signal", async () => {
  for (const options of [{ timeout: 10 }, { signal: AbortSignal.timeout(10) }, { signal: AbortSignal.abort() }]) {
    const { kii, ends } = client({}, () => new Promise(() => {}));
    await kii.connect(endpoint);
    await kii.dispose(options);
    assert.equal(ends.length, 1);
  }
});

test("what dispose is given is checked, and it is not done then", async () => {
  const { kii, ends } = client();
  await assert.rejects(kii.dispose({ timeout: -1 }), { code: "INVALID_ARGUMENT" });
  assert.equal(ends.length, 0);
  await kii.dispose();
  assert.equal(ends.length, 1);
});

test("a connection that comes after its caller has gone is closed", async () => {
  let arrive!: (link: Link) => void;
  const { kii, asked, link } = client({ connect: () => new Promise((resolve) => (arrive = resolve)) });
  const controller = new AbortController();
  const call = kii.connect(endpoint, { signal: controller.signal });
  controller.abort("unmounted");
  arrive(link);
  await assert.rejects(call, { code: "ABORTED", cause: "unmounted" });
  assert.deepEqual(asked, ["close"]);
});

test("close settles when the connection ends in some other way meanwhile", async () => {
  const { kii, sinks } = client({}, async () => {
    sinks[0]!.state({ state: "failed", reason: "the worker died" });
    throw new Error("no answer");
  });
  const connection = await kii.connect(endpoint);
  await connection.close();
  await connection[Symbol.asyncDispose]();
  assert.equal(connection.state, "failed");
});

test("await using ends a connection and a client, in that order", async () => {
  const order: string[] = [];
  const { kii: made, sinks } = client({ end: () => void order.push("client") }, async () => {
    order.push("connection");
    sinks[0]!.state({ state: "closed", reason: "" });
  });
  {
    await using kii = made;
    await using connection = await kii.connect(endpoint);
    assert.equal(connection.state, "online");
  }
  assert.deepEqual(order, ["connection", "client"]);
});

for (const host of ["worker", "main"] as const satisfies HostOption[]) {
  test(`${host}: dispose ends the program, its connections, and what waits for either`, async (t) => {
    const { made } = installWorkers(t, workerScript((c, wasmURL, login) => new EarlyHost(c, wasmURL, login)));
    const url = await serve(t, (_path, response) => response.writeHead(200, { "Content-Type": "application/wasm" }).end(wasm));
    let chosen!: ChosenHost;
    const settings = { config, wasmURL: `${url}/k.wasm`, workerURL: () => `${url}/worker.js`, host };
    const kii: Kii = newClient((login) => (chosen = new ChosenHost(settings, main, login)));
    const connection = await kii.connect(endpoint);
    const next = connection[Symbol.asyncIterator]().next();
    const pending = chosen.call("never", [], {});
    const rejected = assert.rejects(pending, { code: "CLOSED" });
    await kii.dispose();
    await rejected;
    assert.deepEqual(await next, { done: true, value: undefined });
    assert.equal(connection.state, "closed");
    assert.equal(connection.lastChange.code, "CLOSED");
    await assert.rejects(chosen.call("echo", [1], {}), { code: "CLOSED" });
    assert.deepEqual(made.map(({ terminated }) => terminated), host === "worker" ? [true] : []);
  });

  test(`${host}: a client that is disposed while it starts runs nothing`, async (t) => {
    const { made } = installWorkers(t, workerScript((c, wasmURL, login) => new EarlyHost(c, wasmURL, login)));
    const url = await serve(t, (_path, response) => response.writeHead(200, { "Content-Type": "application/wasm" }).end(wasm));
    const settings = { config, wasmURL: `${url}/k.wasm`, workerURL: () => `${url}/worker.js`, host };
    const kii: Kii = newClient((login) => new ChosenHost(settings, main, login));
    const call = assert.rejects(kii.login("a", "b"), { code: "CLOSED" });
    await kii.dispose();
    await call;
    const again: Kii = newClient((login) => new ChosenHost(settings, main, login));
    assert.equal((await again.login("a", "b")).token, "t", "which is how a component mounted twice behaves");
    await again.dispose();
    assert.ok(made.every(({ terminated }) => terminated));
  });
}
