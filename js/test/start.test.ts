// The way from the first call to the program, and what becomes of it where a file is late, missing or silent.

import assert from "node:assert/strict";
import { test } from "node:test";

import { build } from "../src/build.js";
import { ChosenHost } from "../src/chosenhost.js";
import { EarlyHost } from "../src/earlyhost.js";
import { disposed } from "../src/errors.js";
import { loadFrom } from "../src/index.js";
import type { Parts } from "../src/parts.js";
import { serve as serveWorker, type Port } from "../src/workerserver.js";
import type { HostOption } from "../types/index.js";
import { serve, wasm } from "./crasher.js";
import { installWorkers, workerScript, type FakeWorker } from "./fakeworker.js";

const config = { appID: "a", appKey: "k", baseURL: "http://127.0.0.1:1/api" };
const here = { build, MainHost: EarlyHost };
const never = () => new Promise<never>(() => {});
const silence: Parts = { main: never, tabs: never, push: never, debug: never };
const elsewhere = { wasm: () => "", worker: () => "" };

/** Files of a server: the module is found as found says, which is asked each time; other files are found. */
async function files(t: Parameters<typeof serve>[0], found: () => "yes" | "no" | "silence" = () => "yes") {
  const asked: string[] = [];
  const changed: (() => void)[] = [];
  const url = await serve(t, (path, response) => {
    asked.push(path);
    for (const tell of changed.splice(0)) tell();
    const answer = path === "/k.wasm" ? found() : "yes";
    if (answer === "yes") response.writeHead(200, { "Content-Type": "application/wasm" }).end(wasm);
    else if (answer === "no") response.writeHead(404).end();
  });
  const modules = () => asked.filter((path) => path === "/k.wasm").length;
  const until = async (count: number) => {
    while (modules() < count) await new Promise<void>((resolve) => changed.push(resolve));
  };
  return { url, modules, until };
}

function chosen(url: string, host: HostOption, main: Parts["main"]): ChosenHost {
  return new ChosenHost({ config, wasmURL: `${url}/k.wasm`, workerURL: () => `${url}/worker.js`, host }, main, () => null);
}

const echo = (host: ChosenHost, value: unknown, timeout = 30_000) => host.call("echo", [value], { timeout });

test("main: the module is fetched while mainhost.mjs is", async (t) => {
  const { url, modules, until } = await files(t);
  let arrive!: (part: typeof here) => void;
  const host = chosen(url, "main", () => new Promise((resolve) => (arrive = resolve)));
  assert.equal(modules(), 0, "nothing before the first call");
  const called = echo(host, 1);
  await until(1);
  arrive(here);
  assert.equal(await called, 1);
  assert.equal(modules(), 1);
  host.end(disposed());
});

test("main: a module that is not found while mainhost.mjs loads is named, and asked for again by the next call", async (t) => {
  let found: "yes" | "no" = "no";
  const { url, modules, until } = await files(t, () => found);
  const host = chosen(url, "main", async () => {
    await until(1);
    await new Promise((resolve) => setTimeout(resolve, 50)); // the answer is here
    return here;
  });
  await assert.rejects(echo(host, 1), { code: "WASM_LOAD", why: "notFound", status: 404 });
  assert.equal(modules(), 1);
  found = "yes";
  assert.equal(await echo(host, 2), 2);
  assert.equal(modules(), 2);
  host.end(disposed());
});

test("main: where mainhost.mjs does not load that is named, and the next call begins anew", async (t) => {
  let found: "yes" | "silence" = "silence";
  const { url, modules, until } = await files(t, () => found);
  let broken = true;
  const host = chosen(url, "main", async () => {
    if (!broken) return here;
    await until(1);
    throw new TypeError("Failed to fetch");
  });
  await assert.rejects(echo(host, 1), { code: "WASM_LOAD", why: "network", message: /mainhost\.mjs/ });
  broken = false;
  found = "yes";
  assert.equal(await echo(host, 2), 2);
  assert.equal(modules(), 2);
  host.end(disposed());
});

