// What a user holds of a connection, whatever host it runs on.

import type {
  CallOptions,
  Connection,
  ConnectionEvents,
  Message,
  PublishOptions,
  State,
  StateChange,
  SubscribeOptions,
} from "../types/index.js";
import { Decoder, type Batch } from "./batch.js";
import { ownBytes } from "./bytes.js";
import { callOptions, copyOptions } from "./calls.js";
import { asyncDispose } from "./dispose.js";
import { aborted, invalidArgument, KiiError } from "./errors.js";
import type { Handled, Link, Sink } from "./host.js";
import { Listeners } from "./listeners.js";
import { encodeProperties } from "./properties.js";
import { Publisher } from "./publisher.js";
import { Queue } from "./queue.js";
import { isFinal } from "./state.js";
import { Stream } from "./stream.js";

export class LiveConnection implements Connection {
  /**
   * In the middle of a batch, called by a listener. A goodbye waits until the host knows how far that has come, to acknowledge as much
   * before; no other waits, since while a page goes away there is no later.
   */
  protected handingOut = false;
  /** The host's end. */
  readonly sink: Sink = {
    batch: (batch) => this.#receive(batch),
    state: (change) => this.#become(change),
    sent: (tickets, error) => this.#publisher?.settle(tickets, error),
  };
  readonly #decoder = new Decoder();
  readonly #listeners = { message: new Listeners<Message>(), state: new Listeners<StateChange>() };
  readonly #streams = new Set<Stream<Message>>();
  /** Messages that came before anybody listened; undefined once somebody does. */
  #early: Queue<Message> | undefined = new Queue();
  /** Messages that come when nobody wants them any more, from the call of close on. They were not handled, so the broker keeps them. */
  #held: Queue<Message> | undefined;
  /** The packet identifier of the first of them that the broker keeps. */
  #firstHeld = 0;
  #lost = 0; // counted by what is gone
  #change: StateChange = { state: "idle", reason: "" };
  #link!: Link;
  #publisher: Publisher | undefined;

  /** Gives the way to the Go program, before the user gets to see the connection. */
  attach(link: Link): void {
    this.#link = link;
    if (link.sender) this.#publisher = new Publisher(link.sender);
  }

  get state(): State {
    return this.#change.state;
  }

  get lastChange(): StateChange {
    return this.#change;
  }

