import assert from "node:assert/strict";
import { test } from "node:test";

import { client, failure, storage, until } from "./fakejourney.js";

test("the whole journey, and what arrives", async (t) => {
  storage(t);
  const { kii, calls } = client();
  await assert.rejects(kii.startPush(), { code: "NOT_LOGGED_IN" });
  await kii.login("alice", "p");
  await assert.rejects(kii.startPush({ development: "yes" as never }), { code: "INVALID_ARGUMENT" });
  const push = await kii.startPush({ development: true });
  assert.deepEqual(calls, ["login alice p", "installMqtt true", "getMqttEndpoint i-alice"]);
  assert.equal(push.state, "online");
  assert.deepEqual(push.installation, { installationID: "i-alice", installationRegistrationID: "r-alice" });
  await push.publish("", "x", { timeout: 1000 });
  assert.equal(calls.at(-1), "publish");
});

test("what is published in one turn goes together where the connection can, and has an end when that has none", async (t) => {
  storage(t);
  const { kii, connections, sends } = client();
  await kii.login("alice", "p");
  const push = await kii.startPush();
  const well = Array.from({ length: 50 }, (_, i) => push.publish("t", `${i}`));
  await until(() => sends.length > 0);
  assert.deepEqual(sends, [[1, 50]]);
  const refused = failure("FORBIDDEN", false);
  connections[0]!.sink.sent(Int32Array.of(50), refused);
  connections[0]!.sink.sent(Int32Array.from({ length: 49 }, (_, i) => i + 1));
  assert.deepEqual((await Promise.allSettled(well)).filter(({ status }) => status === "rejected"), [{ status: "rejected", reason: refused }]);
  const late = assert.rejects(push.publish("t", "late"), { code: "CLOSED", retryable: true });
  await until(() => sends.length > 1);
  await kii.logout();
  await late;
  connections[0]!.sink.sent(Int32Array.of(51)); // too late
  await kii.login("bob", "p");
  await until(() => push.state === "online");
  const lost = assert.rejects(push.publish("t", "lost"), { code: "CRASHED" });
  await until(() => sends.length > 2);
  connections[1]!.sink.state({ state: "failed", code: "CRASHED", reason: "", error: failure("CRASHED", true) });
  await lost;
  await push.stop();
});

test("the installation is remembered, and forgotten when it is gone", async (t) => {
  const items = storage(t);
  const { kii, calls, failures } = client();
  await kii.login("alice", "p");
  await (await kii.startPush()).stop();
  calls.length = 0;
  await (await kii.startPush()).stop();
  assert.deepEqual(calls, ["getMqttEndpoint i-alice"]);
  calls.length = 0;
  await (await kii.startPush({ development: true })).stop();
  assert.deepEqual(calls, ["installMqtt true", "getMqttEndpoint i-alice"], "what is wanted differs");
  calls.length = 0;
  failures.set("getMqttEndpoint", [failure("NOT_FOUND", false)]);
  const push = await kii.startPush({ development: true });
  assert.deepEqual(calls, ["getMqttEndpoint i-alice", "installMqtt true", "getMqttEndpoint i-alice"]);
  await Promise.all([push.stop({ uninstall: true }), push.stop({ uninstall: true }), push.close()]);
  assert.deepEqual(calls.slice(3), ["uninstallByInstallationID i-alice"], "once");
  assert.equal(items.size, 0);
  assert.equal(push.state, "closed");
});

test("a page that may store nothing has push all the same", async (t) => {
  storage(t, true);
  const { kii } = client();
  await kii.login("alice", "p");
  await (await kii.startPush()).stop({ uninstall: true });
});

test("an endpoint that is being prepared is waited for, as long as the call may take", async (t) => {
  storage(t);
  const { kii, failures } = client();
  await kii.login("alice", "p");
  failures.set("getMqttEndpoint", [failure("ENDPOINT_NOT_READY", true)]);
  assert.equal((await kii.startPush()).state, "online");
  failures.set("getMqttEndpoint", [failure("ENDPOINT_NOT_READY", true)]);
  await assert.rejects(kii.startPush({ timeout: 30 }), { code: "TIMEOUT" });
  failures.set("installMqtt", [failure("FORBIDDEN", false)]);
  await assert.rejects(kii.startPush({ development: true }), { code: "FORBIDDEN" });
  await assert.rejects(kii.startPush({ timeout: 0 }), { code: "INVALID_ARGUMENT" });
  failures.set("getMqttEndpoint", [failure("ENDPOINT_NOT_READY", true), failure("ENDPOINT_NOT_READY", true)]);
  await assert.rejects(kii.startPush({ signal: AbortSignal.timeout(20) }), { code: "ABORTED" });
  const disposed = assert.rejects(kii.startPush(), { code: "CLOSED" });
  await kii.dispose();
  await disposed;
});

test("who hears that it is online can use it at once", async (t) => {
  storage(t);
  const { kii, connections, calls, sends } = client();
  await kii.login("alice", "p");
  const push = await kii.startPush();
  const uses: Promise<unknown>[] = [];
  push.on("state", ({ state }) => state === "online" && uses.push(push.publish("t", "x"), push.subscribe("more")));
  await kii.logout();
  await kii.login("bob", "p");
  await until(() => uses.length > 0);
  await uses[1];
  assert.equal(calls.at(-1), "subscribe");
  assert.deepEqual(sends, [[1, 1]]);
  connections[1]!.sink.sent(Int32Array.of(1));
  await uses[0];
  await push.stop();
});

test("mounting twice is harmless", async (t) => {
  storage(t);
  const { kii, connections } = client();
  await kii.login("alice", "p");
  const first = kii.startPush();
  const stopped = first.then((push) => push.stop());
  const second = await kii.startPush();
  await stopped;
  assert.equal(second.state, "online");
  assert.deepEqual(connections.map(({ open }) => open), [false, true]);
  await kii.dispose();
  assert.equal(second.state, "closed");
});

test("stop uninstalls after close as well, and again where that failed", async (t) => {
  const items = storage(t);
  const { kii, calls, failures } = client();
  await kii.login("alice", "p");
  const push = await kii.startPush();
  await push.close();
  calls.length = 0;
  failures.set("uninstallByInstallationID", [failure("NETWORK", true)]);
  await assert.rejects(push.stop({ uninstall: true }), { code: "NETWORK" });
  await push.stop({ uninstall: true });
  await push.stop({ uninstall: true });
  assert.deepEqual(calls, Array(2).fill("uninstallByInstallationID i-alice"));
  assert.equal(items.size, 0);
});
