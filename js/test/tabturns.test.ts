// What befalls who leads, and who comes then: signals, refusals, ends and contests.

import assert from "node:assert/strict";
import { test } from "node:test";

import { KiiError } from "../src/errors.js";
import { settled } from "./fakebrowser.js";
import { setUp, until } from "./tabpages.js";

const failure = (code: KiiError["code"], retryable = false) => new KiiError(code, { code, retryable, remedy: "r" });

test("what wakes a tab wakes the connection, in whichever tab that is, once", async (t) => {
  const { open } = setUp(t);
  const leader = await open();
  const follower = await open();
  follower.tabs.woken("online");
  await until("the leader's module is told", () => leader.host.calls.includes("wake online"));
  leader.tabs.woken("resume");
  await settled();
  assert.deepEqual([...leader.host.calls, ...follower.host.calls], ["wake online"], "the leader's own module hears of its page's signals by itself");
});

test("a leader that waits for its next attempt makes it when its page or another one wakes", async (t) => {
  const { browser, open } = setUp(t);
  const leader = await open();
  const next = await open();
  next.host.broken = failure("NETWORK", true);
  leader.tab.kill();
  const waits = () => next.states.filter((state) => state === "waiting").length;
  await until("it waits", () => waits() === 1);
  const follower = open();
  await until("the follower is there", () => browser.tabs.length === 3);
  await settled();
  // By themselves so many attempts would take four minutes, for each wait is twice the one before.
  for (let i = 2; i < 9; i++) {
    next.tabs.woken("online");
    await until("it has tried again", () => waits() === i);
  }
  next.host.broken = undefined;
  next.tabs.woken("online");
  await until("it is online", () => next.connection.state === "online");
  await follower;
});

test("a leader that waits for its next attempt goes on waiting when the network goes", async (t) => {
  const { open } = setUp(t);
  const [leader, next, last] = [await open(), await open(), await open()];
  next.host.broken = failure("NETWORK", true);
  leader.tab.kill();
  const waits = () => next.states.filter((state) => state === "waiting").length;
  await until("it waits", () => waits() === 1);
  for (let i = 2; i < 9; i++) {
    next.tabs.woken("online");
    await until("it has tried again", () => waits() === i);
  }
  for (const page of [next, last]) page.tabs.woken("offline");
  await settled(); // the wait itself goes on for two minutes
  assert.equal(waits(), 8);
  assert.equal(next.connection.state, "waiting");
});

test("a connection that ends with what it was opened with ends alone, and another tab goes on", async (t) => {
  const { cloud, open } = setUp(t);
  const leader = await open();
  const next = await open();
  const last = await open();
  next.host.broken = failure("FORBIDDEN");
  leader.tab.kill();
  await until("it has failed", () => next.connection.state === "failed");
  assert.equal(next.connection.lastChange.code, "FORBIDDEN");
  await until("the last one leads", () => last.tabs.role === "leader" && last.connection.state === "online");
  assert.equal(next.tabs.role, null);
  const id = cloud.push();
  await until("it is acknowledged", () => cloud.stored.length === 0);
  assert.deepEqual(last.got, [id]);
  assert.deepEqual(next.got, []);
});

test("a connection that another device takes while the next leader opens it is displaced, and may be taken back", async (t) => {
  const { open } = setUp(t);
  const leader = await open();
  const [next, last] = [await open(), await open()];
  next.host.broken = failure("DISPLACED");
  leader.tab.kill();
  await until("it has come to something", () => /displaced|failed/.test(next.connection.state));
  await settled();
  assert.deepEqual([next.connection.state, last.connection.state, next.tabs.role], ["displaced", "displaced", "leader"]);
  next.host.broken = undefined;
  await last.connection.takeBack({ timeout: 60_000 });
  await until("both are back", () => [next, last].every(({ connection }) => connection.state === "online"));
});

