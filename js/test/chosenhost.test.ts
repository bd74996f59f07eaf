import assert from "node:assert/strict";
import { test } from "node:test";

import { build } from "../src/build.js";
import { ChosenHost } from "../src/chosenhost.js";
import { EarlyHost } from "../src/earlyhost.js";
import { wasmLoad } from "../src/errors.js";
import type { Parts } from "../src/parts.js";
import type { HostOption, Kii } from "../types/index.js";
import { quiet, serve, wasm } from "./crasher.js";
import { installWorkers, workerScript, type FakeWorker } from "./fakeworker.js";
import { newClient } from "./newclient.js";

const config = { appID: "a", appKey: "k", baseURL: "http://127.0.0.1:1/api" };
const endpoint = { installationID: "i", username: "u", password: "p", mqttTopic: "t", host: "h" };

/** As worker.js: the Go program runs behind messages. */
const works = workerScript((c, wasmURL, login) => new EarlyHost(c, wasmURL, login));
const fails = (worker: FakeWorker) => void worker.fail("no");

/** A client and its host, whose module is served, and counted. */
async function setUp(t: Parameters<typeof serve>[0], host: HostOption, status = 200, main: Parts["main"] = async () => ({ build, MainHost: EarlyHost })) {
  const url = await serve(t, (path, response) => {
    if (path === "/k.wasm") response.writeHead(200, { "Content-Type": "application/wasm" }).end(wasm);
    else response.writeHead(status, { "Content-Type": "text/javascript" }).end("");
  });
  let chosen!: ChosenHost;
  const settings = { config, wasmURL: `${url}/k.wasm`, workerURL: () => `${url}/worker.js`, host };
  const kii: Kii = newClient((login) => (chosen = new ChosenHost(settings, main, login)));
  return { kii, chosen };
}

const echo = (host: ChosenHost, value: unknown) => host.call("echo", [value], { timeout: 30_000 });

for (const host of ["auto", "worker"] as const) {
  test(`${host}: the program runs in a worker, one for the client`, async (t) => {
    const { made } = installWorkers(t, works);
    const { kii, chosen } = await setUp(t, host);
    assert.equal(kii.host, null);
    assert.equal(made.length, 0, "nothing before the first call");
    assert.deepEqual(await Promise.all([echo(chosen, 1), echo(chosen, "two")]), [1, "two"]);
    assert.equal(kii.host, "worker");
    assert.equal(kii.hostReason, null);
    assert.equal(made.length, 1);
  });
}

test("main: no worker is tried", async (t) => {
  const { made } = installWorkers(t, works);
  const { kii, chosen } = await setUp(t, "main");
  assert.equal(await echo(chosen, 1), 1);
  assert.equal(kii.host, "main");
  assert.equal(kii.hostReason, null);
  assert.equal(made.length, 0);
});

test("auto: where no worker starts the program runs right here, and says why", async (t) => {
  const { made } = installWorkers(t, fails);
  const { kii, chosen } = await setUp(t, "auto", 404);
  assert.deepEqual(await Promise.all([echo(chosen, 1), echo(chosen, 2)]), [1, 2]);
  assert.equal(kii.host, "main");
  assert.equal(kii.hostReason?.code, "WASM_LOAD");
  assert.equal(kii.hostReason?.why, "notFound");
  await echo(chosen, 3);
  assert.equal(made.length, 1, "what does not start is not tried again");
});

/** A worker that starts, and whose own policy forbids the module. */
const forbids = workerScript(() => {
  const deny = async () => {
    throw wasmLoad("csp", "The Content-Security-Policy (script-src) of worker.js blocks the module.");
  };
  return { place: { name: "main", reason: null }, call: deny, connect: deny, end: () => {}, signal: () => {} };
});

test("auto: where the worker's own policy forbids the program it runs right here, and says why", async (t) => {
  const { made } = installWorkers(t, forbids);
  const { kii, chosen } = await setUp(t, "auto");
  const connection = kii.connect(endpoint);
  assert.deepEqual(await Promise.all([echo(chosen, 1), echo(chosen, 2)]), [1, 2]);
  assert.equal((await connection).state, "online");
  assert.equal(kii.host, "main");
  assert.equal(kii.hostReason?.code, "WASM_LOAD");
  assert.equal(kii.hostReason?.why, "csp");
  assert.match(kii.hostReason!.message, /worker\.js/);
  await echo(chosen, 3);
  assert.equal(made.length, 1);
  assert.ok(made[0]!.terminated);
});

