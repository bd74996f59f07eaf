import assert from "node:assert/strict";
import { test } from "node:test";

import { Decoder } from "../src/batch.js";
import { batch, decoded } from "./messages.js";

test("a message reads its row", () => {
  const decoder = new Decoder();
  const [first, second] = decoded(
    decoder,
    batch(
      [
        { flags: 0b1010, packetId: 65535, payload: '{"text":"héllo"}', properties: [0x01, 1, 0x26, 0, 1, 107, 0, 1, 118] },
        { topic: 1, flags: 0b0101, payload: "" },
      ],
      ["a", "b/ç"],
    ),
  );
  assert.ok(first && second);
  assert.equal(first.topic, "a");
  assert.equal(first.text(), '{"text":"héllo"}');
  assert.deepEqual(first.json(), { text: "héllo" });
  assert.equal(first.bytes.length, 17);
  assert.deepEqual([first.qos, first.retain, first.dup, first.packetId], [1, false, true, 65535]);
  assert.deepEqual(first.properties, { payloadFormat: 1, userProperties: [["k", "v"]] });
  assert.equal(first.properties, first.properties, "decoded once");
  assert.equal(second.topic, "b/ç");
  assert.deepEqual([second.qos, second.retain, second.dup, second.packetId], [2, true, false, 0]);
  assert.equal(second.bytes.length, 0);
  assert.deepEqual(second.properties, {});
  assert.throws(() => second.json(), SyntaxError);
});

test("topics are remembered from batch to batch, and replaced where they begin again", () => {
  const decoder = new Decoder();
  const topicsOf = (b: ReturnType<typeof batch>) => decoded(decoder, b).map((m) => m.topic);
  const early = decoded(decoder, batch([{ payload: "" }], ["a", "b"]))[0]!;
  assert.deepEqual(topicsOf(batch([{ topic: 2, payload: "" }, { topic: 1, payload: "" }], ["c"], 2)), ["c", "b"]);
  assert.deepEqual(topicsOf(batch([{ payload: "" }], ["z"], 0)), ["z"]);
  assert.equal(early.topic, "a", "a message keeps its own");
});

test("a batch may begin anywhere in its buffer's memory and be empty", () => {
  assert.deepEqual(decoded(new Decoder(), batch([])), []);
});

test("a message of the short way brings the name of a new topic, which is taken as it is", () => {
  const decoder = new Decoder();
  const name = new TextEncoder().encode("\ufefft/ç");
  const bytes = new Uint8Array([0x30, 0, 0, name.length, ...name, 42]);
  const row = (topic: number, at: number) => Int32Array.of(topic, 0, 0, bytes.length - 1, 1, 0, 0, at);
  const read = (topic: number, at: number) => decoded(decoder, { bytes, table: row(topic, at), topics: [], firstTopic: 0 })[0]!;
  assert.equal(read(256, 4).topic, "\ufefft/ç");
  assert.equal(read(256, 0).topic, "\ufefft/ç", "remembered");
  assert.equal(read(-1, 4).topic, "\ufefft/ç", "too long to be remembered");
  assert.deepEqual([...read(256, 0).bytes], [42]);
});

/** What a handler does that hands a message's bytes to a worker. */
const giveAway = (bytes: Uint8Array) => structuredClone(bytes, { transfer: [bytes.buffer as ArrayBuffer] });

test("a handler that gives the buffer away takes no topics with it", () => {
  const decoder = new Decoder();
  const names = ["a", "b"].map((name) => new TextEncoder().encode(name)) as [Uint8Array, Uint8Array];
  const bytes = new Uint8Array([0, 1, ...names[0], 0, 1, ...names[1]]);
  const seen: string[] = [];
  const take = (message: { topic: string; bytes: Uint8Array }) => {
    seen.push(message.topic);
    if (seen.length === 1) giveAway(message.bytes);
  };
  decoder.decode({ bytes, table: Int32Array.of(256, 0, 0, 2, 1, 0, 0, 2, 257, 0, 0, 5, 1, 0, 0, 5), topics: [], firstTopic: 0 }, take);
  decoder.decode({ bytes: new Uint8Array(1), table: Int32Array.of(257, 0, 0, 0, 1, 0, 0, 0), topics: [], firstTopic: 0 }, take);
  assert.deepEqual(seen, ["a", "b", "b"]);
});

test("nor the messages behind it, where the table is in the same buffer", () => {
  const seen: unknown[] = [];
  new Decoder().decode(batch([{ payload: "1" }, { payload: "2" }], ["a"]), (message) => {
    seen.push(message.topic);
    if (seen.length === 1) giveAway(message.bytes);
    else assert.throws(() => message.bytes, TypeError);
  });
  assert.deepEqual(seen, ["a", "a"]);
});

test("a number can come to mean another topic within a batch", () => {
  const bytes = new Uint8Array([0, 1, 97, 0, 1, 98]);
  const rows = [256, 0, 0, 2, 1, 0, 0, 2, 256, 0, 0, 5, 1, 0, 0, 5, 256, 0, 0, 5, 1, 0, 0, 0];
  const topics = decoded(new Decoder(), { bytes, table: Int32Array.from(rows), topics: [], firstTopic: 0 }).map((m) => m.topic);
  assert.deepEqual(topics, ["a", "b", "b"]);
});
