import assert from "node:assert/strict";
import { test } from "node:test";

import { build } from "../src/build.js";
import { RawHost } from "../src/compat/rawhost.js";
import { DebugLog } from "../src/debug/entry.js";
import type { Tap } from "../src/debug/tap.js";
import { loadFrom, openFrom } from "../src/index.js";
import { loadFrom as loadServiceWorkers } from "../src/serviceload.js";
import { firstWords, WorkerHost } from "../src/workerhost.js";
import type { DebugEntry, LoadOptions } from "../types/index.js";
import { FakeWorker, workerScript } from "./fakeworker.js";

const config = { appID: "a", appKey: "k", baseURL: "http://127.0.0.1:1/api" };
const options: LoadOptions = { ...config, wasmURL: "http://127.0.0.1:1/k.wasm", workerURL: "http://127.0.0.1:1/w.js" };
const files = { wasm: () => "http://127.0.0.1:1/k.wasm", worker: () => "http://127.0.0.1:1/w.js" };
const notHere = () => Promise.reject(new Error("not here"));
const parts = { main: notHere, tabs: notHere, push: notHere, debug: async () => ({ build, DebugLog }) };

const soon = () => new Promise((resolve) => setTimeout(resolve, 5));

test("what is seen in a worker is told in the page, and the worker keeps its bytes", async (t) => {
  const worker = new FakeWorker();
  t.after(() => worker.terminate());
  let inside: Tap | undefined;
  const greeted = new Promise<void>((resolve) => (worker.onmessage = () => resolve()));
  workerScript(({ tap, ...rest }) => {
    assert.deepEqual(rest, config);
    inside = tap;
    return { place: { name: "main", reason: null }, call: async () => undefined, connect: notHere, signal: () => {}, end: () => {} };
  })(worker);
  await greeted;
  const entries: DebugEntry[] = [];
  const { tap } = new DebugLog((entry) => void entries.push(entry));
  worker.postMessage(firstWords({ ...config, tap }, "k.wasm"));
  const host = new WorkerHost(worker as unknown as Worker, { ...config, tap }, () => null, () => {});
  await host.call("a", [], {});
  const bytes = Uint8Array.of(0xd0, 0, 0xd0, 0);
  inside!.tell({ type: "opening", at: 1, socket: 1, url: "ws://h/mqtt" });
  inside!.tell({ type: "frame", at: 2, socket: 1, sent: false, bytes: bytes.subarray(0, 2) });
  assert.equal(bytes.length, 4);
  while (entries.length < 2) await soon();
  assert.deepEqual(entries.map(({ at, text }) => [at, text]), [[1, "#1 opening, ws://h/mqtt"], [2, "#1 ← PINGRESP, 2 bytes"]]);
});

test("without the option there is no tap, and nothing is loaded", async (t) => {
  const worker = new FakeWorker();
  t.after(() => worker.terminate());
  let inside: object | undefined;
  const greeted = new Promise<void>((resolve) => (worker.onmessage = () => resolve()));
  workerScript((given) => {
    inside = given;
    return { place: { name: "main", reason: null }, call: async () => undefined, connect: notHere, signal: () => {}, end: () => {} };
  })(worker);
  await greeted;
  worker.postMessage(firstWords(config, "k.wasm"));
  await new WorkerHost(worker as unknown as Worker, config, () => null, () => {}).call("a", [], {});
  assert.deepEqual(inside, config);
  const load = loadFrom(files, { ...parts, debug: notHere });
  await (await load({ ...options, debug: false })).dispose();
  await (await load({ ...options, debug: undefined })).dispose();
});

test("load and Kii's classes have what looks on", async () => {
  for (const debug of [true, () => {}]) await (await loadFrom(files, parts)({ ...options, debug })).dispose();
  const told: string[] = [];
  const raw = new RawHost(openFrom(files, parts)({ ...options, debug: ({ text }: DebugEntry) => void told.push(text) }));
  await assert.rejects(raw.call("login", ["name", "SECRET"]), { code: "WASM_LOAD" });
  raw.retire();
  await soon();
  assert.equal(told[0], "login (1)");
  assert.match(told.at(-1)!, /^login \(1\) → WASM_LOAD/);
});

test("a log that cannot be had is told at once, with the reason", async () => {
  await assert.rejects(loadFrom(files, { ...parts, debug: notHere })({ ...options, debug: true }), { code: "WASM_LOAD", message: /debug\.mjs/ });
  await assert.rejects(loadFrom(files, { ...parts, debug: async () => ({ build: "other", DebugLog }) })({ ...options, debug: true }), { why: "mismatch" });
  const raw = new RawHost(openFrom(files, { ...parts, debug: notHere })({ ...options, debug: true }));
  await assert.rejects(raw.call("login", ["name", "password"]), { code: "WASM_LOAD" });
  raw.retire();
  const load = loadServiceWorkers(files.wasm);
  await assert.rejects(load({ ...options, debug: true }), { code: "UNSUPPORTED", remedy: /Leave debug away/ });
});

test("Kii's classes ask again for a log that could not be had", async () => {
  let asked = 0;
  const debug = () => (asked++ === 0 ? notHere() : parts.debug());
  const told: string[] = [];
  const raw = new RawHost(openFrom(files, { ...parts, debug })({ ...options, debug: ({ text }: DebugEntry) => void told.push(text) }));
  const call = () => raw.call("login", ["name", "password"]);
  await assert.rejects(call(), { code: "WASM_LOAD", message: /debug\.mjs/ });
  assert.deepEqual(told, []);
  await Promise.all([assert.rejects(call(), { message: /mainhost\.mjs/ }), assert.rejects(call(), { message: /mainhost\.mjs/ })]);
  assert.equal(asked, 2, "once for both");
  assert.deepEqual(told.slice(0, 2), ["login (1)", "login (2)"]);
  raw.retire();
});
