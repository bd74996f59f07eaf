// Hands a connection's batches to another thread so that it gets few messages for many
// frames: what comes while it is busy with one waits, and goes as one when its word
// comes. So nothing waits for a clock, and at low rates nothing waits.

import { columns, FLAGS, NAME, OFFSET, PROPS_OFFSET, rememberName, type Batch } from "./batch.js";

/** How much may wait. Messages at QoS 1 and 2 wait in any case: their broker waits for acknowledgements. */
const maxMessages = 4096;
const maxBytes = 8 << 20;

export class Outlet {
  readonly #post: (batch: Batch) => Promise<void>;
  readonly #maxMessages: number;
  #busy = 0; // batches that are posted and not handled
  #waiting: Batch[] = [];
  #messages = 0; // that wait
  #bytes = 0;
  #dropped = 0; // since the last batch was made
  #names = new Map<number, string>(); // brought by what was dropped
  #handled: { promise: Promise<void>; resolve: () => void } | undefined; // what waits

  /** post gives a promise that settles when the batch was handled. */
  constructor(post: (batch: Batch) => Promise<void>, most: number = maxMessages) {
    this.#post = post;
    this.#maxMessages = most;
  }

  /** Takes a batch. The promise settles when it was handled. */
  hand(batch: Batch): Promise<void> {
    if (this.#busy === 0 && this.#waiting.length === 0) return this.#send(batch);
    this.#waiting.push(batch);
    this.#messages += batch.table.length / columns;
    this.#bytes += batch.bytes.length;
    if (this.#messages > this.#maxMessages || this.#bytes > maxBytes) this.#shed();
    if (!this.#handled) {
      let resolve!: () => void;
      const promise = new Promise<void>((done) => (resolve = done));
      this.#handled = { promise, resolve };
    }
    return this.#handled.promise;
  }

  /** Posts what waits, because something is to follow that has to come behind it. */
  flush(): void {
    const handled = this.#handled;
    if (!handled) return;
    this.#handled = undefined;
    const batches = groups(this.#waiting).map(merge);
    this.#waiting = [];
    this.#messages = this.#bytes = 0;
    void Promise.all(batches.map((batch) => this.#send(batch))).then(handled.resolve);
  }

  async #send(batch: Batch): Promise<void> {
    if (this.#dropped > 0) {
      batch.dropped = this.#dropped;
      batch.names = [...this.#names];
      this.#dropped = 0;
      this.#names.clear();
    }
    this.#busy++;
    await this.#post(batch);
    if (--this.#busy === 0) this.flush();
  }

  /** Drops the oldest messages at QoS 0, down to half of what may wait. */
  #shed(): void {
    let at = 0;
    for (; at < this.#waiting.length && (this.#messages > this.#maxMessages / 2 || this.#bytes > maxBytes / 2); at++) {
      const batch = this.#waiting[at]!;
      const kept = this.#withoutQoS0(batch);
      this.#messages -= (batch.table.length - kept.length) / columns;
      if (kept.length > 0) {
        this.#waiting[at] = { ...batch, table: kept };
        continue;
      }
      this.#bytes -= batch.bytes.length;
      batch.topics.forEach((name, i) => this.#names.set(batch.firstTopic + i, name));
      this.#waiting[at] = { ...batch, bytes: new Uint8Array(), table: kept, topics: [] };
    }
    this.#waiting = this.#waiting.filter(({ table }) => table.length > 0);
  }

  #withoutQoS0(batch: Batch): Int32Array<ArrayBuffer> {
    const { table } = batch;
    const kept: number[] = [];
    for (let row = 0; row < table.length; row += columns) {
      if ((table[row + FLAGS]! & 6) !== 0) kept.push(...table.subarray(row, row + columns));
      else {
        this.#dropped++;
        rememberName(batch, row, this.#names);
      }
    }
    return Int32Array.from(kept);
  }
}

/** Splits batches into those that can be one. One that brings topics of the long way begins anew. */
function groups(batches: Batch[]): Batch[][] {
  const list: Batch[][] = [];
  for (const batch of batches) {
    if (list.length === 0 || batch.topics.length > 0) list.push([batch]);
    else list[list.length - 1]!.push(batch);
  }
  return list;
}

/** Makes one batch of several. */
function merge(batches: Batch[]): Batch {
  const [first] = batches;
  if (batches.length === 1) return first!;
  const { topics, firstTopic } = first!;
  const bytes = new Uint8Array(batches.reduce((sum, batch) => sum + batch.bytes.length, 0));
  const table = new Int32Array(batches.reduce((sum, batch) => sum + batch.table.length, 0));
  let at = 0;
  let row = 0;
  for (const batch of batches) {
    bytes.set(batch.bytes, at);
    table.set(batch.table, row);
    for (const end = row + batch.table.length; row < end; row += columns) {
      table[row + OFFSET]! += at;
      table[row + PROPS_OFFSET]! += at;
      if (table[row + NAME]) table[row + NAME]! += at;
    }
    at += batch.bytes.length;
  }
  return { bytes, table, topics, firstTopic };
}
