import assert from "node:assert/strict";
import { test } from "node:test";

import { disposed, KiiError } from "../src/errors.js";
import { decodeProperties } from "../src/properties.js";
import { share } from "../src/tabs/entry.js";
import { settled } from "./fakebrowser.js";
import { setUp, until } from "./tabpages.js";

const failure = (code: KiiError["code"], retryable = false) => new KiiError(code, { code, retryable, remedy: "r" });

test("what a broker sends before it answers SUBSCRIBE reaches all that are connecting", async (t) => {
  const { cloud, open } = setUp(t);
  cloud.eager = true;
  const ids = Array.from({ length: 3 }, () => cloud.push());
  const pages = await Promise.all([open(), open()]);
  await until("they are acknowledged", () => cloud.stored.length === 0);
  await settled();
  for (const { got } of pages) assert.deepEqual(got, ids);
});

test("a follower's message keeps its properties", async (t) => {
  const { cloud, open } = setUp(t);
  await open();
  const follower = await open();
  await follower.connection.publish("t", "x", { properties: { contentType: "a/b" } });
  const { rawProperties } = (cloud.published[0] as unknown[])[3] as { rawProperties?: unknown };
  assert.ok(rawProperties instanceof Uint8Array);
  assert.deepEqual([...rawProperties], [3, 0, 3, 97, 47, 98]);
});

test("a call ends by its timeout and signal while the leader itself cannot connect", async (t) => {
  const { open } = setUp(t);
  const leader = await open();
  const next = await open();
  next.host.broken = failure("NETWORK", true);
  leader.tab.kill();
  await until("the next one leads", () => next.connection.state === "waiting");
  await assert.rejects(next.connection.publish("t", "x", { timeout: 20 }), { code: "TIMEOUT" });
  await assert.rejects(next.connection.publish("t", "x", { signal: AbortSignal.timeout(20) }), { code: "ABORTED" });
});

for (const end of ["closed", "disposed of"]) {
  test(`a call that waits for who leads, or for the connection, ends when that is ${end}`, async (t) => {
    const { open } = setUp(t);
    const [leader, next, last] = [await open(), await open(), await open()];
    const ends = (page: typeof next) => void (end === "closed" ? page.connection.close() : page.tabs.end(disposed()));
    leader.tab.hang();
    const asked = next.connection.subscribe("x");
    await settled();
    ends(next);
    await assert.rejects(asked, { code: "CLOSED" });
    last.host.broken = failure("NETWORK", true);
    leader.tab.kill();
    await until("the last one leads", () => last.connection.state === "waiting");
    const made = last.connection.subscribe("x");
    await settled();
    ends(last);
    await assert.rejects(made, { code: "CLOSED" });
  });
}

test("a call of a connection that is closed meanwhile ends as closed, though the page has another connection", async (t) => {
  const { open } = setUp(t);
  const [leader, page] = [await open(), await open()];
  const first = page.connection;
  await page.connect();
  leader.tab.hang();
  const asked = first.subscribe("x");
  await settled();
  void first.close();
  leader.tab.kill();
  await assert.rejects(asked, { code: "CLOSED" });
});

for (const who of ["leader", "follower"] as const) {
  test(`a call that is aborted before its connection, a ${who}'s, is closed says that it was aborted`, async (t) => {
    const { open } = setUp(t);
    const pages = { leader: await open(), follower: await open() };
    const first = pages[who].connection;
    await pages[who].connect();
    pages.leader.host.slow = new Promise(() => {});
    for (const connection of [first, pages[who].connection]) {
      const given = new AbortController();
      const asked = connection.subscribe("x", { signal: given.signal });
      await settled();
      given.abort();
      connection.close({ timeout: 1 }).catch(() => {});
      await assert.rejects(asked, { code: "ABORTED" });
    }
  });
}

test("a call that a busy leader did not take in time is made once", async (t) => {
  const { cloud, open } = setUp(t);
  const leader = await open();
  const follower = await open();
  follower.tab.seen = false;
  leader.tab.hang();
  const published = follower.connection.publish("t", "x", { qos: 0 });
  const sent = follower.tabs.call("sendToMe", [{}], { timeout: 10_000 });
  assert.equal(((await sent) as { by: string }).by, follower.tab.id);
  await new Promise((resolve) => setTimeout(resolve, 500));
  leader.tab.goOn();
  await published;
  await settled();
  assert.deepEqual(leader.host.calls, []);
  assert.equal(cloud.published.length, 1);
});

