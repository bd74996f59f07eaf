// One leader's time in office: it has the connection, passes on what arrives, and makes the
// calls of all. It knows nothing of locks and channels.

import type { CallOptions, ConnectOptions, MqttEndpoint, StateChange } from "../../types/index.js";
import type { Batch } from "../batch.js";
import { Clock, maxTimeout } from "../calls.js";
import { isFinal } from "../state.js";
import type { KiiError } from "../errors.js";
import type { Handled, Host, Link, Sink } from "../host.js";
import { Passed } from "./asks.js";
import { Dispatch } from "./dispatch.js";
import type { Method } from "./ledcalls.js";
import { Relay } from "./relay.js";
import { refused } from "./renewal.js";

/** What a connection is opened with. */
export interface Applicant {
  readonly endpoint: MqttEndpoint;
  readonly options: ConnectOptions;
  /** Its call of connect, while that has not come to an end. */
  readonly call: CallOptions | undefined;
}

/** The tabs that have subscribed to further filters, to which, and by which call: a number of its own, or 0 while the filter ends. */
export type Seats = Map<string, Map<string, number>>;

/** Whom a term works for. */
export interface Electorate {
  /** With whose data the connection is to be opened; undefined when nobody wants it any more. */
  next(): Applicant | undefined;
  /** What an applicant gets to hear when it cannot be opened so. */
  refused(applicant: Applicant, error: KiiError): void;
  changed(change: StateChange): void;
  /** Hands messages on; what it gives settles when the handlers are done. */
  batch(batch: Batch): Handled | Promise<Handled>;
  /** Has left called when the tab is gone, however it ends; until the end of what it gives. */
  watch(tab: string): { end(): void };
  /** Tells the others of seats that are new. Settles when they will know, whatever becomes of this tab. */
  seated(anew: boolean): Promise<void>;
}

/** Milliseconds to wait before another attempt where the module itself did not get to wait. It doubles. */
const firstDelay = 1000;
const maxDelay = 60_000;

export class Term {
  readonly #own: Host;
  readonly #electorate: Electorate;
  readonly #relay = new Relay();
  readonly #dispatch = new Dispatch();
  readonly #over = new AbortController();
  readonly #opened: Promise<Link>;
  #open!: (link: Link) => void;
  #link: Link | undefined;
  #opening = false;
  #online = false;
  #hurry: (() => void) | undefined;
  /** The connection's end, when that came before connect had settled. */
  #end: StateChange | undefined;
  readonly #seats: Seats;
  /** What tells of a tab's end. */
  readonly #watches = new Map<string, { end(): void }>();
  /** Settles when nothing can leave by this connection any more. */
  #gone: (() => void) | undefined;
  readonly #closed = new Promise<void>((resolve) => (this.#gone = resolve));