test("auto: a connection that is not the first to learn of the worker's policy stands all the same", async (t) => {
  installWorkers(t, forbids);
  const { kii, chosen } = await setUp(t, "auto");
  const [, connection] = await Promise.all([echo(chosen, 1), kii.connect(endpoint)]);
  assert.equal(connection.state, "online");
});

test("worker: where its own policy forbids the program calls say so", async (t) => {
  installWorkers(t, forbids);
  const { kii, chosen } = await setUp(t, "worker");
  await assert.rejects(echo(chosen, 1), { code: "WASM_LOAD", why: "csp" });
  assert.equal(kii.host, "worker");
});

test("auto: where there are no workers", async (t) => {
  const { kii, chosen } = await setUp(t, "auto");
  assert.equal(await echo(chosen, 1), 1);
  assert.equal(kii.host, "main");
  assert.equal(kii.hostReason?.code, "UNSUPPORTED");
});

test("main: what does not load is tried again at the next call", async (t) => {
  let loads = 0;
  const { kii, chosen } = await setUp(t, "main", 200, async () => {
    if (++loads === 1) throw new TypeError("Failed to fetch");
    return { build: loads === 2 ? "another" : build, MainHost: EarlyHost };
  });
  await assert.rejects(echo(chosen, 1), { code: "WASM_LOAD", why: "network", retryable: true });
  await assert.rejects(echo(chosen, 1), { code: "WASM_LOAD", why: "mismatch" });
  assert.equal(kii.host, null);
  assert.equal(await echo(chosen, 1), 1);
  assert.equal(kii.host, "main");
});

test("worker: where none starts calls say why, and the next one tries again", async (t) => {
  let script = fails as (worker: FakeWorker) => void;
  installWorkers(t, (worker) => script(worker));
  const { kii, chosen } = await setUp(t, "worker", 404);
  await assert.rejects(echo(chosen, 1), { name: "KiiError", code: "WASM_LOAD", why: "notFound" });
  await assert.rejects(kii.connect(endpoint), { code: "WASM_LOAD" });
  assert.equal(kii.host, null);
  script = works;
  assert.equal(await echo(chosen, 1), 1);
  assert.equal(kii.host, "worker");
});

test("a caller need not wait for a worker, which serves the next", async (t) => {
  const { made } = installWorkers(t, () => {});
  const { kii, chosen } = await setUp(t, "auto");
  await assert.rejects(kii.login("a", "b", { timeout: 20 }), { code: "TIMEOUT" });
  await assert.rejects(kii.connect(endpoint, { signal: AbortSignal.abort("no") }), { code: "ABORTED", cause: "no" });
  works(made[0]!);
  assert.equal(await echo(chosen, 1), 1);
  assert.equal(kii.host, "worker");
  assert.equal(made.length, 1);
});

test("a program that crashes in a worker is followed by a new one, which is told who is logged in", async (t) => {
  quiet(t);
  const { made } = installWorkers(t, works);
  const { kii, chosen } = await setUp(t, "worker");
  await kii.login("name", "password");
  const connection = await kii.connect(endpoint);
  assert.equal(connection.state, "online");
  const pending = assert.rejects(chosen.call("never", [], {}), { code: "CRASHED" });
  await assert.rejects(chosen.call("panic", [], {}), { code: "CRASHED", retryable: true });
  await pending;
  assert.equal(connection.state, "failed");
  assert.equal(connection.lastChange.error?.code, "CRASHED");
  await assert.rejects(connection.takeBack(), { code: "CRASHED" });
  await connection.close();
  assert.deepEqual(await chosen.call("notes", [], {}), [`init ${JSON.stringify(config)}`, 'useToken "t"']);
  assert.equal(made.length, 1, "the worker lives on");
});

test("a worker that dies is followed by a new one, which is told who is logged in", async (t) => {
  const { made } = installWorkers(t, works);
  const { kii, chosen } = await setUp(t, "auto");
  await kii.login("name", "password");
  const connection = await kii.connect(endpoint);
  const pending = chosen.call("never", [], {});
  made[0]!.fail("out of memory");
  await assert.rejects(pending, { code: "CRASHED" });
  assert.equal(connection.state, "failed");
  assert.deepEqual(await chosen.call("notes", [], {}), [`init ${JSON.stringify(config)}`, 'useToken "t"']);
  assert.equal(made.length, 2);
  assert.equal(kii.host, "worker");
  made[0]!.fail("once more");
  assert.equal(await echo(chosen, 1), 1, "the old one's end is over");
  assert.equal(made.length, 2);
});
