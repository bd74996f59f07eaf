// The tabs that share one connection, as one of them sees it: it leads or follows, and what
// its own code has of the connection works the same either way.

import type { CallOptions, ConnectOptions, MqttEndpoint, StateChange } from "../../types/index.js";
import type { Batch } from "../batch.js";
import { Clock } from "../calls.js";
import { isFinal } from "../state.js";
import { aborted, KiiError } from "../errors.js";
import type { Host, Link, Sink } from "../host.js";
import { lostCall, mayRepeat, Passed, type Asks } from "./asks.js";
import { Claim } from "./claim.js";
import { Echo } from "./echo.js";
import { start, step, type Effect, type Event } from "./election.js";
import { mine } from "./filters.js";
import { Member } from "./member.js";
import { packChange, unpackChange, type Names, type ToAll, type ToOne } from "./messages.js";
import { Recent } from "./recent.js";
import type { Channel, Surroundings } from "./surroundings.js";
import { Term, type Applicant } from "./term.js";

/** How often a tab that follows looks whether somebody leads, in milliseconds; up to half as much longer. */
const tick = 1500;

/** How long a leader that closes may say goodbye before the next one connects, in milliseconds. */
const goodbye = 1000;

/** What a call that nobody has made may take, in milliseconds. */
const usual = 30_000;

/** How soon a leader confirms that it makes a call that cannot be made twice, in milliseconds. */
const confirmation = 2000;

/** How often a leader makes sure that it has an audience, in milliseconds. */
const recount = 10_000;

export interface Place {
  readonly id: string;
  readonly names: Names;
  readonly own: Host;
  readonly asks: Asks;
  readonly around: Surroundings;
  /** Says something to another tab. */
  post(to: string, message: ToOne): void;
  /** Somebody else or nobody leads now. */
  roleChanged(): void;
}

type Method = Parameters<Link["call"]>[0];

export class Group {
  readonly topic: string;
  readonly #place: Place;
  readonly #members = new Set<Member>();
  readonly #recent = new Recent();
  #election = start;
  #claim: Claim | undefined;
  #frozen: Claim | undefined;
  #channel: Channel | undefined;
  #ticker: ReturnType<typeof setInterval> | undefined;
  /** The other tab that leads, and the number of the last change that it told. */
  #leader: { id: string; number: number } | undefined;
  #whenLed: (() => void)[] = [];
  #change: StateChange | null = null;
  #changes = 0;
  /** While this tab leads. */
  #term: Term | undefined;
  #echo: Echo | undefined;
  #ending: Promise<unknown> = Promise.resolve();
  /** What bounds the goodbye of a term that ends. */
  #lastWords: CallOptions = { timeout: usual };
  #audience: { there: boolean; counted: number } = { there: false, counted: 0 };

  constructor(topic: string, place: Place) {
    this.topic = topic;
    this.#place = place;
  }

  get role() {
    return this.#election.role;
  }

