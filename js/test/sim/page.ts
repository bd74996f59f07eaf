// A page for simulations: a client of the library in a tab, and what its application was promised.

import { build } from "../../src/build.js";
import type { ChosenHost } from "../../src/chosenhost.js";
import type { Client } from "../../src/client.js";
import type { LiveConnection } from "../../src/connection.js";
import { KiiError } from "../../src/errors.js";
import { isFinal } from "../../src/state.js";
import { TabGate } from "../../src/tabgate.js";
import { Tabs } from "../../src/tabs/tabs.js";
import type { Login } from "../../types/index.js";
import { newClient } from "../newclient.js";
import type { SimTab } from "./browser.js";
import { own, SimHost, type SimCloud } from "./cloud.js";

const config = { appID: "app", appKey: "key", baseURL: "http://127.0.0.1/api" };
const endpoint = { installationID: "i", username: "u", password: "p", mqttTopic: own, host: "h" };

export interface Span {
  readonly from: number;
  to: number;
}

/** One connection as the application has it. */
export class Held {
  readonly connection: LiveConnection;
  readonly got: string[] = [];
  /** When it was promised which messages. */
  readonly spans = new Map<string, Span[]>();
  /** What the last call for a filter wants. A call that has failed has left that open: nothing is said of it any more. */
  readonly wants = new Map<string, { call: number; how: "in" | "out" | "open" }>();
  closed = Infinity;

  constructor(connection: LiveConnection) {
    this.connection = connection;
  }

  /** The filters that stand, and those of which it is not known. */
  filters(how: "in" | "open"): string[] {
    return [...this.wants].filter(([, want]) => want.how === how).map(([filter]) => filter);
  }

  begin(filter: string, now: number): void {
    const spans = this.spans.get(filter) ?? [];
    this.spans.set(filter, spans);
    if ((spans.at(-1)?.to ?? 0) < Infinity) spans.push({ from: now, to: Infinity });
  }

  end(filter: string, now: number): void {
    const last = this.spans.get(filter)?.at(-1);
    if (last && last.to === Infinity) last.to = now;
  }
}

export class SimPage {
  readonly tab: SimTab;
  readonly host: SimHost;
  readonly client: Client;
  readonly held: Held[] = [];
  /** When nothing is promised: it was put aside, or hung for too long. */
  readonly out: Span[] = [];
  readonly open = new Set<string>();
  disposed = false;
  #gate!: TabGate;
  #calls = 0;
  readonly #blame: (what: string) => void;

  constructor(tab: SimTab, cloud: SimCloud, blame: (what: string) => void) {
    this.tab = tab;
    this.#blame = blame;
    this.host = new SimHost(tab, cloud);
    const share = (_: unknown, client: ConstructorParameters<typeof Tabs>[1], login: Login) => {
      const tabs = new Tabs(config, client, tab);
      tabs.entered(login);
      return tabs;
    };
    this.client = newClient((login, enter) => {
      const part = async () => ({ build, share });
      return (this.#gate = new TabGate(this.host as unknown as ChosenHost, config, part, login, () => enter(null)));
    });
  }

  get now(): number {
    return this.tab.browser.clock.now;
  }

  get name(): string {
    return this.tab.id;
  }

  /** Its connections that have not ended. */
  get standing(): Held[] {
    return this.held.filter(({ closed }) => closed === Infinity);
  }

  enter(token: string): void {
    this.track("useToken", this.client.useToken(token, { userID: "somebody" }));
  }

  connect(options: { timeout?: number; signal?: AbortSignal } = {}): void {
    const connected = this.client.connect(endpoint, options).then((connection) => {
      const held = new Held(connection as LiveConnection);
      if (this.standing.length === 0) this.tab.listens = this.now;
      this.held.push(held);
      held.begin(own, this.now);
      connection.on("message", (message) => held.got.push(message.text()));
      connection.on("state", ({ state, code }) => {
        if (state === "online") this.#back();
        if (!isFinal(state) || held.closed < Infinity) return;
        this.#blame(`a connection of ${this.name} ended by itself: ${state} ${code}`);
        this.#ended(held);
      });
    });
    this.track("connect", connected);
  }

  subscribe(held: Held, filter: string, signal?: AbortSignal): void {
    const call = ++this.#calls;
    const stood = held.wants.get(filter)?.how === "in";
    if (!stood) held.wants.set(filter, { call, how: "open" });
    const done = held.connection.subscribe(filter, { ...(signal && { signal }) }).then(() => {
      const want = held.wants.get(filter);
      if (want && want.call > call) return;
      held.wants.set(filter, { call, how: "in" });
      if (held.closed === Infinity) held.begin(filter, this.now);
    });
    this.track(`subscribe ${filter}`, done);
  }

  unsubscribe(held: Held, filter: string): void {
    const call = ++this.#calls;
    held.wants.set(filter, { call, how: "open" });
    held.end(filter, this.now);
    const done = held.connection.unsubscribe(filter).then(() => {
      if (held.wants.get(filter)!.call === call) held.wants.set(filter, { call, how: "out" });
    });
    this.track(`unsubscribe ${filter}`, done);
  }

  publish(held: Held, topic: string, options: { qos?: 0 | 1; timeout?: number }): void {
    this.track("publish", held.connection.publish(topic, "x", options));
  }

  close(held: Held): void {
    this.#ended(held);
    this.track("close", held.connection.close());
  }

  logout(): void {
    this.track("logout", this.client.logout());
  }

  send(): void {
    this.track("sendToMe", this.client.sendToMe({ data: {} }));
  }

  dispose(): void {
    for (const held of this.held) this.#ended(held);
    this.disposed = true;
    this.track("dispose", this.client.dispose());
  }

  signal(signal: "wake" | "pause", cause: string): void {
    this.#gate.signal(signal, cause);
  }

  /** Nothing is promised from now on. */
  leave(): void {
    if (this.out.at(-1)?.to !== Infinity) this.out.push({ from: this.now, to: Infinity });
  }

  /** A call of the application: it has to settle, and to say why it fails. */
  track(what: string, done: Promise<unknown>): void {
    const name = `${what} #${++this.#calls} of ${this.name}`;
    this.open.add(name);
    done.then(() => this.open.delete(name), (error: unknown) => {
      this.open.delete(name);
      if (!(error instanceof KiiError) || !error.code) this.#blame(`${name} failed with ${String(error)}`);
    });
  }

  #back(): void {
    const out = this.out.at(-1);
    if (out && out.to === Infinity && this.tab.state === "running") out.to = this.now;
  }

  #ended(held: Held): void {
    held.closed = Math.min(held.closed, this.now);
    for (const filter of held.spans.keys()) held.end(filter, this.now);
    if (this.standing.length === 0) this.tab.listens = Infinity;
  }
}
