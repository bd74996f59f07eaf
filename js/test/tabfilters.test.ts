// Filters that nobody wants any more end at the broker, though it could not be told so at once.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Passed } from "../src/tabs/asks.js";
import { LedCalls } from "../src/tabs/ledcalls.js";
import { settled } from "./fakebrowser.js";
import { setUp, until } from "./tabpages.js";

test("what tabs have given up while the connection was displaced ends when it is taken back", async (t) => {
  const { cloud, open } = setUp(t);
  const leader = await open();
  const [closes, stays] = [await open(), await open()];
  await closes.connection.subscribe("closed");
  await leader.connection.subscribe("leader's");
  for (const filter of ["given up", "kept"]) await stays.connection.subscribe(filter);
  cloud.displace();
  await until("all are displaced", () => [leader, closes, stays].every(({ connection }) => connection.state === "displaced"));
  await closes.connection.close();
  for (const [page, filter] of [[stays, "given up"], [leader, "leader's"]] as const) {
    await assert.rejects(page.connection.unsubscribe(filter), { code: "DISPLACED" });
  }
  await settled();
  assert.deepEqual([...cloud.filters], ["closed", "leader's", "given up", "kept"]);
  await stays.connection.takeBack();
  await until("only what is wanted is left", () => cloud.filters.size === 1);
  assert.deepEqual([...cloud.filters], ["kept"]);
});

test("what a tab has given up while the connection was displaced ends when another tab leads", async (t) => {
  const { cloud, open } = setUp(t);
  const leader = await open();
  const stays = await open();
  await stays.connection.subscribe("given up");
  cloud.displace();
  await until("both are displaced", () => [leader, stays].every(({ connection }) => connection.state === "displaced"));
  await assert.rejects(stays.connection.unsubscribe("given up"), { code: "DISPLACED" });
  leader.tab.kill();
  await until("it leads", () => stays.tabs.role === "leader");
  await stays.connection.takeBack();
  await until("it has ended", () => cloud.filters.size === 0);
});

for (const who of ["leader", "follower"] as const) {
  test(`a subscription that a ${who} did not wait for ends when it is granted`, async (t) => {
    const { cloud, open } = setUp(t);
    const pages = { leader: await open(), follower: await open() };
    let answer = () => {};
    pages.leader.host.slow = new Promise<void>((resolve) => (answer = resolve));
    // On a machine with much to do a call may end before it has got to the leader's module.
    for (let timeout = 20; !pages.leader.host.asked.includes("subscribe x"); timeout *= 2) {
      await assert.rejects(pages[who].connection.subscribe("x", { timeout }), { code: "TIMEOUT" });
    }
    const given = new AbortController();
    const aborted = pages[who].connection.subscribe("y", { signal: given.signal });
    await until("it has got there", () => pages.leader.host.asked.includes("subscribe y"));
    given.abort();
    await assert.rejects(aborted, { code: "ABORTED" });
    answer();
    await until("both were granted", () => ["x", "y"].every((filter) => cloud.subscriptions.some(([granted]) => granted === filter)));
    await until("both have ended", () => cloud.filters.size === 0);
  });

  test(`a subscription that a ${who} did not wait for stays where another connection wants it`, async (t) => {
    const { cloud, open } = setUp(t);
    const pages = { leader: await open(), follower: await open() };
    const first = pages[who].connection;
    await pages[who].connect();
    let answer = () => {};
    pages.leader.host.slow = new Promise<void>((resolve) => (answer = resolve));
    const refused = first.subscribe("x", { timeout: 20 });
    const granted = pages[who].connection.subscribe("x");
    await assert.rejects(refused, { code: "TIMEOUT" });
    answer();
    await granted;
    await settled();
    assert.deepEqual([...cloud.filters], ["x"]);
  });
}

test("a subscription that was taken back before the next leader could make it is not made", async () => {
  let asked = 0;
  let wanted = true;
  const ask = async () => {
    assert.equal(++asked, 1);
    wanted = false;
    throw new Passed(true); // that one is gone
  };
  const lead = { out: false, term: undefined, leader: "leader", wants: () => wanted, sit: async () => {}, doubt: () => {} };
  await assert.rejects(new LedCalls("t", "me", { ask } as never, lead).make("subscribe", ["x"], {}), { code: "NETWORK", retryable: true });
});
