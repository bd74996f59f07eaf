import assert from "node:assert/strict";
import { test } from "node:test";
import { runInNewContext } from "node:vm";

import { ownBytes } from "../src/bytes.js";

const elsewhere = (code: string) => runInNewContext(code);

test("bytes of this realm, and what is none, are passed on as they are", () => {
  for (const value of [new Uint8Array(2), new ArrayBuffer(2), "text", 5, null, undefined, {}, [1]]) assert.equal(ownBytes("payload", value), value);
});

test("bytes of another realm become this one's, without a copy", () => {
  const theirs = elsewhere("new Uint8Array([0, 1, 2, 3]).subarray(1, 3)") as { buffer: unknown };
  assert.equal(theirs instanceof Uint8Array, false);
  const ours = ownBytes("payload", theirs) as Uint8Array;
  assert.ok(ours instanceof Uint8Array);
  assert.deepEqual([...ours], [1, 2]);
  assert.equal(ours.buffer, theirs.buffer);
  const whole = ownBytes("payload", elsewhere("new Uint8Array([4, 5]).buffer"));
  assert.ok(whole instanceof Uint8Array);
  assert.deepEqual([...whole], [4, 5]);
});

test("other views are no bytes, and nobody reads them one by one", () => {
  for (const value of [new Float64Array(2), new DataView(new ArrayBuffer(2)), elsewhere("new Int8Array(2)")]) assert.equal(ownBytes("payload", value), null);
});

test("what only says that it is bytes, or cannot be asked, is refused by its name", () => {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke(); // then instanceof throws
  const liar = { get [Symbol.toStringTag]() { throw new Error("no"); } };
  for (const value of [proxy, liar, { [Symbol.toStringTag]: "ArrayBuffer" }] as unknown[]) {
    assert.throws(() => ownBytes("payload", value), { code: "INVALID_ARGUMENT", message: "payload cannot be read." });
  }
});
