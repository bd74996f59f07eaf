// The client that load gives: names and arguments as the types say, the work elsewhere.

import type {
  CallOptions,
  ConnectOptions,
  Installation,
  Kii,
  KiiError,
  Login,
  MqttEndpoint,
  Owner,
  Push,
  PushMessage,
  StartPushOptions,
  Topic,
  TopicList,
  TopicScope,
} from "../types/index.js";
import { callOptions, Clock, copyOptions } from "./calls.js";
import { LiveConnection } from "./connection.js";
import { asyncDispose } from "./dispose.js";
import { aborted, disposed } from "./errors.js";
import type { Host } from "./host.js";
import { Listeners } from "./listeners.js";
import type { PushPart } from "./parts.js";
import type { PushClient } from "./push.js";
import { SignalWatch } from "./signals.js";
import { isFinal } from "./state.js";

/** How long the goodbyes of dispose may take when nothing else is said, in milliseconds. */
const goodbyes = 5_000;

export class Client implements Kii {
  #host: Host;
  #login: Login | null = null;
  readonly #logins = new Listeners<void>();
  readonly #pushPart: (clock: Clock) => Promise<PushPart>;
  readonly #storageKey: string;
  readonly #connections = new Set<LiveConnection>();
  /** What is under way: how to stop it, and when it is over. */
  readonly #calls = new Map<Promise<unknown>, AbortController>();
  #disposed: Promise<void> | undefined;
  readonly #signals = new SignalWatch((signal, cause) => this.#host.signal(signal, cause));

