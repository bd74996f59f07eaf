// A browser for simulations: locks and channels as the standards have them, each tab with ways of its own to the browser
// and back, on which what is sent keeps its order and takes its time.

import type { Channel, Surroundings } from "../../src/tabs/surroundings.js";
import { Pipe, type Actor, type SimClock } from "./clock.js";

type Hold = (lock: Lock | null) => unknown;

interface Request {
  readonly tab: SimTab;
  readonly name: string;
  readonly shared: boolean;
  /** The lock is the tab's, as the browser has it. */
  granted(): void;
  stolen(): void;
}

interface Listener {
  readonly tab: SimTab;
  readonly name: string;
  hear(message: unknown): void;
}

export class SimBrowser {
  readonly clock: SimClock;
  readonly delay: () => number;
  readonly tabs: SimTab[] = [];
  readonly channels = new Set<Listener>();
  readonly held: Request[] = [];
  readonly queue: Request[] = [];

  constructor(clock: SimClock, delay: () => number) {
    this.clock = clock;
    this.delay = delay;
  }

  open(): SimTab {
    const tab = new SimTab(this, `tab${this.tabs.length + 1}`);
    this.tabs.push(tab);
    return tab;
  }

  request(one: Request, steal: boolean): void {
    if (one.tab.gone) return;
    if (!steal) {
      this.queue.push(one);
      return this.serve(one.name);
    }
    for (const robbed of this.held.filter(({ name }) => name === one.name)) {
      this.held.splice(this.held.indexOf(robbed), 1);
      robbed.stolen();
    }
    this.held.push(one);
    one.granted();
  }

  release(one: Request): void {
    for (const list of [this.held, this.queue]) if (list.includes(one)) list.splice(list.indexOf(one), 1);
    this.serve(one.name);
  }

  serve(name: string): void {
    for (const one of this.queue.filter((other) => other.name === name)) {
      const held = this.held.filter((other) => other.name === name);
      if (held.length > 0 && !(one.shared && held.every(({ shared }) => shared))) return;
      this.queue.splice(this.queue.indexOf(one), 1);
      this.held.push(one);
      one.granted();
    }
  }

  say(from: Listener, message: unknown): void {
    for (const other of this.channels) if (other !== from && other.name === from.name) other.hear(message);
  }

  /** It notices that a tab is dead. */
  forget(tab: SimTab): void {
    tab.gone = true;
    for (const listener of this.channels) if (listener.tab === tab) this.channels.delete(listener);
    for (const one of [...this.queue, ...this.held]) if (one.tab === tab) this.release(one);
  }
}

class SimChannel implements Channel {
  onmessage: ((event: MessageEvent) => void) | null = null;
  readonly #listener: Listener;
  readonly #tab: SimTab;

