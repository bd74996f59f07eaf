import assert from "node:assert/strict";
import { test } from "node:test";

import { fetchAhead, type Ahead } from "../src/ahead.js";
import { EarlyHost } from "../src/earlyhost.js";
import { disposed } from "../src/errors.js";
import { compiledModule } from "../src/wasm.js";
import type { Login, MqttEndpoint } from "../types/index.js";
import { quiet, serve, wasm } from "./crasher.js";

const config = { appID: "a", appKey: "k", baseURL: "http://127.0.0.1:1/api" };
const policy = { violation: async () => undefined, end: () => {} };

/** A place with the module, which is counted; it is there while there gives true. */
async function place(t: Parameters<typeof serve>[0], there = () => true) {
  const asked: string[] = [];
  const url = await serve(t, (path, response) => {
    asked.push(path);
    if (there()) response.writeHead(200, { "Content-Type": "application/wasm" }).end(wasm);
    else response.writeHead(404).end();
  });
  return { url: `${url}/k.wasm`, asked };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

test("the program starts before the first call, which tells it who is logged in", async (t) => {
  const { url, asked } = await place(t);
  let login: Login | null = null;
  const host = new EarlyHost(config, url, () => login);
  await until(() => asked.length === 1);
  login = { userID: "u", token: "t" };
  assert.deepEqual(await host.call("notes", [], {}), [`init ${JSON.stringify(config)}`, 'useToken "t"']);
  assert.deepEqual(asked, ["/k.wasm"]);
  host.end(disposed());
});

test("what failed before the first call is told by it, and tried again by the next", async (t) => {
  let there = false;
  const { url, asked } = await place(t, () => there);
  const host = new EarlyHost(config, url, () => null);
  await until(() => asked.length === 1);
  await new Promise((resolve) => setTimeout(resolve, 50)); // an error that nobody has is for the console by now
  there = true;
  await assert.rejects(host.call("echo", [1], {}), { code: "WASM_LOAD", why: "notFound" });
  assert.equal(asked.length, 1);
  assert.equal(await host.call("echo", [2], {}), 2);
  assert.equal(asked.length, 2);
  host.end(disposed());
});

test("what failed long before the first call is not told by it: that tries", async (t) => {
  const { now } = performance;
  t.after(() => Object.assign(performance, { now }));
  let there = false;
  const { url, asked } = await place(t, () => there);
  const host = new EarlyHost(config, url, () => null);
  await assert.rejects(compiledModule(url), { why: "notFound" });
  await new Promise((resolve) => setTimeout(resolve, 0)); // the host has heard of it
  there = true;
  performance.now = () => now.call(performance) + 60_000;
  assert.equal(await host.call("echo", [1], {}), 1);
  assert.equal(asked.length, 2);
  host.end(disposed());
});

test("a program that crashed is followed by one that starts at the next call", async (t) => {
  quiet(t);
  const { url, asked } = await place(t);
  const host = new EarlyHost(config, url, () => null);
  await assert.rejects(host.call("panic", [], {}), { code: "CRASHED" });
  assert.equal(await host.call("echo", [1], {}), 1);
  assert.deepEqual(asked, ["/k.wasm"], "the compiled module is kept");
  host.end(disposed());
});

test("a host that ends before the first call runs nothing", async (t) => {
  const { url } = await place(t);
  const host = new EarlyHost(config, url, () => null);
  host.end(disposed());
  await assert.rejects(host.call("echo", [1], {}), { code: "CLOSED" });
});

test("a host that ends while the module is on its way starts no program", async (t) => {
  const { instantiate } = WebAssembly;
  t.after(() => Object.assign(WebAssembly, { instantiate }));
  let started = 0;
  Object.assign(WebAssembly, { instantiate: (...args: Parameters<typeof instantiate>) => (started++, instantiate(...args)) });
  const { url } = await place(t);
  const host = new EarlyHost(config, url, () => null);
  const call = host.call("echo", [1], {});
  host.end(disposed());
  await compiledModule(url);
  await assert.rejects(call, { code: "CLOSED" });
  assert.equal(started, 0);
});

test("a fetch that has begun is gone on with, and not made twice", async (t) => {
  const { url, asked } = await place(t);
  const ahead = fetchAhead(url)!;
  await ahead.response;
  assert.equal(fetchAhead(url), undefined, "it is on its way");
  const host = new EarlyHost(config, url, () => null, null, ahead);
  assert.equal(await host.call("echo", [1], {}), 1);
  assert.deepEqual(asked, ["/k.wasm"]);
  host.end(disposed());
});

test("a fetch that nobody needs is dropped", async (t) => {
  const { url } = await place(t);
  const first = new EarlyHost(config, url, () => null);
  assert.equal(await first.call("echo", [1], {}), 1);
  let dropped = 0;
  const ahead: Ahead = { response: new Promise(() => {}), policy, drop: () => void dropped++ };
  const second = new EarlyHost(config, url, () => null, null, ahead);
  assert.equal(await second.call("echo", [2], {}), 2);
  assert.equal(dropped, 1);
  for (const host of [first, second]) host.end(disposed());
});

test("a fetch that is dropped ends, and can begin again", async (t) => {
  const url = await serve(t, () => {}); // never answers
  const ahead = fetchAhead(`${url}/k.wasm`)!;
  await new Promise((resolve) => setTimeout(resolve, 20));
  ahead.drop();
  await assert.rejects(ahead.response, { name: "AbortError" });
  const again = fetchAhead(`${url}/k.wasm`);
  assert.ok(again);
  again.drop();
});

test("a fetch that throws is one that failed", async (t) => {
  const { fetch } = globalThis;
  globalThis.fetch = () => {
    throw new TypeError("not here");
  };
  t.after(() => (globalThis.fetch = fetch));
  const url = "http://127.0.0.1:1/thrown.wasm";
  const host = new EarlyHost(config, url, () => null, null, fetchAhead(url));
  await assert.rejects(host.call("echo", [1], {}), { code: "WASM_LOAD", why: "network", retryable: true });
});

test("a policy that has spoken since the fetch began is named", async () => {
  const url = "http://127.0.0.1:1/blocked.wasm";
  let ended = 0;
  const response = Promise.reject<Response>(new TypeError("Failed to fetch"));
  const ahead: Ahead = { response, policy: { violation: async () => "connect-src", end: () => void ended++ }, drop: () => {} };
  const host = new EarlyHost(config, url, () => null, null, ahead);
  await assert.rejects(host.call("echo", [1], {}), { code: "WASM_LOAD", why: "csp", message: /connect-src/ });
  assert.equal(ended, 1);
});

test("a call that waits for the module in vain names it", async (t) => {
  const url = `${await serve(t, () => {})}/k.wasm`; // never answers
  const host = new EarlyHost(config, url, () => null);
  const named = { name: "KiiError", code: "TIMEOUT", retryable: true, message: `The time allowed for the call is over. ${url} has not loaded.` };
  await assert.rejects(host.call("echo", [1], { timeout: 20 }), named);
  await assert.rejects(host.call("echo", [1], { timeout: 20 }), { remedy: new RegExp(`server answers for ${url}`) });
});

test("a page that is put away while the module is on its way has no WebSocket", async (t) => {
  const before = { WebSocket: globalThis.WebSocket, location: globalThis.location };
  t.after(() => Object.assign(globalThis, before));
  const closed: boolean[] = [];
  class FakeSocket {
    readonly #number = closed.push(false) - 1;
    close = () => (closed[this.#number] = true);
  }
  Object.assign(globalThis, { WebSocket: FakeSocket, location: new URL("https://a.example/") });
  const url = `${await serve(t, () => {})}/k.wasm`; // never answers
  const host = new EarlyHost(config, url, () => null);
  const endpoint = { host: "broker.example", portWSS: 443 } as MqttEndpoint;
  const stop = new AbortController();
  const connecting = host.connect(endpoint, {}, { batch: () => {}, state: () => {}, sent: () => {} }, { signal: stop.signal });
  host.signal("wake", "online");
  assert.deepEqual(closed, [false]);
  host.signal("pause", "pagehide");
  assert.deepEqual(closed, [true]);
  stop.abort();
  await assert.rejects(connecting, { code: "ABORTED" });
});
