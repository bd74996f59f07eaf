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
  PushMessage,
  Topic,
  TopicList,
  TopicScope,
} from "../types/index.js";
import { callOptions, copyOptions } from "./calls.js";
import { isFinal, LiveConnection } from "./connection.js";
import type { Host } from "./host.js";
import { watchSignals } from "./signals.js";

export class Client implements Kii {
  #host: Host;
  #login: Login | null = null;

  /** host makes the host, which asks login who is logged in, and says by enter that a token was renewed. */
  constructor(host: (login: () => Login | null, enter: (login: Login) => void) => Host) {
    this.#host = host(
      () => this.#login,
      (login) => (this.#login = login),
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
    this.#login = null;
  }

  installMqtt(development: boolean, options?: CallOptions): Promise<Installation> {
    return this.#call("installMqtt", [development], options);
  }

  getMqttEndpoint(installationID: string, options?: CallOptions): Promise<MqttEndpoint> {
    return this.#call("getMqttEndpoint", [installationID], options);
  }

  async connect(endpoint: MqttEndpoint, options?: ConnectOptions): Promise<LiveConnection> {
    const connection = new LiveConnection();
    const call = callOptions(options);
    connection.attach(await this.#host.connect(endpoint, copyOptions("options", options), connection.sink, call));
    if (!isFinal(connection.state)) {
      const unwatch = watchSignals(connection);
      connection.on("state", ({ state }) => {
        if (isFinal(state)) unwatch();
      });
    }
    return connection;
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

  async #call<T>(method: string, args: unknown[], options: CallOptions | undefined): Promise<T> {
    return (await this.#host.call(method, args, callOptions(options))) as T;
  }

  async #enter(method: string, args: unknown[], options: CallOptions | undefined): Promise<Login> {
    return (this.#login = await this.#call<Login>(method, args, options));
  }
}
