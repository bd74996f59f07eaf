// A broker for simulations: one session that outlives its connections, with what is stored until it is acknowledged and the
// filters that were subscribed to. And the module of a tab, as far as tabs see it.

import type { CallOptions, ConnectOptions, MqttEndpoint, StateChange } from "../../types/index.js";
import type { Batch } from "../../src/batch.js";
import { Clock } from "../../src/calls.js";
import { aborted, KiiError, timedOut } from "../../src/errors.js";
import type { Host, Link, LinkOptions, Signal, Sink } from "../../src/host.js";
import { readStaged } from "../../src/staged.js";
import { batch } from "../messages.js";
import type { SimTab } from "./browser.js";
import { Pipe } from "./clock.js";

/** The topic of the connection itself. */
export const own = "t";

export interface Push {
  readonly id: string;
  readonly topic: string;
  /** When the broker took it, and when it was acknowledged. */
  readonly came: number;
  done: number | undefined;
}

/** No more messages than these are unacknowledged at a time. */
const receiveMaximum = 20;

/** Who has listened for so long has heard what others have subscribed to, in milliseconds. */
const hearsay = 3000;

const failure = (code: KiiError["code"], retryable = false) => new KiiError(code, { code, retryable, remedy: "r" });

function batchOf(pushes: readonly Push[]): Batch {
  const text = (t: string) => [0, t.length, ...new TextEncoder().encode(t)];
  const names = [...new Set(pushes.map(({ topic }) => topic))];
  const sent = pushes.map(({ id, topic }) => ({
    topic: names.indexOf(topic), flags: 2, packetId: Number(id.slice(1)), payload: id, properties: [0x26, ...text("pushMessageID"), ...text(id)],
  }));
  return batch(sent, names);
}

export class SimCloud {
  readonly filters = new Set<string>();
  readonly pushes: Push[] = [];
  /** What was accepted and not acknowledged, in order. */
  readonly stored: Push[] = [];
  /** Called when a connection ends another one that stood. */
  displaced = (_old: SimConnection, _by: SimConnection) => {};
  /** Called at each acknowledgement. */
  acknowledged = (_push: Push, _by: SimConnection) => {};
  /** Called when a connection or the filters change. */
  note = (_what: string) => {};
  connects = 0;
  current: SimConnection | undefined;
  /** Which tab was connected last, until when, and filters that the next one could not know of. */
  #last: SimTab | undefined;
  #left = 0;
  readonly orphans = new Set<string>();
  #sent = new Set<Push>();

  /** Takes a message, which nobody gets who has not subscribed. */
  push(topic: string, now: number): void {
    if (topic !== own && !this.filters.has(topic)) return;
    const push: Push = { id: `p${this.pushes.length + 1}`, topic, came: now, done: undefined };
    this.pushes.push(push);
    this.stored.push(push);
    this.pump();
  }

  connect(connection: SimConnection): void {
    this.connects++;
    this.note(`${connection.tab.id} is connected`);
    const old = this.current;
    const told = connection.tab === this.#last || connection.tab.listens < this.#left - hearsay;
    if (!told) for (const filter of this.filters) this.orphans.add(filter);
    this.#last = connection.tab;
    this.current = connection;
    this.#sent.clear();
    if (old && old !== connection) {
      this.displaced(old, connection);
      old.down.send(() => old.ended("displaced"));
    }
  }

  filter(filter: string, add: boolean): void {
    this.note(`${add ? "+" : "-"}${filter} by ${this.current!.tab.id}`);
    if (add) this.filters.add(filter);
    else this.filters.delete(filter);
  }

  /** The connection is no more: it said so, or the network did. */
  gone(connection: SimConnection): void {
    if (this.current !== connection) return;
    this.current = undefined;
    this.#left = connection.now;
    this.note(`${connection.tab.id} is connected no more`);
  }

  acknowledge(connection: SimConnection, ids: readonly string[]): void {
    if (this.current !== connection) return;
    for (const id of ids) {
      const at = this.stored.findIndex((push) => push.id === id);
      if (at < 0) continue;
      const [push] = this.stored.splice(at, 1);
      push!.done = connection.now;
      this.acknowledged(push!, connection);
    }
    this.pump();
  }

