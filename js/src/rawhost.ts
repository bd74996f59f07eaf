// The module's functions as they are, for the classes of kiiweb/compat: they say with each
// call who makes it.

import type { LoadOptions } from "../types/index.js";
import { ChosenHost } from "./chosenhost.js";
import { disposed } from "./errors.js";
import type { Host } from "./host.js";
import { readOptions, type Files } from "./options.js";
import type { Parts } from "./parts.js";

/** Every call ends: Kii's API has no way to say when. In milliseconds. */
const timeout = 30_000;

export class RawHost {
  readonly #host: Host;
  #underWay = 0;
  #retired = false;

  constructor(host: Host) {
    this.#host = host;
  }

  async call(method: string, args: unknown[]): Promise<unknown> {
    this.#underWay++;
    try {
      return await this.#host.call(method, args, { timeout });
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

  #endWhenIdle(): void {
    if (this.#retired && this.#underWay === 0) this.#host.end(disposed());
  }
}

/** Makes what opens a RawHost; the arguments are those of loadFrom. It throws where options are wrong. */
export function openFrom(files: Files, main: Parts["main"]): (options: LoadOptions) => RawHost {
  return (options) => {
    const { getToken: _, ...settings } = readOptions(options, files);
    return new RawHost(new ChosenHost(settings, main, () => null));
  };
}