test("a newcomer that is displaced while it connects tries once more, and no more than that", async (t) => {
  const { blank } = setUp(t);
  for (const times of [1, 2]) {
    const page = blank();
    const { host } = page;
    let tried = 0;
    const connect: typeof host.connect = host.connect.bind(host);
    host.connect = (...args) => {
      host.broken = tried++ < times ? failure("DISPLACED") : undefined;
      return connect(...args);
    };
    if (times === 1) await page.connect();
    else await assert.rejects(page.connect(), { code: "DISPLACED" });
    assert.equal(tried, 2);
    assert.equal(page.tabs.role, times === 1 ? "leader" : null);
    page.tab.kill();
  }
});

test("an attempt that is given up is none any more", async (t) => {
  const { cloud, blank, open } = setUp(t);
  for (const following of [false, true]) {
    const others = following ? [await open()] : [];
    for (const { host } of others) host.broken = undefined;
    const page = blank();
    const { connects } = cloud;
    const given = new AbortController();
    const connecting = page.connect(60_000, given.signal);
    given.abort();
    await assert.rejects(connecting, { code: "ABORTED" });
    await settled();
    assert.equal(page.tabs.role, null);
    assert.equal(cloud.connects, connects, "nothing was opened for it");
    await page.connect();
    assert.equal(page.connection.state, "online");
    page.tab.kill();
  }
});

test("a connection that ends before its tab has it in hand has ended", async (t) => {
  const { cloud, blank } = setUp(t);
  const page = blank();
  const connecting = page.connect();
  page.connection.on("state", ({ state }) => state === "online" && cloud.revoke());
  await connecting;
  await until("it has ended", () => page.connection.state === "closed");
  assert.equal(page.connection.lastChange.code, "REVOKED");
  assert.equal(page.tabs.role, null);
});

for (const who of ["leader", "follower"] as const) {
  test(`to connect once more in a ${who} that was displaced contests`, async (t) => {
    const { cloud, open } = setUp(t);
    const pages = { leader: await open(), follower: await open() };
    cloud.displace();
    await until("both are displaced", () => Object.values(pages).every(({ connection }) => connection.state === "displaced"));
    const before = pages[who].connection;
    const { connects } = cloud;
    await pages[who].connect();
    assert.equal(cloud.connects, connects + 1);
    await until("all are back", () => [before, pages.leader.connection, pages.follower.connection].every(({ state }) => state === "online"));
    await settled(); // and the call for it is answered
  });
}

test("a call that a leader has taken and that cannot be made twice is made by nobody else when that dies", async (t) => {
  const { open } = setUp(t);
  const leader = await open();
  const follower = await open();
  leader.host.slow = new Promise(() => {});
  const sent = follower.tabs.call("sendToMe", [{}], { timeout: 60_000 });
  const listed = follower.tabs.call("listTopics", [], { timeout: 60_000 }) as Promise<{ by: string }>;
  sent.catch(() => {});
  await until("both are taken", () => leader.host.calls.length === 2);
  await settled();
  leader.tab.kill();
  await assert.rejects(sent, { code: "NETWORK", retryable: true });
  assert.equal((await listed).by, follower.tab.id, "what may be repeated is");
  assert.deepEqual(follower.host.calls.filter((call) => call !== "listTopics"), []);
});

test("what arrives while a leader that closes says goodbye is for the next one", async (t) => {
  const { cloud, open } = setUp(t);
  let leader = await open();
  for (let round = 0; round < 10; round++) {
    const next = await open();
    const ids = Array.from({ length: 3 }, () => cloud.push());
    await settled(round % 5);
    const closed = leader.connection.close();
    ids.push(cloud.push(), cloud.push());
    await closed;
    await until("the next one has all", () => next.got.at(-1) === ids.at(-1));
    await until("they are acknowledged", () => cloud.stored.length === 0);
    assert.deepEqual(next.got, ids, `round ${round}`);
    leader = next;
  }
});