  pump(): void {
    const to = this.current;
    if (!to?.welcome) return;
    const room = receiveMaximum - this.stored.filter((push) => this.#sent.has(push)).length;
    const pushes = this.stored.filter((push) => !this.#sent.has(push)).slice(0, room);
    if (pushes.length === 0) return;
    for (const push of pushes) this.#sent.add(push);
    to.down.send(() => to.receive(pushes));
  }
}

/** One connection of a tab's module, which that keeps up. */
export class SimConnection {
  readonly tab: SimTab;
  readonly down: Pipe;
  /** It is subscribed, as the broker has it. */
  welcome = false;
  readonly #host: SimHost;
  readonly #cloud: SimCloud;
  readonly #sink: Sink;
  #state: StateChange["state"] = "connecting";
  /** What the page has in hand or has handled, by id. */
  readonly #known = new Map<string, "in hand" | "handled">();
  readonly #waiting: Push[] = [];
  #busy = false;
  /** Calls that the broker has not answered. */
  readonly #calls = new Set<{ send(): void; reject(error: KiiError): void }>();
  #ready: { resolve(link: Link): void; reject(error: KiiError): void } | undefined;

  constructor(host: SimHost, cloud: SimCloud, sink: Sink) {
    this.#host = host;
    this.#cloud = cloud;
    this.#sink = sink;
    this.tab = host.tab;
    this.down = host.down;
  }

  get now(): number {
    return this.tab.browser.clock.now;
  }

  open(call: CallOptions): Promise<Link> {
    const opened = new Promise<Link>((resolve, reject) => (this.#ready = { resolve, reject }));
    this.#attempt();
    return new Clock(call).bound(opened).catch((error: unknown) => {
      if (!this.#over) this.#goodbye("closed");
      throw error;
    });
  }

  /** The network has dropped it; the module connects again. */
  blip(): void {
    if (this.#state !== "online") return;
    this.#cloud.gone(this);
    this.welcome = false;
    this.#tell({ state: "waiting", code: "NETWORK", reason: "blip" });
    this.#attempt();
  }

  signal(signal: Signal, cause: string): void {
    if (this.#over) return;
    if (signal === "pause" && this.#state !== "waiting") {
      this.#up(() => this.#cloud.gone(this));
      this.#tell({ state: "waiting", reason: `paused: ${cause}` });
    } else if (signal === "wake" && this.#state === "waiting") {
      this.#attempt();
    }
  }

  /** The broker, or the host, has ended it. */
  ended(state: "displaced" | "closed", error = failure(state === "closed" ? "CLOSED" : "DISPLACED")): void {
    if (this.#over || (state === "displaced" && this.#cloud.current === this)) return;
    this.welcome = false;
    for (const { reject } of this.#calls) reject(error);
    this.#calls.clear();
    this.#tell({ state, code: error.code, reason: state, error });
    if (state === "displaced") return this.#ready?.reject(error); // an attempt ends with it
    this.#host.connections.delete(this);
    this.#ready?.reject(error);
  }

  receive(pushes: readonly Push[]): void {
    if (this.#state !== "online") return;
    const again = pushes.filter(({ id }) => this.#known.get(id) === "handled");
    if (again.length > 0) this.#acknowledge(again);
    this.#waiting.push(...pushes.filter(({ id }) => !this.#known.has(id)));
    for (const { id } of pushes) if (!this.#known.has(id)) this.#known.set(id, "in hand");
    void this.#handOut();
  }

  get #over(): boolean {
    return this.#state === "closed";
  }

  #up(work: () => void): void {
    this.#host.up.send(work);
  }

  #tell(change: StateChange): void {
    this.#state = change.state;
    this.#sink.state(change);
  }

  #attempt(): void {
    this.#tell({ state: "connecting", reason: "" });
    const connect = () => this.#state === "connecting" && this.#up(() => {
      this.#cloud.connect(this);
      this.down.send(() => this.#subscribed());
    });
    this.#up(() => this.down.send(connect)); // a WebSocket is opened first
  }

  #subscribed(): void {
    if (this.#state !== "connecting") return;
    this.#tell({ state: "online", reason: "" });
    this.#ready?.resolve(this.#link());
    this.#ready = undefined;
    this.#up(() => {
      if (this.#cloud.current !== this) return;
      this.welcome = true;
      this.#cloud.pump();
    });
    for (const { send } of this.#calls) send();
  }

  async #handOut(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    while (this.#waiting.length > 0) {
      const pushes = this.#waiting.splice(0);
      const stop = await this.#sink.batch(batchOf(pushes));
      const handled = pushes.slice(0, stop ? pushes.findIndex(({ id }) => Number(id.slice(1)) === stop) : undefined);
      for (const { id } of handled) this.#known.set(id, "handled");
      this.#acknowledge(handled);
      if (stop) break; // nobody will handle the rest
    }
    this.#busy = false;
  }

  #acknowledge(pushes: readonly Push[]): void {
    const ids = pushes.map(({ id }) => id);
    this.#up(() => this.#cloud.acknowledge(this, ids));
  }

  #goodbye(state: "closed"): void {
    this.#up(() => this.#cloud.gone(this));
    this.ended(state);
  }

  /** Has the broker do something, once this is online, and settles with its answer. */
  #ask(work: () => void, options: CallOptions): Promise<undefined> {
    const answered = new Promise<undefined>((resolve, reject) => {
      const end = (settle: () => void) => {
        this.#calls.delete(call);
        settle();
      };
      const send = () => this.#up(() => {
        if (this.#cloud.current !== this) return;
        work();
        this.down.send(() => end(() => resolve(undefined)));
      });
      const call = { send, reject: (error: KiiError) => end(() => reject(error)) };
      if (this.#over) return reject(failure("CLOSED"));
      if (this.#state === "displaced") return reject(failure("DISPLACED"));
      this.#calls.add(call);
      if (this.#state === "online") send();
    });
    return new Clock(options).bound(answered);
  }

  #link(): Link {
    const cloud = this.#cloud;
    const call = async (method: Parameters<Link["call"]>[0], [name]: unknown[], options: LinkOptions) => {
      const topic = name as string;
      switch (method) {
        case "close":
          await this.#closed(options);
          return undefined;
        case "takeBack":
          if (this.#state === "displaced") this.#attempt();
          return undefined;
        case "subscribe":
          await this.#ask(() => cloud.filter(topic, true), options);
          return options.qos ?? 1;
        case "unsubscribe":
          return this.#ask(() => cloud.filter(topic, false), options);
        case "publish":
          return this.#ask(() => cloud.push(topic, this.now), options);
      }
    };
    const send = (staged: Uint8Array, first: number) => {
      readStaged(staged.slice()).forEach(({ topic }, i) => {
        const sent = (error?: KiiError) => this.#sink.sent(Int32Array.of(first + i), error);
        this.#ask(() => cloud.push(topic, this.now), {}).then(() => sent(), sent);
      });
    };
    return { call, wake: () => {}, sender: { send, forget: () => {} } };
  }

  async #closed(options: CallOptions): Promise<void> {
    if (this.#over) return;
    const gone = new Promise<void>((resolve) => this.#up(() => {
      this.#cloud.gone(this);
      this.down.send(resolve);
    }));
    this.welcome = false;
    this.ended("closed");
    await new Clock(options).bound(gone);
  }
}

/** Runs "the module" of one tab. */
export class SimHost implements Host {
  readonly tab: SimTab;
  readonly up: Pipe;
  readonly down: Pipe;
  readonly connections = new Set<SimConnection>();
  started = false;
  #over: KiiError | undefined;
  readonly #cloud: SimCloud;
  readonly #calls = new Set<(error: KiiError) => void>();

  constructor(tab: SimTab, cloud: SimCloud) {
    this.tab = tab;
    this.#cloud = cloud;
    const { clock, delay } = tab.browser;
    this.up = new Pipe(clock, delay);
    this.down = new Pipe(clock, delay, tab);
  }

  get place() {
    return { name: this.started ? ("worker" as const) : null, reason: null };
  }

  call(method: string, [token]: unknown[], options: CallOptions): Promise<unknown> {
    if (this.#over) return Promise.reject(this.#over);
    if (options.signal?.aborted) return Promise.reject(aborted(options.signal));
    this.started = true;
    const answered = new Promise<unknown>((resolve, reject) => {
      this.#calls.add(reject);
      this.up.send(() => this.down.send(() => {
        this.#calls.delete(reject);
        resolve(method === "useToken" ? { userID: "somebody", token } : { method, by: this.tab.id });
      }));
    });
    return new Clock(options).bound(answered);
  }

  connect(_: MqttEndpoint, __: ConnectOptions, sink: Sink, call: CallOptions): Promise<Link> {
    if (this.#over) return Promise.reject(this.#over);
    if (call.signal?.aborted) return Promise.reject(aborted(call.signal));
    if (call.timeout === 0) return Promise.reject(timedOut());
    this.started = true;
    const connection = new SimConnection(this, this.#cloud, sink);
    this.connections.add(connection);
    return connection.open(call);
  }

  end(error: KiiError): void {
    this.#over = error;
    for (const reject of this.#calls) reject(error);
    for (const connection of [...this.connections]) {
      this.up.send(() => this.#cloud.gone(connection));
      connection.ended("closed", error);
    }
  }

  signal(signal: Signal, cause: string): void {
    for (const connection of this.connections) connection.signal(signal, cause);
  }

  /** Nobody keeps its connections up any more. */
  crash(): void {
    this.up.cut();
    for (const connection of this.connections) this.up.send(() => this.#cloud.gone(connection));
  }
}
