// Hands a connection's batches to another thread so that it gets few messages for many
// frames: what comes while it is busy with one waits, and goes in one when its word
// comes. So nothing waits for a clock, and at low rates nothing waits.

import { columns, FLAGS, NAME, nameDecoder, OFFSET, PACKET_ID, propertiesAt, PROPS_OFFSET, rememberName, type Batch } from "./batch.js";
import type { Handled } from "./host.js";

/**
 * How many bytes may wait, as many as the program lets wait where there is no other thread.
 * Messages at QoS 1 and 2 wait in any case: their broker waits for acknowledgements.
 */
const maxBytes = 16 << 20;

/** So many messages go in one at most, so that the other thread is not held up for long. */
const portion = 4096;

/**
 * And so many bytes, if it is more than one batch: what waits at QoS 1 and 2 is bounded by the receive maximum
 * alone, and to put all of it together could take more than the browser gives.
 */
const portionBytes = 4 << 20;

/**
 * Batches of fewer bytes are put together: to give another buffer away takes a browser longer than to copy them. To copy a
 * larger one takes longer, since it goes into memory that is new.
 */
const small = 4096;

interface Entry {
  batch: Batch;
  resolve: (stop: Handled) => void;
  owed: boolean; // acknowledgements wait for what becomes of it
  firm: boolean; // nothing of it is dropped
}

/** Takes batches that follow each other, and gives a promise of what became of each. */
type Post = (batches: Batch[]) => Promise<Handled[]>;

export class Outlet {
  readonly #post: Post;
  readonly #gone: (list: Uint8Array) => void;
  readonly #maxBytes: number;
  #busy = 0; // portions that are posted and not handled
  #waiting: Entry[] = [];
  #bytes = 0; // that wait, with tables
  #dropped = 0; // since the last portion was posted
  #names = new Map<number, string>(); // brought by what was dropped, for the batch that follows it

  /** gone is told of what is dropped, as Link.unseen takes it. */
  constructor(post: Post, gone: (list: Uint8Array) => void, most: number = maxBytes) {
    this.#post = post;
    this.#gone = gone;
    this.#maxBytes = most;
  }

