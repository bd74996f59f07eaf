import assert from "node:assert/strict";
import { test } from "node:test";

import { watchSignals } from "../src/signals.js";

/** Puts a page's event targets in place, until t ends, and a connection that notes what it is told. */
function page(t: { after(end: () => unknown): void }) {
  const window = new EventTarget();
  const document = Object.assign(new EventTarget(), { visibilityState: "visible" });
  const global = globalThis as Record<string, unknown>;
  const names = { addEventListener: window.addEventListener.bind(window), removeEventListener: window.removeEventListener.bind(window), document };
  Object.assign(global, names);
  t.after(() => Object.keys(names).forEach((name) => delete global[name]));
  const told: string[] = [];
  const end = watchSignals({
    wake: (cause) => void told.push(`wake ${cause}`),
    close: async () => void told.push("close"),
  });
  const transition = (type: string, persisted: boolean) => window.dispatchEvent(Object.assign(new Event(type), { persisted }));
  return { window, document, told, end, transition };
}

test("what brings a page or its network back wakes the connection", (t) => {
  const { window, document, told, transition } = page(t);
  window.dispatchEvent(new Event("online"));
  transition("pageshow", true);
  document.dispatchEvent(new Event("resume"));
  document.dispatchEvent(new Event("visibilitychange"));
  assert.deepEqual(told, ["wake online", "wake pageshow", "wake resume", "wake visibilitychange"]);
});

test("what hides a page, or begins it, does not", (t) => {
  const { document, told, transition } = page(t);
  document.visibilityState = "hidden";
  document.dispatchEvent(new Event("visibilitychange"));
  transition("pageshow", false);
  transition("pagehide", true);
  assert.deepEqual(told, []);
});

test("a page that goes for good closes", (t) => {
  const { told, transition } = page(t);
  transition("pagehide", false);
  assert.deepEqual(told, ["close"]);
});

test("nothing is told once the watch has ended", (t) => {
  const { window, document, told, end, transition } = page(t);
  end();
  window.dispatchEvent(new Event("online"));
  document.dispatchEvent(new Event("resume"));
  transition("pagehide", false);
  assert.deepEqual(told, []);
});
