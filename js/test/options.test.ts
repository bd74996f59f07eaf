import assert from "node:assert/strict";
import { test } from "node:test";

import { callOptions, Clock, copyOptions } from "../src/calls.js";
import { loadFrom } from "../src/index.js";
import { readOptions } from "../src/options.js";

const global = globalThis as { location?: unknown };
global.location = { href: "https://here.example/page" }; // as in a browser

const beside = {
  wasm: () => "https://here.example/kiiweb.wasm",
  worker: () => "https://here.example/worker.js",
};
const read = (options: unknown) => readOptions(options as Parameters<typeof readOptions>[0], beside);
const common = { appID: "a", appKey: "k" };
const thrower = (name: string) => Object.defineProperty({}, name, { enumerable: true, get: () => { throw null; } });

test("options of load become a configuration", () => {
  const { workerURL, ...rest } = read({ ...common, site: "JP" });
  assert.deepEqual(rest, { config: { ...common, site: "JP" }, wasmURL: beside.wasm(), host: "auto" });
  assert.equal(workerURL(), beside.worker());
  assert.deepEqual(read({ ...common, baseURL: "http://localhost:8080/api", allowInsecure: false, other: 1 }).config, {
    ...common,
    baseURL: "http://localhost:8080/api",
    allowInsecure: false,
  });
  assert.deepEqual(read({ ...common, site: "https://cloud.example/api" }).config, { ...common, baseURL: "https://cloud.example/api" });
  assert.equal(read({ ...common, site: "US", wasmURL: new URL("https://cdn.example/k.wasm") }).wasmURL, "https://cdn.example/k.wasm");
  const elsewhere = read({ ...common, site: "US", host: "worker", workerURL: new URL("https://here.example/w.js") });
  assert.equal(elsewhere.workerURL(), "https://here.example/w.js");
  assert.equal(elsewhere.host, "worker");
  const ofAFrame = Object.assign(Object.create({ [Symbol.toStringTag]: "URL" }), { toString: () => "https://cdn.example/f.wasm" }) as URL;
  assert.equal(read({ ...common, site: "US", wasmURL: ofAFrame }).wasmURL, "https://cdn.example/f.wasm");
});

// Turbopack makes a path of new URL("worker.js", import.meta.url).href.
test("files of which the bundler knows no more than a path are of the page's origin", () => {
  const files = { wasm: () => "/_next/static/media/kiiweb.0f.wasm", worker: () => "/_next/static/media/worker.1f.js" };
  const { wasmURL, workerURL } = readOptions({ ...common, site: "JP" }, files);
  assert.equal(wasmURL, "https://here.example/_next/static/media/kiiweb.0f.wasm");
  assert.equal(workerURL(), "https://here.example/_next/static/media/worker.1f.js");
});

const notHere = () => Promise.reject(new Error("not here"));
const noParts = { main: notHere, tabs: notHere, push: notHere, debug: notHere };

const wrong: [string, unknown, RegExp][] = [
  ["nothing", undefined, /options must be an object/],
  ["null", null, /options must be an object/],
  ["text", "JP", /options must be an object/],
  ["no appID", { appKey: "k", site: "JP" }, /appID/],
  ["an empty appKey", { appID: "a", appKey: "", site: "JP" }, /appKey/],
  ["no cloud", common, /site and baseURL/],
  ["two clouds", { ...common, site: "JP", baseURL: "https://cloud.example" }, /site and baseURL/],
  ["no such region", { ...common, site: "XX" }, /site must be one of US, JP, SG, EU/],
  ["a baseURL that is no text", { ...common, baseURL: 5 }, /baseURL/],
  ["allowInsecure as text", { ...common, site: "JP", allowInsecure: "yes" }, /allowInsecure/],
  ["a wasmURL that is none", { ...common, site: "JP", wasmURL: "http://[" }, /wasmURL/],
  ["a wasmURL that is a number", { ...common, site: "JP", wasmURL: 5 }, /wasmURL/],
  ["a wasmURL that throws", { ...common, site: "JP", wasmURL: { get [Symbol.toStringTag]() { throw new Error("no"); } } }, /wasmURL is no URL/],
  ["a workerURL that is none", { ...common, site: "JP", workerURL: "http://[" }, /workerURL is no URL/],
  ["a host that there is not", { ...common, site: "JP", host: "shared" }, /host must be one of auto, worker, main/],
  ["tabs that are neither on nor off", { ...common, site: "JP", tabs: "yes" }, /tabs must be true or false/],
  ["null as host", { ...common, site: "JP", host: null }, /host must be one of/],
  ["a getToken that is a token", { ...common, site: "JP", getToken: "t" }, /getToken must be a function/],
  ["a debug that is neither on nor off", { ...common, site: "JP", debug: "verbose" }, /debug must be true, false or a function/],
  ["null as debug", { ...common, site: "JP", debug: null }, /debug must be true, false or a function/],
  ["a getter that throws", thrower("appID"), /options cannot be read/],
];

