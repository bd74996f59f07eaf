import assert from "node:assert/strict";
import { test } from "node:test";

import { KiiError } from "../src/errors.js";
import { packError, plain, unpackError } from "../src/workermessages.js";

const cross = (error: unknown) => unpackError(structuredClone(packError(error)));

test("an error is the same on the other side, with all its fields", () => {
  const fields = { code: "CONFLICT", retryable: false, remedy: "r", status: 409, kiiCode: "K", kiiMessage: "m", reasonCode: 5, retryAfter: 7 } as const;
  const error = cross(new KiiError("taken", fields)) as KiiError;
  assert.ok(error instanceof KiiError);
  assert.equal(error.message, "taken");
  assert.equal(error.name, "KiiError");
  assert.deepEqual({ ...error }, fields);
});

test("causes cross as what they are", () => {
  const root = new TypeError("Failed to fetch");
  const below = new KiiError("no network", { code: "NETWORK", retryable: true, remedy: "", cause: root });
  const error = cross(new KiiError("late", { code: "TIMEOUT", retryable: true, remedy: "", cause: below })) as KiiError;
  const network = error.cause as KiiError;
  assert.ok(network instanceof KiiError);
  assert.equal(network.code, "NETWORK");
  assert.ok(network.cause instanceof TypeError);
  assert.equal((network.cause as Error).message, "Failed to fetch");
});

test("what cannot be cloned crosses as text, and no chain of causes is endless", () => {
  const odd = cross(new KiiError("odd", { code: "CRASHED", retryable: true, remedy: "", cause: () => "a function" })) as KiiError;
  assert.match(String(odd.cause), /a function/);
  const fields = { code: "NETWORK" as const, retryable: true, remedy: "" };
  const loop = new KiiError("loop", fields) as KiiError & { cause?: unknown };
  loop.cause = loop;
  let depth = 0;
  for (let error = cross(loop) as KiiError | undefined; error; error = error.cause as KiiError) depth++;
  assert.equal(depth, 9);
});

test("what is no KiiError crosses, too", () => {
  assert.equal(cross(undefined), undefined);
  assert.equal((cross(new RangeError("r")) as Error).message, "r");
});

const same: [string, unknown][] = [
  ["text", "\ud800 ü"],
  ["a number", 2 ** 60],
  ["NaN", NaN],
  ["a big number", 10n],
  ["null", null],
  ["undefined", undefined],
  ["an object", { name: "news", userID: "me" }],
  ["an array", [1, { a: null }]],
];

for (const [name, value] of same) {
  test(`${name} crosses as it is`, () => assert.deepEqual(structuredClone(plain(value, [])), value));
}

test("an object crosses with what the program would read of it", () => {
  const reactive = new Proxy({ name: "news", fetchedAt: 5 }, {});
  assert.throws(() => structuredClone(reactive), { name: "DataCloneError" });
  assert.deepEqual(structuredClone(plain(reactive, [])), { name: "news", fetchedAt: 5 });
  const endpoint = { host: "h", portWS: undefined, connect: () => {} };
  assert.deepEqual(structuredClone(plain(endpoint, [])), { host: "h" });
  assert.deepEqual(plain({ data: { at: new Date(0) } }, []), { data: { at: "1970-01-01T00:00:00.000Z" } });
});

const cyclic: Record<string, unknown> = {};
cyclic.self = cyclic;
const { proxy: revoked, revoke } = Proxy.revocable({}, {});
revoke();
const unreadable: [string, unknown][] = [
  ["a function", () => {}],
  ["a symbol", Symbol("s")],
  ["a circle", cyclic],
  ["a revoked proxy", revoked],
  ["a big number in an object", { n: 1n }],
  ["a getter that throws", Object.defineProperty({}, "x", { enumerable: true, get: () => { throw null; } })],
];

for (const [name, value] of unreadable) {
  test(`${name} is refused`, () => {
    assert.throws(() => plain(value, []), { name: "KiiError", code: "INVALID_ARGUMENT", message: /^An argument (is a|cannot)/ });
    assert.throws(() => plain(value, [], "options"), { message: /^options (is a|cannot)/ });
  });
}

test("bytes are copied, and no more of them than tell that they are too many", () => {
  const all = new Uint8Array([1, 2, 3, 4]);
  for (const bytes of [all.subarray(1, 3), all.slice(1, 3).buffer, new (class extends Uint8Array { override slice() { return this.subarray(); } })([2, 3])]) {
    const transfer: ArrayBuffer[] = [];
    const crossed = structuredClone(plain(bytes, transfer), { transfer });
    assert.deepEqual([...(crossed as Uint8Array)], [2, 3]);
    assert.equal(transfer[0]!.byteLength, 0, "transferred");
    assert.equal(bytes.byteLength, 2, "the caller keeps its own");
  }
  assert.equal((plain(new Uint8Array(18 << 20), []) as Uint8Array).length, (16 << 20) + 1);
  assert.equal((plain(new ArrayBuffer(18 << 20), []) as Uint8Array).length, (16 << 20) + 1);
});
