import assert from "node:assert/strict";
import { test } from "node:test";

import { handleNotificationClicks } from "../src/notify/entry.js";
import { fakeServiceWorker } from "./fakeplace.js";

test("a click puts a page of the scope in front", async (t) => {
  const { clients, opened, click } = fakeServiceWorker(t, ["https://a.example/other", "https://a.example/app/1", "https://a.example/app/2"]);
  const off = handleNotificationClicks();
  const mark = { kiiweb: { url: "https://a.example/app/inbox" }, data: { n: 1 } };
  assert.equal(await click(mark, "reply"), true);
  assert.deepEqual(clients.map(({ focused }) => focused), [false, true, false]);
  assert.deepEqual(clients[1]!.told, [{ kiiweb: "notificationclick", action: "reply", data: { n: 1 }, url: "https://a.example/app/inbox" }]);
  clients[1]!.gone = true;
  await click(mark);
  assert.equal(clients[2]!.told.length, 1);
  clients[2]!.gone = true;
  await click(mark);
  assert.deepEqual(opened, ["https://a.example/app/inbox"]);
  for (const other of [undefined, null, 1, "kiiweb", {}, { kiiweb: true }]) assert.equal(await click(other), false);
  off();
  assert.equal(await click(mark), false);
  assert.equal(opened.length, 1);
});

test("where no page is open a click opens one", async (t) => {
  const { opened, click } = fakeServiceWorker(t, []);
  handleNotificationClicks()();
  for (const url of [undefined, "home", new URL("https://a.example/x")]) {
    const off = handleNotificationClicks({ url });
    await click({ kiiweb: { url: undefined }, data: undefined });
    off();
  }
  assert.deepEqual(opened, ["https://a.example/app/", "https://a.example/app/home", "https://a.example/x"]);
  assert.throws(() => handleNotificationClicks({ url: "https://[" }), { code: "INVALID_ARGUMENT" });
});

test("a click opens and tells no page of somebody else's, whatever a notification carries", async (t) => {
  const { clients, opened, click } = fakeServiceWorker(t, ["https://a.example/app/"]);
  const off = handleNotificationClicks();
  for (const url of ["https://b.example/", "javascript:alert(1)", "blob:https://a.example/id", "http://a.example/app/", "//", 1, {}, null]) {
    await click({ kiiweb: { url }, data: "pushed" });
    assert.deepEqual(clients[0]!.told.pop(), { kiiweb: "notificationclick", action: "", data: "pushed", url: undefined });
  }
  clients[0]!.gone = true;
  await click({ kiiweb: { url: "https://b.example/" }, data: undefined });
  assert.deepEqual(opened, ["https://a.example/app/"]);
  off();
});

test("a click goes to a page of this worker's rather than to another app's within its scope, and to no frame", async (t) => {
  const { clients, click } = fakeServiceWorker(t, ["https://a.example/app/other/", "https://a.example/app/frame", "https://a.example/app/1", "https://a.example/app/2"]);
  const off = handleNotificationClicks();
  const told = async () => (await click({ kiiweb: {}, data: undefined }), clients.map(({ told }) => told.splice(0).length));
  clients[0]!.controlled = false;
  clients[1]!.frameType = "nested";
  assert.deepEqual(await told(), [0, 0, 1, 0]);
  clients[2]!.controlled = clients[3]!.controlled = false; // opened before the worker was there
  clients[0]!.gone = true;
  assert.deepEqual(await told(), [0, 0, 1, 0]);
  off();
});

test("elsewhere clicks cannot be handled", () => {
  assert.throws(() => handleNotificationClicks(), { code: "UNSUPPORTED" });
});