  constructor(tab: SimTab, name: string) {
    const { browser } = tab;
    this.#tab = tab;
    this.#listener = {
      tab,
      name,
      hear: (message) => {
        const copy = structuredClone(message);
        tab.fromChannels.send(() => tab.open.has(this) && this.onmessage?.({ data: copy } as MessageEvent));
      },
    };
    tab.open.set(this, name);
    tab.toChannels.send(() => tab.gone || browser.channels.add(this.#listener));
  }

  postMessage(message: unknown): void {
    if (!this.#tab.open.has(this)) throw new DOMException("the channel is closed", "InvalidStateError");
    const copy = structuredClone(message);
    this.#tab.toChannels.send(() => this.#tab.browser.say(this.#listener, copy));
  }

  close(): void {
    if (this.#tab.open.delete(this)) this.#tab.toChannels.send(() => this.#tab.browser.channels.delete(this.#listener));
  }
}

/** One tab, from the inside as surroundings, from the outside to do things to. */
export class SimTab implements Surroundings, Actor {
  readonly id: string;
  readonly browser: SimBrowser;
  state: Actor["state"] = "running";
  /** Why it stands still. */
  why: "frozen" | "aside" | "hung" | undefined;
  readonly held: (() => void)[] = [];
  seen = true;
  /** Since when it hears what those say who share a connection. */
  listens = Infinity;
  /** The browser knows that it is dead. */
  gone = false;
  /** The channels that it has not closed, with their names. */
  readonly open = new Map<Channel, string>();
  /** The requests for locks that have not come to an end, with their names. */
  readonly claims = new Map<object, string>();
  /** Those among them that steal and are on their way: the standard has no means to take them back. */
  readonly thefts = new Set<object>();
  readonly watchers = new Set<{ suspend(aside: boolean): void; resume(): void }>();
  readonly toChannels: Pipe;
  readonly fromChannels: Pipe;
  readonly #toLocks: Pipe;
  readonly #fromLocks: Pipe;
  readonly locks: Surroundings["locks"];
  #ids = 0;

  constructor(browser: SimBrowser, id: string) {
    const { clock, delay } = browser;
    this.browser = browser;
    this.id = id;
    this.toChannels = new Pipe(clock, delay);
    this.fromChannels = new Pipe(clock, delay, this);
    this.#toLocks = new Pipe(clock, delay);
    this.#fromLocks = new Pipe(clock, delay, this);
    const request = (name: string, options: LockOptions, hold: Hold) => this.#request(name, options, hold);
    const query = () =>
      new Promise((resolve) => this.#toLocks.send(() => {
        const names = (list: Request[]) => list.map(({ name }) => ({ name }));
        const snapshot = { held: names(browser.held), pending: names(browser.queue) };
        this.#fromLocks.send(() => resolve(snapshot));
      }));
    this.locks = { request, query } as Surroundings["locks"];
  }

  channel(name: string): Channel {
    return new SimChannel(this, name);
  }

  visible(): boolean {
    return this.seen;
  }

  watch(suspend: (aside: boolean) => void, resume: () => void): () => void {
    const watcher = { suspend, resume };
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  }

  newID(): string {
    return `${this.id}-${++this.#ids}`;
  }

  /** Ends as a crash does: nothing more runs, what is on its way may be lost, and the browser notices after a while. */
  crash(): void {
    this.state = "dead";
    for (const pipe of [this.toChannels, this.#toLocks]) pipe.cut();
    const { clock, delay } = this.browser;
    clock.after(clock.random() < 0.1 ? 5000 : delay(), undefined, () => this.browser.forget(this));
  }

  /** Stands still; hung: without a word. */
  halt(why: "frozen" | "aside" | "hung"): void {
    if (why !== "hung") for (const { suspend } of this.watchers) suspend(why === "aside");
    this.why = why;
  }

  /** Goes on, with what has come meanwhile. */
  resume(): void {
    const { why } = this;
    this.state = "running";
    this.why = undefined;
    const { clock } = this.browser;
    if (why !== "hung") clock.after(0, this, () => this.watchers.forEach(({ resume }) => resume()));
    for (const work of this.held.splice(0)) clock.after(0, this, work);
  }

  #request(name: string, { signal, steal, mode }: LockOptions, hold: Hold): Promise<void> {
    const { browser } = this;
    return new Promise((resolve, reject) => {
      let over = false;
      const end = (settle: () => void) => {
        if (over) return;
        over = true;
        this.claims.delete(one);
        settle();
      };
      const release = () => this.#toLocks.send(() => browser.release(one));
      const one: Request = {
        tab: this,
        name,
        shared: mode === "shared",
        granted: () => this.#fromLocks.send(() => {
          this.thefts.delete(one);
          if (over) return; // it was withdrawn meanwhile, and so the browser was told
          signal?.removeEventListener("abort", abort);
          void Promise.resolve(hold({ name, mode: mode ?? "exclusive" })).finally(() => end(() => {
            release();
            resolve();
          }));
        }),
        stolen: () => this.#fromLocks.send(() => end(() => reject(new DOMException("stolen", "AbortError")))),
      };
      const abort = () => end(() => {
        release();
        reject(signal!.reason);
      });
      signal?.addEventListener("abort", abort);
      this.claims.set(one, name);
      if (steal) this.thefts.add(one);
      this.#toLocks.send(() => browser.request(one, steal === true));
    });
  }
}
