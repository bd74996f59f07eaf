// The tabs that share one connection, as one of them sees it: it leads or follows, and what
// its own code has of the connection works the same either way.

import type { CallOptions, ConnectOptions, MqttEndpoint, StateChange } from "../../types/index.js";
import type { Batch } from "../batch.js";
import { Clock } from "../calls.js";
import { aborted, type KiiError } from "../errors.js";
import type { Handled, Host, Link, Sink } from "../host.js";
import type { decodeProperties } from "../properties.js";
import { isFinal } from "../state.js";
import { Aftermath, type Concerned } from "./aftermath.js";
import { Passed, type Asks } from "./asks.js";
import { Audience } from "./audience.js";
import { Candidacy } from "./candidacy.js";
import { Claim } from "./claim.js";
import { Echo } from "./echo.js";
import { LedCalls, type Lead, type Method } from "./ledcalls.js";
import { Meeting } from "./meeting.js";
import { Member } from "./member.js";
import { makeFor, sendFor, usual } from "./membercalls.js";
import { Members } from "./members.js";
import { packChange, unpackChange, type Names, type ToAll, type ToOne } from "./messages.js";
import { Renewal } from "./renewal.js";
import type { Surroundings } from "./surroundings.js";
import { Term, type Seats } from "./term.js";

export interface Place {
  readonly id: string;
  readonly names: Names;
  readonly own: Host;
  readonly asks: Asks;
  readonly around: Surroundings;
  readonly decodeProperties: typeof decodeProperties;
  /** Says something to another tab. */
  post(to: string, message: ToOne): void;
  /** Somebody else or nobody leads now. */
  roleChanged(): void;
}

export class Group {
  declare readonly topic: string;
  readonly #place: Place;
  readonly #members: Members;
  readonly #renewal: Renewal;
  readonly #audience: Audience;
  readonly #meeting: Meeting;
  readonly #calls: LedCalls;
  readonly #candidacy: Candidacy;
  readonly #aftermath: Aftermath;
  /** The other tab that leads. */
  #leader: string | undefined;
  #change: StateChange | null = null;
  /** The number of the last change that whoever leads told. */
  #changes = 0;
  #seats: Seats = new Map();
  /** Those that another leader has told last, be it that this tab led already. */
  #heard!: Seats;
  /** While this tab leads. */
  #term: Term | undefined;
  #echo: Echo | undefined;
  /** Nobody knows yet whether the browser has it that this tab listens, nor what another leader has said last; what waits for that is told then. */
  #deaf = false;
  #late: StateChange | undefined;
  #ending: Promise<unknown> = Promise.resolve();
  /** What bounds the goodbye of a term that ends. */
  #lastWords: CallOptions = { timeout: usual };

