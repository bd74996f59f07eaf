// The connections that one tab's code has opened to one topic: they are one to the other tabs.

import type { StateChange } from "../../types/index.js";
import type { Batch } from "../batch.js";
import type { KiiError } from "../errors.js";
import type { Handled, LinkOptions } from "../host.js";
import type { decodeProperties } from "../properties.js";
import { isFinal } from "../state.js";
import { mine } from "./filters.js";
import type { Member } from "./member.js";
import { Recent } from "./recent.js";

export class Members {
  readonly #topic: string;
  readonly #decode: typeof decodeProperties;
  readonly #all = new Set<Member>();
  #recent!: Recent;

  constructor(topic: string, decode: typeof decodeProperties) {
    this.#topic = topic;
    this.#decode = decode;
  }

  get size(): number {
    return this.#all.size;
  }

  /** Who has closed in the middle of a batch has not had its rest, and gets it with the next connection. */
  add(member: Member): void {
    if (this.size === 0) this.#recent = new Recent(this.#decode);
    this.#all.add(member);
  }

  has(member: Member): boolean {
    return this.#all.has(member);
  }

  /** Tells whether it was there. */
  delete(member: Member): boolean {
    return this.#all.delete(member);
  }

  /** Those whose connect has not come to an end. */
  get trying(): Member[] {
    return [...this.#all].filter(({ call }) => call);
  }

  /** With whose data to connect: that of one that has the connection already rather than of one that tries. */
  next(): Member | undefined {
    const members = [...this.#all];
    return members.find(({ call }) => !call) ?? members[0];
  }

  /** Tells all of a change, which may be their end. */
  become(change: StateChange): void {
    const members = [...this.#all];
    if (isFinal(change.state)) this.#all.clear();
    for (const member of members) member.become(change);
  }

  /** Ends the one that was not let in, or all that stand: the connection was opened with their data. */
  refuse(member: Member, error: KiiError): void {
    for (const one of member.call ? [member] : [...this.#all].filter(({ call }) => !call)) {
      one.fail(error);
      this.#all.delete(one);
    }
  }

  /** Another tab leads from now on: what is repeated comes first. */
  expectRepeats(): void {
    this.#recent.expectRepeats();
  }

  /** Hands messages to whom they belong; what it gives settles when all handlers are done. What one has handled is handled. */
  deliver(batch: Batch): Handled | Promise<Handled> {
    const fresh = this.#recent.pass(batch);
    const handling: (Handled | Promise<Handled>)[] = [];
    if (!fresh) return undefined;
    for (const member of this.#all) {
      // One that is still connecting gets it, too: a broker may send what it has kept before it answers SUBSCRIBE.
      const part = mine(fresh, this.#topic, [...member.filters.keys()]);
      handling.push(part && member.sink.batch(part)); // whom it does not concern goes on, as the connection does
    }
    if (handling.length < 2) return handling[0];
    return Promise.all(handling).then((all) => (all.every(Boolean) ? all[0] : undefined));
  }

  /** The further filters that they have subscribed to, and how. */
  get filters(): Map<string, LinkOptions> {
    return new Map([...this.#all].flatMap(({ filters }) => [...filters]));
  }

  wants(filter: string): boolean {
    return this.#of(filter).length > 0;
  }

  /** The broker does not let them have filter any more. */
  lose(filter: string, error: KiiError): void {
    for (const member of this.#of(filter)) {
      member.filters.delete(filter);
      // As the module says it when that happens to it.
      member.sink.state({ state: "online", code: error.code, reason: `not subscribed to ${filter} any more`, error });
    }
  }

  #of(filter: string): Member[] {
    return [...this.#all].filter(({ filters }) => filters.has(filter));
  }
}
