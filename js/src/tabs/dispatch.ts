// Sends what tabs publish many at once, by the leader's connection, and says of each how it went.

import type { Clock } from "../calls.js";
import type { KiiError } from "../errors.js";
import type { Link } from "../host.js";
import { packError, type Crossing } from "../workermessages.js";
import { Passed } from "./asks.js";

/** What was not sent, by its place among the others, and why. */
export type Failure = [place: number, why: Crossing];

/** Tickets are int32 for the program, and above 0. */
const lastTicket = 2 ** 30;

export class Dispatch {
  #next = 1;
  readonly #waiting = new Map<number, (error?: KiiError) => void>();
  readonly #ends = new Set<() => void>();

  /** Settles when all that is staged, count messages, was sent, or was not. What clock ends is forgotten. Passed: the leader's time is over. */
  async send({ sender }: Link, staged: Uint8Array, count: number, clock: Clock): Promise<Failure[]> {
    const failures: Failure[] = [];
    if (this.#next > lastTicket) this.#next = 1; // of those the first have long had their answers
    const first = this.#next;
    this.#next += count;
    let pass = () => {};
    const all = new Promise<void>((resolve, reject) => {
      let left = count;
      this.#ends.add((pass = () => reject(new Passed(true))));
      for (let place = 0; place < count; place++) {
        this.#waiting.set(first + place, (error) => {
          if (error) failures.push([place, packError(error)]);
          if (--left === 0) resolve();
        });
      }
    });
    sender!.send(staged, first, count);
    try {
      await clock.bound(all);
      return failures;
    } catch (error) {
      for (let ticket = first; ticket < first + count; ticket++) if (this.#waiting.delete(ticket)) sender!.forget(ticket);
      throw error;
    } finally {
      this.#ends.delete(pass);
    }
  }

  /** Nobody says any more how messages went. */
  end(): void {
    for (const pass of this.#ends) pass();
  }

  /** Takes the word of the host for those messages. */
  sent(tickets: Int32Array, error?: KiiError): void {
    for (const ticket of tickets) {
      const told = this.#waiting.get(ticket);
      this.#waiting.delete(ticket);
      told?.(error);
    }
  }
}