  constructor(topic: string, place: Place) {
    this.topic = topic;
    this.#place = place;
    this.#members = new Members(topic, place.decodeProperties);
    this.#renewal = new Renewal(this.#members, (filter, options) => this.#calls.make("subscribe", [filter], options));
    this.#audience = new Audience(place.around, place.names, topic);
    this.#meeting = new Meeting(place.around, place.names, topic, place.id, (message) => this.#hear(message), () => this.#candidacy.happens("tick"));
    this.#calls = new LedCalls(topic, place.id, place.asks, this.#lead());
    this.#aftermath = new Aftermath(this.#concerned());
    this.#candidacy = new Candidacy(place.around, place.names, topic, {
      lead: () => this.#begin(),
      stop: () => this.#stop(),
      hello: () => this.#hello(),
      ping: () => this.#ping(),
      robbed: (follow) => this.#aftermath.robbed(follow),
      changed: () => {
        if (this.role === "out") this.#reset();
        place.roleChanged();
      },
    });
  }

  get role() {
    return this.#candidacy.role;
  }

  async connect(endpoint: MqttEndpoint, options: ConnectOptions, sink: Sink, call: CallOptions): Promise<Link> {
    if (call.signal?.aborted) throw aborted(call.signal);
    const link: Link = {
      call: (method, args, callOptions) =>
        method === "close" ? this.#close(member, callOptions) : makeFor(member, this.#members, this.#calls, method, args, callOptions),
      wake: (cause) => this.wake(cause),
      sender: { send: (staged, first) => sendFor(member, this.#members, this.#calls, staged.slice(), first), forget: () => {} }, // each call ends in time
    };
    const member = new Member(endpoint, options, sink, call, link, () => {
      this.#members.delete(member);
      this.#leaveIfEmpty();
    });
    this.#members.add(member);
    if (this.role === "out") this.#candidacy.happens("enter");
    else this.#join(member);
    return member.ready;
  }

  /** Makes a call of the connection for another tab. */
  async serve(tab: string, method: string, args: unknown[], options: CallOptions): Promise<unknown> {
    if (!this.#term) throw new Passed(false);
    return this.#term.call(tab, method as Method, args, options);
  }

  /** The page or the network is back: whoever has the connection is to see to it. */
  signal(cause: string): void {
    if (this.#term) this.#term.hurry(cause); // its own module is told already
    else this.wake(cause);
  }

  wake(cause: string): void {
    if (this.#term) this.#term.wake(cause);
    else if (this.#leader) this.#place.post(this.#leader, { type: "wake", topic: this.topic, cause });
  }

  /** The page goes to stand still; aside: and hears nothing any more. */
  suspend(aside: boolean): void {
    const took = this.#candidacy.suspend(aside);
    this.#echo?.end();
    if (!took) return;
    if (aside) this.#part();
    if (this.#change?.state !== "displaced") this.#become({ state: "waiting", reason: `paused: ${aside ? "pagehide" : "freeze"}` });
  }

  resume(): void {
    this.#candidacy.resume();
  }

  /** Ends all connections with error, at once. Where there are none, there need not be an error. */
  end(error: KiiError | undefined): void {
    if (error) this.#members.become({ state: "closed", code: error.code, reason: error.message, error });
    this.#candidacy.happens("leave");
  }

  #lead(): Lead {
    const group = this;
    return {
      get out() {
        return group.role === "out";
      },
      get term() {
        return group.#term;
      },
      get leader() {
        return group.#leader;
      },
      sit: () => group.#meeting.sit(),
      wants: (filter) => group.#members.wants(filter),
      doubt() {
        group.#leader = undefined;
        group.#ping();
      },
    };
  }

  #concerned(): Concerned {
    const group = this;
    return {
      get state() {
        return group.#term && group.#change?.state;
      },
      changed: (change) => group.#changed(change),
      say: (message) => group.#meeting.say(message),
      takeBack: () => group.#contest(),
    };
  }

  /** A newcomer to a group in which this tab takes part already. */
  #join(member: Member): void {
    const change = this.#change;
    if (change) member.become(change);
    if (change?.state === "displaced") this.#contest(member);
    else this.#term?.open();
  }

  /** Takes the connection back. To connect, as member does then, is to contest, as it is without other tabs. */
  #contest(member?: Member): void {
    this.#calls.make("takeBack", [], { timeout: usual }).catch((error) => member?.call && this.#refuse(member, error));
  }

  #hello(): void {
    this.#meeting.join();
    this.#leader = undefined;
    this.#expectRepeats();
    this.#meeting.say({ type: "hello", from: this.#place.id });
  }

  #ping(): void {
    this.#meeting.say({ type: "ping", from: this.#place.id });
  }

  #begin(): void {
    const place = this.#place;
    this.#meeting.lead();
    this.#leader = undefined;
    place.asks.gone((_, topic) => topic === this.topic);
    this.#expectRepeats();
    this.#audience.came();
    const echo = (this.#echo = new Echo(place.around, place.names.echo(place.id, this.topic)));
    this.#deaf = true;
    this.#heard = this.#seats;
    void echo.passed().then(() => {
      if (this.#echo !== echo) return;
      this.#deaf = false;
      this.#term?.inherit(this.#heard);
      if (this.#late) this.#changed(this.#late);
    });
    this.#term = new Term(place.own, {
      next: () => this.#members.next(),
      refused: (applicant, error) => this.#refuse(applicant as Member, error),
      changed: (change) => this.#changed(change),
      batch: (batch) => this.#relay(batch),
      watch: (tab) => new Claim(place.around.locks, place.names.seat(this.topic, tab), "share", { granted: () => this.#term?.left(tab) }),
      seated: async (anew) => {
        if (!this.#term) return;
        if (anew) this.#tell();
        await this.#echo!.passed();
      },
    }, this.#seats);
    this.#renewal.begin();
    this.#calls.changed();
    const { state } = this.#change ?? {};
    this.#aftermath.begins(state);
    if (state === "displaced" && this.#members.trying.length === 0) return this.#tell(); // until takeBack
    if (state) this.#changed({ state: "connecting", reason: "This tab has the connection now." });
    else this.#tell();
    this.#term.open();
  }

  #stop(): Promise<unknown> {
    const echo = this.#echo!;
    const aside = this.role === "away";
    if (this.role !== "candidate") this.#aftermath.ends(); // else it was robbed
    this.#late = undefined;
    const said = echo.passed(); // the others are to know the end before one of them leads
    this.#ending = Promise.all([this.#term!.end(this.#lastWords, aside ? undefined : said), said]);
    this.#ending.catch(() => {});
    this.#term = undefined;
    void said.then(() => echo.end());
    return this.#ending;
  }

  #refuse(member: Member, error: KiiError): void {
    this.#members.refuse(member, error);
    this.#leaveIfEmpty();
  }

  #leaveIfEmpty(): void {
    if (this.#members.size === 0) this.#candidacy.happens("leave");
  }

  /** The leader's own connection has changed. */
  #changed(change: StateChange): void {
    // Who is online is promised what others acknowledge from then on, should this page freeze.
    this.#late = this.#deaf && change.state === "online" ? change : undefined;
    if (this.#late) return;
    this.#changes++;
    // What else ends a connection is this tab's own: its module, login, endpoint, options. The next one tries with its own.
    if (!isFinal(change.state) || change.code === "REVOKED") this.#tell(change);
    this.#become(change);
    this.#aftermath.changed();
  }

  #become(change: StateChange): void {
    if (change.state !== this.#change?.state) this.#change = change; // what else is told of a state does not concern who comes later
    else if (change.state === "connecting") return; // this tab has said so already, or the leader before
    this.#members.become(change);
    if (isFinal(change.state)) this.#candidacy.happens("leave");
  }

  /** Passes on what has arrived: an acknowledgement follows this, and the others must have it then whatever becomes of this tab. */
  #relay(batch: Batch): Handled | Promise<Handled> {
    if (!this.#audience.there) return this.#members.deliver(batch);
    this.#meeting.say({ type: "batch", from: this.#place.id, batch });
    const passed = this.#echo!.passed();
    void this.#audience.look();
    const handled = this.#members.deliver(batch);
    return passed.then(() => handled);
  }

  #expectRepeats(): void {
    if (this.#change) this.#members.expectRepeats();
  }

  #tell(change = this.#change): void {
    const { id } = this.#place;
    this.#meeting.say({ type: "lead", from: id, change: change && packChange(change), number: this.#changes, seats: this.#seats });
  }

  #hear(message: ToAll): void {
    switch (message?.type) {
      case "hello":
        if (!this.#term) break;
        this.#audience.came();
        this.#tell();
        break;
      case "ghost":
        this.#aftermath.heard();
        break;
      case "ping":
        if (this.#term) this.#tell();
        break;
      case "bye":
        this.#audience.went();
        this.#term?.left(message.from);
        break;
      case "lead":
        this.#led(message);
        break;
      case "batch":
        if (this.role === "candidate") this.#candidacy.happens("sign");
        if (message.from !== this.#leader) this.#members.expectRepeats(); // two lead: it is not known yet that one was robbed, or there are no locks
        if (this.role !== "out") void this.#members.deliver(message.batch);
    }
  }

  #led({ from, change, number, seats }: ToAll & { type: "lead" }): void {
    this.#heard = seats;
    if (this.role !== "candidate") return; // one that was robbed does not know yet
    this.#candidacy.happens("sign");
    this.#seats = seats;
    const known = this.#leader === from;
    if (!known) {
      this.#leader = from;
      this.#members.expectRepeats();
      this.#place.asks.gone((tab, topic) => topic === this.topic && tab !== from);
      this.#renewal.begin();
      this.#calls.changed();
      this.#place.roleChanged();
    }
    if (known && this.#changes === number) return;
    this.#changes = number;
    const displaced = this.#change === null && change?.state === "displaced";
    if (change) this.#become(unpackChange(change));
    if (displaced) for (const member of this.#members.trying) this.#contest(member);
  }

  #close(member: Member, options: CallOptions): Promise<unknown> {
    if (!this.#members.delete(member)) return member.closed ?? Promise.resolve();
    this.#lastWords = options;
    const term = this.#term;
    this.#leaveIfEmpty();
    const ended = term === this.#term ? Promise.resolve() : this.#ending;
    this.#lastWords = { timeout: usual };
    for (const filter of member.filters.keys()) this.#calls.make("unsubscribe", [filter], { timeout: usual }).catch(() => {});
    const end = () => member.become({ state: "closed", code: "CLOSED", reason: "closed by the application" });
    return (member.closed = new Clock(options).bound(ended).finally(end));
  }

  /** Hears nothing any more, and says so. */
  #part(): void {
    this.#meeting.say({ type: "bye", from: this.#place.id });
    this.#meeting.leave();
  }

  #reset(): void {
    this.#renewal.end();
    this.#part();
    this.#leader = undefined;
    this.#change = null;
    this.#place.asks.gone((_, topic) => topic === this.topic);
    this.#calls.changed();
  }
}
