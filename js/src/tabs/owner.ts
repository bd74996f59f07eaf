// The tabs of one owner in this browser: they share connections, have whoever leads make
// calls for those that have not loaded the module, and log out together.

import type { CallOptions, ConnectOptions, Login, MqttEndpoint } from "../../types/index.js";
import { Clock } from "../calls.js";
import { KiiError } from "../errors.js";
import type { Host, Link, Sink } from "../host.js";
import type { Config } from "../options.js";
import type { decodeProperties } from "../properties.js";
import { packError } from "../workermessages.js";
import { Asks, lostCall, mayRepeat, Passed } from "./asks.js";
import { Claim } from "./claim.js";
import { Group, type Place } from "./group.js";
import { Names, type ToOne, type ToOwner } from "./messages.js";
import type { Channel, Surroundings } from "./surroundings.js";

/** How soon a tab has to say that it makes a call, in milliseconds, before this one makes it itself. */
const confirmation = 2000;

/** So long a logout may take to arrive, in milliseconds. */
const onItsWay = 60_000;

/** So many ways to other tabs are kept open. */
const maxWays = 64;

export interface Client {
  /** Runs the module in this tab. */
  readonly own: Host;
  /** The loader has it for messages. */
  readonly decodeProperties: typeof decodeProperties;
  /** Tells whether that has begun. */
  started(): boolean;
  /** Who is logged in here. */
  login(): Login | null;
  /** The owner has logged out in another tab. */
  left(): void;
}

export class Owner implements Place {
  declare readonly id: string;
  declare readonly names: Names;
  declare readonly own: Host;
  declare readonly asks: Asks;
  declare readonly around: Surroundings;
  declare readonly decodeProperties: typeof decodeProperties;
  readonly #config: Config;
  readonly #client: Client;
  readonly #groups = new Map<string, Group>();
  readonly #unwatch: () => void;
  /** Logouts are heard by a page that was put aside, too: it is not shown again then. */
  readonly #all: Channel;
  /** When the owner logged in here, by two clocks. */
  #login = { at: 0, began: 0 };
  #inbox: Channel | undefined;
  readonly #ways = new Map<string, Channel>();
  /** What this tab does for others. */
  readonly #work = new Map<string, AbortController>();
  #serving: Claim | undefined;

  constructor(config: Config, login: Login, client: Client, around: Surroundings) {
    this.id = around.newID();
    this.names = ownerNames(config, login);
    this.own = client.own;
    this.decodeProperties = client.decodeProperties;
    this.around = around;
    this.asks = new Asks(this.id, (to, message) => this.post(to, message));
    this.#config = config;
    this.#client = client;
    this.#all = around.channel(this.names.owner);
    this.#all.onmessage = ({ data }) => this.#hear(data as ToOwner);
    this.#unwatch = around.watch((aside) => this.#suspend(aside), () => this.#resume());
    this.#listen();
  }

