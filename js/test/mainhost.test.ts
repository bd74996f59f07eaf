import assert from "node:assert/strict";
import { test } from "node:test";

import { LiveConnection } from "../src/connection.js";
import { MainHost } from "../src/mainhost.js";
import type { StateChange } from "../types/index.js";
import { quiet, serve, wasm } from "./crasher.js";
import { newClient } from "./newclient.js";

const config = { appID: "a", appKey: "k", baseURL: "http://127.0.0.1:1/api" };
const endpoint = { installationID: "i", username: "u", password: "p", mqttTopic: "t", host: "h" };

/** A host whose module is served by answer. */
async function host(t: Parameters<typeof serve>[0]) {
  let fetched = 0;
  const url = await serve(t, (_path, response) => {
    fetched++;
    response.writeHead(200, { "Content-Type": "application/wasm" }).end(wasm);
  });
  let made!: MainHost;
  const client = newClient((login) => (made = new MainHost(config, `${url}/k.wasm`, login)));
  return { client, host: made, fetched: () => fetched };
}

test("calls share one program, which is set up first", async (t) => {
  const { host: h, fetched } = await host(t);
  const echoes = await Promise.all([h.call("echo", [1], {}), h.call("echo", [2], {})]);
  assert.deepEqual(echoes, [1, 2]);
  assert.equal(fetched(), 1);
  assert.deepEqual(await h.call("notes", [], {}), [`init ${JSON.stringify(config)}`]);
});

test("a dead program is followed by a new one, which is told who is logged in", async (t) => {
  quiet(t);
  const { client, host: h, fetched } = await host(t);
  assert.deepEqual(await client.login("name", "password"), { userID: "u", token: "t" });
  await assert.rejects(h.call("panic", [], {}), { code: "CRASHED" });
  assert.deepEqual(await h.call("notes", [], {}), [`init ${JSON.stringify(config)}`, 'useToken "t"']);
  assert.equal(fetched(), 1, "the compiled module is kept");
  assert.equal(client.current?.token, "t");
});

test("a connection fails with its program", async (t) => {
  quiet(t);
  const { client, host: h } = await host(t);
  const connection = await client.connect(endpoint);
  assert.equal(connection.state, "online");
  const next = connection[Symbol.asyncIterator]().next();
  await assert.rejects(h.call("exit", [], {}), { code: "CRASHED" });
  assert.equal(connection.state, "failed");
  assert.equal(connection.lastChange.code, "CRASHED");
  await assert.rejects(next, { code: "CRASHED" });
  connection.wake();
  await connection.close();
  await assert.rejects(connection.takeBack(), { code: "CRASHED" });
});

test("a connection that ends before connect comes back does not end again with its program", async (t) => {
  quiet(t);
  const { host: h } = await host(t);
  const states: string[] = [];
  const sink = { batch: () => {}, sent: () => {}, state: ({ state }: StateChange) => void states.push(state) };
  await h.connect({ ...endpoint, host: "ends" }, {}, sink, {});
  await h.connect(endpoint, {}, { ...sink, state: () => {} }, {});
  await assert.rejects(h.call("panic", [], {}), { code: "CRASHED" });
  assert.deepEqual(states, ["online", "closed"]);
});

test("a caller need not wait for the module", async (t) => {
  const url = await serve(t, () => {}); // never answers
  const h = new MainHost(config, `${url}/k.wasm`, () => null);
  await assert.rejects(h.call("echo", [1], { timeout: 20 }), { code: "TIMEOUT" });
  const sink = new LiveConnection().sink;
  await assert.rejects(h.connect(endpoint, {}, sink, { signal: AbortSignal.abort() }), { code: "ABORTED" });
});

test("a module that failed to load is tried again", async (t) => {
  let broken = true;
  const url = await serve(t, (_path, response) => {
    if (broken) response.writeHead(404).end();
    else response.writeHead(200, { "Content-Type": "application/wasm" }).end(wasm);
  });
  const h = new MainHost(config, `${url}/k.wasm`, () => null);
  await assert.rejects(h.call("echo", [1], {}), { code: "WASM_LOAD", why: "notFound" });
  broken = false;
  assert.equal(await h.call("echo", [1], {}), 1);
});
