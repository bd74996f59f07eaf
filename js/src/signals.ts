// What the browser knows sooner than any timer: that the network or the page is back, or
// that the page is going away.

import type { Connection } from "../types/index.js";

type Signalled = Pick<Connection, "wake" | "close">;

/** Tells the connection of the browser's signals, until the function returned is called. */
export function watchSignals(connection: Signalled): () => void {
  const ends: (() => void)[] = [];
  const listen = (target: EventTarget | undefined, type: string, listener: (event: Event) => void) => {
    target?.addEventListener?.(type, listener);
    ends.push(() => target?.removeEventListener?.(type, listener));
  };
  const wake = (event: Event) => connection.wake(event.type);
  const page = globalThis.document as Document | undefined; // a worker has none

  listen(globalThis, "online", wake);
  listen(globalThis, "pageshow", (event) => {
    if ((event as PageTransitionEvent).persisted) wake(event); // the first one is the page's beginning
  });
  listen(globalThis, "pagehide", (event) => {
    // A page that may come back keeps its connection; one that goes says goodbye, as far as there is time.
    if (!(event as PageTransitionEvent).persisted) connection.close().catch(() => {});
  });
  listen(page, "resume", wake);
  listen(page, "visibilitychange", (event) => {
    if (page?.visibilityState === "visible") wake(event);
  });
  return () => ends.forEach((end) => end());
}
