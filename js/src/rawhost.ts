// The module's functions as they are, for the classes of kiiweb/compat: they say with each
// call who makes it.

import type { LoadOptions } from "../types/index.js";
import { ChosenHost } from "./chosenhost.js";
import { disposed } from "./errors.js";
import type { Host } from "./host.js";
import { readOptions, type Files } from "./options.js";
import { logFor, type Parts } from "./parts.js";

/** Every call ends: Kii's API has no way to say when. In milliseconds. */
const timeout = 30_000;

export class RawHost {
  readonly #host: Promise<Host>;
  #underWay = 0;
  #retired = false;

  constructor(host: Promise<Host>) {
    this.#host = host;
    host.catch(() => {}); // calls tell
  }

  async call(method: string, args: unknown[]): Promise<unknown> {
    this.#underWay++;
    try {
      return await (await this.#host).call(method, args, { timeout });
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
    if (this.#retired && this.#underWay === 0) this.#host.then((host) => host.end(disposed()), () => {});
  }
}

/** Makes what opens a RawHost; the arguments are those of loadFrom. It throws where options are wrong. */
export function openFrom(files: Files, parts: Parts): (options: LoadOptions) => RawHost {
  return (options) => {
    const { getToken: _, ...settings } = readOptions(options, files);
    const host = async () => {
      const log = await logFor(settings, parts.debug);
      const own = new ChosenHost(settings, parts.main, () => null);
      return log ? log.watch(own) : own;
    };
    return new RawHost(host());
  };
}
