import assert from "node:assert/strict";
import { test } from "node:test";

import { decodeProperties, encodeProperties } from "../src/properties.js";

const text = (s: string) => {
  const bytes = [...new TextEncoder().encode(s)];
  return [bytes.length >> 8, bytes.length & 255, ...bytes];
};

const cases: { name: string; raw: number[]; want: object }[] = [
  { name: "none", raw: [], want: {} },
  { name: "payload format", raw: [0x01, 1], want: { payloadFormat: 1 } },
  { name: "message expiry", raw: [0x02, 0xff, 0xff, 0xff, 0xff], want: { messageExpiry: 4294967295 } },
  { name: "content type", raw: [0x03, ...text("a/b")], want: { contentType: "a/b" } },
  { name: "response topic", raw: [0x08, ...text("r")], want: { responseTopic: "r" } },
  { name: "correlation data", raw: [0x09, 0, 2, 0, 255], want: { correlationData: new Uint8Array([0, 255]) } },
  { name: "subscription ids", raw: [0x0b, 1, 0x0b, 0xff, 0xff, 0xff, 0x7f], want: { subscriptionIDs: [1, 268435455] } },
  { name: "topic alias is passed over", raw: [0x23, 0, 9, 0x01, 0], want: { payloadFormat: 0 } },
  { name: "U+FEFF is a character", raw: [0x03, ...text("\u{feff}a")], want: { contentType: "\u{feff}a" } },
  {
    name: "user properties keep their order and repeats",
    raw: [0x26, ...text("k"), ...text("2"), 0x01, 0, 0x26, ...text("k"), ...text("é")],
    want: { payloadFormat: 0, userProperties: [["k", "2"], ["k", "é"]] },
  },
];

for (const { name, raw, want } of cases) {
  test(`properties: ${name}`, () => assert.deepEqual(decodeProperties(new Uint8Array(raw)), want));
}

for (const raw of [[0x02, 1], [0x26, 0, 5, 65], [0x0b, 0x80], [0x11, 0]]) {
  test(`properties that end early or do not belong: ${raw.join(" ")}`, () => {
    assert.throws(() => decodeProperties(new Uint8Array(raw)), RangeError);
  });
}

test("properties are read within their own bytes, not their buffer", () => {
  const buffer = new Uint8Array([9, 9, 0x03, 0, 1, 65, 9]);
  assert.deepEqual(decodeProperties(buffer.subarray(2, 6)), { contentType: "A" });
  assert.throws(() => decodeProperties(buffer.subarray(2, 5)), RangeError);
});

test("what is encoded is decoded", () => {
  const properties = {
    payloadFormat: 1,
    messageExpiry: 4294967295,
    contentType: "a/b",
    responseTopic: "r",
    correlationData: new Uint8Array([0, 255]),
    userProperties: [["k", "2"], ["k", "é"]] as [string, string][],
  };
  assert.deepEqual(decodeProperties(encodeProperties(properties)), properties);
  assert.deepEqual(encodeProperties({}), new Uint8Array());
  assert.deepEqual(encodeProperties({ contentType: undefined, subscriptionIDs: [1] } as object), new Uint8Array());
});

test("properties whose parts throw are refused", () => {
  const { proxy: revoked, revoke } = Proxy.revocable([], {});
  revoke();
  const pair = new Proxy(["a", "b"], { get: () => { throw new TypeError("mine"); } });
  for (const userProperties of [revoked, [revoked], [pair]]) {
    assert.throws(() => encodeProperties({ userProperties } as object), { code: "INVALID_ARGUMENT", message: "options.properties cannot be read." });
  }
});

const unusable: object[] = [
  { payloadFormat: 256 }, { payloadFormat: "1" }, { messageExpiry: -1 }, { messageExpiry: 1.5 }, { messageExpiry: 2 ** 32 },
  { contentType: 5 }, { responseTopic: null }, { contentType: "x".repeat(65536) }, { correlationData: [1] },
  { correlationData: new Uint8Array(65536) }, { userProperties: { k: "v" } }, { userProperties: [["k"]] }, { userProperties: [["k", 1]] },
  { userProperties: ["kv"] },
];
for (const properties of unusable) {
  test(`properties that cannot be sent: ${JSON.stringify(properties).slice(0, 60)}`, () => {
    assert.throws(() => encodeProperties(properties), { code: "INVALID_ARGUMENT", message: new RegExp(Object.keys(properties)[0]!) });
  });
}
