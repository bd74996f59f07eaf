// Reads the properties of a PUBLISH (MQTT 5, 3.3.2.3) from their bytes. The Go side
// has checked them: what this does not know cannot be there.

import type { MessageProperties } from "../types/index.js";

const decoder = new TextDecoder();

/** Decodes raw, which is without the length in front. */
export function decodeProperties(raw: Uint8Array): MessageProperties {
  const properties: MessageProperties = {};
  const reader = new Reader(raw);
  while (reader.more()) read(reader, properties);
  return properties;
}

function read(from: Reader, into: MessageProperties): void {
  const id = from.byte();
  switch (id) {
    case 0x01:
      into.payloadFormat = from.byte();
      break;
    case 0x02:
      into.messageExpiry = from.uint32();
      break;
    case 0x03:
      into.contentType = from.text();
      break;
    case 0x08:
      into.responseTopic = from.text();
      break;
    case 0x09:
      into.correlationData = from.binary();
      break;
    case 0x0b:
      (into.subscriptionIDs ??= []).push(from.variable());
      break;
    case 0x23: // topic alias: resolved before a message gets here
      from.uint16();
      break;
    case 0x26:
      (into.userProperties ??= []).push([from.text(), from.text()]);
      break;
    default:
      throw new RangeError(`Property 0x${id.toString(16)} does not belong to PUBLISH.`);
  }
}

/** Reads forward; a RangeError where the bytes end early. */
class Reader {
  #at = 0;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  more(): boolean {
    return this.#at < this.#bytes.length;
  }

  byte(): number {
    return this.#view.getUint8(this.#skip(1));
  }

  uint16(): number {
    return this.#view.getUint16(this.#skip(2));
  }

  uint32(): number {
    return this.#view.getUint32(this.#skip(4));
  }

  /** A variable byte integer: seven bits a byte, the lowest first (1.5.5). */
  variable(): number {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = this.byte();
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
  }

  binary(): Uint8Array {
    const length = this.uint16();
    const start = this.#skip(length);
    if (start + length > this.#bytes.length) throw new RangeError("The properties end early.");
    return this.#bytes.subarray(start, start + length);
  }

  text(): string {
    return decoder.decode(this.binary());
  }

  #skip(count: number): number {
    const start = this.#at;
    this.#at += count;
    return start;
  }
}
