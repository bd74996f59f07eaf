import assert from "node:assert/strict";
import { test } from "node:test";

import { crashed } from "../src/errors.js";
import { Renewal } from "../src/tabs/renewal.js";

test("the wait for another attempt ends with the leader, and leaves no timer", async (t) => {
  const { setTimeout: set, clearTimeout: clear } = globalThis;
  const timers = new Set<unknown>();
  t.after(() => Object.assign(globalThis, { setTimeout: set, clearTimeout: clear }));
  Object.assign(globalThis, {
    setTimeout: (work: () => void) => {
      const timer = { work };
      timers.add(timer);
      return timer;
    },
    clearTimeout: (timer: unknown) => timers.delete(timer),
  });
  let attempts = 0;
  const renewal = new Renewal({ filters: new Map([["a/+", {}]]), wants: () => true, lose: () => assert.ok(false) }, async () => {
    attempts++;
    throw crashed("it is tried again");
  });
  const turn = () => new Promise((resolve) => set(resolve));
  renewal.begin();
  await turn();
  assert.equal(attempts, 1);
  assert.equal(timers.size, 1);
  renewal.end();
  assert.equal(timers.size, 0);
  await turn();
  assert.equal(attempts, 1);
  renewal.begin(); // the next leader
  renewal.begin(); // and the one behind it
  await turn();
  assert.equal(timers.size, 1);
  renewal.end();
  assert.equal(timers.size, 0);
});