  /**
   * Takes a batch. The promise settles when it was handled, or as much of it as will be. Where acknowledgements are owed for it, that
   * is never before what came before it: they are counted, so one that leaves early is another message's.
   */
  readonly hand = (lent: Batch, owed = true): Promise<Handled> => {
    this.#dropped += lent.dropped ?? 0;
    delete lent.dropped; // who is handed the next portion is told
    const now = this.#busy === 0 && this.#waiting.length === 0;
    const batch = now && lent.table.length <= columns ? lent : { ...lent, table: lent.table.slice() }; // one row is copied when it is posted
    this.#name(batch);
    if (now) return this.#send([batch]).then(([stop]) => stop);
    return new Promise((resolve) => {
      this.#waiting.push({ batch, resolve, owed, firm: batch.firm === true });
      this.#bytes += sizeOf(batch);
      if (this.#bytes > this.#maxBytes) this.#shed();
    });
  };

  /**
   * Has a push be kept that waits at QoS 0, by the end of its properties: a repeat of it is to be acknowledged. All that came in its frame is
   * kept. Repeats follow close behind as a rule, so the newest are looked at first.
   */
  readonly firm = (property: Uint8Array): void => {
    const text = nameDecoder.decode(property);
    for (let i = this.#waiting.length; i-- > 0; ) {
      const entry = this.#waiting[i]!;
      if (!nameDecoder.decode(entry.batch.bytes).includes(text)) continue;
      entry.firm = true;
      return;
    }
  };

  /** Posts what waits, because something is to follow that has to come behind it. */
  flush(): void {
    while (this.#waiting.length > 0) this.#next();
  }

  /** Posts the next portion of what waits. */
  #next(): void {
    let messages = 0;
    let bytes = 0;
    let count = 0;
    for (const { batch } of this.#waiting) {
      const size = sizeOf(batch);
      const full = messages + batch.table.length / columns > portion || bytes + size > portionBytes;
      // One that brings topics of the long way, or of what was dropped before it, begins anew.
      if (count > 0 && (batch.topics.length > 0 || batch.names || full)) break;
      messages += batch.table.length / columns;
      bytes += size;
      count++;
    }
    this.#bytes -= bytes;
    const entries = this.#waiting.splice(0, count);
    const groups = grouped(entries);
    void this.#send(groups.map((group) => merge(group.map(({ batch }) => batch)))).then((stops) => {
      let stop: Handled;
      groups.forEach((group, i) => settle(group, (stop ||= stops[i])));
    });
  }

  async #send(batches: Batch[]): Promise<Handled[]> {
    if (this.#dropped > 0) {
      batches[0]!.dropped = this.#dropped;
      this.#dropped = 0;
    }
    this.#busy++;
    const stops = await this.#post(batches);
    if (--this.#busy === 0 && this.#waiting.length > 0) this.#next();
    return stops;
  }

  /** Drops the oldest messages at QoS 0, down to half of what may wait. */
  #shed(): void {
    const kept: Entry[] = [];
    const gone: Uint8Array[] = [];
    for (const entry of this.#waiting) {
      const { batch } = entry;
      if (batch.table.length > 0 && !entry.firm && this.#bytes > this.#maxBytes / 2) {
        const names = new Map(batch.names);
        const table = this.#withoutQoS0(batch, names, gone);
        this.#bytes -= batch.table.byteLength - table.byteLength;
        if (table.length === 0 && !entry.owed) {
          this.#bytes -= batch.bytes.length;
          names.forEach((name, number) => this.#names.set(number, name));
          batch.topics.forEach((name, i) => this.#names.set(batch.firstTopic + i, name));
          entry.resolve(undefined);
          continue;
        }
        entry.batch = { ...batch, table, ...(names.size > 0 && { names: [...names] }) };
      }
      this.#name(entry.batch);
      kept.push(entry);
    }
    this.#waiting = kept;
    if (gone.length > 0) this.#gone(listed(gone));
  }

  /** Has batch bring the names that were dropped before it: numbers may mean other topics further back. */
  #name(batch: Batch): void {
    if (this.#names.size === 0) return;
    batch.names = [...this.#names, ...(batch.names ?? [])];
    this.#names.clear();
  }

  #withoutQoS0(batch: Batch, names: Map<number, string>, gone: Uint8Array[]): Int32Array<ArrayBuffer> {
    const { table } = batch;
    const kept: number[] = [];
    for (let row = 0; row < table.length; row += columns) {
      if ((table[row + FLAGS]! & 6) !== 0) kept.push(...table.subarray(row, row + columns));
      else {
        this.#dropped++;
        rememberName(batch, row, names);
        const properties = propertiesAt(batch, row);
        if (properties.length > 0) gone.push(properties);
      }
    }
    return Int32Array.from(kept);
  }
}

/** Puts them one behind the other, each behind its length. */
function listed(parts: Uint8Array[]): Uint8Array {
  const list = new Uint8Array(parts.reduce((sum, part) => sum + 4 + part.length, 0));
  const view = new DataView(list.buffer);
  let at = 0;
  for (const part of parts) {
    view.setUint32(at, part.length, true);
    list.set(part, at + 4);
    at += 4 + part.length;
  }
  return list;
}

function sizeOf({ bytes, table }: Batch): number {
  return bytes.length + table.byteLength;
}

/** Says of each of a group what was said of all together: those before the one that stop is in were handled, none behind it was. */
function settle(entries: Entry[], stop: Handled): void {
  const last = entries.findIndex(({ batch }) => stop && has(batch, stop));
  entries.forEach(({ resolve }, i) => resolve(i < last ? undefined : stop));
}

function has({ table }: Batch, packetID: number): boolean {
  for (let at = PACKET_ID; at < table.length; at += columns) if (table[at] === packetID) return true;
  return false;
}

/** Groups those that are to be one batch; a large one is by itself. */
function grouped(entries: Entry[]): Entry[][] {
  const groups: Entry[][] = [];
  for (let at = 0; at < entries.length; ) {
    const start = at;
    while (at < entries.length && entries[at]!.batch.bytes.length < small) at++;
    if (at === start) at++;
    groups.push(entries.slice(start, at));
  }
  return groups;
}

/** Makes one batch of several. */
function merge(batches: Batch[]): Batch {
  const [first] = batches;
  if (batches.length === 1) return first!;
  const { topics, firstTopic, names } = first!;
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
  return { bytes, table, topics, firstTopic, ...(names && { names }) };
}
