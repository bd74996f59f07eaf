// One request for a lock, from the asking to the giving back.

import type { Surroundings } from "./surroundings.js";

export interface Claimant {
  granted(): void;
  /** Another tab has stolen the lock. */
  robbed(): void;
  /** This place gives no locks. */
  barred(): void;
}

export class Claim {
  readonly #withdraw = new AbortController();
  #over = false;
  #release: (() => void) | undefined;

  constructor(locks: Surroundings["locks"], name: string, how: "wait" | "steal" | "share", claimant: Partial<Claimant>) {
    const hold = () => {
      if (this.#over) return undefined; // the grant was on its way already
      return new Promise<void>((release) => {
        this.#release = release;
        claimant.granted?.();
      });
    };
    const { signal } = this.#withdraw;
    const options: LockOptions = how === "steal" ? { steal: true } : { signal, mode: how === "share" ? "shared" : "exclusive" };
    const lost = () => {
      if (this.#over) return;
      this.#over = true;
      if (this.#release) claimant.robbed?.();
      else claimant.barred?.();
    };
    try {
      locks.request(name, options, hold).then(() => {}, lost);
    } catch {
      queueMicrotask(lost);
    }
  }

  /** Gives the lock back, or the request up. */
  end(): void {
    if (this.#over) return;
    this.#over = true;
    if (this.#release) this.#release();
    else this.#withdraw.abort();
  }
}
