import assert from "node:assert/strict";
import { test } from "node:test";

import { KiiError } from "../src/errors.js";
import { checkConnect } from "../src/tabs/checks.js";
import { Page, setUp } from "./tabpages.js";

const endpoint = { installationID: "i", username: "u", password: "p", mqttTopic: "t", host: "h", portWS: 1 };
const code = (to: object, options: object) => {
  try {
    checkConnect(to as never, options as never);
    return undefined;
  } catch (error) {
    assert.ok(error instanceof KiiError);
    return error.code;
  }
};

test("what connect takes is taken", () => {
  for (const options of [
    {}, { keepAlive: 65535, qos: 0, protocol: 5, displacement: "off", cleanStart: true, sessionExpiry: 0, maxQueue: 1, queueAge: 1 },
    { transport: "ws", path: "/a/%20b;c=~" }, { keepAlive: undefined, timeout: 1, unknown: {} },
  ]) assert.equal(code(endpoint, options), undefined, JSON.stringify(options));
});

test("a tab that follows is told of a wrong argument at once", async (t) => {
  const { open, blank } = setUp(t);
  const leader = await open();
  const page: Page = blank();
  const sink = leader.connection.sink;
  for (const options of [{ keepAlive: 0 }, { qos: 3 }, { qos: "1" }, { protocol: 2 }, { cleanStart: 1 }, { path: "mqtt" }, { displacement: "on" }]) {
    await assert.rejects(page.tabs.connect(endpoint, options as never, sink, { timeout: 5000 }), { code: "INVALID_ARGUMENT" });
  }
  await assert.rejects(page.tabs.connect(endpoint, { transport: "tcp" as never }, sink, {}), { code: "UNSUPPORTED" });
  await assert.rejects(page.tabs.connect({ ...endpoint, portWS: 65536 }, {}, sink, {}), { code: "INVALID_ARGUMENT" });
  const poisoned = {
    ...endpoint,
    get password(): string {
      throw new Error("no");
    },
  };
  const { password: _, ...rest } = endpoint;
  await assert.rejects(page.tabs.connect(rest as never, {}, sink, {}), { code: "INVALID_ARGUMENT" });
  await assert.rejects((async () => page.tabs.connect(poisoned, {}, sink, {}))(), { code: "INVALID_ARGUMENT" });
  assert.equal(page.tabs.role, null);
  assert.equal(page.host.started, false);
});
