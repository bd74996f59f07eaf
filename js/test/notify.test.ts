import assert from "node:assert/strict";
import { test } from "node:test";

import { LiveConnection } from "../src/connection.js";
import { notifications } from "../src/notify/entry.js";
import { encodeProperties } from "../src/properties.js";
import type { KiiError } from "../types/index.js";
import type { NotifierOptions, NotifyPermission } from "../types/notify.js";
import { settled } from "./fakebrowser.js";
import { FakePlace } from "./fakeplace.js";
import { batch, plain } from "./messages.js";

const content: NotifierOptions["content"] = (m) => ({ title: m.text() });

/** A page with a notifier that watches a connection. */
async function watching(t: { after(end: () => unknown): void }, options: Partial<NotifierOptions> = {}, kii: { tabs: "leader" | "follower" | null } = { tabs: "leader" }) {
  const place = new FakePlace(t);
  const notifier = await notifications(kii, { content, ...options });
  const connection = new LiveConnection();
  const off = notifier.watch(connection);
  await settled();
  const arrives = async (...texts: string[]) => {
    connection.sink.batch(plain(...texts));
    await settled();
  };
  const titles = () => place.shown.map(({ title }) => title);
  return { place, notifier, connection, off, arrives, titles, kii };
}

test("what arrives in a hidden page is shown, in order, and only there", async (t) => {
  const { place, arrives, titles, notifier } = await watching(t);
  assert.equal(notifier.permission, "granted");
  assert.equal(notifier.reason, null);
  await arrives("seen");
  place.see(false);
  await arrives("one", "two");
  await arrives("three");
  place.see(true);
  await arrives("seen");
  assert.deepEqual(titles(), ["one", "two", "three"]);
  assert.deepEqual(place.reported, []);
});

test("nothing is shown while another page of the app is visible", async (t) => {
  const { place, arrives, titles } = await watching(t);
  place.see(false);
  const other = place.browser.tab();
  void other.locks.request("kiiweb.visible https://a.example/", { mode: "shared" }, () => new Promise(() => {}));
  await settled();
  await arrives("not shown");
  other.kill();
  await arrives("shown");
  void place.browser.tab().locks.request("kiiweb.visible https://a.example/another/", { mode: "shared" }, () => new Promise(() => {}));
  await settled();
  await arrives("shown, too");
  assert.deepEqual(titles(), ["shown", "shown, too"]);
});

test("a page holds its lock while it is visible, and not when it is put aside", async (t) => {
  const { place, notifier } = await watching(t);
  const held = async () => (await place.tab.locks.query()).held!.map(({ name }) => name);
  const name = ["kiiweb.visible https://a.example/"];
  assert.deepEqual(await held(), name);
  place.window.dispatchEvent(new Event("pagehide"));
  await settled();
  assert.deepEqual(await held(), []);
  place.window.dispatchEvent(new Event("pageshow"));
  place.see(true);
  await settled();
  assert.deepEqual(await held(), name, "once");
  place.see(false);
  await settled();
  assert.deepEqual(await held(), []);
  place.see(true);
  notifier.dispose(); // before it is granted
  await settled();
  assert.deepEqual(await held(), []);
  place.see(false);
  place.see(true);
  await settled();
  assert.deepEqual(await held(), []);
});

test("of tabs that share, the one that leads shows", async (t) => {
  const { place, kii, arrives, titles } = await watching(t, {}, { tabs: "follower" });
  place.see(false);
  await arrives("not here");
  kii.tabs = "leader";
  await arrives("here");
  kii.tabs = null; // tabs: false
  await arrives("here, too");
  assert.deepEqual(titles(), ["here", "here, too"]);
});

test("a push's id is the tag, unless the app has one", async (t) => {
  const { place, connection } = await watching(t, { content: (m) => (m.text() === "own" ? { title: "t", tag: "mine" } : { title: "t" }) });
  place.see(false);
  const properties = [...encodeProperties({ userProperties: [["pushMessageID", "id-1"]] })];
  connection.sink.batch(batch([{ payload: "a", properties }, { payload: "own", properties }, { payload: "b" }], ["topic"]));
  await settled();
  assert.deepEqual(place.shown.map(({ options }) => options.tag), ["id-1", "mine", undefined]);
});

test("what content gives is shown, with our mark", async (t) => {
  const { place, arrives } = await watching(t, { content: () => ({ title: "t", body: "b", url: "inbox?1", data: { n: [1] } }) });
  place.see(false);
  await arrives("x");
  assert.deepEqual(place.shown[0]!.options, { body: "b", data: { kiiweb: { url: "https://a.example/inbox?1" }, data: { n: [1] } } });
});