for (const [name, options, message] of wrong) {
  test(`load refuses ${name}`, async () => {
    const load = loadFrom(beside, noParts) as (options: unknown) => Promise<unknown>;
    await assert.rejects(load(options), { name: "KiiError", code: "INVALID_ARGUMENT", message });
  });
}

test("load fetches nothing", async (t) => {
  const { fetch } = globalThis;
  t.after(() => (globalThis.fetch = fetch));
  globalThis.fetch = () => {
    throw new Error("fetched");
  };
  await loadFrom(beside, noParts)({ ...common, site: "JP" });
});

test("load says on a server that it is no browser, and what to use there", async (t) => {
  const { location } = global;
  t.after(() => (global.location = location));
  delete global.location;
  const load = loadFrom(beside, noParts);
  await assert.rejects(load({ ...common, site: "JP" }), { code: "UNSUPPORTED", remedy: /Go library/ });
  await assert.rejects(load({ ...common, site: "XX" as "JP" }), { code: "INVALID_ARGUMENT" });
});

test("call options are checked and copied", () => {
  const { signal } = new AbortController();
  assert.deepEqual(callOptions(undefined), { timeout: 30_000 });
  assert.deepEqual(callOptions(null), { timeout: 30_000 });
  assert.deepEqual(callOptions({ signal, timeout: 5 }), { signal, timeout: 5 });
  const both = { signal: undefined, timeout: undefined };
  assert.deepEqual(callOptions(both), { timeout: 30_000 });
  const named = { [Symbol.toStringTag]: "AbortSignal" };
  const { proxy: revoked, revoke } = Proxy.revocable({}, {});
  revoke();
  for (const wrong of [named, revoked, thrower("aborted"), true]) {
    assert.throws(() => callOptions({ signal: wrong as AbortSignal }), { code: "INVALID_ARGUMENT", message: /signal must be an AbortSignal/ });
  }
  const ofAFrame = { aborted: false, addEventListener() {}, removeEventListener() {} } as unknown as AbortSignal;
  assert.equal(callOptions({ signal: ofAFrame }).signal, ofAFrame);
  for (const options of [5, "x", { timeout: 0 }, { timeout: 1.5 }, { timeout: "5" }, { timeout: 2 ** 31 }, { signal: {} }, thrower("signal")]) {
    assert.throws(() => callOptions(options as object), { code: "INVALID_ARGUMENT" });
  }
  assert.throws(() => copyOptions("options", (() => {}) as object), { code: "INVALID_ARGUMENT" });
});

test("a clock ends the waiting, not the work", async () => {
  const never = new Promise<void>(() => {});
  await assert.rejects(new Clock({ timeout: 5 }).bound(never), { code: "TIMEOUT", retryable: true });
  const controller = new AbortController();
  const waiting = new Clock({ signal: controller.signal }).bound(never);
  controller.abort("enough");
  await assert.rejects(waiting, { code: "ABORTED", cause: "enough" });
  await assert.rejects(new Clock({ signal: controller.signal }).bound(never), { code: "ABORTED" });
  assert.equal(await new Clock({ timeout: 1000, signal: new AbortController().signal }).bound(Promise.resolve(7)), 7);
  await assert.rejects(new Clock({ timeout: 1000 }).bound(Promise.reject(new Error("own"))), { message: "own" });
});

test("a clock whose signal has spoken leaves no error that nobody has", async () => {
  const failing = new Promise<void>((_, reject) => setTimeout(() => reject(new Error("late")), 1));
  await assert.rejects(new Clock({ signal: AbortSignal.abort("no") }).bound(failing), { code: "ABORTED", cause: "no" });
  await new Promise((resolve) => setTimeout(resolve, 50)); // it is for the console by now
});

test("a clock leaves what remains of the time", async () => {
  const clock = new Clock({ timeout: 60_000 });
  await new Promise((resolve) => setTimeout(resolve, 20));
  const { timeout } = clock.rest();
  assert.ok(timeout !== undefined && timeout < 60_000 && timeout > 0, String(timeout));
  assert.deepEqual(new Clock({}).rest(), {});
});
