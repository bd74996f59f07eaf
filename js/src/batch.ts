// Messages travel in batches: one buffer that begins with a table of eight int32 per
// message, and the topic names that are new. A Message is made of one row and reads
// the rest when it is asked to.

import type { Message, MessageProperties } from "../types/index.js";
import { decodeProperties } from "./properties.js";

/** How many columns the table has. Offsets in it count from the start of the buffer. */
export const columns = 8;
export const TOPIC = 0; // index of the topic's name
export const FLAGS = 1; // low four bits of the first byte of PUBLISH: DUP, QoS (two bits), RETAIN
export const PACKET_ID = 2;
export const OFFSET = 3;
const LENGTH = 4;
export const PROPS_OFFSET = 5;
const PROPS_LENGTH = 6;
export const NAME = 7; // offset of the topic's name, which its length, two bytes, precedes: it is to be known from now on; 0: it is

/** The one currency between all hosts. Its buffer can be transferred. */
export interface Batch {
  bytes: Uint8Array;
  /** It is lent for the call, and used again: who keeps a batch, or gives it away, takes a copy of it. */
  table: Int32Array;
  /** Names to be known from now on, the first as number firstTopic. */
  topics: string[];
  firstTopic: number;
  /** How many messages were dropped before it, because they were too large or, at QoS 0, too many waited, and the topics that the latter brought. */
  dropped?: number;
  names?: [number, string][];
  /** Nothing of it may be dropped: a repeat of one of its messages is to be acknowledged. */
  firm?: boolean;
}

/** Makes a batch of what Go hands over: a buffer of its own with the table of count messages in front. */
export function batchOf(bytes: Uint8Array, count: number, topics: string[], firstTopic: number, dropped?: number, firm?: boolean): Batch {
  const table = new Int32Array(bytes.buffer, bytes.byteOffset, count * columns);
  return { bytes, table, topics, firstTopic, ...(dropped && { dropped }), ...(firm && { firm }) };
}

/** Gives a batch of those of its messages whose rows begin in the table at rows; undefined where neither they nor what was dropped is there to be told. */
export function withRows(batch: Batch, rows: readonly number[]): Batch | undefined {
  if (rows.length === 0 && !batch.dropped) return undefined;
  const table = new Int32Array(rows.length * columns);
  rows.forEach((row, i) => table.set(batch.table.subarray(row, row + columns), i * columns));
  return { ...batch, table };
}

/** The raw properties of the message whose row begins in the table at row. */
export function propertiesAt({ bytes, table }: Batch, row: number): Uint8Array {
  const start = table[row + PROPS_OFFSET]!;
  return bytes.subarray(start, start + table[row + PROPS_LENGTH]!);
}

/** Makes the messages of one connection's batches. */
export class Decoder {
  readonly #topics: string[] = [];

  /** Gives take each message. None is kept, so that those that a handler does not keep are gone soon. */
  decode({ bytes, table, topics, firstTopic, names }: Batch, take: (message: Message) => void): void {
    const known = this.#topics;
    if (names) for (const [number, name] of names) known[number] = name;
    for (const name of topics) known[firstTopic++] = name;
    const { buffer, byteOffset } = bytes;
    const { length } = table; // a handler can give the buffer away, and with it a table that is in it; of a table of one row browsers make a buffer when it is asked for
    const list = (length > columns && table.buffer === buffer) || bringsNames(table) ? this.#learn(bytes, table) : undefined;
    for (let row = 0, n = 0; row < length; row += columns, n++) {
      take(new LazyMessage(list ? list[n]! : known[table[row + TOPIC]!]!, buffer, byteOffset, table, row));
    }
  }

  /** The topic of each message, for batches in which a number may come to mean another one, or that may be gone before they are through. */
  #learn(bytes: Uint8Array, table: Int32Array): string[] {
    const list: string[] = [];
    for (let row = 0; row < table.length; row += columns) {
      const at = table[row + NAME]!;
      const number = table[row + TOPIC]!; // -1: it is too long to be remembered, and comes each time
      const name = at ? nameAt(bytes, at) : this.#topics[number]!;
      if (number >= 0) this.#topics[number] = name;
      list.push(name);
    }
    return list;
  }
}

function bringsNames(table: Int32Array): boolean {
  for (let at = NAME; at < table.length; at += columns) if (table[at]) return true;
  return false;
}

const decoder = /* @__PURE__ */ new TextDecoder();
/** Of text as MQTT has it. */
export const nameDecoder = /* @__PURE__ */ new TextDecoder(undefined, { ignoreBOM: true }); // it is a character like any other [MQTT-1.5.4-3]

/** The name that a row brings, at its NAME. */
export function nameAt(bytes: Uint8Array, at: number): string {
  return nameDecoder.decode(bytes.subarray(at, at + ((bytes[at - 2]! << 8) | bytes[at - 1]!)));
}

/** Keeps the name that a row brings, if it is one to be known from now on. */
export function rememberName({ bytes, table }: Batch, row: number, names: Map<number, string>): void {
  const at = table[row + NAME]!;
  const number = table[row + TOPIC]!;
  if (at && number >= 0) names.set(number, nameAt(bytes, at));
}

/**
 * Has all that its row says: a table for each batch, kept as long as one of its messages is, takes a browser longer than the
 * message itself; how many words a message has makes no difference. A view of the buffer is made in half of the time that a part of a view takes.
 */
class LazyMessage implements Message {
  readonly topic: string;
  readonly #buffer: ArrayBufferLike;
  readonly #head: number; // packet identifier and flags
  readonly #start: number; // of the payload in the buffer
  readonly #length: number;
  readonly #propsStart: number;
  readonly #propsLength: number;
  #properties: MessageProperties | undefined;

  /** start is where the batch begins in buffer. */
  constructor(topic: string, buffer: ArrayBufferLike, start: number, table: Int32Array, row: number) {
    this.topic = topic;
    this.#buffer = buffer;
    this.#head = (table[row + PACKET_ID]! << 4) | table[row + FLAGS]!;
    this.#start = start + table[row + OFFSET]!;
    this.#length = table[row + LENGTH]!;
    this.#propsStart = start + table[row + PROPS_OFFSET]!;
    this.#propsLength = table[row + PROPS_LENGTH]!;
  }

  get bytes(): Uint8Array {
    return new Uint8Array(this.#buffer, this.#start, this.#length);
  }

  get qos(): 0 | 1 | 2 {
    return ((this.#head >> 1) & 3) as 0 | 1 | 2;
  }

  get retain(): boolean {
    return (this.#head & 1) !== 0;
  }

  get dup(): boolean {
    return (this.#head & 8) !== 0;
  }

  get packetId(): number {
    return this.#head >> 4;
  }

  get properties(): MessageProperties {
    return (this.#properties ??= decodeProperties(new Uint8Array(this.#buffer, this.#propsStart, this.#propsLength)));
  }

  text(): string {
    return decoder.decode(this.bytes);
  }

  json<T = unknown>(): T {
    return JSON.parse(this.text()) as T;
  }
}