test("content that gives nothing shows nothing, and one that fails is told of", async (t) => {
  const broken = new Error("on purpose");
  const answers: Record<string, () => unknown> = {
    nothing: () => null,
    undefined: () => undefined,
    throws: () => {
      throw broken;
    },
    "no title": () => ({}),
    "a bad url": () => ({ title: "t", url: "https://[" }),
    "another's url": () => ({ title: "t", url: "https://b.example/inbox" }),
    "a script": () => ({ title: "t", url: "javascript:alert(1)" }),
    "a blob": () => ({ title: "t", url: "blob:https://a.example/id" }),
    good: () => ({ title: "good" }),
  };
  const { place, notifier, arrives, titles } = await watching(t, { content: (m) => answers[m.text()]!() as null });
  place.see(false);
  const errors: KiiError[] = [];
  const off = notifier.on("error", (error) => errors.push(error));
  await arrives("nothing", "undefined", "throws", "no title", "a bad url", "another's url", "a script", "a blob", "good");
  assert.deepEqual(titles(), ["good"]);
  assert.deepEqual(errors.map(({ code }) => code), Array(6).fill("INVALID_ARGUMENT"));
  assert.equal(errors[0]!.cause, broken);
  assert.deepEqual(place.reported, []);
  off();
  off();
  await arrives("throws");
  assert.equal(errors.length, 6);
  assert.equal(place.reported.length, 1, "without a listener it is reported");
});

test("a browser that refuses is told of, but not when the permission has gone", async (t) => {
  const { place, notifier, arrives } = await watching(t);
  const errors: KiiError[] = [];
  const permissions: NotifyPermission[] = [];
  notifier.on("error", (error) => errors.push(error));
  notifier.on("permission", (permission) => permissions.push(permission));
  place.see(false);
  place.failure = new TypeError("no");
  await arrives("x");
  assert.equal(errors.length, 1);
  assert.equal(errors[0]!.code, "UNSUPPORTED");
  assert.equal(errors[0]!.cause, place.failure);
  const show = place.registration.showNotification;
  place.registration.showNotification = (...args) => {
    place.Notification.permission = "denied"; // before the page hears of it
    return show(...args);
  };
  await arrives("x");
  assert.equal(errors.length, 1);
  assert.deepEqual(permissions, ["denied"]);
});

test("too many at once: the last are shown", async (t) => {
  const { place, arrives, titles } = await watching(t);
  place.see(false);
  await arrives(...Array.from({ length: 80 }, (_, i) => String(i)));
  assert.ok(titles().length <= 51);
  assert.equal(titles().at(-1), "79");
  assert.deepEqual(titles(), [...titles()].sort((a, b) => Number(a) - Number(b)));
});

test("permission is asked for when the app says so, and its changes are told", async (t) => {
  const place = new FakePlace(t);
  place.Notification.permission = "default";
  const notifier = await notifications({ tabs: null }, { content });
  const told: NotifyPermission[] = [];
  notifier.on("permission", (permission) => told.push(permission));
  await settled();
  assert.equal(notifier.permission, "default");
  assert.equal(notifier.reason?.code, "FORBIDDEN");
  assert.match(notifier.reason.remedy, /ask/);
  assert.equal(place.asked, 0);
  place.answer = "default"; // put away without an answer
  assert.equal(await notifier.ask(), "default");
  place.answer = "denied";
  assert.equal(await notifier.ask(), "denied");
  assert.match(notifier.reason!.remedy, /settings/);
  assert.equal(await notifier.ask(), "denied");
  assert.equal(place.asked, 2, "what is decided is not asked again");
  place.permit("granted");
  assert.equal(notifier.reason, null);
  assert.deepEqual(told, ["denied", "granted"]);
  place.Notification.requestPermission = () => new Promise(() => {});
  place.permit("default");
  await assert.rejects(notifier.ask({ timeout: 1 }), { code: "TIMEOUT" });
  await assert.rejects(notifier.ask({ signal: AbortSignal.abort() }), { code: "ABORTED" });
});

test("a place that cannot show anything says why", async (t) => {
  const lacks: [(place: FakePlace) => void, RegExp][] = [
    [() => Object.assign(globalThis, { isSecureContext: false }), /https/],
    [() => Object.assign(globalThis, { Notification: undefined }), /Home Screen/],
    [() => Object.assign(globalThis, { document: undefined }), /page/],
    [() => Reflect.deleteProperty(navigator, "serviceWorker"), /browser/],
    [() => Object.defineProperty(navigator, "serviceWorker", { get: () => { throw new DOMException("sandboxed", "SecurityError"); } }), /allow-same-origin/],
    [() => Reflect.deleteProperty(navigator, "locks"), /Web Locks/],
    [(place) => (place.serviceWorker.getRegistration = async () => undefined as never), /register/],
    [(place) => (place.serviceWorker.getRegistration = () => Promise.reject(new Error("no"))), /register/],
  ];
  for (const [lack, remedy] of lacks) {
    const place = new FakePlace(t);
    lack(place);
    const notifier = await notifications({ tabs: null }, { content });
    assert.equal(notifier.permission, "unsupported");
    assert.equal(notifier.reason?.code, "UNSUPPORTED");
    assert.match(notifier.reason.remedy, remedy);
    assert.equal(await notifier.ask(), "unsupported");
    const connection = new LiveConnection();
    notifier.watch(connection);
    connection.sink.batch(plain("x"));
    await settled();
    assert.deepEqual(place.shown, []);
    notifier.dispose();
  }
});

