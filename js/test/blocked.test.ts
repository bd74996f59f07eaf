import assert from "node:assert/strict";
import { test } from "node:test";

import { connectionsOf, unlessBlocked } from "../src/blocked.js";
import type { CallOptions } from "../types/index.js";

/** The global object's events, which Node.js does not have. */
function withEvents(t: { after(end: () => unknown): void }) {
  const target = new EventTarget();
  const { addEventListener, removeEventListener } = globalThis;
  let listening = 0;
  Object.assign(globalThis, {
    addEventListener: (type: string, listener: () => void) => (listening++, target.addEventListener(type, listener)),
    removeEventListener: (type: string, listener: () => void) => (listening--, target.removeEventListener(type, listener)),
  });
  t.after(() => Object.assign(globalThis, { addEventListener, removeEventListener }));
  const violate = (blockedURI: string, effectiveDirective = "connect-src", disposition = "enforce") =>
    target.dispatchEvent(Object.assign(new Event("securitypolicyviolation"), { blockedURI, effectiveDirective, disposition }));
  return { violate, listening: () => listening };
}

const endpoint = { host: "broker.example", portWS: 12470, portWSS: 12473 };
const concerns = connectionsOf("https://api.example/api", endpoint);

test("what is blocked is told by the origin to allow", () => {
  assert.equal(concerns("https://api.example/api/oauth2/token"), "https://api.example");
  assert.equal(concerns("https://api.example"), "https://api.example");
  assert.equal(concerns("wss"), "wss://broker.example:12473");
  assert.equal(concerns("wss://broker.example:12473/mqtt"), "wss://broker.example:12473");
  assert.equal(concerns("ws"), "ws://broker.example:12470");
  for (const other of ["https://elsewhere.example/", "inline", "", "blob", "http://["]) assert.equal(concerns(other), undefined, other);
  assert.equal(connectionsOf("https://api.example/api")("wss"), undefined, "no connection is being made");
  assert.equal(connectionsOf(undefined)("https://api-jp.kii.com/api/x"), "https://api-jp.kii.com");
  assert.equal(connectionsOf(undefined)("https://api-jp.kii.com.example/"), undefined);
});

test("work that is blocked ends at once, and says who blocks it", async (t) => {
  const { violate, listening } = withEvents(t);
  let ended: AbortSignal | undefined;
  const work = ({ signal }: CallOptions) =>
    new Promise((_, reject) => (ended = signal)!.addEventListener("abort", () => reject({ code: "ABORTED" })));
  const call = unlessBlocked(concerns, { timeout: 5 }, work);
  violate("https://elsewhere.example/");
  violate("https://api.example/", "img-src");
  assert.equal(ended!.aborted, false);
  violate("wss");
  await assert.rejects(call, { code: "NETWORK", retryable: false, message: /connect-src/, remedy: /wss:\/\/broker\.example:12473/ });
  assert.equal(ended!.aborted, true);
  assert.equal(listening(), 0);
});

test("the event may come behind the failure", async (t) => {
  const { violate } = withEvents(t);
  const call = unlessBlocked(concerns, {}, async () => {
    setTimeout(() => violate("https://api.example/"));
    throw { code: "NETWORK" };
  });
  await assert.rejects(call, { message: /connect-src/ });
});

test("work under a policy that is on trial goes on", async (t) => {
  const { violate } = withEvents(t);
  const call = unlessBlocked(concerns, {}, async ({ signal }) => {
    violate("wss", "connect-src", "report");
    return signal!.aborted;
  });
  assert.equal(await call, false);
});

test("what is not blocked is left alone", async (t) => {
  const { listening } = withEvents(t);
  assert.equal(await unlessBlocked(concerns, { timeout: 5 }, async ({ timeout }) => timeout), 5);
  await assert.rejects(unlessBlocked(concerns, {}, async () => Promise.reject({ code: "NETWORK" })), (e: object) => !("message" in e));
  const controller = new AbortController();
  controller.abort("enough");
  const aborted = unlessBlocked(concerns, { signal: controller.signal }, async ({ signal }) => Promise.reject(signal!.reason));
  await assert.rejects(aborted, (reason: unknown) => reason === "enough");
  assert.equal(listening(), 0);
});