test("main: a client that ends while mainhost.mjs loads begins nothing", async (t) => {
  const { url, until } = await files(t, () => "silence");
  let made = 0;
  class Counted extends EarlyHost {
    constructor(...given: ConstructorParameters<typeof EarlyHost>) {
      super(...given);
      made++;
    }
  }
  let arrive!: (part: typeof here) => void;
  const host = chosen(url, "main", () => new Promise((resolve) => (arrive = resolve)));
  const called = assert.rejects(echo(host, 1), { code: "CLOSED" });
  await until(1);
  host.end(disposed());
  arrive({ build, MainHost: Counted });
  await called;
  assert.equal(made, 0);
});

test("main: clients side by side fetch once", async (t) => {
  const { url, modules } = await files(t);
  const hosts = [chosen(url, "main", async () => here), chosen(url, "main", async () => here)];
  assert.deepEqual(await Promise.all(hosts.map((host, i) => echo(host, i))), [0, 1]);
  assert.equal(modules(), 1);
  for (const host of hosts) host.end(disposed());
});

/** As worker.js, but its greeting waits. */
function slow(greet: Promise<void>): (worker: FakeWorker) => void {
  return (worker) => {
    const { inside } = worker;
    const port: Port = {
      onmessage: null,
      postMessage: (message, transfer) => void ("build" in message ? greet : Promise.resolve()).then(() => inside.postMessage(message, transfer)),
    };
    serveWorker(port, (c, wasmURL, login) => new EarlyHost(c, wasmURL, login));
    inside.onmessage = (event) => port.onmessage?.(event);
  };
}

test("worker: it fetches the module before the page has seen it", async (t) => {
  const { url, modules, until } = await files(t);
  let greet!: () => void;
  const { made } = installWorkers(t, slow(new Promise((resolve) => (greet = resolve))));
  const host = chosen(url, "worker", never);
  const called = echo(host, 1);
  await until(1);
  assert.deepEqual(made[0]!.heard.map(({ type }) => type), ["init"]);
  greet();
  assert.equal(await called, 1);
  assert.equal(modules(), 1);
  host.end(disposed());
});

test("auto: a worker that dies when it has begun is followed by the page, which says why", async (t) => {
  const { url, modules, until } = await files(t);
  const { made } = installWorkers(t, slow(never()));
  const host = chosen(url, "auto", async () => here);
  const called = echo(host, 1);
  await until(1);
  made[0]!.fail("out of memory");
  assert.equal(await called, 1);
  assert.equal(host.place.name, "main");
  assert.equal(host.place.reason?.code, "WASM_LOAD");
  assert.ok(made[0]!.terminated);
  assert.ok(modules() <= 2);
  host.end(disposed());
});

test("auto: a worker that dies when the client has ended is not followed", async (t) => {
  const { url, modules } = await files(t);
  const { made } = installWorkers(t, () => {});
  let asked = 0;
  const host = chosen(url, "auto", async () => (asked++, here));
  const called = assert.rejects(echo(host, 1), { code: "CLOSED" });
  host.end(disposed());
  made[0]!.fail("out of memory");
  await called;
  assert.equal(asked, 0);
  assert.equal(modules(), 0);
});

test("worker: a module that is not found before the first call has come is named by that", async (t) => {
  let found: "yes" | "no" = "no";
  const { url, modules, until } = await files(t, () => found);
  let greet!: () => void;
  installWorkers(t, slow(new Promise((resolve) => (greet = resolve))));
  const host = chosen(url, "worker", never);
  const rejected = assert.rejects(echo(host, 1), { code: "WASM_LOAD", why: "notFound" });
  await until(1);
  await new Promise((resolve) => setTimeout(resolve, 50)); // the answer is here
  greet();
  await rejected;
  assert.equal(modules(), 1);
  found = "yes";
  assert.equal(await echo(host, 2), 2);
  host.end(disposed());
});