  /**
   * host makes the host, which asks login who is logged in, and says by enter that a token was renewed, or
   * with null that another tab has logged out. pushPart loads what startPush needs.
   */
  constructor(
    host: (login: () => Login | null, enter: (login: Login | null) => void) => Host,
    pushPart: (clock: Clock) => Promise<PushPart>,
    storageKey: string = "kiiweb",
  ) {
    this.#pushPart = pushPart;
    this.#storageKey = storageKey;
    this.#host = host(
      () => this.#login,
      (login) => void this.#become(login),
    );
  }

  get current(): Login | null {
    return this.#login;
  }

  get host(): "worker" | "main" | null {
    return this.#host.place.name;
  }

  get hostReason(): KiiError | null {
    return this.#host.place.reason;
  }

  get tabs(): "leader" | "follower" | null {
    return this.#host.place.tabs ?? null;
  }

  get tabsReason(): KiiError | null {
    return this.#host.place.tabsReason ?? null;
  }

  register(loginName: string, password: string, options?: CallOptions): Promise<Login> {
    return this.#enter("register", [loginName, password], options);
  }

  login(username: string, password: string, options?: CallOptions): Promise<Login> {
    return this.#enter("login", [username, password], options);
  }

  useToken(token: string, owner?: Owner | null, options?: CallOptions): Promise<Login> {
    return this.#enter("useToken", [token, owner], options);
  }

  registerThing(vendorThingID: string, password: string, options?: CallOptions): Promise<Login> {
    return this.#enter("registerThing", [vendorThingID, password], options);
  }

  loginAsThing(vendorThingID: string, password: string, options?: CallOptions): Promise<Login> {
    return this.#enter("loginAsThing", [vendorThingID, password], options);
  }

  async logout(options?: CallOptions): Promise<void> {
    await this.#call("logout", [], options);
    this.#become(null);
  }

  installMqtt(development: boolean, options?: CallOptions): Promise<Installation> {
    return this.#call("installMqtt", [development], options);
  }

  getMqttEndpoint(installationID: string, options?: CallOptions): Promise<MqttEndpoint> {
    return this.#call("getMqttEndpoint", [installationID], options);
  }

  connect(endpoint: MqttEndpoint, options?: ConnectOptions): Promise<LiveConnection> {
    return this.#do(options, async (call) => {
      const connection = new LiveConnection();
      const unwatch = this.#signals.hold(); // from the first attempt on
      try {
        connection.attach(await this.#host.connect(endpoint, copyOptions("options", options), connection.sink, call));
        if (call.signal!.aborted) {
          connection.close().catch(() => {}); // it has come too late for the caller
          throw aborted(call.signal!);
        }
      } catch (error) {
        unwatch();
        throw error;
      }
      this.#keep(connection, unwatch);
      return connection;
    });
  }

  startPush(options?: StartPushOptions): Promise<Push> {
    return this.#do(options, async (call) => {
      const clock = new Clock(call);
      const { livePush } = await this.#pushPart(clock);
      const push = new (livePush(LiveConnection))(this.#forPush(), options);
      const unwatch = this.#signals.hold();
      try {
        await push.begin(clock.rest());
      } catch (error) {
        unwatch();
        throw error;
      }
      this.#keep(push, unwatch);
      return push;
    });
  }

  #forPush(): PushClient {
    return { host: this.#host, login: () => this.#login, onLogin: (listener) => this.#logins.add(listener), storageKey: this.#storageKey };
  }

  #keep(connection: LiveConnection, unwatch: () => void): void {
    if (isFinal(connection.state)) return unwatch();
    this.#connections.add(connection);
    connection.on("state", ({ state }) => {
      if (!isFinal(state)) return;
      this.#connections.delete(connection);
      unwatch();
    });
  }

  uninstall(installationRegistrationID: string, deviceType: "MQTT", options?: CallOptions): Promise<void> {
    return this.#call("uninstall", [installationRegistrationID, deviceType], options);
  }

  uninstallByInstallationID(installationID: string, options?: CallOptions): Promise<void> {
    return this.#call("uninstallByInstallationID", [installationID], options);
  }

  sendToMe(message: PushMessage, options?: CallOptions): Promise<{ pushMessageID: string }> {
    return this.#call("sendToMe", [message], options);
  }

  createTopic(topic: Topic, options?: CallOptions): Promise<void> {
    return this.#call("createTopic", [topic], options);
  }

  deleteTopic(topic: Topic, options?: CallOptions): Promise<void> {
    return this.#call("deleteTopic", [topic], options);
  }

  topicExists(topic: Topic, options?: CallOptions): Promise<boolean> {
    return this.#call("topicExists", [topic], options);
  }

  listTopics(scope?: TopicScope | null, paginationKey?: string | null, options?: CallOptions): Promise<TopicList> {
    return this.#call("listTopics", [scope, paginationKey], options);
  }

  subscribe(topic: Topic, options?: CallOptions): Promise<void> {
    return this.#call("subscribe", [topic], options);
  }

  unsubscribe(topic: Topic, options?: CallOptions): Promise<void> {
    return this.#call("unsubscribe", [topic], options);
  }

  isSubscribed(topic: Topic, options?: CallOptions): Promise<boolean> {
    return this.#call("isSubscribed", [topic], options);
  }

  sendToTopic(topic: Topic, message: PushMessage, options?: CallOptions): Promise<{ pushMessageID: string }> {
    return this.#call("sendToTopic", [topic, message], options);
  }

  async dispose(options?: CallOptions): Promise<void> {
    const given = copyOptions("options", options);
    const call = callOptions({ ...given, timeout: given.timeout ?? goodbyes });
    return (this.#disposed ??= this.#end(call));
  }

  [asyncDispose](): Promise<void> {
    return this.dispose();
  }

  async #end(call: CallOptions): Promise<void> {
    const error = disposed();
    for (const stop of this.#calls.values()) stop.abort(error);
    const over = [...this.#connections].map((connection) => connection.close(call));
    await new Clock(call).bound(Promise.allSettled([...over, ...this.#calls.keys()])).catch(() => {});
    this.#host.end(error);
    this.#login = null;
  }

  #call<T>(method: string, args: unknown[], options: CallOptions | undefined): Promise<T> {
    return this.#do(options, (call) => this.#host.call(method, args, call) as Promise<T>);
  }

  /** Does work, whose call ends by the caller's signal and timeout, or when the client is disposed. */
  async #do<T>(options: CallOptions | undefined, work: (call: CallOptions) => Promise<T>): Promise<T> {
    const { signal, timeout } = callOptions(options);
    if (this.#disposed) throw disposed();
    const stop = new AbortController();
    const abort = () => stop.abort(signal!.reason);
    if (signal?.aborted) abort();
    signal?.addEventListener("abort", abort);
    const result = work({ signal: stop.signal, timeout });
    this.#calls.set(result, stop);
    try {
      return await result;
    } catch (error) {
      throw this.#disposed && !signal?.aborted ? disposed() : error;
    } finally {
      signal?.removeEventListener("abort", abort);
      this.#calls.delete(result);
    }
  }

  async #enter(method: string, args: unknown[], options: CallOptions | undefined): Promise<Login> {
    return this.#become(await this.#call<Login>(method, args, options));
  }

  #become<L extends Login | null>(login: L): L {
    this.#login = login;
    this.#logins.emit();
    return login;
  }
}
