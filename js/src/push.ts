// The whole journey in one call, and kept alive: a connection that outlives logouts, and
// comes back with the next login.

import type {
  CallOptions,
  ConnectOptions,
  Installation,
  Login,
  MqttEndpoint,
  Push,
  StartPushOptions,
  StateChange,
  StopPushOptions,
} from "../types/index.js";
import { callOptions, Clock, copyOptions } from "./calls.js";
import type { LiveConnection } from "./connection.js";
import { invalidArgument, KiiError } from "./errors.js";
import type { Host, Link, Sink } from "./host.js";
import { Patience } from "./patience.js";
import { isFinal } from "./state.js";
import type * as storage from "./storage.js";

/** What a push needs of its client. */
export interface PushClient {
  readonly host: Host;
  login(): Login | null;
  /** Calls listener when somebody else or nobody is logged in; the function returned ends that. */
  onLogin(listener: () => void): () => void;
  /** Begins the names under which installations are remembered. */
  readonly storageKey: string;
}

/** How often an endpoint is asked for that is being prepared, and how long one attempt may take, in milliseconds. */
const interval = 1000;
const attempt = 60_000;

/** Makes the class of pushes, from the one of connections that the loader has; memory keeps installations, where there is one. */
export const livePush = (Base: typeof LiveConnection, memory?: typeof storage) => class LivePush extends Base implements Push {
  readonly #client: PushClient;
  readonly #development: boolean;
  readonly #options: ConnectOptions;
  #patience = new Patience();
  #installation: Installation | null = null;
  /** Whose it is, by key. */
  #owner: string | undefined;
  #below: Link | undefined;
  /** The tickets of what the connection below is to send. */
  readonly #sending = new Set<number>();
  /** Says that nothing can leave by the connection below any more. */
  #gone = () => {};
  /** Ends what is under way for the owner. */
  #era = new AbortController();
  #off = () => {};
  /** Ends a wait between two attempts. */
  #hurry = () => {};
  #stopped: Promise<void> | undefined;
  #uninstalled: Promise<void> | undefined;

  constructor(client: PushClient, options: StartPushOptions | undefined) {
    super();
    const { development = false, ...rest } = copyOptions<StartPushOptions>("options", options);
    if (typeof development !== "boolean") throw invalidArgument("development must be true or false.");
    this.#client = client;
    this.#development = development;
    this.#options = rest;
    this.attach({
      call: (method, args, call) => {
        if (method === "close") return this.stop(call);
        return this.#below ? this.#below.call(method, args, call) : Promise.reject(notConnected());
      },
      wake: (cause) => (this.#below ? this.#below.wake(cause) : this.#hurry()),
      sender: {
        send: (staged, first, count) => this.#send(staged, first, count),
        forget: (ticket) => {
          if (this.#sending.delete(ticket)) this.#below?.sender?.forget(ticket);
        },
      },
    });
  }

  get installation(): Installation | null {
    return this.#installation;
  }

  /** The first journey, which ends as the call says; what comes later does not end by itself. */
  async begin(call: CallOptions): Promise<void> {
    const clock = new Clock(call);
    for (;;) {
      const owner = (this.#owner = this.#current());
      if (!owner) throw notLoggedIn();
      try {
        await this.#journey(owner, clock.rest(), this.#era);
        break;
      } catch (error) {
        if (this.#current() !== owner) continue; // somebody else has logged in meanwhile
        this.#era.abort();
        throw error;
      }
    }
    if (isFinal(this.state)) return;
    this.#off = this.#client.onLogin(() => this.#follow());
    this.#follow(); // it may have changed meanwhile
  }

  async stop(options?: StopPushOptions): Promise<void> {
    const { uninstall = false } = copyOptions<StopPushOptions>("options", options);
    const clock = new Clock(callOptions(options));
    const stopped = this.#stopped?.catch(() => {}) ?? (this.#stopped = this.#stop(clock.rest())); // who was first is told of errors
    await clock.bound(stopped);
    if (!uninstall) return;
    if (!this.#owner) throw notLoggedIn();
    if (this.#installation) await clock.bound((this.#uninstalled ??= this.#uninstall(this.#installation, clock.rest())));
  }

  async #stop(call: CallOptions): Promise<void> {
    this.#off();
    this.hold();
    try {
      if (this.handingOut) await null;
      await this.#leave(call);
    } finally {
      this.#become({ state: "closed", code: "CLOSED", reason: "closed by the application" });
    }
  }

  async #uninstall({ installationID }: Installation, call: CallOptions): Promise<void> {
    memory?.forget(this.#owner!);
    try {
      await this.#client.host.call("uninstallByInstallationID", [installationID], call);
    } catch (error) {
      if ((error as KiiError).code === "NOT_FOUND") return; // somebody else has done it
      this.#uninstalled = undefined;
      throw error;
    }
  }

  /** What was published in one turn. */
  #send(staged: Uint8Array, first: number, count: number): void {
    const tickets = Int32Array.from({ length: count }, (_, i) => first + i);
    for (const ticket of tickets) this.#sending.add(ticket);
    const sender = this.#below?.sender;
    if (sender) sender.send(staged, first, count);
    else this.#sent(tickets, notConnected());
  }

  #sent(tickets: Iterable<number>, error?: KiiError): void {
    const waiting = [...tickets].filter((ticket) => this.#sending.delete(ticket));
    this.sink.sent(Int32Array.from(waiting), error);
  }

  /** Whose key it is to be. */
  #current(): string | undefined {
    const login = this.#client.login();
    return login ? keyOf(this.#client.storageKey, login) : undefined;
  }

  /** What has ended does not follow logins any more. */
  #become(change: StateChange): void {
    if (isFinal(change.state)) this.#off();
    this.sink.state(change);
  }

  /** Goes where the login goes. */
  #follow(): void {
    const owner = this.#current();
    if (owner === this.#owner) return;
    this.#leave({}).catch(() => {});
    this.discard(); // it is the former owner's
    this.#owner = owner;
    this.#installation = null;
    this.#patience = new Patience();
    if (owner) void this.#persist(owner);
    else this.sink.state({ state: "idle", code: "NOT_LOGGED_IN", reason: "Nobody is logged in." });
  }

  /** Ends what there is of the present owner's. */
  #leave(call: CallOptions): Promise<unknown> {
    this.#era.abort();
    this.#era = new AbortController();
    const below = this.#below;
    this.#below = undefined;
    this.#sent(this.#sending, notConnected());
    // The program tells of the end behind all that arrived, which it may wait for.
    return below ? below.call("close", [], call).finally(this.#gone) : Promise.resolve();
  }

  /** Tries until it is connected, or that cannot be; first it waits, where cause has ended the connection before. */
  async #persist(owner: string, cause?: KiiError): Promise<void> {
    const era = this.#era;
    for (let error = cause; ; ) {
      if (error) {
        const about = { code: error.code, reason: this.#patience.explain(error), error };
        // A page of some other server is what the login page of a public network looks like: it mends itself.
        if (!error.retryable && error.code !== "BAD_RESPONSE") return this.#become({ state: "failed", ...about });
        const retryIn = this.#patience.next();
        const over = pause(retryIn, era.signal, (hurry) => (this.#hurry = hurry));
        this.sink.state({ state: "waiting", retryIn, ...about }); // who hears of it may end it
        await over;
      }
      if (era.signal.aborted) return;
      try {
        this.sink.state({ state: "connecting", reason: "" });
        return await this.#journey(owner, { signal: era.signal, timeout: attempt }, era);
      } catch (failed) {
        if (era.signal.aborted) return;
        error = failed as KiiError;
      }
    }
  }

  async #journey(owner: string, call: CallOptions, era: AbortController): Promise<void> {
    const clock = new Clock(call);
    const endpoint = await this.#endpoint(owner, clock);
    const over = () => era.signal.aborted;
    let end = () => {};
    let last: StateChange | undefined;
    const ended = new Promise<void>((resolve) => (end = resolve));
    const sink: Sink = {
      // What comes after a logout is handed to nobody, and not acknowledged either: it waits for the owner.
      batch: (batch) => (over() ? ended : this.sink.batch(batch)),
      sent: (tickets, error) => {
        if (!over()) this.#sent(tickets, error);
      },
      state: (change) => {
        if (isFinal(change.state)) end();
        last = change;
        if (!over()) this.#changed(owner, change);
      },
    };
    const below = await this.#client.host.connect(endpoint, this.#options, sink, clock.rest()).catch((error) => {
      end();
      throw error;
    });
    if (over()) return void below.call("close", [], {}).catch(() => {}).finally(end);
    this.#below = below;
    this.#gone = end;
    if (last && (isFinal(last.state) || last.state === "online")) this.#changed(owner, last); // it came before below
  }

  /** Where to connect; what is remembered of the installation saves a request, and is forgotten when it is wrong. */
  async #endpoint(owner: string, clock: Clock): Promise<MqttEndpoint> {
    let known = memory?.recall(owner, this.#development);
    for (;;) {
      const installation = known ?? ((await this.#client.host.call("installMqtt", [this.#development], clock.rest())) as Installation);
      try {
        const endpoint = (await this.#client.host.call("getMqttEndpoint", [installation.installationID], clock.rest())) as MqttEndpoint;
        if (this.#current() !== owner) throw notLoggedIn(); // the installation may be somebody else's
        this.#installation = installation;
        memory?.remember(owner, this.#development, installation);
        return endpoint;
      } catch (error) {
        const { code } = error as KiiError;
        if (known && (code === "NOT_FOUND" || code === "FORBIDDEN")) known = undefined; // FORBIDDEN: it is another owner's
        else if (code === "ENDPOINT_NOT_READY") await clock.bound(pause(interval));
        else throw error;
      }
    }
  }

  #changed(owner: string, change: StateChange): void {
    // The attempt itself tells. Who hears of online may use the connection at once.
    if (!this.#below && (isFinal(change.state) || change.state === "online")) return;
    if (change.state === "online") this.#patience.stands();
    if (!isFinal(change.state)) return this.sink.state(change);
    this.#below = undefined;
    this.#sent(this.#sending, change.error ?? notConnected());
    this.#patience.ended();
    if (change.code === "REVOKED") memory?.forget(owner);
    if (change.error?.retryable) void this.#persist(owner, change.error);
    else this.#become(change);
  }
};

/** Waits; signal ends that, and what hurry gets. */
function pause(milliseconds: number, signal?: AbortSignal, hurry?: (go: () => void) => void): Promise<void> {
  return new Promise((resolve) => {
    const go = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", go);
      resolve();
    };
    const timer = setTimeout(go, milliseconds);
    signal?.addEventListener("abort", go);
    hurry?.(go);
  });
}

/** Where an owner's installation is remembered. */
function keyOf(storageKey: string, { userID, thingID }: Login): string {
  return `${storageKey} ${JSON.stringify(thingID === undefined ? ["user", userID] : ["thing", thingID])}`;
}

function notLoggedIn(): KiiError {
  return new KiiError("Nobody is logged in.", { code: "NOT_LOGGED_IN", retryable: false, remedy: "Log in first: login, loginAsThing or useToken." });
}

function notConnected(): KiiError {
  return new KiiError("There is no connection at present.", { code: "CLOSED", retryable: true, remedy: "Wait for the state online." });
}
