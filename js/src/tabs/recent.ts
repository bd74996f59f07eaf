// Keeps the last messages in mind, so that what one leader had not acknowledged and the
// next one receives again reaches nobody twice.

import { columns, propertiesAt, withRows, type Batch } from "../batch.js";
import type { decodeProperties } from "../properties.js";

/** So many messages can be unacknowledged at most when the leader goes (the receive maximum), and then some. */
const memory = 2048;

/** Batches are kept as they came, for nobody looks at them as a rule; beyond so many bytes only their ids are. */
const maxBytes = 1 << 20;

/** The user property by which the cloud tells a repeat. */
const idKey = "pushMessageID";

export class Recent {
  #batches: { readonly batch: Batch; readonly size: number }[] = [];
  #bytes = 0;
  readonly #decode: typeof decodeProperties;
  readonly #ids = new Set<string>(); // oldest first
  /** How many more messages are looked at. */
  #suspect = 0;

  /** decode is the loader's, which has it for messages. */
  constructor(decode: typeof decodeProperties) {
    this.#decode = decode;
  }

  /** Another tab leads from now on: what is repeated, comes first. */
  expectRepeats(): void {
    for (const { batch } of this.#batches.splice(0)) this.#let(batch);
    this.#bytes = 0;
    this.#suspect = memory;
  }

  /** Gives the batch without what was seen before; undefined when nothing is left, and nothing to tell. */
  pass(batch: Batch): Batch | undefined {
    if (this.#suspect === 0) {
      this.#keep(batch);
      return batch;
    }
    const count = batch.table.length / columns;
    const fresh = this.#digest(batch);
    this.#suspect = Math.max(0, this.#suspect - count);
    return fresh.length === count ? batch : withRows(batch, fresh);
  }

  #keep(batch: Batch): void {
    const size = batch.bytes.byteLength; // which may be none later
    this.#batches.push({ batch, size });
    this.#bytes += size;
    while (this.#bytes > maxBytes) {
      const oldest = this.#batches.shift()!;
      this.#bytes -= oldest.size;
      this.#let(oldest.batch);
    }
  }

  /** Keeps no more than the ids; none where a handler has given the buffer away. */
  #let(batch: Batch): void {
    if (batch.bytes.byteLength > 0) this.#digest(batch);
  }

  /** Notes the ids of a batch, and gives the rows of those that were not known, and of messages without one. */
  #digest(batch: Batch): number[] {
    const fresh: number[] = [];
    for (let row = 0; row < batch.table.length; row += columns) {
      const id = this.#decode(propertiesAt(batch, row)).userProperties?.find(([name]) => name === idKey)?.[1];
      if (id === undefined || !this.#ids.has(id)) fresh.push(row);
      if (id !== undefined) this.#remember(id);
    }
    return fresh;
  }

  #remember(id: string): void {
    this.#ids.delete(id); // and to the end
    this.#ids.add(id);
    if (this.#ids.size > memory) this.#ids.delete(this.#ids.values().next().value!);
  }
}
