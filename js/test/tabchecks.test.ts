import assert from "node:assert/strict";
import { test } from "node:test";

import { LiveConnection } from "../src/connection.js";
import { KiiError } from "../src/errors.js";
import { shareable } from "../src/tabs/checks.js";
import { setUp } from "./tabpages.js";

const endpoint = { installationID: "i", username: "u", password: "p", mqttTopic: "t", host: "h", portWS: 1 };

test("what connect takes can be shared", () => {
  for (const options of [
    {}, { keepAlive: 65535, qos: 0, protocol: 5, displacement: "off", cleanStart: true, sessionExpiry: 0, maxQueue: 1, queueAge: 1 },
    { transport: "ws", path: "/a/%20b;c=~" }, { path: "/.a/..b/...", cleanStart: false }, { keepAlive: undefined, timeout: 1, unknown: {} },
  ]) assert.ok(shareable(endpoint, options as never), JSON.stringify(options));
});

test("what the module refuses cannot", () => {
  for (const options of [
    { keepAlive: 0 }, { keepAlive: 1.5 }, { keepAlive: null }, { qos: 3 }, { qos: "1" }, { qos: NaN }, { protocol: 2 }, { sessionExpiry: -1 }, { cleanStart: 1 },
    { cleanStart: null }, { displacement: "on" }, { displacement: "" }, { transport: "tcp" }, { transport: 1 },
    { path: "" }, { path: "mqtt" }, { path: "/a?b" }, { path: "/a/../b" }, { path: "/a/." }, { path: "/%2E/" }, { path: "/.%2e" }, { path: "/%" }, { path: "/a b" },
  ]) assert.ok(!shareable(endpoint, options as never), JSON.stringify(options));
  const { password: _, ...rest } = endpoint;
  for (const to of [rest, { ...endpoint, portWS: 65536 }, { ...endpoint, portSSL: "1" }, { ...endpoint, host: "" }, { ...endpoint, username: 1 }, {}]) {
    assert.ok(!shareable(to as never, {}), JSON.stringify(to));
  }
});

test("a tab that follows has its own module say what is wrong with an argument", async (t) => {
  const { cloud, open, blank } = setUp(t);
  const leader = await open();
  const page = blank();
  page.host.broken = new KiiError("wrong", { code: "INVALID_ARGUMENT", retryable: false, remedy: "r" });
  const { sink } = leader.connection;
  await assert.rejects(page.tabs.connect(endpoint, { qos: 3 as never }, sink, { timeout: 5000 }), page.host.broken);
  const poisoned = {
    ...endpoint,
    get password(): string {
      throw new Error("no");
    },
  };
  await assert.rejects((async () => page.tabs.connect(poisoned, {}, sink, {}))(), { code: "INVALID_ARGUMENT" });
  assert.equal(page.tabs.role, null);
  assert.equal(cloud.connects, 1);
});

test("what a worker makes plain of arguments decides, or a second connection would take the first one's place", async (t) => {
  const { cloud, open, blank } = setUp(t);
  const { connection } = await open();
  for (const [to, options] of [
    [{ ...endpoint, host: new String("h") }, {}], [{ toJSON: () => endpoint }, {}], [endpoint, { keepAlive: new Number(60) }], [endpoint, { path: () => "/" }],
  ] as [object, object][]) {
    await blank().tabs.connect(to as never, options, new LiveConnection().sink, { timeout: 5000 });
  }
  assert.equal(cloud.connects, 1);
  assert.equal(connection.state, "online");
});
