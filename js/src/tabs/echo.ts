// Tells when what a tab has said to the others has left it: a channel to itself, which keeps
// the order with the tab's other channels.

import type { Channel, Surroundings } from "./surroundings.js";

export class Echo {
  readonly #mouth: Channel;
  readonly #ear: Channel;
  #waiting: (() => void)[] = [];

  /** No other tab uses name. */
  constructor(around: Pick<Surroundings, "channel">, name: string) {
    this.#mouth = around.channel(name);
    this.#ear = around.channel(name);
    this.#ear.onmessage = () => this.#waiting.shift()?.();
  }

  /** Settles when the browser has what this tab has said so far, and passes it on even if the tab dies. */
  passed(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#mouth.postMessage(0);
    });
  }

  /** Nobody is to wait any more. */
  end(): void {
    this.#mouth.close();
    this.#ear.close();
    for (const go of this.#waiting.splice(0)) go();
  }
}
