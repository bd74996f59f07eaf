// What the tabs need of a browser, and a real one's.

/** A BroadcastChannel, as far as it is needed. */
export interface Channel {
  postMessage(message: unknown): void;
  onmessage: ((event: MessageEvent) => void) | null;
  close(): void;
}

export interface Surroundings {
  readonly locks: Pick<LockManager, "request" | "query">;
  channel(name: string): Channel;
  /** Whether somebody looks at this page, and its timers run on time. */
  visible(): boolean;
  /**
   * Calls suspend when the page goes to stand still, with whether it is put aside (into the
   * back/forward cache), and resume when it is back; the function returned ends that.
   */
  watch(suspend: (aside: boolean) => void, resume: () => void): () => void;
  /** A name for this place that no other has. */
  newID(): string;
}

/** This browser, with the channels that channel makes, or what it lacks that tabs need. */
export function browser(channel: Surroundings["channel"] = (name) => new BroadcastChannel(name)): Surroundings | "Web Locks" | "BroadcastChannel" {
  const locks = globalThis.navigator?.locks as LockManager | undefined; // of secure contexts only
  if (!locks) return "Web Locks";
  if (typeof BroadcastChannel !== "function") return "BroadcastChannel";
  const page = globalThis.document as Document | undefined; // a worker has none
  return {
    locks,
    channel,
    visible: () => page?.visibilityState !== "hidden",
    watch(suspend, resume) {
      const over = new AbortController();
      const { signal } = over;
      page?.addEventListener("freeze", () => suspend(false), { signal });
      page?.addEventListener("resume", resume, { signal });
      addEventListener("pagehide", () => suspend(true), { signal }); // what does not come back need not be waited for either
      addEventListener("pageshow", (event) => event.persisted && resume(), { signal });
      return () => over.abort();
    },
    newID: () => crypto.randomUUID(), // which places with locks have
  };
}
