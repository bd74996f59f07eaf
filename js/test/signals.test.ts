import assert from "node:assert/strict";
import { test } from "node:test";

import { SignalWatch } from "../src/signals.js";

/** Puts a page's event targets in place, until t ends, and a watch that notes what it tells. */
function page(t: { after(end: () => unknown): void }) {
  const window = new EventTarget();
  const document = Object.assign(new EventTarget(), { visibilityState: "visible" });
  const global = globalThis as Record<string, unknown>;
  const names = { addEventListener: window.addEventListener.bind(window), removeEventListener: window.removeEventListener.bind(window), document };
  Object.assign(global, names);
  t.after(() => Object.keys(names).forEach((name) => delete global[name]));
  const told: string[] = [];
  const watch = new SignalWatch((signal, cause) => void told.push(`${signal} ${cause}`));
  const end = watch.hold();
  const transition = (type: string, persisted: boolean) => window.dispatchEvent(Object.assign(new Event(type), { persisted }));
  return { window, document, told, watch, end, transition };
}

test("what brings a page or its network back wakes", (t) => {
  const { window, document, told, transition } = page(t);
  window.dispatchEvent(new Event("online"));
  transition("pageshow", true);
  document.dispatchEvent(new Event("resume"));
  document.dispatchEvent(new Event("visibilitychange"));
  assert.deepEqual(told, ["wake online", "wake pageshow", "wake resume", "wake visibilitychange"]);
});

test("a network that goes away has connections looked at", (t) => {
  const { window, told } = page(t);
  window.dispatchEvent(new Event("offline"));
  assert.deepEqual(told, ["wake offline"]);
});

test("what hides a page, or begins it, does not", (t) => {
  const { document, told, transition } = page(t);
  document.visibilityState = "hidden";
  document.dispatchEvent(new Event("visibilitychange"));
  transition("pageshow", false);
  assert.deepEqual(told, []);
});

test("a page that goes, for good or not, pauses", (t) => {
  const { document, told, transition } = page(t);
  transition("pagehide", false);
  transition("pagehide", true);
  document.dispatchEvent(new Event("freeze"));
  assert.deepEqual(told, ["pause pagehide", "pause pagehide", "pause freeze"]);
});

test("the watch is one, and lasts as long as somebody holds it", (t) => {
  const { window, told, watch, end } = page(t);
  const second = watch.hold();
  window.dispatchEvent(new Event("online"));
  assert.deepEqual(told, ["wake online"], "told once");
  end();
  end();
  window.dispatchEvent(new Event("online"));
  assert.equal(told.length, 2);
  second();
  window.dispatchEvent(new Event("online"));
  assert.equal(told.length, 2);
  watch.hold();
  window.dispatchEvent(new Event("online"));
  assert.equal(told.length, 3);
});

test("nothing is told once the watch has ended", (t) => {
  const { window, document, told, end, transition } = page(t);
  end();
  window.dispatchEvent(new Event("online"));
  document.dispatchEvent(new Event("resume"));
  transition("pagehide", false);
  assert.deepEqual(told, []);
});
