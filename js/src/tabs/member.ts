// One connection as one tab's code has it: what connect was called with, and what became of it.

import type { CallOptions, ConnectOptions, MqttEndpoint, StateChange } from "../../types/index.js";
import { Clock } from "../calls.js";
import { isFinal } from "../state.js";
import type { KiiError } from "../errors.js";
import type { Link, LinkOptions, Sink } from "../host.js";
import { extended } from "./asks.js";
import { ended } from "./ledcalls.js";
import type { Applicant } from "./term.js";

/** So much later than its timeout an attempt ends without the module's word, which knows the cause. */
const grace = 250;

export class Member implements Applicant {
  declare readonly endpoint: MqttEndpoint;
  declare readonly options: ConnectOptions;
  declare readonly sink: Sink;
  /** What it has subscribed to besides the connection's own topic, and how. */
  readonly filters = new Map<string, LinkOptions>();
  /** Settles when the connection stands. */
  declare readonly ready: Promise<Link>;
  /** Once it was closed: settles when that is done. */
  declare closed: Promise<unknown> | undefined;
  readonly #link: Link;
  readonly #clock: Clock;
  #settle: { resolve(link: Link): void; reject(error: unknown): void } | undefined;

  /** left is called when the attempt comes to nothing. */
  constructor(endpoint: MqttEndpoint, options: ConnectOptions, sink: Sink, call: CallOptions, link: Link, left: () => void) {
    this.endpoint = endpoint;
    this.options = options;
    this.sink = sink;
    this.#link = link;
    this.#clock = new Clock(call);
    const attempt = new Promise<Link>((resolve, reject) => (this.#settle = { resolve, reject }));
    this.ready = extended(call, grace).bound(attempt);
    this.ready.catch((error) => {
      this.#end()?.reject(error); // which ends what bounds it, too
      left();
    });
  }

  /** The rest of its call, while that has not ended. */
  get call(): CallOptions | undefined {
    return this.#settle && this.#clock.rest();
  }

  /** Takes a change, which may end the attempt, or the connection. */
  become(change: StateChange): void {
    if (isFinal(change.state) && this.#settle) return this.fail(change.error ?? ended(change));
    if (change.state === "online") this.#end()?.resolve(this.#link); // first: an end may follow at once
    this.sink.state(change);
  }

  /** Ends the attempt, or the connection, with an error. */
  fail(error: KiiError): void {
    const attempt = this.#end();
    if (attempt) attempt.reject(error);
    else this.sink.state({ state: "failed", code: error.code, reason: error.message, error });
  }

  #end() {
    const settle = this.#settle;
    this.#settle = undefined;
    return settle;
  }
}
