// Collects the messages that are published in one turn, so that they enter the Go program
// together, and settles their promises when it says how they went.

import type { KiiError, PublishOptions } from "../types/index.js";
import { defaultTimeout } from "./calls.js";
import { timedOut } from "./errors.js";

/** What a host does for it. */
export interface Sender {
  /** Takes so many messages as they are staged, the first under that ticket. */
  send(staged: Uint8Array, first: number, count: number): void;
  /** Nobody waits any more for that one. */
  forget(ticket: number): void;
}

/** Room for the messages of a turn, in bytes; what is more goes before. */
const room = 64 << 10;
/** Larger ones go another way. */
const largest = 32 << 10;
/** In UTF-16 code units. */
const longestTopic = 1024;
/** A byte with QoS (two bits) and RETAIN, the sizes of topic (two bytes) and payload (four), big endian. */
const header = 7;

/** Tickets are int32 for the program, and above 0. A turn that begins here has as many as there is room for. */
const lastTicket = 2 ** 31 - 1 - room;

interface Waiting {
  resolve(): void;
  reject(error: KiiError): void;
  /** When it has waited for too long, by performance.now(). */
  until: number;
}

const encoder = new TextEncoder();

export class Publisher {
  readonly #sender: Sender;
  readonly #timeout: number;
  readonly #staged = new Uint8Array(room);
  #size = 0;
  #first: number;
  #next: number;
  #until = 0;
  readonly #waiting = new Map<number, Waiting>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(sender: Sender, timeout: number = defaultTimeout, first: number = 1) {
    this.#sender = sender;
    this.#timeout = timeout;
    this.#first = this.#next = first;
  }

  /** Takes a usual message; undefined: this is none. It goes with the others of this turn. */
  publish(topic: unknown, payload: unknown, options: PublishOptions): Promise<void> | undefined {
    const { qos = 1, retain = false, signal, timeout } = options;
    if (signal != null || timeout != null || typeof topic !== "string" || topic.length > longestTopic) return undefined;
    if ((qos !== 0 && qos !== 1) || typeof retain !== "boolean") return undefined;
    const text = typeof payload === "string";
    const buffer = text ? undefined : payload instanceof Uint8Array ? payload.buffer : payload instanceof ArrayBuffer ? payload : null;
    if (buffer === null || buffer?.byteLength === 0) return undefined; // which one that was transferred has, too
    const bytes = buffer && (payload instanceof Uint8Array ? payload : new Uint8Array(buffer));
    const most = header + 3 * topic.length + (text ? 3 * (payload as string).length : bytes!.length);
    if (most > largest) return undefined;
    if (this.#size + most > room) this.flush();
    if (this.#size === 0) {
      if (this.#next > lastTicket) this.#first = this.#next = 1; // of those the first have long had their answers
      this.#until = performance.now() + this.#timeout;
      queueMicrotask(() => this.flush());
    }
    this.#stage(topic, bytes ?? (payload as string), qos | (retain ? 4 : 0));
    return new Promise((resolve, reject) => this.#waiting.set(this.#next++, { resolve, reject, until: this.#until }));
  }

  /** Hands over what was published in this turn: something follows that has to come behind it. */
  flush(): void {
    if (this.#size === 0) return;
    const staged = this.#staged.subarray(0, this.#size);
    const first = this.#first;
    this.#size = 0;
    this.#first = this.#next;
    if (this.#waiting.size > 0) this.#watch(this.#timeout); // else the end has come before
    this.#sender.send(staged, first, this.#next - first);
  }

  /** Takes the word of the host for those messages. */
  settle(tickets: Int32Array, error?: KiiError): void {
    for (const ticket of tickets) {
      const waiting = this.#waiting.get(ticket);
      if (!waiting) continue;
      this.#waiting.delete(ticket);
      if (error) waiting.reject(error);
      else waiting.resolve();
    }
    this.#rest();
  }

  /** There is nobody any more who would say how messages went. */
  end(error: KiiError): void {
    const list = [...this.#waiting.values()];
    this.#waiting.clear();
    this.#rest();
    for (const { reject } of list) reject(error);
  }

  #stage(topic: string, payload: string | Uint8Array, flags: number): void {
    const to = this.#staged;
    const at = this.#size + header;
    const name = encoder.encodeInto(topic, to.subarray(at)).written;
    let size: number;
    if (typeof payload === "string") size = encoder.encodeInto(payload, to.subarray(at + name)).written;
    else to.set(payload, at + name), (size = payload.length);
    to[at - 7] = flags;
    to[at - 6] = name >> 8;
    to[at - 5] = name;
    to[at - 4] = size >> 24;
    to[at - 3] = size >> 16;
    to[at - 2] = size >> 8;
    to[at - 1] = size;
    this.#size = at + name + size;
  }

  #watch(delay: number): void {
    this.#timer ??= setTimeout(() => this.#look(), Math.max(delay, 0));
  }

  #rest(): void {
    if (this.#waiting.size > 0) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #look(): void {
    this.#timer = undefined;
    const now = performance.now();
    for (const [ticket, { reject, until }] of this.#waiting) {
      if (until > now) return this.#watch(until - now + 1);
      this.#waiting.delete(ticket);
      this.#sender.forget(ticket);
      reject(timedOut());
    }
  }
}
