// Subscriptions to further filters are the leader's, and have to be made again with each next one.

import type { KiiError } from "../errors.js";
import type { LinkOptions } from "../host.js";

/** How long one attempt may take, and how long after one that has failed the next begins, in milliseconds. */
const usual = 30_000;
const breath = 1000;

/** Whose subscriptions they are. */
export interface Subscribers {
  readonly filters: Map<string, LinkOptions>;
  wants(filter: string): boolean;
  lose(filter: string, error: KiiError): void;
}

export class Renewal {
  readonly #subscribers: Subscribers;
  readonly #subscribe: (filter: string, options: LinkOptions) => Promise<unknown>;
  #round = 0;
  /** Ends the waits between two attempts. */
  readonly #waits = new Set<() => void>();

  constructor(subscribers: Subscribers, subscribe: (filter: string, options: LinkOptions) => Promise<unknown>) {
    this.#subscribers = subscribers;
    this.#subscribe = subscribe;
  }

  /** Another leader has begun. */
  begin(): void {
    this.end();
    const round = this.#round;
    for (const [filter, options] of this.#subscribers.filters) void this.#renew(filter, options, round);
  }

  /** Nobody leads any more, or nobody is here. */
  end(): void {
    this.#round++;
    for (const over of this.#waits) over();
  }

  /** Goes on until it is done, or cannot be; then whose it is are told. */
  async #renew(filter: string, options: LinkOptions, round: number): Promise<void> {
    while (round === this.#round && this.#subscribers.wants(filter)) {
      try {
        await this.#subscribe(filter, { ...options, timeout: usual });
        return;
      } catch (cause) {
        const error = cause as KiiError;
        if (round !== this.#round) return;
        if (refused(error)) return this.#subscribers.lose(filter, error);
        await this.#wait();
      }
    }
  }

  #wait(): Promise<void> {
    return new Promise((resolve) => {
      const over = () => {
        clearTimeout(timer);
        this.#waits.delete(over);
        resolve();
      };
      const timer = setTimeout(over, breath);
      this.#waits.add(over);
    });
  }
}

/** Tells whether a filter was refused. Of a connection that has ended, or is another's, and of a call that was given up, nobody has said so. */
export function refused({ retryable, code }: KiiError): boolean {
  return !retryable && !/^(DISPLACED|CLOSED|ABORTED)$/.test(code);
}
