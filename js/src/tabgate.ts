// Stands before the host of a tab that may share with others. What it takes to share is
// loaded with the login that tells whose tabs those are.

import type { CallOptions, ConnectOptions, KiiError, Login, MqttEndpoint } from "../types/index.js";
import { Clock } from "./calls.js";
import type { ChosenHost } from "./chosenhost.js";
import { disposed, invalidArgument } from "./errors.js";
import type { Host, Link, Place, Signal, Sink } from "./host.js";
import type { Config } from "./options.js";
import { loadPart, type Parts, type TabsPart } from "./parts.js";
import { decodeProperties } from "./properties.js";
import type { Tabs } from "./tabs/tabs.js";
import { loaded } from "./waiting.js";

/** Calls that give a login. */
const entrances: readonly string[] = ["register", "login", "useToken", "registerThing", "loginAsThing"];

export class TabGate implements Host {
  readonly #own: ChosenHost;
  readonly #config: Config;
  readonly #load: Parts["tabs"];
  readonly #login: () => Login | null;
  readonly #left: () => void;
  #part: Promise<TabsPart> | undefined;
  #tabs: Promise<Tabs | undefined> | undefined;
  #shared: Tabs | undefined;
  #reason: KiiError | null = null;
  #ended = false;
  /** How many calls that give a login are under way. */
  #entering = 0;

  /** own runs the module in this tab. left is called when the one who is logged in has logged out in another tab. */
  constructor(own: ChosenHost, config: Config, load: Parts["tabs"], login: () => Login | null, left: () => void) {
    this.#own = own;
    this.#config = config;
    this.#load = load;
    this.#login = login;
    this.#left = left;
  }

  get place(): Place {
    return { ...this.#own.place, tabs: this.#shared?.role ?? null, tabsReason: this.#reason };
  }

  async call(method: string, args: unknown[], options: CallOptions): Promise<unknown> {
    const clock = new Clock(options);
    if (entrances.includes(method)) return this.#enter(method, args, clock);
    const said = Date.now();
    const login = this.#login();
    const tabs = login && (await this.#opened(login, clock));
    if (method !== "logout") return (tabs || this.#own).call(method, args, clock.rest());
    if (this.#own.started) await this.#own.call(method, args, clock.rest());
    if (login) tabs?.loggedOut(login, said);
    return undefined;
  }

  async connect(endpoint: MqttEndpoint, options: ConnectOptions, sink: Sink, call: CallOptions): Promise<Link> {
    const clock = new Clock(call);
    const login = this.#login();
    const tabs = login && (await this.#opened(login, clock));
    return (tabs || this.#own).connect(endpoint, options, sink, clock.rest());
  }

  end(error: KiiError): void {
    this.#ended = true;
    this.#shared?.end(error);
    this.#own.end(error);
  }

  signal(signal: Signal, cause: string): void {
    this.#own.signal(signal, cause);
    if (signal === "wake") this.#shared?.woken(cause);
  }

  async #enter(method: string, args: unknown[], clock: Clock): Promise<Login> {
    this.#entering++;
    try {
      const given = this.#given(method, args);
      if (!this.#tabs) this.#begin(); // on its way while the login is
      const login = given ?? ((await this.#own.call(method, args, clock.rest())) as Login);
      (await this.#opened(login, clock))?.entered(login);
      this.#entering--;
      return login;
    } catch (error) {
      this.#entering--;
      // A module that does not run has nobody's login, and to tell it would start it once more.
      if (!/^(WASM_LOAD|CRASHED)$/.test((error as KiiError).code)) this.#forget();
      throw error;
    }
  }

  /** A token that comes with its owner is a login as it is: no module is needed for it. */
  #given(method: string, [token, owner]: unknown[]): Login | undefined {
    if (method !== "useToken" || this.#own.started) return undefined;
    const { userID, thingID } = ids(owner);
    if (typeof token !== "string" || !/^[!-~]+$/.test(token) || isID(userID) === isID(thingID)) return undefined;
    return isID(userID) ? { userID, token } : { thingID: thingID as string, token };
  }

  /** What shares, once it is loaded; undefined where nothing does. */
  #opened(login: Login, clock: Clock): Promise<Tabs | undefined> {
    return loaded(clock, (this.#tabs ??= this.#start(login)), () => "tabs.mjs");
  }

  /** Begins to load what shares, unless that has begun. What has failed is begun again. */
  #begin(): Promise<TabsPart> {
    if (!this.#part) {
      this.#part = loadPart("tabs.mjs", this.#load);
      this.#part.catch(() => (this.#part = undefined));
    }
    return this.#part;
  }

  async #start(login: Login): Promise<Tabs | undefined> {
    try {
      const { share } = await this.#begin();
      const tabs = share(this.#config, {
        own: this.#own,
        decodeProperties,
        started: () => this.#own.started,
        login: this.#login,
        left: () => this.#leave(),
      }, login);
      if (this.#ended) tabs.end(disposed());
      else this.#shared = tabs;
      return tabs;
    } catch (error) {
      this.#reason = error as KiiError;
      return undefined;
    }
  }

  #leave(): void {
    this.#left();
    this.#forget();
  }

  /** The module is to have no login that the page has not; but this would end one that is on its way, too. */
  #forget(): void {
    if (this.#own.started && this.#entering === 0 && !this.#login()) this.#own.call("logout", [], {}).catch(() => {});
  }
}

/** Getters of an owner may throw. */
function ids(owner: unknown): { userID?: unknown; thingID?: unknown } {
  try {
    const { userID, thingID } = (owner ?? {}) as { userID?: unknown; thingID?: unknown };
    return { userID, thingID };
  } catch (cause) {
    throw invalidArgument("owner cannot be read.", cause);
  }
}

function isID(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}
