// Makes the calls of a shared connection: here, where this tab leads, else by the tab that does.

import type { CallOptions, StateChange } from "../../types/index.js";
import { Clock } from "../calls.js";
import { KiiError } from "../errors.js";
import type { Link } from "../host.js";
import { lostCall, mayRepeat, Passed, type Asks } from "./asks.js";
import type { Term } from "./term.js";

/** A connection's methods, and send, which publishes many messages at once. */
export type Method = Parameters<Link["call"]>[0] | "send";

/** How soon a leader confirms that it makes a call that cannot be made twice, in milliseconds. */
const confirmation = 2000;

/** Who leads, as this tab knows it. */
export interface Lead {
  /** Nobody has a connection open here. */
  readonly out: boolean;
  /** While this tab leads. */
  readonly term: Term | undefined;
  /** The other tab that leads. */
  readonly leader: string | undefined;
  /** Tells whether somebody here wants a filter. */
  wants(filter: string): boolean;
  /** Lets others learn when this tab crashes. */
  sit(): Promise<void>;
  /** That tab has passed a call on: it leads no more, or is busy and tells again when it is asked. */
  doubt(): void;
}

export class LedCalls {
  readonly #topic: string;
  readonly #me: string;
  readonly #asks: Asks;
  readonly #lead: Lead;
  #waiting: (() => void)[] = [];

  constructor(topic: string, me: string, asks: Asks, lead: Lead) {
    this.#topic = topic;
    this.#me = me;
    this.#asks = asks;
    this.#lead = lead;
  }

  /** Whoever waits for somebody to lead is to look again. */
  changed(): void {
    for (const go of this.#waiting.splice(0)) go();
  }

  async make(method: Method, args: unknown[], options: CallOptions): Promise<unknown> {
    const clock = new Clock(options);
    const repeatable = mayRepeat(method, options);
    while (!this.#lead.out) {
      const wanted = this.#lead.wants(args[0] as string);
      if (method === "unsubscribe" && wanted) return undefined;
      if (method === "subscribe" && !wanted) throw lostCall(); // it was taken back while nobody led
      if (method.endsWith("subscribe")) await clock.bound(this.#lead.sit()); // whoever leads waits for the lock then
      if (this.#lead.out) break;
      const { term, leader } = this.#lead;
      const rest = { ...options, ...clock.rest() };
      try {
        if (term) return await term.call(this.#me, method, args, rest);
        if (leader) return await this.#asks.ask(leader, this.#topic, method, args, rest, repeatable ? undefined : confirmation);
      } catch (error) {
        if (!(error instanceof Passed)) throw error;
        if (this.#lead.out) break;
        if (error.taken && !repeatable) throw lostCall();
        if (this.#lead.leader) this.#lead.doubt();
      }
      if (!this.#lead.term && !this.#lead.leader) await clock.bound(new Promise<void>((resolve) => this.#waiting.push(resolve)));
    }
    throw ended();
  }
}

/** What is said of a connection that has ended, with the change to that where it is known. */
export function ended({ code = "CLOSED", reason }: Partial<StateChange> = {}): KiiError {
  return new KiiError(reason || "The connection has ended.", { code, retryable: false, remedy: "Open a new connection with connect." });
}
