import assert from "node:assert/strict";
import { test } from "node:test";

import type { Handled } from "../src/host.js";
import { client, failure, storage, until } from "./fakejourney.js";
import { plain } from "./messages.js";

test("it goes where the login goes, and gives nobody what is another's", async (t) => {
  storage(t);
  const { kii, connections } = client();
  await kii.login("alice", "p");
  const push = await kii.startPush();
  const got: string[] = [];
  const states: string[] = [];
  push.on("message", (m) => got.push(m.text()));
  push.on("state", ({ state }) => states.push(state));
  await new Promise((resolve) => setTimeout(resolve, 0));
  connections[0]!.sink.batch(plain("for alice"));
  await kii.logout();
  assert.equal(push.state, "idle");
  assert.equal(push.installation, null);
  assert.equal(connections[0]!.open, false);
  connections[0]!.sink.batch(plain("late for alice"));
  await assert.rejects(push.publish("", "x"), { code: "CLOSED", retryable: true });
  await kii.login("bob", "p");
  await until(() => push.state === "online");
  assert.equal(connections[1]!.owner, "bob");
  connections[1]!.sink.batch(plain("for bob"));
  assert.deepEqual(got, ["for alice", "for bob"]);
  assert.deepEqual(states, ["idle", "connecting", "online"]);
});

test("what comes too late waits no longer than the connection is there", async (t) => {
  storage(t);
  const { kii, connections } = client();
  await kii.login("alice", "p");
  await kii.startPush();
  const { sink } = connections[0]!;
  let handled: Handled | Promise<Handled>;
  const state = sink.state;
  sink.state = (change) => {
    // As the program does: behind what was handed out before.
    handled = sink.batch(plain("late"));
    void Promise.resolve(handled).then(() => state(change));
  };
  await kii.logout();
  let done = false;
  void Promise.resolve(handled!).then(() => (done = true));
  await new Promise((resolve) => setTimeout(resolve, 1));
  assert.ok(done);
});

test("a push that has ended does not come back with the next login", async (t) => {
  storage(t);
  const { kii, calls, connections } = client();
  await kii.login("alice", "p");
  const push = await kii.startPush();
  connections[0]!.sink.state({ state: "closed", code: "REVOKED", reason: "" });
  await kii.logout();
  calls.length = 0;
  await kii.login("bob", "p");
  await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal(push.state, "closed");
  assert.deepEqual(calls, ["login bob p"]);
  assert.equal(connections.length, 1);
});

test("one owner's installation is not remembered as another's", async (t) => {
  const items = storage(t);
  const { kii, failures, waits } = client();
  await kii.login("alice", "p");
  let go = () => {};
  waits.set("installMqtt", new Promise<void>((resolve) => (go = resolve)));
  const starting = kii.startPush();
  await kii.login("bob", "p");
  go();
  const push = await starting;
  await until(() => push.state === "online" && push.installation?.installationID === "i-bob");
  for (const [key, item] of items) assert.ok(key.includes("bob") && item.includes("i-bob"), `${key}: ${item}`);
  await push.stop();
  failures.set("getMqttEndpoint", [failure("FORBIDDEN", false)]); // what was remembered is another's
  assert.equal((await kii.startPush()).state, "online");
});

test("what waits for a listener when its owner logs out is given to nobody", async (t) => {
  storage(t);
  const { kii, connections } = client();
  await kii.login("alice", "p");
  const push = await kii.startPush();
  connections[0]!.sink.batch(plain("held", "as well"));
  await kii.logout();
  await kii.login("bob", "p");
  const got: string[] = [];
  push.on("message", (m) => got.push(m.text()));
  await until(() => push.state === "online");
  const loop = push[Symbol.asyncIterator]();
  connections[1]!.sink.batch(plain("for bob"));
  await kii.login("carol", "p");
  await until(() => connections.length === 3 && push.state === "online");
  connections[2]!.sink.batch(plain("for carol"));
  assert.equal((await loop.next()).value?.text(), "for carol");
  assert.deepEqual(got, ["for bob", "for carol"]);
  assert.equal(push.dropped, 3);
});

test("nobody is uninstalled when nobody is logged in, and stop says so", async (t) => {
  storage(t);
  const { kii } = client();
  await kii.login("alice", "p");
  const push = await kii.startPush();
  await kii.logout();
  await assert.rejects(push.stop({ uninstall: true }), { code: "NOT_LOGGED_IN" });
  assert.equal(push.state, "closed");
  await push.stop();
});