test("a service worker that is being installed is waited for", async (t) => {
  const { place, arrives, titles } = await watching(t);
  place.see(false);
  const worker = Object.assign(new EventTarget(), { state: "installing" });
  Object.assign(place.registration, { active: null, installing: worker });
  await arrives("one");
  worker.state = "installed";
  worker.dispatchEvent(new Event("statechange"));
  await settled();
  assert.deepEqual(titles(), []);
  place.registration.active = worker;
  worker.dispatchEvent(new Event("statechange"));
  await settled();
  assert.deepEqual(titles(), ["one"]);

  place.registration.active = null;
  worker.state = "installing";
  await arrives("two");
  worker.state = "redundant";
  worker.dispatchEvent(new Event("statechange"));
  await settled();
  assert.equal((place.reported[0] as KiiError).code, "UNSUPPORTED");
});

test("bad arguments reject, and a registration that does not come ends with the time", async (t) => {
  const place = new FakePlace(t);
  await assert.rejects(notifications(undefined as never, { content }), { code: "INVALID_ARGUMENT" });
  await assert.rejects(notifications({ tabs: null }, {} as never), { code: "INVALID_ARGUMENT" });
  await assert.rejects(notifications({ tabs: null }, undefined as never), { code: "INVALID_ARGUMENT" });
  await assert.rejects(notifications({ tabs: null }, { content, timeout: 0 }), { code: "INVALID_ARGUMENT" });
  await assert.rejects(notifications({ tabs: null }, { content, timeout: 5, registration: new Promise<never>(() => {}) }), { code: "TIMEOUT" });
  const notifier = await notifications({ tabs: null }, { content, registration: place.registration as never });
  assert.throws(() => notifier.on("shown" as never, () => {}), { code: "INVALID_ARGUMENT" });
  assert.throws(() => notifier.on("toString" as never, () => {}), { code: "INVALID_ARGUMENT" });
  assert.throws(() => notifier.on("click", 1 as never), { code: "INVALID_ARGUMENT" });
  assert.throws(() => notifier.watch({} as never), { code: "INVALID_ARGUMENT" });
});

test("what has ended shows and tells nothing", async (t) => {
  const { place, notifier, connection, off, arrives, titles } = await watching(t);
  place.see(false);
  assert.equal(notifier.watch(connection) instanceof Function, true);
  await arrives("once");
  assert.deepEqual(titles(), ["once"], "watched twice, shown once");
  off();
  off();
  await arrives("not watched");
  notifier.watch(connection);
  const told: unknown[] = [];
  notifier.on("click", (click) => told.push(click));
  notifier.on("permission", (permission) => told.push(permission));
  place.tell("not ours");
  place.tell({ kiiweb: "notificationclick", action: "a", data: 1, url: undefined });
  assert.deepEqual(told, [{ action: "a", data: 1, url: undefined }]);
  connection.sink.batch(plain("under way"));
  notifier.dispose();
  notifier.dispose();
  await settled();
  await arrives("after");
  place.tell({ kiiweb: "notificationclick", action: "", data: 1, url: undefined });
  place.permit("denied");
  assert.deepEqual(titles(), ["once"]);
  assert.equal(told.length, 1);
  assert.throws(() => notifier.watch(connection), { code: "CLOSED" });
  await assert.rejects(notifier.ask(), { code: "CLOSED" });
});

test("a connection that has ended is watched no more", async (t) => {
  const { place, notifier, connection } = await watching(t);
  let listeners = 0;
  const push = new LiveConnection();
  const on = push.on.bind(push);
  push.on = (event, listener) => {
    const off = on(event, listener);
    listeners++;
    return () => {
      listeners--;
      off();
    };
  };
  notifier.watch(push);
  assert.equal(listeners, 2);
  place.see(false);
  push.sink.batch(plain("last"));
  push.sink.state({ state: "closed", reason: "" });
  await settled();
  assert.equal(listeners, 0);
  notifier.watch(push)();
  assert.equal(listeners, 0);
  connection.sink.batch(plain("another"));
  await settled();
  assert.deepEqual(place.shown.map(({ title }) => title), ["last", "another"]);
});
