// The module's functions as they are, for Kii's classes: they say with each call who makes it.

import { disposed } from "../errors.js";
import type { Host } from "../host.js";

/** Every call ends: Kii's API has no way to say when. In milliseconds. */
const timeout = 30_000;

export class RawHost {
  readonly #make: () => Promise<Host>;
  #host: Promise<Host> | undefined;
  #underWay = 0;
  #retired = false;

  /** make is asked for the host at the first call, and again at the next where it had none to give. */
  constructor(make: () => Promise<Host>) {
    this.#make = make;
  }

  async call(method: string, args: unknown[]): Promise<unknown> {
    this.#underWay++;
    try {
      return await (await this.#made()).call(method, args, { timeout });
    } finally {
      this.#underWay--;
      this.#endWhenIdle();
    }
  }

  /** Stops what runs, once the calls that are under way have ended. */
  retire(): void {
    this.#retired = true;
    this.#endWhenIdle();
  }

  #made(): Promise<Host> {
    if (!this.#host) {
      this.#host = this.#make();
      this.#host.catch(() => (this.#host = undefined));
    }
    return this.#host;
  }

  #endWhenIdle(): void {
    if (this.#retired && this.#underWay === 0) this.#host?.then((host) => host.end(disposed()), () => {});
  }
}
