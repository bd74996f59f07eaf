import assert from "node:assert/strict";
import { test } from "node:test";

import { build } from "../src/build.js";
import { startWorker } from "../src/workerstart.js";
import { serve } from "./crasher.js";
import { installWorkers, type FakeWorker } from "./fakeworker.js";

const url = "http://127.0.0.1:1/worker.js";
const first = { type: "init", config: { appID: "a", appKey: "k" }, wasmURL: "k.wasm", renews: false } as const;
const greet = (worker: FakeWorker) => worker.say({ type: "hello", build });

test("a worker that greets has started", async (t) => {
  const { made, urls } = installWorkers(t, greet);
  assert.equal(await startWorker(() => url, first), made[0]);
  assert.deepEqual(urls, [url]);
  assert.ok(!made[0]!.terminated);
});

const refusals: { name: string; script: (worker: FakeWorker) => unknown; want: object }[] = [
  { name: "of another build", script: (w) => w.say({ type: "hello", build: "0.0.1 other" }), want: { why: "mismatch", message: /another build/ } },
  { name: "that says something else", script: (w) => w.say({ type: "ready" }), want: { why: "mismatch" } },
  { name: "that says nothing readable", script: (w) => w.say(null), want: { why: "mismatch" } },
  { name: "that keeps silent", script: () => {}, want: { why: "network", retryable: true, message: /no answer in 20 ms/ } },
];

for (const { name, script, want } of refusals) {
  test(`a worker ${name} is none`, async (t) => {
    const { made } = installWorkers(t, script);
    await assert.rejects(startWorker(() => url, first, 20), { name: "KiiError", code: "WASM_LOAD", ...want });
    assert.ok(made[0]!.terminated);
  });
}

test("no worker is looked for where there are none", async () => {
  await assert.rejects(startWorker(() => url, first), { name: "KiiError", code: "UNSUPPORTED" });
});

test("a constructor that throws is a worker that does not start", async (t) => {
  const global = globalThis as { Worker?: unknown };
  global.Worker = class {
    constructor() {
      throw new Error("not here");
    }
  };
  t.after(() => delete global.Worker);
  await assert.rejects(startWorker(() => url, first, 1000), { code: "WASM_LOAD", why: "network", cause: new Error("not here") });
});

test("a loader that knows no place for the file says so", async (t) => {
  installWorkers(t, greet);
  const lost = () => new URL("worker.js", "").href;
  await assert.rejects(startWorker(lost, first), { code: "WASM_LOAD", why: "notFound", message: /does not know/ });
});

test("a file of another origin is not tried", async (t) => {
  const { made } = installWorkers(t, greet);
  const global = globalThis as { location?: unknown };
  global.location = { origin: "https://page.example" };
  t.after(() => delete global.location);
  await assert.rejects(startWorker(() => "https://cdn.example/worker.js", first), { code: "WASM_LOAD", why: "origin" });
  assert.equal(made.length, 0);
  await startWorker(() => "https://page.example/worker.js", first);
});

const files: { name: string; status?: number; type: string; want: object }[] = [
  { name: "no such file", status: 404, type: "text/plain", want: { why: "notFound", retryable: false } },
  { name: "a server in trouble", status: 503, type: "text/plain", want: { why: "network", retryable: true } },
  { name: "a page in its place", type: "text/html; charset=utf-8", want: { why: "mime", message: /text\/html/ } },
  { name: "a file without a type", type: "", want: { why: "mime", message: /not given/ } },
  { name: "a script that does not run", type: "text/javascript", want: { why: "mismatch", cause: "SyntaxError: x" } },
];

for (const { name, status = 200, type, want } of files) {
  test(`${name} is told from the others`, async (t) => {
    const base = await serve(t, (_path, response) => response.writeHead(status, type ? { "Content-Type": type } : {}).end("x"));
    const { made } = installWorkers(t, (worker) => assert.ok(worker.fail("SyntaxError: x")));
    await assert.rejects(startWorker(() => `${base}/worker.js`, first), { name: "KiiError", code: "WASM_LOAD", ...want });
    assert.ok(made[0]!.terminated);
  });
}

test("a server that does not answer is given up", async (t) => {
  const base = await serve(t, () => {});
  installWorkers(t, (worker) => worker.fail());
  await assert.rejects(startWorker(() => `${base}/worker.js`, first, 20), { code: "WASM_LOAD", why: "network" });
});