test("a leader whose token has ended does not keep another tab from using its own", async (t) => {
  const { open } = setUp(t);
  const leader = await open();
  const follower = await open();
  leader.host.refused = failure("UNAUTHORIZED");
  assert.equal(((await follower.tabs.call("sendToMe", [{}], { timeout: 5000 })) as { by: string }).by, follower.tab.id);
  const other = await open();
  leader.host.refused = failure("FORBIDDEN");
  await assert.rejects(other.tabs.call("sendToMe", [{}], { timeout: 5000 }), { code: "FORBIDDEN" });
});

test("a connection that is closed while its page stands still leaves no lock behind", async (t) => {
  const { browser, open } = setUp(t);
  const page = await open();
  page.tab.freeze();
  await page.connection.close();
  page.tab.thaw();
  await settled();
  assert.equal(browser.holder("frozen"), undefined);
});

test("where all tabs lead for want of locks, what one hands on is no repeat for another", async (t) => {
  const { browser, cloud, open } = setUp(t);
  browser.forbidden = new Error("no locks here");
  const first = await open();
  cloud.push();
  await until("the first has it", () => first.got.length === 1);
  cloud.displace(); // before it is acknowledged
  const second = await open();
  await until("the second has it", () => second.got.length === 1);
  await settled();
  assert.deepEqual(first.got, ["p1"]);
});

test("a subscription stays when a second call for it is given up", async (t) => {
  const { cloud, open } = setUp(t);
  const leader = await open();
  const follower = await open();
  await follower.connection.subscribe("x");
  leader.host.slow = new Promise(() => {});
  await assert.rejects(follower.connection.subscribe("x", { signal: AbortSignal.timeout(20) }), { code: "ABORTED" });
  const id = cloud.push("x");
  await until("it has come", () => follower.got.length > 0);
  assert.deepEqual(follower.got, [id]);
});

test("a subscription is not lost because the next leader is displaced for a while", async (t) => {
  const { cloud, open } = setUp(t);
  const first = await open();
  const [, last] = [await open(), await open()];
  await last.connection.subscribe("kept/+");
  const { states } = last;
  states.length = 0;
  cloud.refusals.set("kept/+", failure("DISPLACED"));
  cloud.subscriptions.length = 0;
  first.tab.kill();
  await until("it was refused", () => cloud.refused > 0);
  cloud.refusals.clear();
  await until("it is renewed", () => cloud.subscriptions.length === 1);
  const id = cloud.push("kept/1");
  await until("what is kept comes", () => last.got.at(-1) === id);
  assert.deepEqual(states.filter((state) => state === "online").length, 1, states.join(" "));
});

test("a subscription that is refused after a hand-over is told to whose it is, and no other", async (t) => {
  const { cloud, open } = setUp(t);
  const first = await open();
  const [next, last] = [await open(), await open()];
  await next.connection.subscribe("mine/+", { qos: 2 });
  await last.connection.subscribe("kept/+", { qos: 0 });
  await last.connection.subscribe("lost/+");
  const told: unknown[][] = [];
  for (const [i, { connection }] of [next, last].entries()) {
    connection.on("state", ({ state, code, reason, error }) => code && told.push([i, state, code, reason, error?.code]));
  }
  cloud.refusals.set("lost/+", failure("FORBIDDEN"));
  cloud.refusals.set("kept/+", failure("RATE_LIMITED", true)); // the first time only
  cloud.subscriptions.length = 0;
  first.tab.kill();
  await until("both are renewed, and one is refused", () => cloud.subscriptions.length === 2 && told.length === 1);
  assert.deepEqual(told, [[1, "online", "FORBIDDEN", "not subscribed to lost/+ any more", "FORBIDDEN"]]);
  assert.deepEqual(cloud.subscriptions.sort(), [["kept/+", 0], ["mine/+", 2]]);
  cloud.push("lost/1");
  const kept = cloud.push("kept/1");
  await until("what is kept comes", () => last.got.length > 0);
  await settled();
  assert.deepEqual(last.got, [kept]);
  assert.deepEqual(next.got, []);
});

test("a leader that had been displaced renews its subscriptions when it takes the connection back", async (t) => {
  const { cloud, open } = setUp(t);
  const first = await open();
  const next = await open();
  await next.connection.subscribe("x");
  cloud.displace();
  await until("both know", () => next.connection.state === "displaced");
  first.tab.kill();
  await until("the next one leads", () => next.tabs.role === "leader");
  cloud.filters.clear();
  await next.connection.takeBack();
  await until("it is subscribed again", () => cloud.filters.has("x"));
});

