// Where the tabs meet that share a connection, as one of them hears and speaks there.

import { Claim } from "./claim.js";
import type { Names, ToAll } from "./messages.js";
import type { Channel, Surroundings } from "./surroundings.js";

/** How often a tab that follows looks whether somebody leads, in milliseconds; up to half as much longer. */
const interval = 1500;

export class Meeting {
  readonly #around: Surroundings;
  readonly #name: string;
  readonly #seat: string;
  readonly #hear: (message: ToAll) => void;
  readonly #tick: () => void;
  #channel: Channel | undefined;
  #seated: Promise<void> | undefined;
  #stand = () => {};
  #ticker: ReturnType<typeof setInterval> | undefined;

  /** tick is called now and then while somebody looks at the page, and it does not lead. */
  constructor(around: Surroundings, names: Names, topic: string, id: string, hear: (message: ToAll) => void, tick: () => void) {
    this.#around = around;
    this.#name = names.topic(topic);
    this.#seat = names.seat(topic, id);
    this.#hear = hear;
    this.#tick = tick;
  }

  join(): void {
    if (!this.#channel) {
      this.#channel = this.#around.channel(this.#name);
      this.#channel.onmessage = ({ data }) => this.#hear(data as ToAll);
    }
    this.#ticker ??= setInterval(() => this.#around.visible() && this.#tick(), interval * (1 + Math.random() / 2));
  }

  /** Takes a lock until this tab hears nothing any more, by which others learn when it crashes. Settles when that is so. */
  sit(): Promise<void> {
    return (this.#seated ??= new Promise((resolve) => {
      const seat = new Claim(this.#around.locks, this.#seat, "wait", { granted: resolve, barred: resolve });
      this.#stand = () => {
        seat.end();
        resolve();
      };
    }));
  }

  say(message: ToAll): void {
    this.#channel?.postMessage(message);
  }

  /** This tab leads now. */
  lead(): void {
    clearInterval(this.#ticker);
    this.#ticker = undefined;
  }

  /** Hears nothing any more. */
  leave(): void {
    this.lead();
    this.#channel?.close();
    this.#channel = undefined;
    this.#stand();
    this.#seated = undefined;
  }
}
