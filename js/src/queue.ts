/** How many messages wait at most, for one receiver. */
export const queueLimit = 1000;

/** Keeps the newest `limit` items, in order. */
export class Queue<T> {
  /** Items that were pushed out by newer ones, or dropped by clear. */
  dropped = 0;
  readonly #limit: number;
  #items: T[] = [];
  #head = 0;

  constructor(limit: number = queueLimit) {
    this.#limit = limit;
  }

  get length(): number {
    return this.#items.length - this.#head;
  }

  push(item: T): void {
    if (this.length === this.#limit) {
      this.shift();
      this.dropped++;
    }
    this.#items.push(item);
  }

  shift(): T | undefined {
    if (this.length === 0) return undefined;
    const item = this.#items[this.#head];
    this.#items[this.#head++] = undefined as T; // not kept alive by its place
    if (this.#head > this.#limit) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return item;
  }

  clear(): void {
    this.dropped += this.length;
    this.#items = [];
    this.#head = 0;
  }
}
