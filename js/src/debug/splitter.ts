// Cuts what one side of a WebSocket sends into packets: a frame may hold many, or a part of one.

/** The largest fixed header (MQTT 5, 2.1). */
const maxHeader = 5;

export class Splitter {
  /** The beginning of a packet that is not whole. */
  #parts: Uint8Array[] = [];
  #have = 0;
  /** How many bytes it takes to go on. */
  #need = 2;
  #broken = false;

  /** Gives the packets that are whole with bytes; null for what can be cut no further, which ends it. */
  cut(bytes: Uint8Array): (Uint8Array | null)[] {
    if (this.#broken || bytes.length === 0) return [];
    this.#have += bytes.length;
    if (this.#have < this.#need) {
      this.#parts.push(bytes.slice()); // the module's memory, else
      return [];
    }
    const packets: (Uint8Array | null)[] = [];
    let rest = this.#parts.length === 0 ? bytes : joined([...this.#parts, bytes], this.#have);
    for (;;) {
      const size = sizeOf(rest);
      this.#broken = Number.isNaN(size);
      if (this.#broken) {
        this.#parts = [];
        return [...packets, null];
      }
      if (size > rest.length) {
        this.#parts = rest.length === 0 ? [] : [rest.slice()];
        this.#have = rest.length;
        this.#need = size;
        return packets;
      }
      packets.push(rest.subarray(0, size));
      rest = rest.subarray(size);
    }
  }
}

/** The size of the packet that begins bytes, or a byte more than there is where that is not known yet. NaN: there is none. */
function sizeOf(bytes: Uint8Array): number {
  let length = 0;
  for (let i = 1; i < maxHeader; i++) {
    if (i >= bytes.length) return bytes.length + 1;
    length += (bytes[i]! & 127) * 128 ** (i - 1);
    if (bytes[i]! < 128) return i + 1 + length;
  }
  return NaN;
}

function joined(parts: Uint8Array[], size: number): Uint8Array {
  const whole = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
