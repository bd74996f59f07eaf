// A browser for tests of tabs: its locks and channels, and tabs that can be killed, frozen
// and put aside. What crosses is cloned, and arrives later, in order.

import type { Channel, Surroundings } from "../src/tabs/surroundings.js";

type Hold = (lock: Lock | null) => unknown;

interface Request {
  readonly tab: FakeTab;
  readonly name: string;
  readonly shared: boolean;
  readonly hold: Hold;
  readonly settle: { resolve(value: unknown): void; reject(error: unknown): void };
  over: boolean;
}

/** Lets everything that is on its way arrive. */
export async function settled(turns = 20): Promise<void> {
  for (let i = 0; i < turns; i++) await new Promise((resolve) => setTimeout(resolve, 0));
}

export class FakeBrowser {
  readonly tabs: FakeTab[] = [];
  readonly #held: Request[] = [];
  readonly #queue: Request[] = [];
  readonly #channels = new Set<FakeChannel>();
  /** How many messages were delivered to how many tabs. */
  delivered = 0;
  /** Set: every request for a lock is refused with it, as in a place that may not store anything. */
  forbidden: Error | undefined;

  tab(): FakeTab {
    const tab = new FakeTab(this, `tab${this.tabs.length + 1}`);
    this.tabs.push(tab);
    return tab;
  }

  /** The tab that holds a lock whose name contains part. */
  holder(part: string): FakeTab | undefined {
    return this.#held.find(({ name }) => name.includes(part))?.tab;
  }

  locksOf(tab: FakeTab): Surroundings["locks"] {
    const request = (name: string, options: LockOptions, hold: Hold) =>
      new Promise((resolve, reject) => {
        if (this.forbidden) return reject(this.forbidden);
        const { signal, steal, mode } = options;
        const one: Request = { tab, name, shared: mode === "shared", hold, settle: { resolve, reject }, over: false };
        if (steal) {
          for (const robbed of this.#held.filter((other) => other.name === name)) this.#end(robbed, new DOMException("stolen", "AbortError"));
          this.#grant(one);
          return;
        }
        signal?.addEventListener("abort", () => {
          if (!this.#queue.includes(one)) return;
          this.#end(one, signal.reason);
        });
        this.#queue.push(one);
        this.#serve(name);
      });
    const query = async () => ({
      held: this.#held.map(({ name }) => ({ name })),
      pending: this.#queue.map(({ name }) => ({ name })),
    });
    return { request, query } as Surroundings["locks"];
  }

  channelOf(tab: FakeTab, name: string): Channel {
    const deliver = (message: unknown) => {
      for (const other of this.#channels) {
        if (other === channel || other.name !== name) continue;
        this.delivered++;
        const copy = structuredClone(message);
        setTimeout(() => other.tab.runs(() => this.#channels.has(other) && other.onmessage?.({ data: copy } as MessageEvent)), 0);
      }
    };
    // What is said takes its time to leave the tab, and does not when that dies. An acknowledgement may be faster.
    const channel = new FakeChannel(tab, name, (message) => {
      setTimeout(() => setTimeout(() => tab.state !== "dead" && deliver(message), 0), 0);
    }, () => this.#channels.delete(channel));
    this.#channels.add(channel);
    return channel;
  }

  /** All of a tab's locks and channels go with it. */
  forget(tab: FakeTab): void {
    for (const channel of this.#channels) if (channel.tab === tab) this.#channels.delete(channel);
    for (const one of [...this.#held, ...this.#queue]) if (one.tab === tab) this.#end(one, undefined, false);
  }

  #grant(one: Request): void {
    this.#held.push(one);
    setTimeout(() => {
      if (one.over) return;
      one.tab.runs(() => {
        if (one.over) return;
        Promise.resolve(one.hold({ name: one.name, mode: one.shared ? "shared" : "exclusive" })).finally(() => this.#end(one));
      });
    }, 0);
  }

  #end(one: Request, error?: unknown, tell = true): void {
    if (one.over) return;
    one.over = true;
    for (const list of [this.#held, this.#queue]) if (list.includes(one)) list.splice(list.indexOf(one), 1);
    if (tell) one.tab.runs(() => (error === undefined ? one.settle.resolve(undefined) : one.settle.reject(error)));
    this.#serve(one.name);
  }

  #serve(name: string): void {
    for (const one of this.#queue.filter((other) => other.name === name)) {
      const held = this.#held.filter((other) => other.name === name);
      if (held.length > 0 && !(one.shared && held.every(({ shared }) => shared))) return;
      this.#queue.splice(this.#queue.indexOf(one), 1);
      this.#grant(one);
    }
  }
}

class FakeChannel implements Channel {
  onmessage: ((event: MessageEvent) => void) | null = null;
  readonly tab: FakeTab;
  readonly name: string;
  readonly #post: (message: unknown) => void;
  readonly close: () => void;

  constructor(tab: FakeTab, name: string, post: (message: unknown) => void, close: () => void) {
    this.tab = tab;
    this.name = name;
    this.#post = post;
    this.close = close;
  }

  postMessage(message: unknown): void {
    if (this.tab.state !== "dead") this.#post(message);
  }
}

/** One tab, from the inside as surroundings, from the outside to do things to. */
export class FakeTab implements Surroundings {
  readonly id: string;
  readonly locks: Surroundings["locks"];
  state: "running" | "frozen" | "dead" = "running";
  seen = true;
  readonly #browser: FakeBrowser;
  readonly #watchers = new Set<{ suspend(aside: boolean): void; resume(): void }>();
  #waiting: (() => void)[] = [];
  #ids = 0;

  constructor(browser: FakeBrowser, id: string) {
    this.#browser = browser;
    this.id = id;
    this.locks = browser.locksOf(this);
  }

  channel(name: string): Channel {
    return this.#browser.channelOf(this, name);
  }

  visible(): boolean {
    return this.seen && this.state === "running";
  }

  watch(suspend: (aside: boolean) => void, resume: () => void): () => void {
    const watcher = { suspend, resume };
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  newID(): string {
    return `${this.id}-${++this.#ids}`;
  }

  /** Runs work now, or when the tab runs again, or never. */
  runs(work: () => void): void {
    if (this.state === "running") work();
    else if (this.state === "frozen") this.#waiting.push(work);
  }

  /** Ends as a crash or a closed window does: nothing more runs. */
  kill(): void {
    this.state = "dead";
    this.#browser.forget(this);
  }

  /** Stands still without a word, as a page that is busy for very long. */
  hang(): void {
    this.state = "frozen";
  }

  /** Is told, and then stands still; aside as in the back/forward cache. */
  freeze(aside = false): void {
    for (const { suspend } of this.#watchers) suspend(aside);
    this.state = "frozen";
  }

  thaw(): void {
    this.state = "running";
    for (const { resume } of this.#watchers) resume();
    for (const work of this.#waiting.splice(0)) this.runs(work);
  }

  /** Goes on after hang. */
  goOn(): void {
    this.state = "running";
    for (const work of this.#waiting.splice(0)) this.runs(work);
  }
}
