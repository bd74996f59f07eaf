// What the browser knows sooner than any timer: that the network or the page is back, or
// that either is going away.

import type { Signal } from "./host.js";

/** Watches the browser's signals for as long as anybody wants to know of them. */
export class SignalWatch {
  readonly #tell: (signal: Signal, cause: string) => void;
  #holders = 0;
  #end: () => void = () => {};

  constructor(tell: (signal: Signal, cause: string) => void) {
    this.#tell = tell;
  }

  /** Watches until the function returned is called, by this holder and all others. */
  hold(): () => void {
    if (this.#holders++ === 0) this.#end = watch(this.#tell);
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      if (--this.#holders === 0) this.#end();
    };
  }
}

function watch(tell: (signal: Signal, cause: string) => void): () => void {
  const ends: (() => void)[] = [];
  const listen = (target: EventTarget | undefined, type: string, listener: (event: Event) => void) => {
    target?.addEventListener?.(type, listener);
    ends.push(() => target?.removeEventListener?.(type, listener));
  };
  const wake = ({ type }: Event) => tell("wake", type);
  const page = globalThis.document as Document | undefined; // a worker has none

  listen(globalThis, "online", wake);
  listen(globalThis, "offline", wake); // the session knows this cause: it only looks whether its connection still works, as one within the machine does
  listen(globalThis, "pageshow", (event) => {
    if ((event as PageTransitionEvent).persisted) wake(event); // the first one is the page's beginning
  });
  // Goodbye, as far as there is time: the page is going for good, or comes back with pageshow or
  // resume. A page that is frozen would lose its connection without a word.
  const pause = ({ type }: Event) => tell("pause", type);
  listen(globalThis, "pagehide", pause);
  listen(page, "freeze", pause);
  listen(page, "resume", wake);
  listen(page, "visibilitychange", (event) => {
    if (page?.visibilityState === "visible") wake(event);
  });
  return () => ends.forEach((end) => end());
}
