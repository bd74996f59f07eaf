// The host of a tab that shares: whose login it is decides with which tabs.

import type { CallOptions, ConnectOptions, Login, MqttEndpoint } from "../../types/index.js";
import type { KiiError } from "../errors.js";
import type { Link, Sink } from "../host.js";
import type { Config } from "../options.js";
import { plain } from "../workermessages.js";
import { shareable } from "./checks.js";
import { Owner, ownerNames, type Client } from "./owner.js";
import type { Surroundings } from "./surroundings.js";

export class Tabs {
  readonly #config: Config;
  readonly #client: Client;
  readonly #around: Surroundings;
  /** By their names; others than the one who is logged in while they have connections. */
  readonly #owners = new Map<string, Owner>();

  constructor(config: Config, client: Client, around: Surroundings) {
    this.#config = config;
    this.#client = client;
    this.#around = around;
  }

  /** leader: this tab has a connection for all. follower: another one has. null: none is open here. */
  get role(): "leader" | "follower" | null {
    const roles = [...this.#owners.values()].map((owner) => owner.role);
    return roles.includes("leader") ? "leader" : roles.includes("follower") ? "follower" : null;
  }

  /** Begins to take part for who is logged in. */
  entered(login: Login): void {
    this.#owner(login).entered();
  }

  call(method: string, args: unknown[], options: CallOptions): Promise<unknown> {
    return (this.#current() ?? this.#client.own).call(method, args, options);
  }

  connect(endpoint: MqttEndpoint, { signal: _, ...options }: ConnectOptions, sink: Sink, call: CallOptions): Promise<Link> {
    // As they cross to a worker: what the module takes there, and is not shared, would take the connection from the others.
    const to = plain(endpoint, []) as MqttEndpoint;
    const how = plain(options, []) as ConnectOptions;
    const owner = shareable(to, how) && this.#current();
    return owner ? owner.connect(to, how, sink, call) : this.#client.own.connect(endpoint, options, sink, call);
  }

  /** login has ended, and is to end everywhere; said is when logout was called, in milliseconds since 1970. */
  loggedOut(login: Login, said: number): void {
    this.#owner(login).loggedOut(said);
  }

  /** The page or the network is back. */
  woken(cause: string): void {
    for (const owner of this.#owners.values()) owner.woken(cause);
  }

  end(error: KiiError): void {
    for (const owner of this.#owners.values()) owner.end(error);
    this.#owners.clear();
  }

  #current(): Owner | undefined {
    const login = this.#client.login();
    return login ? this.#owner(login) : undefined;
  }

  #owner(login: Login): Owner {
    const { owner: name } = ownerNames(this.#config, login);
    let owner = this.#owners.get(name);
    if (!owner) {
      for (const [other, { role }] of this.#owners) if (role === null) this.#forget(other);
      const client = { ...this.#client, left: () => this.#left(name) };
      this.#owners.set(name, (owner = new Owner(this.#config, login, client, this.#around)));
    }
    return owner;
  }

  #left(name: string): void {
    const login = this.#client.login();
    if (login && ownerNames(this.#config, login).owner === name) this.#client.left();
  }

  #forget(name: string): void {
    this.#owners.get(name)?.end();
    this.#owners.delete(name);
  }
}
