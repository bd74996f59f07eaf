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
  table: Int32Array;
  /** Names to be known from now on, the first as number firstTopic. */
  topics: string[];
  firstTopic: number;
  /** How many messages at QoS 0 were dropped before it, because too many waited, and the topics that they brought. */
  dropped?: number;
  names?: [number, string][];
}

/** Makes a batch of what Go hands over: a buffer of its own with the table of count messages in front. */
export function batchOf(bytes: Uint8Array, count: number, topics: string[], firstTopic: number): Batch {
  return { bytes, table: new Int32Array(bytes.buffer, bytes.byteOffset, count * columns), topics, firstTopic };
}

/** Gives a batch of those of its messages whose rows begin in the table at rows. */
export function withRows(batch: Batch, rows: readonly number[]): Batch {
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
    names?.forEach(([number, name]) => (known[number] = name));
    topics.forEach((name, i) => (known[firstTopic + i] = name));
    const source = { buffer: bytes.buffer, start: bytes.byteOffset, table };
    const { length } = table; // a handler can give the buffer away, and with it a table that is in it; of a table of one row browsers make a buffer when it is asked for
    const list = (length > columns && table.buffer === bytes.buffer) || bringsNames(table) ? this.#learn(bytes, table) : undefined;
    for (let row = 0, n = 0; row < length; row += columns, n++) {
      take(new LazyMessage(list ? list[n]! : known[table[row + TOPIC]!]!, source, row));
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

const decoder = new TextDecoder();
const nameDecoder = new TextDecoder(undefined, { ignoreBOM: true }); // it is a character like any other [MQTT-1.5.4-3]

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

/** What the messages of a batch have in common. A view of the buffer is made in half of the time that a part of a view takes. */
interface Source {
  readonly buffer: ArrayBufferLike;
  readonly start: number; // of the batch in it
  readonly table: Int32Array;
}

class LazyMessage implements Message {
  readonly topic: string;
  readonly #source: Source;
  readonly #row: number;
  #properties: MessageProperties | undefined;

  constructor(topic: string, source: Source, row: number) {
    this.topic = topic;
    this.#source = source;
    this.#row = row;
  }

  get bytes(): Uint8Array {
    return this.#slice(OFFSET, LENGTH);
  }

  get qos(): 0 | 1 | 2 {
    return ((this.#cell(FLAGS) >> 1) & 3) as 0 | 1 | 2;
  }

  get retain(): boolean {
    return (this.#cell(FLAGS) & 1) !== 0;
  }

  get dup(): boolean {
    return (this.#cell(FLAGS) & 8) !== 0;
  }

  get packetId(): number {
    return this.#cell(PACKET_ID);
  }

  get properties(): MessageProperties {
    return (this.#properties ??= decodeProperties(this.#slice(PROPS_OFFSET, PROPS_LENGTH)));
  }

  text(): string {
    return decoder.decode(this.bytes);
  }

  json<T = unknown>(): T {
    return JSON.parse(this.text()) as T;
  }

  #cell(column: number): number {
    return this.#source.table[this.#row + column]!;
  }

  #slice(offset: number, length: number): Uint8Array {
    const { buffer, start, table } = this.#source;
    return new Uint8Array(buffer, start + table[this.#row + offset]!, table[this.#row + length]!);
  }
}
