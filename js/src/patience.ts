// How long to wait between two attempts to connect, and what to say meanwhile.

import type { KiiError } from "../types/index.js";

/** Milliseconds between two attempts at most; it doubles. */
const first = 1000;
const longest = 60_000;

/** A connection that has stood for so long was a good one, in milliseconds. */
const stable = 30_000;

export class Patience {
  readonly #now: () => number;
  #failures = 0;
  /** How many connections in a row have ended soon after they stood. */
  #brief = 0;
  #since: number | undefined;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** The connection stands. */
  stands(): void {
    this.#since ??= this.#now();
  }

  /** It stands no more, and not for something that mends itself. */
  ended(): void {
    const long = this.#since !== undefined && this.#now() - this.#since >= stable;
    this.#since = undefined;
    this.#brief = long ? 1 : this.#brief + 1;
    this.#failures = this.#brief - 1; // each one that was brief counts as an attempt that has failed
  }

  /** How many milliseconds to wait before the next attempt: half of what it may be at least. */
  next(): number {
    const most = Math.min(first * 2 ** this.#failures++, longest);
    return Math.round(most * (0.5 + Math.random() / 2));
  }

  /** What to say of error: more where the same seems to happen again and again. */
  explain({ code, message }: KiiError): string {
    if (code !== "CRASHED" || this.#brief < 2) return message;
    return `${message} It has done so ${this.#brief} times running: perhaps for a message that is waiting.`;
  }
}
