// Tabs that come and go at random, as a seed says, and what has to be true whatever happens.

import { SimBrowser } from "./browser.js";
import { own, SimCloud, type Push } from "./cloud.js";
import { SimClock } from "./clock.js";
import { SimPage, type Held, type Span } from "./page.js";

/** How long things take on their way, in milliseconds: at once, as on a machine with much to do, and now and then very long. */
const speeds = [
  (clock: SimClock) => clock.random() * 3,
  (clock: SimClock) => clock.random() * 40,
  (clock: SimClock) => clock.random() * (clock.random() < 0.02 ? 2500 : 60),
];

const filters = ["x", "y", "z"];
/** So long after an event its consequences may be on their way, in milliseconds. */
const aftermath = 20_000;
/** A page that hangs for longer may have been given up by the others. */
const longHang = 4000;
const most = 5;

export class World {
  readonly clock: SimClock;
  readonly browser: SimBrowser;
  readonly cloud = new SimCloud();
  readonly pages: SimPage[] = [];
  readonly blames: string[] = [];
  readonly log: string[] = [];
  readonly #fast: boolean;
  /** Filters of a time in which nobody was there to end them. */
  readonly #orphans = new Set<string>();
  readonly #hung = new Map<SimPage, number>();
  #tokens = 0;
  #lastHang = -Infinity;

  constructor(seed: number) {
    this.clock = new SimClock(seed);
    const speed = speeds[seed % speeds.length]!;
    this.#fast = seed % speeds.length === 0;
    this.browser = new SimBrowser(this.clock, () => speed(this.clock));
    this.cloud.displaced = (old, by) => {
      const calm = this.#fast && old.tab.state === "running" && this.clock.now - this.#lastHang > aftermath;
      if (calm) this.blame(`${by.tab.id} connected while ${old.tab.id} had a connection`);
    };
    this.cloud.note = (what) => this.note(`  broker: ${what}`);
    this.cloud.acknowledged = (push, by) => this.#acknowledged(push, by.tab.id);
  }

  blame(what: string): void {
    this.blames.push(`${Math.round(this.clock.now - 1_000_000)}: ${what}`);
  }

  /** What is to be seen of the run when it has gone wrong. */
  note(what: string): void {
    this.log.push(`${Math.round(this.clock.now - 1_000_000)} ${what}`);
  }

  get alive(): SimPage[] {
    return this.pages.filter(({ tab, disposed }) => tab.state !== "dead" && !disposed);
  }

  get running(): SimPage[] {
    return this.alive.filter(({ tab }) => tab.state === "running");
  }

  /** Has so many things happen at random. Gives what was wrong. */
  run(steps: number): Promise<string[]> {
    return this.play(async () => {
      await this.open();
      for (let step = 0; step < steps; step++) {
        const { clock } = this;
        await clock.run(clock.random() < 0.1 ? clock.whole(1000, 15_000) : clock.random() < 0.5 ? clock.whole(0, 20) : clock.whole(0, 500));
        await this.#step();
        this.#watch();
      }
    });
  }

  /** Plays a scene, and the end. Gives what was wrong. */
  async play(scene: () => Promise<void>): Promise<string[]> {
    const restore = this.clock.install();
    try {
      await scene();
      await this.#end();
    } finally {
      restore();
    }
    return this.blames;
  }

  async open(): Promise<SimPage> {
    const page = new SimPage(this.browser.open(), this.cloud, (what) => this.blame(what));
    this.pages.push(page);
    await this.in(page, "opens", () => page.enter(`token${++this.#tokens}`));
    await this.in(page, "connects", () => page.connect());
    return page;
  }

  /** Has page do something. */
  async in(page: SimPage, what: string, work: () => void): Promise<void> {
    this.note(`${page.name} ${what}`);
    await this.clock.as(page.tab, work);
  }

  async halt(page: SimPage, why: "frozen" | "aside" | "hung"): Promise<void> {
    const { tab } = page;
    if (why === "hung") this.#hung.set(page, this.clock.now);
    if (why === "aside") page.leave();
    const pause = () => why !== "hung" && page.signal("pause", why === "aside" ? "pagehide" : "freeze");
    const first = this.clock.random() < 0.5;
    await this.in(page, `is ${why}`, () => {
      if (first) pause();
      tab.halt(why);
      if (!first) pause();
    });
    if (why === "aside") this.#atRest(page);
    tab.state = "still";
    tab.listens = Infinity;
  }