  /** seats are those that the leader before has left. */
  constructor(own: Host, electorate: Electorate, seats: Seats) {
    this.#own = own;
    this.#electorate = electorate;
    this.#seats = seats;
    for (const tab of seats.keys()) this.#watch(tab);
    this.#opened = new Promise((resolve, reject) => {
      this.#open = resolve;
      this.#over.signal.addEventListener("abort", () => reject(new Passed(true)));
    });
    this.#opened.catch(() => {});
  }

  /** Opens the connection, unless it is being opened or open. */
  open(): void {
    if (this.#opening) return;
    this.#opening = true;
    void this.#attempts();
  }

  /** Makes a call of a connection for a tab. Passed: the term is over. */
  async call(tab: string, method: Method, args: unknown[], options: CallOptions): Promise<unknown> {
    if (method === "takeBack" && !this.#opening) return this.open();
    const clock = new Clock(options);
    const filter = args[0] as string;
    const seats = method.endsWith("subscribe") && typeof filter === "string"; // what is none, the module refuses
    const mark = method === "subscribe" ? Math.random() : 0;
    let anew = false;
    if (seats) {
      anew = this.#mark(tab, filter, mark); // before it is granted: the tab may go meanwhile
      if (!mark && this.#shared(filter)) return this.#leaves(tab, filter, mark);
    }
    try {
      if (seats) await clock.bound(this.#electorate.seated(anew)); // in order, and this tab may go, too
      const link = await clock.bound(this.#opened);
      if (method === "send") return await this.#dispatch.send(link, args[0] as Uint8Array, args[1] as number, clock);
      const done = await link.call(method, args, { ...options, ...clock.rest() });
      if (method === "unsubscribe") this.#leaves(tab, filter, mark); // not before: what is not done is the next leader's to do
      return done;
    } catch (error) {
      if (this.#over.signal.aborted) throw new Passed(true);
      if (seats && (anew || !mark) && refused(error as KiiError)) this.#leaves(tab, filter, mark);
      throw error;
    }
  }

  /** A tab has gone, or hears nothing for now: filters that only it has subscribed to end. */
  left(tab: string): void {
    this.#watches.get(tab)?.end();
    this.#watches.delete(tab);
    for (const [filter] of this.#seats.get(tab) ?? []) this.#unsubscribe(tab, filter);
  }

  /** Notes what the leader before had told, and this one heard when it led already. */
  inherit(seats: Seats): void {
    for (const [tab, filters] of seats) {
      for (const [filter, mark] of filters) {
        if (this.#seats.get(tab)?.has(filter)) continue;
        if (mark) this.#mark(tab, filter, mark);
        else this.#unsubscribe(tab, filter);
      }
    }
  }

  /** Ends a wait between attempts, unless what has happened is that the network has gone. */
  hurry(cause: string): void {
    if (cause !== "offline") this.#hurry?.();
  }

  wake(cause: string): void {
    this.hurry(cause);
    this.#link?.wake(cause);
  }

  /**
   * Ends the connection. What arrives until it is closed is handed to nobody and not acknowledged: it comes
   * again to who connects next. What is handled before first settles is acknowledged; without first it closes at once: while a
   * page goes away there is no later.
   */
  end(options: CallOptions, first?: Promise<unknown>): Promise<unknown> {
    this.#over.abort();
    for (const watch of this.#watches.values()) watch.end();
    this.#dispatch.end();
    this.#hurry?.();
    const link = this.#link;
    if (!link) return Promise.resolve();
    const close = () => link.call("close", [], options).finally(() => this.#gone!());
    return first ? first.then(close) : close();
  }

  async #attempts(): Promise<void> {
    const over = this.#over.signal;
    let delay = firstDelay;
    let contested = false;
    for (let applicant; !over.aborted && (applicant = this.#electorate.next()); ) {
      this.#end = undefined;
      try {
        const link = await this.#own.connect(applicant.endpoint, applicant.options, this.#sink(), this.#bounds(applicant));
        if (over.aborted) return void link.call("close", [], {}).catch(() => {}).finally(() => this.#gone!());
        this.#open((this.#link = link));
        if (this.#end) this.#electorate.changed(this.#end);
        return;
      } catch (cause) {
        const error = cause as KiiError;
        if (over.aborted) return this.#gone!();
        if (error.code === "DISPLACED") {
          if (applicant.call && !contested) {
            // Who connects contests, and a tab that has just ended may have done this: what it had tried may arrive only now.
            contested = true;
            continue;
          }
          this.#opening = !!applicant.call; // else until takeBack, as a connection that stands
          this.#electorate.changed({ state: "displaced", code: error.code, reason: error.message, error });
          if (!this.#opening) return;
        }
        if (applicant.call || !error.retryable) {
          this.#electorate.refused(applicant, error);
          continue;
        }
        this.#electorate.changed({ state: "waiting", code: error.code, reason: error.message, retryIn: delay, error });
        await this.#pause(delay);
        delay = Math.min(delay * 2, maxDelay);
      }
    }
  }

  /** An applicant's call has its own end; a connection that stood before is wanted until it is closed. */
  #bounds({ call }: Applicant): CallOptions {
    const over = this.#over.signal;
    if (!call) return { signal: over, timeout: maxTimeout };
    const either = new AbortController();
    for (const signal of [over, call.signal]) {
      if (signal?.aborted) either.abort(signal.reason);
      signal?.addEventListener("abort", () => either.abort(signal.reason), { once: true, signal: either.signal });
    }
    return { ...call, signal: either.signal };
  }

  #pause(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.#hurry = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #sink(): Sink {
    return {
      batch: (batch) => {
        const complete = this.#relay.complete(batch); // its names are told once
        if (this.#over.signal.aborted) return this.#closed;
        return this.#electorate.batch(complete);
      },
      sent: (tickets, error) => this.#dispatch.sent(tickets, error),
      state: (change) => {
        const ends = isFinal(change.state);
        if (ends && this.#link) this.#gone!();
        if (this.#over.signal.aborted) return;
        if (!this.#link && (ends || change.state === "displaced")) this.#end = change; // connect rejects, and says more
        else this.#electorate.changed(change);
        const online = change.state === "online";
        if (online && !this.#online) this.#catchUp();
        this.#online = online;
      },
    };
  }

  /** Ends the filters that should have ended, and have not: the connection was displaced then, or the broker away for too long. */
  #catchUp(): void {
    for (const [tab, filters] of this.#seats) for (const [filter, mark] of filters) if (!mark) this.#unsubscribe(tab, filter);
  }

  #unsubscribe(tab: string, filter: string): void {
    this.call(tab, "unsubscribe", [filter], { timeout: maxTimeout }).catch(() => {});
  }

  #watch(tab: string): void {
    this.#watches.set(tab, this.#electorate.watch(tab));
  }

  /** Notes that a tab has subscribed to filter, or, with 0, is to have no more. Tells whether that is news. */
  #mark(tab: string, filter: string, mark: number): boolean {
    let filters = this.#seats.get(tab);
    if (!filters) this.#seats.set(tab, (filters = new Map()));
    if (mark && !this.#watches.has(tab)) this.#watch(tab);
    const before = filters.get(filter);
    filters.set(filter, mark);
    return !before !== !mark;
  }

  /** Ends what was noted, unless another call has come since. */
  #leaves(tab: string, filter: string, mark: number): void {
    const filters = this.#seats.get(tab);
    if (filters?.get(filter) !== mark) return;
    filters.delete(filter);
    if (filters.size === 0) this.#seats.delete(tab);
    void this.#electorate.seated(true);
  }

  /** Tells whether a tab has subscribed to filter. */
  #shared(filter: string): boolean {
    return [...this.#seats.values()].some((filters) => filters.get(filter));
  }
}
