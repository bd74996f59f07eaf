// One `for await` loop over a connection's messages.

import { Queue } from "./queue.js";

interface Waiter<T> {
  resolve(result: IteratorResult<T, undefined>): void;
  reject(error: unknown): void;
}

const done: IteratorResult<never, undefined> = { done: true, value: undefined };

/** Hands out what is pushed; what is not taken in time waits in a bounded queue. */
export class Stream<T> implements AsyncIterableIterator<T, undefined> {
  readonly #queue = new Queue<T>();
  readonly #waiting: Waiter<T>[] = [];
  readonly #left: (stream: Stream<T>) => void;
  #end: { error?: unknown } | undefined;

  /** left is called when the loop is over, from either side. */
  constructor(left: (stream: Stream<T>) => void) {
    this.#left = left;
  }

  get dropped(): number {
    return this.#queue.dropped;
  }

  push(value: T): void {
    const waiter = this.#waiting.shift();
    if (waiter) waiter.resolve({ done: false, value });
    else this.#queue.push(value);
  }

  /** Ends the loop after what waits; with an error, that is thrown in it, once. */
  end(error?: unknown): void {
    if (this.#end) return;
    this.#end = error === undefined ? {} : { error };
    for (const waiter of this.#waiting.splice(0)) this.#finish(waiter);
    this.#left(this);
  }

  /** Drops, and counts, what waits. */
  discard(): void {
    this.#queue.clear();
  }

  next(): Promise<IteratorResult<T, undefined>> {
    return new Promise((resolve, reject) => {
      if (this.#queue.length > 0) resolve({ done: false, value: this.#queue.shift()! });
      else if (this.#end) this.#finish({ resolve, reject });
      else this.#waiting.push({ resolve, reject });
    });
  }

  /** The loop was left by break, return or throw. */
  return(): Promise<IteratorResult<T, undefined>> {
    while (this.#queue.length > 0) this.#queue.shift();
    this.end();
    return Promise.resolve(done);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #finish({ resolve, reject }: Waiter<T>): void {
    const end = this.#end!;
    if (!("error" in end)) return resolve(done);
    const { error } = end;
    delete end.error;
    reject(error);
  }
}