  get dropped(): number {
    let dropped = this.#lost + (this.#early?.dropped ?? 0);
    for (const stream of this.#streams) dropped += stream.dropped;
    return dropped;
  }

  on<E extends keyof ConnectionEvents>(event: E, listener: (value: ConnectionEvents[E]) => void): () => void {
    const listeners = this.#listenersOf(event);
    if (typeof listener !== "function") throw invalidArgument("listener must be a function.");
    if (event === "message") this.#handOutEarly();
    return listeners.add(listener);
  }

  once<E extends keyof ConnectionEvents>(event: E, listener: (value: ConnectionEvents[E]) => void): () => void {
    if (typeof listener !== "function") throw invalidArgument("listener must be a function.");
    const off = this.on(event, (value) => {
      off();
      listener(value);
    });
    return off;
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<Message> {
    const stream = new Stream<Message>((ended) => {
      this.#lost += ended.dropped;
      this.#streams.delete(ended);
    });
    this.#streams.add(stream);
    this.#handOutEarly();
    if (isFinal(this.state)) queueMicrotask(() => this.#endStreams());
    return stream;
  }

  async publish(topic: string, payload: string | Uint8Array | ArrayBuffer, options?: PublishOptions): Promise<void> {
    const { properties, ...copy } = copyOptions("options", options);
    const content = ownBytes("payload", payload);
    if (properties == null && !isFinal(this.state)) {
      const published = this.#publisher?.publish(topic, content, copy);
      if (published) return published;
    }
    const raw = properties == null ? undefined : { rawProperties: encodeProperties(properties) };
    await this.#call("publish", [topic, content], { ...copy, ...raw, ...callOptions(copy) });
  }

  async subscribe(filter: string, options?: SubscribeOptions): Promise<0 | 1 | 2> {
    const copy = copyOptions("options", options);
    return (await this.#call("subscribe", [filter], { ...copy, ...callOptions(copy) })) as 0 | 1 | 2;
  }

  async unsubscribe(filter: string, options?: CallOptions): Promise<void> {
    await this.#call("unsubscribe", [filter], callOptions(options));
  }

  async takeBack(options?: CallOptions): Promise<void> {
    await this.#call("takeBack", [], callOptions(options));
  }

  wake(cause: string = "wake"): void {
    this.#link.wake(typeof cause === "string" ? cause : "wake");
  }

  async close(options?: CallOptions): Promise<void> {
    const call = callOptions(options);
    if (isFinal(this.state)) return;
    if (call.signal?.aborted) throw aborted(call.signal); // what was kept back would not be acknowledged, though it goes on
    const held = this.hold();
    try {
      if (this.handingOut) await null;
      await this.#call("close", [], call);
      held.clear();
    } catch (error) {
      if (isFinal(this.state)) return; // it ended in some other way meanwhile
      this.#held = undefined; // it goes on
      this.#firstHeld = 0;
      this.#lost += held.dropped;
      while (held.length > 0) this.#deliver(held.shift()!);
      throw error;
    }
  }

  [asyncDispose](): Promise<void> {
    return this.close();
  }

  /** What was published before in this turn goes before. */
  #call(method: Parameters<Link["call"]>[0], args: unknown[], options: PublishOptions): Promise<unknown> {
    this.#publisher?.flush();
    return this.#link.call(method, args, options);
  }

  /** Nobody is to get any more messages, nor the rest of a batch that is being handed out. */
  protected hold(): Queue<Message> {
    return (this.#held ??= new Queue());
  }

  /** Drops, and counts, what waits for somebody to take it. */
  protected discard(): void {
    this.#early?.clear();
    for (const stream of this.#streams) stream.discard();
  }

  #listenersOf<E extends keyof ConnectionEvents>(event: E): Listeners<ConnectionEvents[E]> {
    if (event !== "message" && event !== "state") throw invalidArgument('event must be "message" or "state".');
    return this.#listeners[event] as unknown as Listeners<ConnectionEvents[E]>;
  }

  #receive(batch: Batch): Handled {
    this.#lost += batch.dropped ?? 0;
    this.handingOut = true;
    this.#decoder.decode(batch, this.#deliver);
    this.handingOut = false;
    return this.#firstHeld;
  }

  readonly #deliver = (message: Message): void => {
    const waiting = this.#held ?? this.#early;
    if (!waiting) return this.#give(message);
    if (this.#held) this.#firstHeld ||= message.packetId;
    waiting.push(message);
  };

  #give(message: Message): void {
    this.#listeners.message.emit(message);
    if (this.#streams.size > 0) for (const stream of this.#streams) stream.push(message);
  }

  /** What was held goes to the first to listen, after the function that listens has returned. */
  #handOutEarly(): void {
    const early = this.#early;
    if (!early) return;
    queueMicrotask(() => {
      if (this.#early !== early) return;
      this.#early = undefined;
      this.#handOut(early);
    });
  }

  /** Gives out what was held, to the last: it counts as delivered. */
  #handOut(queue: Queue<Message>): void {
    this.#lost += queue.dropped;
    while (queue.length > 0) this.#give(queue.shift()!);
  }

  #become(change: StateChange): void {
    if (isFinal(this.state)) return;
    this.#change = change;
    this.#listeners.state.emit(change);
    if (!isFinal(change.state)) return;
    this.#endStreams();
    this.#publisher?.end(failure(change.error, change));
  }

  #endStreams(): void {
    const { state, error } = this.#change;
    for (const stream of [...this.#streams]) stream.end(state === "failed" ? failure(error, this.#change) : undefined);
  }
}

function failure(error: KiiError | undefined, change: StateChange): KiiError {
  return (
    error ??
    new KiiError(change.reason || "The connection failed.", {
      code: change.code ?? "CLOSED",
      retryable: false,
      remedy: "Open a new connection with connect.",
    })
  );
}
