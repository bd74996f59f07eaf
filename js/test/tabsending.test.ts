// Messages that tabs publish many at once.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Clock } from "../src/calls.js";
import { KiiError } from "../src/errors.js";
import type { Link } from "../src/host.js";
import { Publisher } from "../src/publisher.js";
import { readStaged, runsOf } from "../src/staged.js";
import { Passed } from "../src/tabs/asks.js";
import { Dispatch } from "../src/tabs/dispatch.js";
import { settled } from "./fakebrowser.js";
import { setUp, until, type Page } from "./tabpages.js";

const publish = (page: Page, count: number, options = {}) => Promise.allSettled(Array.from({ length: count }, (_, i) => page.connection.publish("x", `${i}`, options)));
const payloads = (published: unknown[]) => published.map((one) => (one as unknown[])[2]);

for (const who of ["a follower", "the leader"]) {
  test(`what ${who} publishes in one turn goes in one call, in order`, async (t) => {
    const { browser, cloud, open } = setUp(t);
    const leader = await open();
    const follower = await open();
    const page = who === "the leader" ? leader : follower;
    const before = browser.delivered;
    const sent = publish(page, 100);
    const subscribed = page.connection.subscribe("behind");
    assert.ok((await sent).every(({ status }) => status === "fulfilled"));
    await subscribed;
    assert.deepEqual(payloads(cloud.published), Array.from({ length: 100 }, (_, i) => `${i}`));
    assert.deepEqual(leader.host.sends, [100]);
    assert.equal(follower.host.started, false);
    if (page === follower) assert.ok(browser.delivered - before < 10, `${browser.delivered - before} messages between tabs`);
  });
}

test("one message that is refused is told to who published it, and the others are sent", async (t) => {
  const { cloud, open } = setUp(t);
  await open();
  const follower = await open();
  cloud.refusals.set("no", new KiiError("no", { code: "FORBIDDEN", retryable: false, remedy: "r", reasonCode: 0x87 }));
  const results = await Promise.allSettled(["a", "no", "b"].map((topic) => follower.connection.publish(topic, "1")));
  assert.deepEqual(results.map(({ status }) => status), ["fulfilled", "rejected", "fulfilled"]);
  const error = (results[1] as PromiseRejectedResult).reason as KiiError;
  assert.ok(error instanceof KiiError);
  assert.deepEqual([error.code, error.reasonCode], ["FORBIDDEN", 0x87]);
});

test("what a leader had not sent when it died is sent by the next, if it may be sent twice", async (t) => {
  const { cloud, open } = setUp(t);
  const leader = await open();
  const [next, last] = [await open(), await open()];
  leader.host.slow = new Promise(() => {});
  const again = publish(last, 10);
  const once = publish(last, 3, { qos: 0 });
  await until("the leader has both", () => leader.host.sends.length === 2);
  await settled(); // its word that it has is out
  leader.tab.kill();
  await until("the next one leads", () => next.tabs.role === "leader");
  const codes = (await once).map((result) => result.status === "rejected" && (result.reason as KiiError).code);
  assert.deepEqual(codes, ["NETWORK", "NETWORK", "NETWORK"]);
  assert.ok((await again).every(({ status }) => status === "fulfilled"));
  assert.deepEqual(payloads(cloud.published), Array.from({ length: 10 }, (_, i) => `${i}`));
});

test("what a leader that is robbed or frozen has in hand goes on with the next one", async (t) => {
  const { cloud, open } = setUp(t);
  const leader = await open();
  const next = await open();
  leader.host.slow = new Promise(() => {});
  const sent = publish(leader, 5);
  await until("it is under way", () => leader.host.sends.length === 1);
  leader.tab.freeze();
  await until("the next one leads", () => next.tabs.role === "leader" && next.connection.state === "online");
  leader.tab.thaw();
  assert.ok((await sent).every(({ status }) => status === "fulfilled"));
  assert.deepEqual(next.host.sends, [5]);
  assert.equal(cloud.published.length, 5);
});

test("what nobody answers ends in time, and is forgotten by who would send it", async () => {
  const sent: [number, number][] = [];
  const forgotten: number[] = [];
  const sender = { send: (bytes: Uint8Array, first: number) => void sent.push([first, readStaged(bytes).length]), forget: (ticket: number) => void forgotten.push(ticket) };
  const link: Link = { call: async () => {}, wake: () => {}, sender };
  const dispatch = new Dispatch();
  const staged = Uint8Array.from([1, 0, 1, 0, 0, 0, 0, 97, 1, 0, 1, 0, 0, 0, 0, 98]);
  const late = dispatch.send(link, staged, 2, new Clock({ timeout: 10 }));
  const fine = dispatch.send(link, staged, 2, new Clock({ timeout: 10_000 }));
  dispatch.sent(Int32Array.of(2, 4));
  dispatch.sent(Int32Array.of(3), new KiiError("no", { code: "FORBIDDEN", retryable: false, remedy: "r" }));
  assert.deepEqual((await fine).map(([place]) => place), [0]);
  await assert.rejects(late, { code: "TIMEOUT" });
  assert.deepEqual(sent, [[1, 2], [3, 2]]);
  assert.deepEqual(forgotten, [1]);
  dispatch.sent(Int32Array.of(1)); // too late
  const passed = assert.rejects(dispatch.send(link, staged, 2, new Clock({})), Passed);
  dispatch.end();
  await passed;
});

test("what is staged is read as it was written", () => {
  const staged: Uint8Array[] = [];
  const publisher = new Publisher({ send: (bytes) => void staged.push(bytes.slice()), forget: () => {} });
  for (const [topic, payload, options] of [
    ["a/\u{feff}ç", "héllo", {}], ["\u{feff}", new Uint8Array([1, 2]), { qos: 0 }], ["", "", { retain: true }],
  ] as const) publisher.publish(topic, payload, options)!.catch(() => {});
  publisher.flush();
  publisher.end(new KiiError("end", { code: "CLOSED", retryable: false, remedy: "r" }));
  assert.deepEqual(
    readStaged(staged[0]!).map(({ payload, ...rest }) => ({ ...rest, payload: [...payload] })),
    [
      { topic: "a/\u{feff}ç", qos: 1, retain: false, payload: [...new TextEncoder().encode("héllo")] },
      { topic: "\u{feff}", qos: 0, retain: false, payload: [1, 2] },
      { topic: "", qos: 1, retain: true, payload: [] },
    ],
  );
  assert.deepEqual(runsOf(staged[0]!).map(({ count, again }) => [count, again]), [[1, true], [1, false], [1, true]]);
});
