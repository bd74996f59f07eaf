// Makes batches as the Go side does.

import { batchOf, type Batch, type Decoder } from "../src/batch.js";
import type { Message } from "../types/index.js";

export interface Sent {
  topic?: number;
  flags?: number;
  packetId?: number;
  payload: string;
  properties?: number[];
}

/** One batch of messages; topics are the names that are new, from number first on. */
export function batch(sent: Sent[], topics: string[] = [], first = 0): Batch {
  const parts = sent.map(({ payload, properties = [] }) => [new TextEncoder().encode(payload), new Uint8Array(properties)] as const);
  const size = parts.reduce((sum, [p, q]) => sum + p.length + q.length, sent.length * 32);
  const bytes = new Uint8Array(size);
  const table = new Int32Array(bytes.buffer, 0, sent.length * 8);
  let at = sent.length * 32;
  sent.forEach(({ topic = 0, flags = 0, packetId = 0 }, i) => {
    const [payload, properties] = parts[i]!;
    table.set([topic, flags, packetId, at, payload.length, at + payload.length, properties.length, 0], i * 8);
    bytes.set(payload, at);
    bytes.set(properties, at + payload.length);
    at += payload.length + properties.length;
  });
  return batchOf(bytes, sent.length, topics, first);
}

/** A batch of plain messages on one topic. */
export function plain(...payloads: string[]): Batch {
  return batch(payloads.map((payload) => ({ payload })), ["topic"]);
}

/** The messages of a batch. */
export function decoded(decoder: Decoder, batch: Batch): Message[] {
  const messages: Message[] = [];
  decoder.decode(batch, (message) => messages.push(message));
  return messages;
}
