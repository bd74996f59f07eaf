import assert from "node:assert/strict";
import { test } from "node:test";

import { Clock } from "../src/calls.js";

const never = new Promise<never>(() => {});

test("all waits of a call have its timeout together", async (t) => {
  const { now } = performance;
  t.after(() => Object.assign(performance, { now }));
  const clock = new Clock({ timeout: 60_000 });
  assert.equal(await clock.bound(Promise.resolve(1)), 1);
  performance.now = () => now.call(performance) + 59_990;
  let watch: ReturnType<typeof setTimeout> | undefined;
  const whole = new Promise((_, reject) => (watch = setTimeout(() => reject(new Error("it waited for the whole timeout once more")), 30_000)));
  await assert.rejects(Promise.race([clock.bound(never), whole]), { code: "TIMEOUT" });
  clearTimeout(watch);
  performance.now = () => now.call(performance) + 90_000;
  await assert.rejects(clock.bound(never), { code: "TIMEOUT" });
  assert.equal(await clock.bound(Promise.resolve(2)), 2, "what is there is taken");
  assert.equal(clock.rest().timeout, 1);
});

test("a call without a timeout waits until its signal, and as long as it takes", async () => {
  const stop = new AbortController();
  const clock = new Clock({ signal: stop.signal });
  assert.equal(await clock.bound(Promise.resolve(1)), 1);
  const waiting = clock.bound(never);
  stop.abort("enough");
  await assert.rejects(waiting, { code: "ABORTED", cause: "enough" });
  await assert.rejects(clock.bound(never), { code: "ABORTED" });
  assert.equal(await new Clock({}).bound(Promise.resolve(2)), 2);
});