  connect(endpoint: MqttEndpoint, options: ConnectOptions, sink: Sink, call: CallOptions): Promise<Link> {
    if (call.signal?.aborted) return Promise.reject(aborted(call.signal));
    const link: Link = {
      call: (method, args, callOptions) => this.#ofMember(member, method, args, callOptions),
      wake: (cause) => this.wake(cause),
    };
    const member = new Member(endpoint, options, sink, call, link, () => this.#drop(member));
    this.#members.add(member);
    if (this.#election.role === "out") this.#happens("enter");
    else this.#join(member);
    return member.ready;
  }

  /** Makes a call of the connection for another tab. */
  serve(tab: string, method: string, args: unknown[], options: CallOptions): Promise<unknown> {
    return this.#term ? this.#term.call(tab, method as Method, args, options) : Promise.reject(new Passed(false));
  }

  /** The page or the network is back: whoever has the connection is to see to it. */
  signal(cause: string): void {
    if (this.#term) this.#term.hurry(); // its own module is told already
    else this.wake(cause);
  }

  wake(cause: string): void {
    if (this.#term) this.#term.wake(cause);
    else if (this.#leader) this.#place.post(this.#leader.id, { type: "wake", topic: this.topic, cause });
  }

  /** The page goes to stand still; aside: and hears nothing any more. */
  suspend(aside: boolean): void {
    if (this.#election.role === "out" || this.#election.role === "away") return;
    this.#happens("suspend");
    if (this.#change?.state !== "displaced") this.#become({ state: "waiting", reason: `paused: ${aside ? "pagehide" : "freeze"}` });
    const { around, names } = this.#place;
    if (aside) this.#hangUp();
    else this.#frozen = new Claim(around.locks, names.frozen(this.topic), "share", {});
  }

  resume(): void {
    if (this.#election.role !== "away") return;
    this.#happens("resume");
    this.#frozen?.end(); // after the request: whoever leads sees that there is an audience all the time
  }

  /** Ends all connections with error, at once. */
  end(error: KiiError): void {
    for (const member of this.#members) member.become({ state: "closed", code: error.code, reason: error.message, error });
    this.#members.clear();
    this.#happens("leave");
  }

  /** A newcomer to a group in which this tab takes part already. */
  #join(member: Member): void {
    const change = this.#change;
    if (change) member.become(change);
    if (change?.state === "displaced") this.#contest(member);
    else this.#term?.open();
  }

  /** To connect is to contest, as it is without other tabs. */
  #contest(member: Member): void {
    this.#call("takeBack", [], { timeout: usual }).catch((error) => member.call && this.#refuse(member, error));
  }

  #happens(event: Event): void {
    const before = this.#election.role;
    const [state, effects] = step(this.#election, event);
    this.#election = state;
    for (const effect of effects) this.#perform(effect);
    if (state.role === before) return;
    if (state.role === "out") this.#reset();
    this.#place.roleChanged();
  }

  #perform(effect: Effect): void {
    const { around, names, id } = this.#place;
    switch (effect) {
      case "request":
      case "steal":
        this.#claim = new Claim(around.locks, names.topic(this.topic), effect === "steal" ? "steal" : "wait", {
          granted: () => this.#happens("granted"),
          robbed: () => this.#happens("robbed"),
          barred: () => this.#happens("barred"),
        });
        break;
      case "withdraw":
        this.#claim!.end();
        break;
      case "release": {
        const claim = this.#claim!;
        // Who closes says goodbye first; a page that goes away has no time for that.
        if (this.#election.role === "away") claim.end();
        else void Promise.race([this.#ending, after(goodbye)]).catch(() => {}).then(() => claim.end()); // a crash says no goodbye
        break;
      }
      case "lead":
        this.#lead();
        break;
      case "stop":
        this.#stop();
        break;
      case "hello":
        this.#listen();
        this.#say({ type: "hello", from: id });
        break;
      case "ping":
        this.#say({ type: "ping", from: id });
    }
  }

  #lead(): void {
    const { own } = this.#place;
    this.#stopTicking();
    this.#leader = undefined;
    this.#place.asks.gone((_, topic) => topic === this.topic);
    if (this.#change) this.#recent.expectRepeats();
    this.#audience = { there: true, counted: Date.now() };
    this.#echo = new Echo(this.#place.around, this.#place.names.echo(this.#place.id, this.topic));
    this.#term = new Term(own, {
      next: () => this.#next(),
      refused: (applicant, error) => this.#refuse(applicant, error),
      changed: (change) => this.#changed(change),
      batch: (batch) => this.#relay(batch),
    });
    const { state } = this.#change ?? {};
    if (state === "displaced" && ![...this.#members].some((member) => member.call)) return this.#tell(); // until takeBack
    if (state) this.#changed({ state: "connecting", reason: "This tab has the connection now." });
    else this.#tell();
    this.#resubscribe();
    this.#term.open();
    this.#ledNow();
  }

  #stop(): void {
    const echo = this.#echo!;
    const said = echo.passed().finally(() => echo.end()); // the others are to know the end before one of them leads
    this.#ending = Promise.all([this.#term!.end(this.#lastWords), said]);
    this.#ending.catch(() => {});
    this.#term = undefined;
    if (this.#election.role === "away") echo.end();
  }

  /** Who opens the connection: a member that has it already rather than one that tries. */
  #next(): Member | undefined {
    const members = [...this.#members];
    return members.find((member) => !member.call) ?? members[0];
  }

  #refuse(applicant: Applicant, error: KiiError): void {
    const member = applicant as Member;
    if (member.call) {
      member.fail(error);
      this.#drop(member);
      return;
    }
    for (const one of [...this.#members].filter((one) => !one.call)) {
      one.fail(error);
      this.#drop(one);
    }
  }

  #drop(member: Member): void {
    this.#members.delete(member);
    if (this.#members.size === 0) this.#happens("leave");
  }

  /** The leader's own connection has changed. */
  #changed(change: StateChange): void {
    this.#changes++;
    // What else ends a connection is this tab's own: its module, login, endpoint, options. The next one tries with its own.
    if (!isFinal(change.state) || change.code === "REVOKED") this.#tell(change);
    this.#become(change);
  }

  #become(change: StateChange): void {
    const again = change.state === "connecting" && this.#change?.state === "connecting";
    this.#change = change;
    if (again) return; // this tab has said so already, or the leader before
    const members = [...this.#members];
    if (isFinal(change.state)) this.#members.clear();
    for (const member of members) member.become(change);
    if (isFinal(change.state)) this.#happens("leave");
  }

  /** Passes on what has arrived: an acknowledgement follows this, and the others must have it then whatever becomes of this tab. */
  #relay(batch: Batch): void | Promise<void> {
    if (!this.#audience.there) return this.#deliver(batch);
    this.#say({ type: "batch", from: this.#place.id, batch });
    const passed = this.#echo!.passed();
    void this.#count();
    return Promise.all([passed, this.#deliver(batch)]).then(() => {});
  }

  #deliver(batch: Batch): void | Promise<void> {
    const fresh = this.#recent.pass(batch);
    if (!fresh) return undefined;
    const handling: Promise<void>[] = [];
    for (const member of this.#members) {
      // One that is still connecting gets it, too: a broker may send what it has kept before it answers SUBSCRIBE.
      const part = mine(fresh, this.topic, member.filters);
      const handled = part && member.sink.batch(part);
      if (handled) handling.push(handled);
    }
    return handling.length > 0 ? Promise.all(handling).then(() => {}) : undefined;
  }

  /** Looks, now and then, whether anybody still follows: a tab alone need not copy every message. */
  async #count(): Promise<void> {
    const { around, names } = this.#place;
    const now = Date.now();
    if (now - this.#audience.counted < recount) return;
    const audience: { there: boolean; counted: number } = (this.#audience = { there: true, counted: now });
    const { held = [], pending = [] } = await around.locks.query().catch((): LockManagerSnapshot => ({}));
    const follows = pending.some(({ name }) => name === names.topic(this.topic));
    audience.there = follows || held.some(({ name }) => name === names.frozen(this.topic));
  }

  #tell(change = this.#change): void {
    const { id } = this.#place;
    this.#say({ type: "lead", from: id, change: change && packChange(change), number: this.#changes });
  }

  #say(message: ToAll): void {
    this.#channel?.postMessage(message);
  }

  #hear(message: ToAll): void {
    switch (message?.type) {
      case "hello":
        if (!this.#term) break;
        this.#audience = { there: true, counted: Date.now() };
        this.#tell();
        break;
      case "ping":
        if (this.#term) this.#tell();
        break;
      case "bye":
        this.#audience.counted = 0;
        break;
      case "lead":
        this.#led(message);
        break;
      case "batch":
        if (this.#election.role === "candidate") this.#happens("sign");
        if (this.#term) this.#recent.expectRepeats(); // two lead: it is not known yet that one was robbed, or there are no locks
        if (this.#election.role !== "out") void this.#deliver(message.batch);
    }
  }

  #led({ from, change, number }: ToAll & { type: "lead" }): void {
    if (this.#election.role !== "candidate") return; // one that was robbed does not know yet
    this.#happens("sign");
    if (this.#leader?.id !== from) {
      this.#leader = { id: from, number: -1 };
      this.#recent.expectRepeats();
      this.#place.asks.gone((tab, topic) => topic === this.topic && tab !== from);
      this.#resubscribe();
      this.#ledNow();
      this.#place.roleChanged();
    }
    if (this.#leader!.number === number) return;
    this.#leader!.number = number;
    const displaced = this.#change === null && change?.state === "displaced";
    if (change) this.#become(unpackChange(change));
    if (displaced) for (const member of this.#members) if (member.call) this.#contest(member);
  }

  #ledNow(): void {
    for (const go of this.#whenLed.splice(0)) go();
  }

  /** Makes a call of the connection, by whoever leads. */
  async #call(method: Method, args: unknown[], options: CallOptions): Promise<unknown> {
    const clock = new Clock(options);
    const { id, asks } = this.#place;
    while (this.#election.role !== "out") {
      const rest = { ...options, ...clock.rest() };
      try {
        if (this.#term) return await this.#term.call(id, method, args, rest);
        if (this.#leader) return await asks.ask(this.#leader.id, this.topic, method, args, rest, mayRepeat(method, rest) ? undefined : confirmation);
      } catch (error) {
        if (!(error instanceof Passed)) throw error;
        if (error.taken && !mayRepeat(method, rest)) throw lostCall();
        if (this.#leader) {
          this.#leader = undefined; // it passed the call on: it leads no more, or is busy and tells again
          this.#say({ type: "ping", from: id });
        }
      }
      if (!this.#term && !this.#leader) await clock.bound(new Promise<void>((resolve) => this.#whenLed.push(resolve)));
    }
    throw closed();
  }

  async #ofMember(member: Member, method: Method, args: unknown[], options: CallOptions): Promise<unknown> {
    if (method === "close") return this.#close(member, options);
    const filter = args[0] as string;
    if (!this.#members.has(member)) throw closed();
    const had = member.filters.has(filter);
    if (method === "subscribe") {
      member.filters.add(filter);
    } else if (method === "unsubscribe") {
      member.filters.delete(filter);
      if ([...this.#members].some((other) => other.filters.has(filter))) return undefined;
    }
    try {
      return await this.#call(method, args, options);
    } catch (error) {
      if (method === "subscribe" && !had) member.filters.delete(filter);
      throw error;
    }
  }

  #close(member: Member, options: CallOptions): Promise<unknown> {
    if (!this.#members.delete(member)) return member.closed ?? Promise.resolve();
    let ended: Promise<unknown> = Promise.resolve();
    if (this.#members.size === 0) {
      this.#lastWords = options;
      const leads = this.#term !== undefined;
      this.#happens("leave");
      if (leads) ended = this.#ending;
      this.#lastWords = { timeout: usual };
    }
    const end = () => member.become({ state: "closed", code: "CLOSED", reason: "closed by the application" });
    return (member.closed = new Clock(options).bound(ended).finally(end));
  }

  #resubscribe(): void {
    for (const filter of new Set([...this.#members].flatMap((member) => [...member.filters]))) {
      this.#call("subscribe", [filter], { timeout: usual }).catch(() => {});
    }
  }

  #listen(): void {
    const { around, names } = this.#place;
    if (!this.#channel) {
      this.#channel = around.channel(names.topic(this.topic));
      this.#channel.onmessage = ({ data }) => this.#hear(data as ToAll);
    }
    this.#leader = undefined;
    this.#ticker ??= setInterval(() => around.visible() && this.#happens("tick"), tick * (1 + Math.random() / 2));
  }

  #stopTicking(): void {
    clearInterval(this.#ticker);
    this.#ticker = undefined;
  }

  #hangUp(): void {
    this.#stopTicking();
    this.#channel?.close();
    this.#channel = undefined;
  }

  #reset(): void {
    if (this.#channel) this.#say({ type: "bye", from: this.#place.id });
    this.#hangUp();
    this.#frozen?.end();
    this.#leader = undefined;
    this.#change = null;
    this.#ledNow();
  }
}

function closed(): KiiError {
  return new KiiError("The connection has ended.", { code: "CLOSED", retryable: false, remedy: "Open a new connection with connect." });
}

function after(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
