// A time of its own for simulations of tabs: events in a seeded order, each of which belongs to a tab or to none, and in
// place of the globals the timers and clocks that the library reads.

/** Whose events they are: they wait while it stands still, and never come when it is dead. */
export interface Actor {
  readonly state: "running" | "still" | "dead";
  /** What came while it stood still, in order. */
  readonly held: (() => void)[];
}

interface Happening {
  readonly at: number;
  readonly order: number;
  readonly actor: Actor | undefined;
  readonly work: () => void;
}

interface Timer {
  readonly actor: Actor | undefined;
  readonly again: number | undefined;
  readonly work: () => void;
}

const { setImmediate } = globalThis as unknown as { setImmediate(go: () => void): void };

/** Lets all promises settle that can. */
const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Numbers from 0 to 1, the same for the same seed (Mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export class SimClock {
  /** Milliseconds. */
  now = 1_000_000;
  readonly random: () => number;
  readonly timers = new Map<number, Timer>();
  /** Whose code runs. */
  current: Actor | undefined;
  #heap: Happening[] = [];
  #order = 0;
  #ids = 0;

  constructor(seed: number) {
    this.random = seeded(seed);
  }

  /** A whole number from least to most. */
  whole(least: number, most: number): number {
    return least + Math.floor(this.random() * (most - least + 1));
  }

  pick<T>(list: readonly T[]): T {
    return list[this.whole(0, list.length - 1)]!;
  }

  /** Has work happen so many milliseconds from now, in the life of actor. */
  after(delay: number, actor: Actor | undefined, work: () => void): void {
    const one = { at: this.now + delay, order: this.#order++, actor, work };
    const heap = this.#heap;
    let i = heap.push(one) - 1;
    for (let up; i > 0 && before(one, heap[(up = (i - 1) >> 1)]!); i = up) heap[i] = heap[up]!;
    heap[i] = one;
  }

  /** Runs what happens in the next so many milliseconds. */
  async run(duration: number): Promise<void> {
    const end = this.now + duration;
    while (this.#heap.length > 0 && this.#heap[0]!.at <= end) {
      const next = this.#take();
      this.now = Math.max(this.now, next.at);
      await this.as(next.actor, next.work);
    }
    this.now = end;
  }

  /** Runs work, and what follows of it at once, in the life of actor. */
  async as(actor: Actor | undefined, work: () => void): Promise<void> {
    if (actor?.state === "dead") return;
    if (actor?.state === "still") return void actor.held.push(work);
    this.current = actor;
    work();
    await settled();
    this.current = undefined;
  }

  /** How many timers actor has. */
  timersOf(actor: Actor): number {
    return [...this.timers.values()].filter((timer) => timer.actor === actor).length;
  }

  /** Puts this in place of the globals; the function that it gives puts them back. */
  install(): () => void {
    const { setTimeout, clearTimeout, setInterval, clearInterval } = globalThis;
    const { now } = Date;
    const { random } = Math;
    const real = performance.now;
    const clear = (id: unknown) => void this.timers.delete(id as number);
    Object.assign(globalThis, {
      setTimeout: (work: () => void, delay = 0) => this.#start(work, delay, undefined),
      setInterval: (work: () => void, delay: number) => this.#start(work, delay, Math.max(1, delay)),
      clearTimeout: clear,
      clearInterval: clear,
    });
    Date.now = () => this.now;
    Math.random = this.random;
    performance.now = () => this.now;
    return () => {
      Object.assign(globalThis, { setTimeout, clearTimeout, setInterval, clearInterval });
      Date.now = now;
      Math.random = random;
      performance.now = real;
    };
  }

  #start(work: () => void, delay: number, again: number | undefined): number {
    const id = ++this.#ids;
    this.timers.set(id, { actor: this.current, again, work });
    this.#arm(id, delay);
    return id;
  }

  #arm(id: number, delay: number): void {
    const timer = this.timers.get(id)!;
    this.after(delay, timer.actor, () => {
      if (!this.timers.has(id)) return;
      if (timer.again === undefined) this.timers.delete(id);
      else this.#arm(id, timer.again);
      timer.work();
    });
  }

  #take(): Happening {
    const heap = this.#heap;
    const first = heap[0]!;
    const last = heap.pop()!;
    if (heap.length === 0) return first;
    let i = 0;
    for (;;) {
      let down = 2 * i + 1;
      if (down >= heap.length) break;
      if (down + 1 < heap.length && before(heap[down + 1]!, heap[down]!)) down++;
      if (!before(heap[down]!, last)) break;
      heap[i] = heap[down]!;
      i = down;
    }
    heap[i] = last;
    return first;
  }
}

function before(one: Happening, other: Happening): boolean {
  return one.at < other.at || (one.at === other.at && one.order < other.order);
}

/** A way on which things keep their order. Who dies in the middle leaves a part of what it had sent behind. */
export class Pipe {
  readonly #clock: SimClock;
  readonly #delay: () => number;
  readonly #actor: Actor | undefined;
  #last = 0;
  #flying: { lost: boolean }[] = [];

  /** At the end of it work happens in the life of actor. */
  constructor(clock: SimClock, delay: () => number, actor?: Actor) {
    this.#clock = clock;
    this.#delay = delay;
    this.#actor = actor;
  }

  send(work: () => void): void {
    const one = { lost: false };
    this.#flying.push(one);
    this.#last = Math.max(this.#last, this.#clock.now + this.#delay());
    this.#clock.after(this.#last - this.#clock.now, undefined, () => {
      this.#flying.shift();
      if (!one.lost) void (this.#actor ? this.#clock.after(0, this.#actor, work) : work());
    });
  }

  /** What is sent from now on takes at least so many milliseconds. */
  stall(milliseconds: number): void {
    this.#last = Math.max(this.#last, this.#clock.now + milliseconds);
  }

  /** Whoever sent is dead: of what is on its way the end is lost. */
  cut(): void {
    const kept = this.#clock.whole(0, this.#flying.length);
    for (const one of this.#flying.slice(kept)) one.lost = true;
  }
}