const silent: { name: string; host: HostOption; file: RegExp; main?: Parts["main"]; script?: (worker: FakeWorker) => void }[] = [
  { name: "mainhost.mjs", host: "main", file: /^mainhost\.mjs$/, main: never },
  { name: "the module in the page", host: "main", file: /^http.*\/k\.wasm$/ },
  { name: "worker.js", host: "worker", file: /^http.*\/worker\.js$/, script: () => {} },
  { name: "the module in a worker", host: "worker", file: /^http.*\/k\.wasm$/, script: workerScript((c, url, login) => new EarlyHost(c, url, login)) },
];

for (const { name, host: where, file, main = async () => here, script = () => {} } of silent) {
  test(`TIMEOUT names ${name}, which never comes`, async (t) => {
    const { url } = await files(t, () => "silence");
    installWorkers(t, script);
    const host = chosen(url, where, main);
    // Where much else is to be done the first call may not get as far.
    for (;;) {
      const error = (await echo(host, 1, 100).catch((error) => error)) as { code: string; message: string; remedy: string; retryable: boolean };
      assert.equal(error.code, "TIMEOUT");
      assert.ok(error.retryable);
      const late = /^The time allowed for the call is over\. (\S+) has not loaded\.$/.exec(error.message)?.[1];
      if (!late || !file.test(late)) continue;
      assert.ok(error.remedy.startsWith(`Check that the server answers for ${late}. Try again`), error.remedy);
      break;
    }
    host.end(disposed());
  });
}

test("a login that finds no module asks for it once, with tabs that share too", async (t) => {
  const { url, modules } = await files(t, () => "no");
  const kii = await loadFrom(elsewhere, { ...silence, main: async () => here })({ ...config, wasmURL: `${url}/k.wasm`, host: "main" });
  await assert.rejects(kii.login("a", "b"), { code: "WASM_LOAD", why: "notFound" });
  await new Promise((resolve) => setTimeout(resolve, 100)); // whatever follows it has asked by now
  assert.equal(modules(), 1);
  await kii.dispose();
});

test("a call that was over before push.mjs did not come leaves no error that nobody has", async () => {
  const missing = { ...silence, push: () => Promise.reject(new TypeError("Failed to fetch")) };
  const kii = await loadFrom(elsewhere, missing)({ ...config, wasmURL: "http://127.0.0.1:1/k.wasm" });
  await assert.rejects(kii.startPush({ signal: AbortSignal.abort() }), { code: "ABORTED" });
  await new Promise((resolve) => setTimeout(resolve, 50)); // it is for the console by now
  await kii.dispose();
});

test("TIMEOUT names tabs.mjs and push.mjs, which never come", async () => {
  const kii = await loadFrom(elsewhere, silence)({ ...config, wasmURL: "http://127.0.0.1:1/k.wasm" });
  await assert.rejects(kii.useToken("t", { userID: "u" }, { timeout: 20 }), { code: "TIMEOUT", message: /tabs\.mjs has not loaded/, remedy: /tabs\.mjs/ });
  await assert.rejects(kii.startPush({ timeout: 20 }), { code: "TIMEOUT", message: /push\.mjs has not loaded/, remedy: /push\.mjs/ });
  await kii.dispose();
});

test("load does not wait for debug.mjs for ever", async (t) => {
  const { setTimeout } = globalThis;
  globalThis.setTimeout = ((work: () => void, ms: number) => setTimeout(work, ms / 1000)) as typeof setTimeout;
  t.after(() => (globalThis.setTimeout = setTimeout));
  const options = { ...config, wasmURL: "http://127.0.0.1:1/k.wasm", debug: true };
  await assert.rejects(loadFrom(elsewhere, silence)(options), {
    code: "TIMEOUT",
    message: /debug\.mjs has not loaded/,
    remedy: "Check that the server answers for debug.mjs. Try again.", // load takes no timeout
  });
});