test("a connection is taken back by who asks for it while nobody leads", async (t) => {
  const { cloud, open } = setUp(t);
  const first = await open();
  const next = await open();
  cloud.displace();
  await until("both know", () => next.connection.state === "displaced");
  next.tab.freeze();
  first.tab.kill();
  next.tab.thaw();
  await next.connection.takeBack({ timeout: 10_000 });
  await until("it is back", () => next.connection.state === "online");
});

test("filters end with the last tab that wants them, and come back with it", async (t) => {
  const { cloud, open } = setUp(t);
  await open();
  const [one, two] = [await open(), await open()];
  await one.connection.subscribe("one");
  await one.connection.subscribe("both");
  await two.connection.subscribe("both");
  one.tab.freeze(); // it gets what comes meanwhile when it goes on
  await settled();
  assert.deepEqual([...cloud.filters], ["one", "both"]);
  one.tab.thaw();
  await settled();
  one.tab.freeze(true);
  await until("it is gone", () => !cloud.filters.has("one"));
  await settled();
  assert.deepEqual([...cloud.filters], ["both"]);
  one.tab.thaw();
  await until("it is back", () => cloud.filters.has("one"));
  const id = cloud.push("one");
  await until("it hears", () => one.got.includes(id));
  await two.connection.close();
  await settled();
  assert.deepEqual([...cloud.filters].sort(), ["both", "one"]);
  await one.connection.close();
  await until("nobody wants any", () => cloud.filters.size === 0);
});

test("filters end with a tab that crashes, and with none whose page stands still", async (t) => {
  const { browser, cloud, open } = setUp(t);
  const leader = await open();
  const [one, two] = [await open(), await open()];
  await leader.connection.subscribe("leader's");
  for (const filter of ["one", "both"]) await one.connection.subscribe(filter);
  await two.connection.subscribe("both");
  two.tab.freeze();
  one.tab.kill();
  await until("it is gone", () => !cloud.filters.has("one"));
  await settled();
  assert.deepEqual([...cloud.filters], ["leader's", "both"]);
  two.tab.kill();
  await until("nobody wants it", () => !cloud.filters.has("both"));
  await leader.connection.close();
  await settled();
  assert.equal(browser.holder(""), undefined, "no lock is left");
});

test("a place in which tabs cannot meet says so with a KiiError", () => {
  const { BroadcastChannel: real, navigator } = globalThis;
  const denied = new DOMException("denied", "SecurityError");
  const set = (name: string, value: unknown) => Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  set("navigator", { locks: {} });
  set("BroadcastChannel", class {
    constructor() {
      throw denied;
    }
  });
  try {
    const client = { own: {} as never, decodeProperties, started: () => false, login: () => null, left: () => {} };
    assert.throws(() => share({ appID: "a", appKey: "k", site: "JP" }, client, { userID: "u", token: "t" }), (error: unknown) => {
      return error instanceof KiiError && error.code === "UNSUPPORTED" && error.cause === denied;
    });
  } finally {
    set("BroadcastChannel", real);
    set("navigator", navigator);
  }
});

test("what a browser lacks in which tabs cannot meet is named", () => {
  const { BroadcastChannel: real, navigator } = globalThis;
  const set = (name: string, value: unknown) => Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  const lacking = () => share({ appID: "a", appKey: "k", site: "JP" }, {} as never, { userID: "u", token: "t" });
  try {
    set("navigator", {});
    assert.throws(lacking, { code: "UNSUPPORTED", message: /Web Locks/, remedy: /https/ });
    set("navigator", { locks: {} });
    set("BroadcastChannel", undefined);
    assert.throws(lacking, { code: "UNSUPPORTED", message: /BroadcastChannel/, remedy: /browser/ });
  } finally {
    set("BroadcastChannel", real);
    set("navigator", navigator);
  }
});

test("a call that a busy leader did not take is not made as who has logged in since", async (t) => {
  const { open } = setUp(t);
  const leader = await open();
  const follower = await open();
  leader.tab.hang();
  const call = follower.tabs.call("sendToMe", [{}], { timeout: 10_000 });
  await settled();
  follower.login = { userID: "somebody else", token: "token" };
  await assert.rejects(call, { code: "NOT_LOGGED_IN" });
  assert.deepEqual(follower.host.calls, []);
});
