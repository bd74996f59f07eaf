import assert from "node:assert/strict";
import { test } from "node:test";

import { settled, type FakeTab } from "./fakebrowser.js";
import { Page, setUp, until } from "./tabpages.js";

test("ten tabs have one connection, and each gets each message once", async (t) => {
  const { cloud, open } = setUp(t);
  const pages: Page[] = [];
  for (let i = 0; i < 10; i++) pages.push(await open());
  const ids = Array.from({ length: 100 }, () => cloud.push());
  await until("all have all", () => pages.every(({ got }) => got.length >= ids.length));
  await settled();
  for (const { got } of pages) assert.deepEqual(got, ids);
  assert.equal(cloud.connects, 1);
  assert.deepEqual(pages.map(({ tabs }) => tabs.role), ["leader", ...Array(9).fill("follower")]);
  assert.deepEqual(pages.map(({ host }) => host.started), [true, ...Array(9).fill(false)]);
  assert.equal(cloud.stored.length, 0, "all were acknowledged");
});

test("a tab alone stops copying for others", async (t) => {
  const { browser, cloud, open } = setUp(t);
  const clock = Date.now;
  try {
    await open();
    cloud.push();
    await until("it is acknowledged", () => cloud.stored.length === 0);
    Date.now = () => clock() + 60_000;
    cloud.push(); // finds out that nobody is there
    await settled();
    const follower = await open();
    cloud.push();
    await until("the newcomer has it", () => follower.got.length === 1);
    assert.equal(browser.delivered > 0, true);
  } finally {
    Date.now = clock;
  }
});

for (const [name, stop] of Object.entries({
  killed: (tab: FakeTab) => tab.kill(),
  frozen: (tab: FakeTab) => tab.freeze(),
  "put aside": (tab: FakeTab) => tab.freeze(true),
})) {
  test(`a leader that is ${name} is followed by the next, without a message lost or doubled`, async (t) => {
    const { cloud, open } = setUp(t);
    const ids: string[] = [];
    const push = (count: number) => Array.from({ length: count }, () => ids.push(cloud.push()));
    const from = new Map<Page, number>();
    const pages: Page[] = [];
    const add = async () => {
      const page = await open();
      pages.push(page);
      from.set(page, ids.length);
    };
    for (let i = 0; i < 3; i++) await add();
    for (let round = 0; round < 20; round++) {
      push(5);
      await settled(round % 7); // somewhere between sending and acknowledging
      const leader = pages.find(({ tabs }) => tabs.role === "leader")!;
      stop(leader.tab);
      pages.splice(pages.indexOf(leader), 1);
      push(5);
      await until("the others have all", () => pages.every(({ got }) => got.at(-1) === ids.at(-1)));
      await until("all are acknowledged", () => cloud.stored.length === 0);
      await settled();
      for (const page of pages) assert.deepEqual(page.got, ids.slice(from.get(page)));
      await add();
    }
    assert.equal(cloud.connects, 21);
  });
}

for (const others of [0, 1]) {
  test(`what a leader that closes in the middle of a batch has handled does not come again, with ${others} others`, async (t) => {
    const { cloud, open } = setUp(t);
    const leader = await open();
    let closing: Promise<void> | undefined;
    leader.connection.on("message", (m) => m.text() === "p2" && (closing = leader.connection.close()));
    const following = await Promise.all(Array.from({ length: others }, () => open()));
    const ids = Array.from({ length: 3 }, () => cloud.push());
    await until("it has closed", () => closing !== undefined);
    await closing;
    await until("the goodbye has come, behind the acknowledgements", () => leader.connection.state === "closed");
    await settled();
    assert.deepEqual(leader.got, ids.slice(0, 2));
    if (others === 0) assert.deepEqual(cloud.stored.map(({ id }) => id), ["p3"]);
    const next = await open();
    await until("the rest comes with the next connection", () => cloud.stored.length === 0);
    if (others === 0) assert.deepEqual(next.got, ["p3"]);
    else assert.deepEqual(following[0]!.got, ids, "once");
  });
}

test("what one connection of a tab leaves behind is acknowledged where another one goes on", async (t) => {
  const { cloud, open } = setUp(t);
  const leader = await open();
  const { connection: first } = leader;
  await first.subscribe("x");
  await leader.connect();
  let closing: Promise<void> | undefined;
  first.on("message", (m) => m.text() === "p2" && (closing = first.close()));
  for (let i = 0; i < 3; i++) cloud.push("x");
  await until("it has closed, before the last", () => closing !== undefined);
  await closing;
  await until("nothing is left unacknowledged", () => cloud.stored.length === 0);
  assert.equal(leader.connection.state, "online");
});

test("a message that was passed over is told to those who are there, and not to who comes later", async (t) => {
  const { cloud, open } = setUp(t);
  const leader = await open();
  const follower = await open();
  cloud.tell({ state: "online", code: "PACKET_TOO_LARGE", reason: "passed over" });
  await until("the follower knows", () => follower.connection.lastChange.code === "PACKET_TOO_LARGE");
  assert.equal(leader.connection.lastChange.code, "PACKET_TOO_LARGE");
  const newcomer = await open();
  const { connection: before } = leader;
  await leader.connect();
  for (const { connection } of [newcomer, leader]) assert.deepEqual([connection.state, connection.lastChange.code], ["online", undefined]);
  assert.equal(before.state, "online");
});

for (const who of ["the leader", "a follower"]) {
  test(`${who} gets what comes together to several of its filters`, async (t) => {
    const { cloud, open } = setUp(t);
    const pages = [await open(), await open()];
    const page = pages[who === "the leader" ? 0 : 1]!;
    await page.connection.subscribe("a");
    await page.connection.subscribe("b/+");
    cloud.push(); // the next ones wait for its acknowledgement, and come in one batch
    const ids = ["a", "b/1", "b/2"].map((topic) => cloud.push(topic));
    await until("all are acknowledged", () => cloud.stored.length === 0);
    await settled();
    assert.deepEqual(page.got.slice(1), ids);
  });
}