  resume(page: SimPage): void {
    this.note(`${page.name} goes on`);
    const { why } = page.tab;
    const hung = this.#hung.get(page);
    this.#hung.delete(page);
    if (hung !== undefined) this.#lastHang = this.clock.now;
    if (hung !== undefined && this.clock.now - hung > longHang) page.out.push({ from: hung, to: this.clock.now + aftermath });
    if (page.standing.length > 0) page.tab.listens = this.clock.now;
    page.tab.resume();
    if (why !== "hung") this.clock.after(0, page.tab, () => page.signal("wake", "resume"));
  }

  crash(page: SimPage): void {
    this.note(`${page.name} crashes`);
    page.leave();
    page.tab.crash();
    page.host.crash();
    page.tab.held.length = 0;
  }

  /** Lets everything come to rest, and looks whether it is as it should be. */
  async #end(): Promise<void> {
    const { clock, cloud } = this;
    for (const page of this.alive) if (page.tab.state === "still") this.resume(page);
    await clock.run(100_000);
    this.#atPeace();
    for (const topic of [own, ...filters]) cloud.push(topic, clock.now);
    await clock.run(15_000);
    this.#delivered();
    for (const page of this.alive) await this.in(page, "disposes", () => page.dispose());
    await clock.run(60_000);
    this.#nothingLeft();
  }

  async #step(): Promise<void> {
    const { clock } = this;
    const still = this.alive.filter(({ tab }) => tab.state === "still");
    if (still.length > 0 && clock.random() < 0.25) return this.resume(clock.pick(still));
    if (this.running.length === 0 || (this.alive.length < 2 && clock.random() < 0.3)) return void (await this.open());
    const page = clock.pick(this.running);
    const held = page.standing.length > 0 ? clock.pick(page.standing) : undefined;
    const filter = clock.pick(filters);
    const dice = clock.random() * 100;
    const act = (what: string, work: () => void) => this.in(page, `${what}${held ? ` (${page.held.indexOf(held) + 1})` : ""}`, work);
    if (dice < 20) return this.#push();
    if (dice < 26) return void (this.alive.length < most && (await this.open()));
    if (dice < 30) return page.client.current ? act("connects", () => page.connect()) : this.#enter(page);
    if (dice < 34) return this.crash(page);
    if (dice < 38) return this.halt(page, "frozen");
    if (dice < 42) return this.halt(page, "aside");
    if (dice < 46) return this.halt(page, "hung");
    if (dice < 48) return act("disposes", () => page.dispose());
    if (dice < 50) return act("logs out", () => page.logout());
    if (dice < 53) return this.#enter(page);
    if (dice < 55) return void (page.tab.seen = !page.tab.seen);
    if (dice < 57) return page.client.current ? act("sends", () => page.send()) : undefined;
    if (dice < 60) return this.#blip();
    if (!held) return page.client.current ? act("connects", () => page.connect()) : this.#enter(page);
    if (dice < 64) return act("closes", () => page.close(held));
    if (dice < 80) return act(`subscribes to ${filter}`, () => page.subscribe(held, filter));
    if (dice < 88) return act(`unsubscribes from ${filter}`, () => page.unsubscribe(held, filter));
    const topic = clock.pick([own, ...filters]);
    return act(`publishes to ${topic}`, () => page.publish(held, topic, clock.pick([{}, { qos: 0 }, { timeout: 5000 }])));
  }

  #push(): void {
    for (let n = this.clock.whole(1, 5); n > 0; n--) this.cloud.push(this.clock.pick([own, ...filters]), this.clock.now);
  }

  #enter(page: SimPage): Promise<void> {
    return this.in(page, "logs in", () => page.enter(`token${++this.#tokens}`));
  }

  #blip(): void {
    const { current } = this.cloud;
    if (current && current.tab.state === "running") this.clock.after(0, current.tab, () => current.blip());
  }

  /** Looked at after each step. */
  #watch(): void {
    if (this.alive.every(({ standing }) => standing.length === 0)) for (const filter of this.cloud.filters) this.#orphans.add(filter);
  }

  /** What a tab acknowledges its own application has had. */
  #acknowledged(push: Push, tab: string): void {
    const page = this.pages.find(({ name }) => name === tab)!;
    for (const held of page.standing) {
      if (this.#promised(page, held, push) && !held.got.includes(push.id)) this.blame(`${tab} acknowledged ${push.id}, which it had not handed out`);
    }
  }

  /** Tells whether held has a right to push. */
  #promised(page: SimPage, held: Held, push: Push): boolean {
    const done = push.done! + aftermath;
    const meets = ({ from, to }: Span) => from < done && to >= push.came;
    if (page.out.some(meets)) return false;
    return (held.spans.get(push.topic) ?? []).some(({ from, to }) => from < push.came && to > done);
  }

  /** A page that is put aside must hold nothing that keeps browsers from letting it rest. */
  #atRest(page: SimPage): void {
    const channels = [...page.tab.open.values()].filter((name) => / (topic|tab|echo) /.test(name));
    const claims = [...page.tab.claims].filter(([one]) => !page.tab.thefts.has(one)).map(([, name]) => name).filter((name) => !name.includes("serving")); // whom a call waits for
    for (const name of [...channels, ...claims]) this.blame(`${page.name} is put aside with ${name}`);
  }

  #atPeace(): void {
    const { cloud } = this;
    const there = this.alive.filter(({ standing }) => standing.length > 0);
    for (const page of this.alive) for (const call of page.open) this.blame(`${call} has not settled`);
    for (const page of this.alive) {
      if (there.includes(page) || page.client.tabs === null) continue;
      this.blame(`${page.name} has no connection and is ${page.client.tabs}`);
    }
    if (there.length === 0) {
      if (cloud.current) this.blame("a connection is left, and nobody there who has one");
      return;
    }
    const leaders = there.filter(({ client }) => client.tabs === "leader");
    if (leaders.length !== 1) this.blame(`${leaders.length} lead: ${there.map(({ name, client }) => `${name} ${client.tabs}`).join(", ")}`);
    if (cloud.current?.tab !== leaders[0]?.tab) this.blame(`the connection is ${cloud.current?.tab.id}'s, and ${leaders[0]?.name} leads`);
    for (const page of there) {
      for (const { connection } of page.standing) if (connection.state !== "online") this.blame(`${page.name} is ${connection.state}`);
    }
    if (cloud.stored.length > 0) this.blame(`${cloud.stored.length} messages are not acknowledged`);
    const all = there.flatMap(({ standing }) => standing);
    const wanted = new Set(all.flatMap((held) => held.filters("in")));
    const open = new Set(all.flatMap((held) => held.filters("open")));
    for (const filter of wanted) if (!cloud.filters.has(filter)) this.blame(`nobody is subscribed to ${filter}`);
    for (const filter of cloud.filters) {
      if (!wanted.has(filter) && !open.has(filter) && !this.#orphans.has(filter) && !cloud.orphans.has(filter)) this.blame(`nobody wants ${filter}`);
    }
  }

  #delivered(): void {
    for (const page of this.pages) {
      for (const held of page.held) {
        const twice = held.got.filter((id, i) => held.got.indexOf(id) !== i);
        if (twice.length > 0) this.blame(`${page.name} got ${[...new Set(twice)].join(", ")} more than once`);
        const had = new Set(held.got);
        const lost = this.cloud.pushes.filter((push) => push.done !== undefined && this.#promised(page, held, push) && !had.has(push.id));
        if (lost.length > 0) this.blame(`${page.name} did not get ${lost.map(({ id, topic, came }) => `${id} (${topic}, ${Math.round(came - 1_000_000)})`).join(", ")}`);
      }
    }
  }

  #nothingLeft(): void {
    for (const { tab, name, host, open } of this.pages) {
      if (tab.state === "dead") continue;
      for (const call of open) this.blame(`${call} has not settled`);
      const left = [
        ...[...tab.open.values()].map((channel) => `channel ${channel}`),
        ...[...tab.claims.values()].map((lock) => `lock ${lock}`),
        ...Array.from({ length: this.clock.timersOf(tab) }, () => "a timer"),
        ...Array.from(tab.watchers, () => "a watcher"),
        ...Array.from(host.connections, () => "a connection"),
      ];
      if (left.length > 0) this.blame(`${name} is disposed of and has left ${left.join(", ")}`);
    }
  }
}
