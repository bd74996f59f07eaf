// Reads what MQTT packets are made of (MQTT 5, 1.5).

const decoder = new TextDecoder(undefined, { ignoreBOM: true }); // U+FEFF is a character like any other [MQTT-1.5.4-3]

/** Reads forward; a RangeError where the bytes end early. */
export class Reader {
  #at = 0;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** How many bytes there are still. */
  left(): number {
    return this.#bytes.length - this.#at;
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

  /** Binary data (1.5.6), or so many bytes. */
  binary(length: number = this.uint16()): Uint8Array {
    const start = this.#skip(length);
    if (start + length > this.#bytes.length) throw new RangeError("The bytes end early.");
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
