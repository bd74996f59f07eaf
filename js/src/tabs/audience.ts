// Whether anybody follows: a tab that leads alone need not copy every message.

import type { Names } from "./messages.js";
import type { Surroundings } from "./surroundings.js";

/** How often a leader makes sure, in milliseconds. */
const recount = 10_000;

export class Audience {
  readonly #locks: Surroundings["locks"];
  readonly #waiting: string;
  readonly #frozen: string;
  #count: { there: boolean; at: number } = { there: true, at: Date.now() };

  constructor({ locks }: Surroundings, names: Names, topic: string) {
    this.#locks = locks;
    this.#waiting = names.topic(topic);
    this.#frozen = names.frozen(topic);
  }

  get there(): boolean {
    return this.#count.there;
  }

  /** Somebody has said that he follows. */
  came(): void {
    this.#count = { there: true, at: Date.now() };
  }

  /** Somebody has gone: the next look is not to wait. */
  went(): void {
    this.#count.at = 0;
  }

  /** Looks, now and then, whether anybody still follows. */
  async look(): Promise<void> {
    const now = Date.now();
    if (now - this.#count.at < recount) return;
    const count: { there: boolean; at: number } = (this.#count = { there: true, at: now });
    const { held = [], pending = [] } = await this.#locks.query().catch((): LockManagerSnapshot => ({}));
    count.there = pending.some(({ name }) => name === this.#waiting) || held.some(({ name }) => name === this.#frozen);
  }
}