  /** A word on this tab's part in the owner's connections. */
  get role(): "leader" | "follower" | null {
    const roles = [...this.#groups.values()].map(({ role }) => role);
    return roles.includes("leader") ? "leader" : roles.some((role) => role !== "out") ? "follower" : null;
  }

  async connect(endpoint: MqttEndpoint, options: ConnectOptions, sink: Sink, call: CallOptions): Promise<Link> {
    let group = this.#groups.get(endpoint.mqttTopic);
    if (!group) this.#groups.set(endpoint.mqttTopic, (group = new Group(endpoint.mqttTopic, this)));
    return group.connect(endpoint, options, sink, call);
  }

  /** Makes a call of the client: here where the module runs or is to run, else by a tab in which it does. */
  async call(method: string, args: unknown[], options: CallOptions): Promise<unknown> {
    const clock = new Clock(options);
    let asked: string | undefined;
    while (this.role !== "leader" && !this.#client.started()) {
      const server = await clock.bound(this.#server());
      if (!server || server === asked) break; // the same one would be as busy again
      asked = server;
      const dead = new Claim(this.around.locks, this.names.serving(server), "share", {
        granted: () => this.asks.gone((tab, topic) => tab === server && topic === undefined),
      });
      try {
        return await this.asks.ask(server, undefined, method, args, clock.rest(), confirmation);
      } catch (error) {
        if ((error as KiiError).code === "UNAUTHORIZED") break; // that tab's token; this one may have a newer one
        if (!(error instanceof Passed)) throw error;
        if (error.taken && !mayRepeat(method, {})) throw lostCall();
      } finally {
        dead.end();
      }
    }
    const login = this.#client.login();
    if (asked && !(login && this.#isOwner(login))) throw loginEnded();
    return this.own.call(method, args, clock.rest());
  }

  woken(cause: string): void {
    for (const group of this.#groups.values()) group.signal(cause);
  }

  /** Somebody has logged in as the owner here. */
  entered(): void {
    this.#login = { at: Date.now(), began: performance.now() };
  }

  loggedOut(said: number): void {
    this.#all.postMessage({ type: "logout", from: this.id, said } satisfies ToOwner);
  }

  /** A login that came after the logout was said is another one, which stays. */
  #hear(message: ToOwner): void {
    if (message?.type !== "logout") return;
    const { at, began } = this.#login;
    if (message.said < at && performance.now() - began < onItsWay) return; // however clocks are set: what is old is not meant
    this.#client.left();
  }

  post(to: string, message: ToOne): void {
    if (!this.#inbox) return; // nobody is to hear of this tab any more
    let way = this.#ways.get(to);
    if (!way) {
      if (this.#ways.size === maxWays) this.#closeWays();
      this.#ways.set(to, (way = this.around.channel(this.names.tab(to))));
    }
    way.postMessage(message);
  }

  roleChanged(): void {
    if (this.role === "leader") this.#serving ??= new Claim(this.around.locks, this.names.serving(this.id), "wait", {});
    else this.#stopServing();
  }

  /** Ends all connections, of which there are none without an error, at once, and takes no part any more. */
  end(error?: KiiError): void {
    for (const group of this.#groups.values()) group.end(error);
    this.#stopServing();
    this.#unwatch();
    this.#all.close();
    this.#hangUp();
  }

  /** Finds a tab that takes calls. */
  async #server(): Promise<string | undefined> {
    const { held = [] } = await this.around.locks.query().catch((): LockManagerSnapshot => ({}));
    for (const { name } of held) {
      const tab = name && this.names.server(name);
      if (tab && tab !== this.id) return tab;
    }
    return undefined;
  }

  #listen(): void {
    if (this.#inbox) return;
    this.#inbox = this.around.channel(this.names.tab(this.id));
    this.#inbox.onmessage = ({ data }) => this.#receive(data as ToOne);
  }

  #receive(message: ToOne): void {
    switch (message?.type) {
      case "ask":
        void this.#serve(message);
        break;
      case "abort":
        this.#work.get(`${message.from} ${message.id}`)?.abort();
        break;
      case "wake":
        this.#groups.get(message.topic)?.wake(message.cause);
        break;
      default:
        this.asks.receive(message);
    }
  }

  async #serve({ id, from, topic, method, args, options, timeout, takeUntil }: ToOne & { type: "ask" }): Promise<void> {
    const key = `${from} ${id}`;
    const work = new AbortController();
    this.#work.set(key, work);
    const { signal } = work;
    try {
      if (takeUntil !== undefined && Date.now() > takeUntil) throw new Passed(false);
      const value = await this.#perform(from, topic, method, args, { ...options, signal, timeout }, () => {
        if (takeUntil !== undefined) this.post(from, { type: "taken", id });
      });
      this.post(from, { type: "result", id, value });
    } catch (error) {
      this.post(from, error instanceof Passed ? { type: "passed", id } : { type: "error", id, error: packError(error) });
    } finally {
      this.#work.delete(key);
    }
  }

  async #perform(from: string, topic: string | undefined, method: string, args: unknown[], options: CallOptions, taken: () => void): Promise<unknown> {
    const login = this.#client.login();
    const group = this.#groups.get(topic!); // none has the name undefined
    const able = topic === undefined ? this.role === "leader" && login && this.#isOwner(login) : group?.role === "leader";
    if (!able) throw new Passed(false);
    taken();
    return group ? group.serve(from, method, args, options) : this.own.call(method, args, options);
  }

  #isOwner(login: Login): boolean {
    return this.names.owner === ownerNames(this.#config, login).owner;
  }

  #suspend(aside: boolean): void {
    for (const group of this.#groups.values()) group.suspend(aside);
    if (aside) this.#hangUp();
  }

  #resume(): void {
    this.#listen();
    for (const group of this.#groups.values()) group.resume();
  }

  #stopServing(): void {
    this.#serving?.end();
    this.#serving = undefined;
  }

  #hangUp(): void {
    this.#inbox?.close();
    this.#inbox = undefined;
    this.#closeWays();
    this.asks.gone(() => true); // no answer comes here
  }

  #closeWays(): void {
    for (const way of this.#ways.values()) way.close();
    this.#ways.clear();
  }
}

/** Nobody's call is made as somebody else. */
function loginEnded(): KiiError {
  return new KiiError("The login has ended while another tab was asked.", {
    code: "NOT_LOGGED_IN",
    retryable: false,
    remedy: "Make the call again as who is logged in now.",
  });
}

export function ownerNames(config: Config, { userID, thingID }: Login): Names {
  return new Names(config, userID ?? thingID!, userID === undefined);
}
