// What a leader that ended leaves behind, and what it does not.

import assert from "node:assert/strict";
import { test } from "node:test";

import { settled } from "./fakebrowser.js";
import { setUp, until } from "./tabpages.js";

test("what another device has taken is not taken back because a tab was connecting when it led before", async (t) => {
  const { cloud, open } = setUp(t);
  const { now } = Date;
  let later = 0;
  Date.now = () => now() + later;
  t.after(() => (Date.now = now));
  const [one, two] = [await open(), await open()];
  cloud.tell({ state: "connecting", reason: "" });
  one.tab.freeze();
  await until("the next one leads", () => two.tabs.role === "leader" && two.connection.state === "online");
  one.tab.thaw();
  await until("the first one follows", () => one.connection.state === "online");
  const three = await open();
  later = 60_000; // what was on its way has long come to something
  cloud.displace();
  await until("all are displaced", () => [one, two, three].every(({ connection }) => connection.state === "displaced"));
  two.tab.kill();
  await until("the first one leads again", () => one.tabs.role === "leader");
  await settled();
  const { connects } = cloud;
  one.tab.freeze();
  await until("the last one leads", () => three.tabs.role === "leader");
  await settled();
  assert.equal(cloud.connects, connects);
  assert.equal(three.connection.state, "displaced");
});
