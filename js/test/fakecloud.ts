// A cloud for tests of tabs: it keeps what is pushed until it is acknowledged, sends it
// again to whoever connects next, and has one connection per topic. And a host that connects to it.

import type { CallOptions, ConnectOptions, MqttEndpoint, StateChange } from "../types/index.js";
import type { Batch } from "../src/batch.js";
import { Clock } from "../src/calls.js";
import { KiiError } from "../src/errors.js";
import type { Host, Link, LinkOptions, Sink } from "../src/host.js";
import { readStaged, type Staged } from "../src/staged.js";
import type { FakeTab } from "./fakebrowser.js";
import { batch } from "./messages.js";

interface Push {
  readonly id: string;
  readonly topic: string;
}

/** The batch that the Go program makes of pushes. */
function batchOf(pushes: readonly Push[]): Batch {
  const encoder = new TextEncoder();
  const names = [...new Set(pushes.map(({ topic }) => topic))];
  const text = (t: string) => [0, t.length, ...encoder.encode(t)];
  const sent = pushes.map(({ id, topic }, i) => ({
    topic: names.indexOf(topic), flags: 2, packetId: i + 1, payload: id, properties: [0x26, ...text("pushMessageID"), ...text(id)],
  }));
  return batch(sent, names);
}

interface Connected {
  readonly host: FakeHost;
  readonly sink: Sink;
  open: boolean;
  displaced: boolean;
}

export class FakeCloud {
  /** Not acknowledged yet, in order. */
  readonly stored: Push[] = [];
  readonly published: unknown[] = [];
  readonly filters = new Set<string>();
  /** How each filter was subscribed to, in order. */
  readonly subscriptions: [filter: string, qos: unknown][] = [];
  /** What SUBACK refuses, and with which error. */
  readonly refusals = new Map<string, KiiError>();
  /** How many subscriptions were refused. */
  refused = 0;
  /** Sends what is stored before it answers SUBSCRIBE, as a broker that has kept a session does. */
  eager = false;
  connects = 0;
  #pushes = 0;
  #current: Connected | undefined;
  #busy = false;
  #sent: Push[] = [];

  push(topic = "t"): string {
    const id = `p${++this.#pushes}`;
    this.stored.push({ id, topic });
    this.#pump();
    return id;
  }

  connect(host: FakeHost, sink: Sink): Connected {
    this.connects++;
    this.displace();
    const connected: Connected = { host, sink, open: true, displaced: false };
    this.#current = connected;
    this.#sent = [];
    this.#busy = false;
    return connected;
  }

  /** Another device connects. */
  displace(): void {
    const old = this.#current;
    if (!old?.open) return;
    old.open = false;
    old.displaced = true;
    old.host.tab.runs(() => old.sink.state({ state: "displaced", code: "DISPLACED", reason: "another connection" }));
  }

  /** Ends the connection for good. */
  revoke(): void {
    this.end({ state: "closed", code: "REVOKED", reason: "uninstalled" });
  }

  /** The module of the tab that has the connection says something of it. */
  tell(change: StateChange): void {
    this.#current!.sink.state(change);
  }

  /** Ends the connection, as the module of the tab that has it says. */
  end(change: StateChange): void {
    const old = this.#current!;
    old.open = false;
    old.host.tab.runs(() => old.sink.state(change));
  }

  /** A goodbye takes its way, too, behind what was acknowledged before. */
  close(connected: Connected): void {
    setTimeout(() => (connected.open = false), 0);
  }

  subscribe(filter: string, qos: unknown): void {
    const refusal = this.refusals.get(filter);
    if (refusal?.retryable) this.refusals.delete(filter); // the next time it is granted
    if (refusal) {
      this.refused++;
      throw refusal;
    }
    this.filters.add(filter);
    this.subscriptions.push([filter, qos]);
  }

