// Tells the pages of one app whether any of them is visible. Each visible one holds a shared
// lock: whoever asks needs no answer from pages that may be frozen, or a timer, which hidden
// pages have once a minute; and a page that crashes leaves nothing behind.

/** What it needs of a page. */
export interface Surroundings {
  readonly locks: Pick<LockManager, "request" | "query">;
  readonly document: Pick<Document, "visibilityState" | "addEventListener" | "removeEventListener">;
  readonly window: Pick<Window, "addEventListener" | "removeEventListener">;
}

export class Presence {
  readonly #around: Surroundings;
  readonly #name: string;
  /** Gives the lock back, or the place in the queue for it. */
  #release: (() => void) | undefined;
  /** Settles when the lock is given back. */
  #lock: Promise<unknown> = Promise.resolve();

  /** Pages that use the same name belong together. */
  constructor(around: Surroundings, name: string) {
    this.#around = around;
    this.#name = name;
    around.document.addEventListener("visibilitychange", this.#changed);
    around.window.addEventListener("pageshow", this.#changed);
    around.window.addEventListener("pagehide", this.#left);
    this.#changed();
  }

  /** Whether this page is visible. */
  get here(): boolean {
    return this.#around.document.visibilityState === "visible";
  }

  /** Whether one of them is. */
  async anywhere(): Promise<boolean> {
    if (!this.#release) await this.#lock; // it may have been visible until just now
    if (this.here) return true;
    const { held = [], pending = [] } = await this.#around.locks.query();
    return [...held, ...pending].some(({ name }) => name === this.#name);
  }

  end(): void {
    this.#around.document.removeEventListener("visibilitychange", this.#changed);
    this.#around.window.removeEventListener("pageshow", this.#changed);
    this.#around.window.removeEventListener("pagehide", this.#left);
    this.#left();
  }

  readonly #changed = () => {
    if (this.here) this.#enter();
    else this.#left();
  };

  // Not later: with a lock a page does not get into the back/forward cache.
  readonly #left = () => {
    this.#release?.();
    this.#release = undefined;
  };

  #enter(): void {
    if (this.#release) return;
    const waiting = new AbortController();
    const held = new Promise<void>((release) => {
      this.#release = () => {
        waiting.abort();
        release();
      };
    });
    // It rejects when that is aborted, or in a page that is going.
    this.#lock = this.#around.locks.request(this.#name, { mode: "shared", signal: waiting.signal }, () => held).catch(() => {});
  }
}