  subscribed(connected: Connected): void {
    if (connected === this.#current) this.#pump();
  }

  /** Sends what is stored, a few at a time, as long as it is acknowledged. */
  #pump(): void {
    const to = this.#current;
    if (!to?.open || this.#busy || this.stored.length === 0 || to.host.tab.state === "dead") return;
    this.#busy = true;
    const pushes = this.stored.filter((push) => !this.#sent.includes(push)).slice(0, 3);
    if (pushes.length === 0) return void (this.#busy = false);
    setTimeout(() => {
      to.host.tab.runs(() => {
        if (!to.open) return;
        this.#sent.push(...pushes);
        Promise.resolve(to.sink.batch(batchOf(pushes))).then((stop) => {
          setTimeout(() => {
            // An acknowledgement takes its way, and may be lost on it.
            if (!to.open || to.host.tab.state === "dead") return;
            for (const push of pushes.slice(0, stop ? stop - 1 : undefined)) this.stored.splice(this.stored.indexOf(push), 1);
            if (stop) return;
            this.#busy = false;
            this.#pump();
          }, 0);
        });
      });
    }, 0);
  }
}

/** Runs "the module" of one tab. */
export class FakeHost implements Host {
  readonly tab: FakeTab;
  readonly calls: string[] = [];
  /** What its connection was asked to do, and with what, in order. */
  readonly asked: string[] = [];
  /** How many messages were sent at a time, and whose tickets were forgotten. */
  readonly sends: number[] = [];
  readonly forgotten: number[] = [];
  started = false;
  /** Set: connect rejects with it. */
  broken: KiiError | undefined;
  /** Set: calls reject with it. */
  refused: KiiError | undefined;
  /** Set: calls wait for it. */
  slow: Promise<unknown> | undefined;
  readonly #cloud: FakeCloud;

  constructor(tab: FakeTab, cloud: FakeCloud) {
    this.tab = tab;
    this.#cloud = cloud;
  }

  get place() {
    return { name: this.started ? ("worker" as const) : null, reason: null };
  }

  async call(method: string, args: unknown[], options: CallOptions): Promise<unknown> {
    this.started = true;
    this.calls.push(method);
    await this.slow;
    if (this.refused) throw this.refused;
    if (options.signal?.aborted) throw new KiiError("aborted", { code: "ABORTED", retryable: false, remedy: "" });
    return { method, args, by: this.tab.id };
  }

  connect(_: MqttEndpoint, __: ConnectOptions, sink: Sink, call: CallOptions): Promise<Link> {
    this.started = true;
    return new Promise((resolve, reject) => {
      call.signal?.addEventListener("abort", () => reject(new KiiError("aborted", { code: "ABORTED", retryable: false, remedy: "" })));
      this.#state(sink, { state: "connecting", reason: "" });
      setTimeout(() => this.tab.runs(() => {
        if (call.signal?.aborted) return;
        if (this.broken) return reject(this.broken);
        const connected = this.#cloud.connect(this, sink);
        const stand = () => resolve(this.#link(sink, connected));
        if (!this.#cloud.eager) return stand();
        this.#cloud.subscribed(connected);
        setTimeout(() => this.tab.runs(stand), 10);
      }), 1);
    });
  }

  end(): void {}

  signal(): void {}

  /** What is published in one turn comes and is answered together; what the cloud refuses is told by itself. */
  async #send(sink: Sink, connected: Connected, messages: Staged[], first: number): Promise<void> {
    this.sends.push(messages.length);
    await this.slow;
    await new Promise((resolve) => setTimeout(resolve, 0));
    if (!connected.open || this.tab.state === "dead") return;
    const well: number[] = [];
    const badly: [number, KiiError][] = [];
    messages.forEach(({ topic, payload, qos, retain }, i) => {
      const refusal = this.#cloud.refusals.get(topic);
      if (refusal) return badly.push([first + i, refusal]);
      this.#cloud.published.push([this.tab.id, topic, new TextDecoder().decode(payload), { qos, retain }]);
      return well.push(first + i);
    });
    sink.sent(Int32Array.from(well));
    for (const [ticket, error] of badly) sink.sent(Int32Array.of(ticket), error);
  }

  #state(sink: Sink, change: StateChange): void {
    sink.state(change);
  }

  #link(sink: Sink, connected: Connected): Link {
    this.#state(sink, { state: "online", reason: "" });
    this.#cloud.subscribed(connected);
    const perform = async (method: string, args: unknown[], options: LinkOptions): Promise<unknown> => {
      this.asked.push(`${method} ${args[0]}`);
      await this.slow;
      if (method === "close") return this.#cloud.close(connected);
      if (method === "takeBack") {
        connected = this.#cloud.connect(this, sink);
        this.#state(sink, { state: "online", reason: "" });
        this.#cloud.subscribed(connected);
        return undefined;
      }
      if (!connected.open) throw new KiiError("ended", { code: connected.displaced ? "DISPLACED" : "CLOSED", retryable: false, remedy: "" });
      if (method === "subscribe") this.#cloud.subscribe(args[0] as string, options.qos);
      else if (method === "unsubscribe") this.#cloud.filters.delete(args[0] as string);
      else this.#cloud.published.push([this.tab.id, ...args, options]);
      return method === "subscribe" ? 1 : undefined;
    };
    return {
      call: (method, args, options) => new Clock(options).bound(perform(method, args, options)), // what nobody waits for any more goes on
      wake: (cause) => this.calls.push(`wake ${cause}`),
      sender: {
        send: (staged, first) => void this.#send(sink, connected, readStaged(staged.slice()), first),
        forget: (ticket) => void this.forgotten.push(ticket),
      },
    };
  }
}
