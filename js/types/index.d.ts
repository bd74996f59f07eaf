// The public types of kiiweb. They are written by hand and are the only source: the
// loader's own sources import them from here.
/// <reference lib="esnext.disposable" />

import type { DebugEntry } from "./debug.js";
export type * from "./debug.js";

/** What an error is about. Switch on it; messages are for people and may change. */
export type Code =
  | "INVALID_ARGUMENT"
  | "NOT_LOGGED_IN"
  | "UNAUTHORIZED"
  | "FORBIDDEN"
  | "NOT_FOUND"
  | "CONFLICT"
  | "ENDPOINT_NOT_READY"
  | "PUSH_TOO_LARGE"
  | "RATE_LIMITED"
  | "SERVER_ERROR"
  | "BAD_RESPONSE"
  | "NETWORK"
  | "TIMEOUT"
  | "ABORTED"
  | "CLOSED"
  | "BAD_CREDENTIALS"
  | "DISPLACED"
  | "REVOKED"
  | "PROTOCOL_ERROR"
  | "PROTOCOL_VERSION"
  | "PACKET_TOO_LARGE"
  | "QUEUE_FULL"
  | "INSECURE"
  | "WASM_LOAD"
  | "CRASHED"
  | "UNSUPPORTED";

/** Why the WebAssembly module, or a script that runs it, did not load, beside code WASM_LOAD. */
export type WasmLoadReason =
  /** The server has no such file. */
  | "notFound"
  /** The server sent something else under the file's name, often an HTML page. */
  | "mime"
  /** The Content-Security-Policy forbids to fetch, to compile or to start it. */
  | "csp"
  /** It and the loader come from different builds. */
  | "mismatch"
  /** The worker's file is not of the page's origin. */
  | "origin"
  /** It did not arrive, or the worker did not answer. */
  | "network";

/** What a KiiError holds beside its message. */
export interface KiiErrorFields {
  code: Code;
  /** The same call may succeed later without a change by the caller. */
  retryable: boolean;
  /** One sentence: what to do about it. */
  remedy: string;
  /** HTTP status, where an HTTP answer is behind the error. */
  status?: number;
  /** `errorCode` of the server's answer. */
  kiiCode?: string;
  /** `message` of the server's answer. */
  kiiMessage?: string;
  /** MQTT reason code (5.0) or return code (3.x). */
  reasonCode?: number;
  /** Seconds that the server asked to wait. */
  retryAfter?: number;
  /** With code WASM_LOAD. */
  why?: WasmLoadReason;
  cause?: unknown;
}

/** What every method rejects with. */
export class KiiError extends Error {
  constructor(message: string, fields: KiiErrorFields);
  readonly name: "KiiError";
  readonly code: Code;
  readonly retryable: boolean;
  readonly remedy: string;
  readonly status?: number;
  readonly kiiCode?: string;
  readonly kiiMessage?: string;
  readonly reasonCode?: number;
  readonly retryAfter?: number;
  readonly why?: WasmLoadReason;
}

/** The last argument of every method. */
export interface CallOptions {
  /** Ends the call, which then rejects with ABORTED. */
  signal?: AbortSignal | undefined;
  /** Milliseconds after which the call rejects with TIMEOUT; 30,000 when absent. */
  timeout?: number | undefined;
}

/** A region of Kii Cloud. */
export type Site = "US" | "JP" | "SG" | "EU";

/** Where the WebAssembly module runs; see `LoadOptions.host`. */
export type HostOption = "auto" | "worker" | "main";

interface CommonLoadOptions {
  appID: string;
  appKey: string;
  /**
   * Where kiiweb.wasm is. When absent it is expected beside the loader.
   */
  wasmURL?: string | URL | undefined;
  /**
   * Where worker.js is, which has to be of the page's origin. When absent it is expected beside the
   * loader. Bundlers know the file as "kiiweb/worker".
   */
  workerURL?: string | URL | undefined;
  /**
   * Where the module runs. "worker": in a dedicated worker, so that it starts without holding the page
   * up, and neither the page's long tasks nor the slowing down of hidden pages' timers reach the
   * connection; where no worker starts, calls reject with UNSUPPORTED or WASM_LOAD. "main": in the
   * thread that called load. "auto", which is meant when absent: in a worker, and where none starts, or
   * may not have the module, as "main"; `Kii.host` and `Kii.hostReason` tell.
   *
   * A worker is under the Content-Security-Policy that worker.js was served with, and starts if the
   * page's own allows it in worker-src.
   */
  host?: HostOption | undefined;
  /**
   * Whether the tabs of one user (or thing) in this browser share what is to be had only once, which is meant when
   * absent: one of them has the connection and gives the others what arrives and what they ask for.
   * `Kii.tabs` tells. They find each other by appID, site or baseURL and the owner's id, over Web Locks and
   * BroadcastChannel; where those are missing (pages over http:// from elsewhere) each tab connects by itself, and
   * the newest displaces the one before. false: they do so everywhere.
   */
  tabs?: boolean | undefined;
  /**
   * Lets credentials travel over http:// and ws:// to other hosts than this machine. For
   * networks that are trusted as a whole.
   */
  allowInsecure?: boolean | undefined;
  /**
   * Asked for a new token of the owner who is logged in when the server has refused the one in force, for
   * a call or for a connection that needs a new endpoint; then the call is sent with it once more. Calls
   * that need one at the same time share one request, which has 30 seconds. `null` says that there is
   * none: the call rejects with UNAUTHORIZED, and a connection fails. So does what getToken throws, as the
   * `cause` of an UNAUTHORIZED that is `retryable`: a connection asks again after a while. When absent, a
   * login lasts as long as its token.
   */
  getToken?: ((owner: Owner) => string | null | Promise<string | null>) | undefined;
  /**
   * A log of what the client does, for people who look for a mistake: each packet with what stands in its header, each change
   * of state with its cause and how long it is until the next attempt, the calls, the requests with their status, and what
   * this tab says to the others. true: to the console, as `console.debug`, which browsers show at the level "Verbose". A
   * function gets each entry, soon after it was made and in order; what it throws is reported as an uncaught error. No entry holds a
   * password, a token or the content of a message. `load` fetches debug.mjs from beside the loader for it; without the option, or
   * with false, nothing is fetched, and nothing is in the way of what passes. A service worker has no such log: there, true and a function reject
   * with UNSUPPORTED.
   */
  debug?: boolean | ((entry: DebugEntry) => void) | undefined;
}

/**
 * Which app of which cloud: a region of Kii Cloud, or the URL of any compatible REST API, such
 * as "http://localhost:8080/api".
 */
export type LoadOptions = CommonLoadOptions &
  ({ site: Site | `${"http" | "https"}://${string}`; baseURL?: undefined } | { baseURL: string; site?: undefined });

/**
 * Makes a client. It validates the options and fetches nothing: the WebAssembly module
 * is loaded by the first call that needs it. Each client runs a module of its own, in a worker of
 * its own where it runs in one. On a server, in Node.js, it rejects with UNSUPPORTED: servers use the Go library.
 */
export function load(options: LoadOptions): Promise<Kii>;

/** The version of this library. */
export const version: string;

/** A user or a thing, by its id. */
export type Owner = { userID: string; thingID?: undefined } | { thingID: string; userID?: undefined };

/** A successful login. Give it back as `useToken(login.token, login)`. */
export type Login = Owner & {
  /** Access token; a secret. */
  token: string;
  /** When the token ends, in milliseconds since 1970, where the server said so. */
  expiresAt?: number;
};

export interface Installation {
  installationID: string;
  installationRegistrationID: string;
}

/** Where and how the owner of an installation connects to the broker. */
export interface MqttEndpoint {
  installationID: string;
  username: string;
  /** A secret. */
  password: string;
  /** Client identifier and topic in one. */
  mqttTopic: string;
  host: string;
  /** A port is absent where the server has none. */
  portTCP?: number;
  portSSL?: number;
  portWS?: number;
  portWSS?: number;
  /** Seconds for which the endpoint is good, counted from `fetchedAt`; 0 or absent means for ever. */
  "X-MQTT-TTL"?: number;
  /** When the endpoint was fetched, in milliseconds since 1970. */
  fetchedAt?: number;
}

export interface ConnectOptions extends CallOptions {
  /** Seconds, 1 to 65,535; 60 when absent. */
  keepAlive?: number | undefined;
  /** The QoS to subscribe with; 1 when absent. */
  qos?: 0 | 1 | 2 | undefined;
  /**
   * "off" switches off the watch for another tab or device of the owner on brokers that do not tell of
   * it, as all before MQTT 5. By default three closes without a reason within a minute, less than 5, 10 and
   * 15 seconds after the connection was accepted (and longer where connecting takes long), lead to
   * `displaced`. For brokers that restart often.
   */
  displacement?: "off" | undefined;
  /** Has the broker forget the messages and subscriptions that it kept over a lost connection. */
  cleanStart?: boolean | undefined;
  /** Seconds for which the broker is to keep them; as long as it will when absent or 0. Before MQTT 5 the broker decides. */
  sessionExpiry?: number | undefined;
  /** Told to the broker in CONNECT, in this order; names may repeat. Before MQTT 5 there is no place for them. */
  userProperties?: [name: string, value: string][] | undefined;
  /** How many messages may wait to be sent or acknowledged before QUEUE_FULL; 1,000 when absent. */
  maxQueue?: number | undefined;
  /** Milliseconds that one may wait to be sent before TIMEOUT; 5 minutes when absent. */
  queueAge?: number | undefined;
  /**
   * The MQTT version to speak, 4 for 3.1.1 and 3 for 3.1, and no other. When absent: the best that
   * the broker speaks, which is found by trying and remembered for a day.
   */
  protocol?: 5 | 4 | 3 | undefined;
  /**
   * When absent: "wss", or "ws" where a page that came over http from this machine talks to
   * a broker on this machine.
   */
  transport?: "wss" | "ws" | undefined;
  /** Of the WebSocket; "/mqtt" when absent. */
  path?: string | undefined;
}

/**
 * Where a connection stands. `displaced`: another device or tab has taken it over, and
 * only `takeBack` contests that. `closed` and `failed` are final.
 */
export type State = "idle" | "connecting" | "online" | "waiting" | "displaced" | "closed" | "failed";

/** A change of state, and what is behind it. */
export interface StateChange {
  state: State;
  code?: Code;
  /** For people. */
  reason: string;
  /** MQTT reason code (5.0) or return code (3.x). */
  reasonCode?: number;
  /** In state `waiting`: milliseconds until the next attempt. Absent while the page is put away, until it is shown again. */
  retryIn?: number;
  error?: KiiError;
  /** In state `online`: what the broker said when it accepted the connection. */
  broker?: Broker;
}

/** What a broker says in CONNACK. All that is optional is MQTT 5's. */
export interface Broker {
  /** The MQTT version that is spoken; 4 is 3.1.1 and 3 is 3.1. */
  protocol: 5 | 4 | 3;
  /** It has kept the session: what was sent meanwhile comes now. In 3.1 that is not told. */
  sessionPresent: boolean;
  /** Seconds, in force: the broker's, else what was asked for. */
  keepAlive: number;
  assignedClientID?: string;
  serverReference?: string;
  reasonString?: string;
  userProperties?: [name: string, value: string][];
}

/** The MQTT 5 properties of a message (3.3.2.3 of the standard). */
export interface MessageProperties {
  /** 1: the payload is UTF-8 text. */
  payloadFormat?: number;
  /**
   * Seconds for which the message was still good when it was sent. What one of this side's waits to be sent is
   * taken off; when nothing is left, `publish` rejects with TIMEOUT.
   */
  messageExpiry?: number;
  contentType?: string;
  responseTopic?: string;
  correlationData?: Uint8Array;
  subscriptionIDs?: number[];
  /** In the order sent; names may repeat. */
  userProperties?: [name: string, value: string][];
}

/** A message as it arrived. */
export interface Message {
  readonly topic: string;
  /** The payload. It is a view of a larger buffer, which other messages have a part in: copy it (`slice()`) to keep it for long, or to transfer it. */
  readonly bytes: Uint8Array;
  readonly qos: 0 | 1 | 2;
  readonly retain: boolean;
  /** The broker has sent it before; it was perhaps received before. */
  readonly dup: boolean;
  /** 0 at QoS 0. */
  readonly packetId: number;
  /** Empty where the protocol is 3.x. Read on demand. */
  readonly properties: MessageProperties;
  /** The payload as UTF-8 text. */
  text(): string;
  /**
   * The payload as JSON; throws a SyntaxError when it is none. `json<KiiPushMessage<…>>()` tells what a
   * push of Kii's holds.
   */
  json<T = unknown>(): T;
}

/** Why Kii sent a push: somebody asked for it, or something happened to an object in a bucket. */
export type PushOrigin = "EXPLICIT" | "EVENT";

/** Whose the topic or bucket is that a push comes from: the app's, a user's or a thing's. */
export type ObjectScopeType = "APP" | "APP_AND_USER" | "APP_AND_THING";

/** What happened to an object in a bucket. */
export type BucketEventType =
  | "DATA_OBJECT_CREATED"
  | "DATA_OBJECT_DELETED"
  | "DATA_OBJECT_UPDATED"
  | "DATA_OBJECT_BODY_UPDATED"
  | "DATA_OBJECT_BODY_DELETED"
  | "DATA_OBJECT_BODY_PUBLISHED"
  | "DATA_OBJECT_ACL_MODIFIED";

/** The keys that Kii itself puts into a push, besides those of its `data`. */
export interface KiiPushFields {
  /** The id of the user or thing that has sent it, unless that is an administrator. `sendSender: false` leaves it out. */
  sender?: string;
  /** The same as a URI: `kiicloud://users/ID`, `kiicloud://things/ID` or `kiicloud://admins/APP_ADMIN`. */
  senderURI?: string;
  /** The URI of what it comes from: a topic, a bucket, an object, or the owner that it was sent to. */
  sourceURI?: string;
  /** Asked for by `sendAppID`. */
  appID?: string;
  /** When it was sent, in milliseconds since 1970; asked for by `sendWhen`. */
  when?: number;
  /** Asked for by `sendOrigin`. */
  origin?: PushOrigin;
  /** The topic's name. `sendTopicID: false` leaves it out. */
  topic?: string;
  /** `sendObjectScope: false` leaves it out, and the next three, of which those are there that fit. */
  objectScopeType?: ObjectScopeType;
  objectScopeAppID?: string;
  objectScopeUserID?: string;
  objectScopeThingID?: string;
  /** In the events of a bucket: what happened. A sender may choose another with `pushMessageType`. */
  type?: BucketEventType | (string & {});
  /** In the events of a bucket, as are the next three. */
  bucketID?: string;
  bucketType?: string;
  objectID?: string;
  /** In milliseconds since 1970. */
  modifiedAt?: number;
}

/** A push as it is received: what its sender put into `data`, and Kii's own keys. */
export type KiiPushMessage<Data extends object = PushData> = Data & KiiPushFields;

export interface PublishOptions extends CallOptions {
  /** 1 when absent. */
  qos?: 0 | 1 | 2 | undefined;
  retain?: boolean | undefined;
  /**
   * MQTT 5 properties to be sent along. Before MQTT 5 there is nothing to send them in, and they are left
   * out: `protocol: 5` in `connect` makes sure of it. `subscriptionIDs` are the broker's to give.
   */
  properties?: Omit<MessageProperties, "subscriptionIDs"> | undefined;
}

export interface SubscribeOptions extends CallOptions {
  /** 1 when absent. */
  qos?: 0 | 1 | 2 | undefined;
}

export interface ConnectionEvents {
  message: Message;
  state: StateChange;
}

/**
 * A connection to the broker that reconnects by itself until it is closed.
 *
 * A message is acknowledged to the broker when the listeners have returned from it, in this tab, and the other tabs that share
 * the connection have been handed it. What is held for somebody to take it counts as delivered: messages that arrive before the first listener or
 * loop, and those that a slow loop has not come to. They are at most 1,000: beyond that the oldest is
 * dropped and counted in `dropped`, and a page that ends takes what it holds along, so listen right after `connect`. An exception in a listener is reported as an uncaught
 * error of the page and disturbs nothing else.
 */
export interface Connection extends AsyncIterable<Message> {
  readonly state: State;
  /** The change that led to the current state. */
  readonly lastChange: StateChange;
  /** Messages lost because nobody took them in time. */
  readonly dropped: number;
  /** Calls listener at each event; the function returned ends that. */
  on<E extends keyof ConnectionEvents>(event: E, listener: (value: ConnectionEvents[E]) => void): () => void;
  /** Calls listener at the next event only; the function returned ends that. */
  once<E extends keyof ConnectionEvents>(event: E, listener: (value: ConnectionEvents[E]) => void): () => void;
  /**
   * Messages as they arrive, each loop getting all of them. The loop ends when the connection
   * is closed and throws when it fails.
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<Message>;
  /**
   * Sends a message; resolves when it was written (QoS 0), acknowledged (QoS 1) or taken over by the
   * broker (QoS 2). An empty topic means the connection's own. What is published in turn is sent
   * in turn. While the broker keeps the session, a message arrives at least once at QoS 1 and
   * exactly once at QoS 2. When it has lost the session (the state's reason says so), what it had not
   * acknowledged is sent anew.
   */
  publish(topic: string, payload: string | Uint8Array | ArrayBuffer, options?: PublishOptions): Promise<void>;
  /**
   * Subscribes to a further topic filter, besides the connection's own topic; resolves with the
   * QoS granted. FORBIDDEN: the broker does not allow it. The subscription is renewed when the broker
   * has lost the session, or another tab leads; where the broker refuses then, a change to `online` with a code says so.
   */
  subscribe(filter: string, options?: SubscribeOptions): Promise<0 | 1 | 2>;
  /** Ends what `subscribe` began. Messages that are on their way already may still come. */
  unsubscribe(filter: string, options?: CallOptions): Promise<void>;
  /** In state `displaced`: takes the connection back from whoever has it. */
  takeBack(options?: CallOptions): Promise<void>;
  /** Hints that the network or the page has just come back; the browser's own signals are watched already. */
  wake(cause?: string): void;
  /**
   * Says goodbye to the broker and ends the connection. May be called again, in any state: what has
   * ended is closed. From the call on listeners get no more messages, but for those that were held for the first of them; what
   * was not handed out is not acknowledged either, and comes with the next connection.
   */
  close(options?: CallOptions): Promise<void>;
  /** `close`, for `await using connection = …`. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** The options of `startPush`; those of `connect` hold for each connection. */
export interface StartPushOptions extends ConnectOptions {
  /** true: the development environment. false, or absent: production. */
  development?: boolean | undefined;
}

export interface StopPushOptions extends CallOptions {
  /**
   * Removes the installation as well: nothing is kept for the owner any more, and nothing sent. NOT_LOGGED_IN:
   * nobody is logged in whose it could be.
   */
  uninstall?: boolean | undefined;
}

/**
 * Push for whoever is logged in. It is a connection that outlives logouts: its state is `idle` while nobody is
 * logged in, and with the next login, of the same owner or another, it goes through the whole journey
 * again. What an owner is sent is given out under that owner's login only: what waits for a
 * listener or a loop when it ends is dropped, and counted. `failed` is final, as are `closed`, which
 * `stop` and `close` lead to, and the end of the installation (REVOKED).
 */
export interface Push extends Connection {
  /** The owner's; null while nobody is logged in. */
  readonly installation: Installation | null;
  /** Ends push here, and with `uninstall` for the owner altogether. May be called again. */
  stop(options?: StopPushOptions): Promise<void>;
}

/** What a push may hold. */
export type PushData = Record<string, string | number | boolean | null>;

interface PushMessageOptions {
  /** Other channels than MQTT, for owners who have such installations. */
  gcm?: boolean | undefined;
  apns?: boolean | undefined;
  jpush?: boolean | undefined;
  sendToDevelopment?: boolean | undefined;
  sendToProduction?: boolean | undefined;
  /** Each adds a field of its own to what is received. */
  sendAppID?: boolean | undefined;
  sendSender?: boolean | undefined;
  sendWhen?: boolean | undefined;
  sendOrigin?: boolean | undefined;
  sendObjectScope?: boolean | undefined;
  sendTopicID?: boolean | undefined;
  pushMessageType?: string | undefined;
}

/** A push to be sent: at most 4,096 bytes of JSON. `mqttData` goes to MQTT in place of `data`. */
export type PushMessage = PushMessageOptions &
  ({ data: PushData; mqttData?: PushData | undefined } | { data?: undefined; mqttData: PushData });

/**
 * Whose topics: those of the user or thing that is named, or, with neither, those of the app.
 * `userID: "me"` is the user who is logged in.
 */
export type TopicScope = Owner | { userID?: undefined; thingID?: undefined };

/**
 * A topic by its name, 1 to 64 of the characters A-Z, a-z, 0-9, _ and -. A string is a topic of the
 * app, an object can name one of a user or thing. By default only administrators create, delete and
 * send to an app's topics; every user and thing may subscribe to them. A user's or thing's topics are
 * its own to do all that with.
 */
export type Topic = string | ({ name: string } & TopicScope);

/** One page of names of topics. */
export interface TopicList {
  topics: string[];
  /** There is more: `listTopics` gives the next page for it. */
  paginationKey?: string;
}

/**
 * A client of one app, with at most one login. Every method rejects with a KiiError, and with code CLOSED
 * once the client has been disposed.
 */
export interface Kii {
  /** The login in force, or null. */
  readonly current: Login | null;
  /** Where the module runs, or null before the first call that needs it in this tab. */
  readonly host: "worker" | "main" | null;
  /** With `host: "auto"`: the error for which the module runs in "main" and not in a worker. Else null. */
  readonly hostReason: KiiError | null;
  /**
   * "leader": this tab has the connection that the owner's tabs share. "follower": another tab has it. null:
   * nothing is open here, or nothing is shared.
   */
  readonly tabs: "leader" | "follower" | null;
  /** The error for which tabs do not share although they could by `LoadOptions.tabs`. Else null. */
  readonly tabsReason: KiiError | null;
  /** Creates a user and logs in. CONFLICT: the login name is taken. */
  register(loginName: string, password: string, options?: CallOptions): Promise<Login>;
  /**
   * Logs in: a login name, `EMAIL:` and an address, `PHONE:` and a number, or
   * `VENDOR_THING_ID:` and a thing's id. BAD_CREDENTIALS: name or password is wrong.
   */
  login(username: string, password: string, options?: CallOptions): Promise<Login>;
  /**
   * Uses a token that was kept. With its owner nothing is sent; without, the server is asked
   * which user the token belongs to.
   */
  useToken(token: string, owner?: Owner | null, options?: CallOptions): Promise<Login>;
  /**
   * Creates a thing and logs in as it. `vendorThingID` is the maker's id of it, such as a serial number.
   * CONFLICT: it is registered already; `loginAsThing` says with its password whether as this thing.
   */
  registerThing(vendorThingID: string, password: string, options?: CallOptions): Promise<Login>;
  /**
   * Logs a thing in, as `login` does with `VENDOR_THING_ID:` before the id. BAD_CREDENTIALS: id or
   * password is wrong.
   */
  loginAsThing(vendorThingID: string, password: string, options?: CallOptions): Promise<Login>;
  /** Forgets the login, in all tabs of the owner that share. Connections of `connect` stay open. */
  logout(options?: CallOptions): Promise<void>;
  /**
   * Registers the owner for push: `development` true for the development environment, false for
   * production. An owner who is registered gets the same ids again.
   */
  installMqtt(development: boolean, options?: CallOptions): Promise<Installation>;
  /**
   * Fetches where to connect. While the server prepares the endpoint it is asked three times in
   * all, one second apart, before ENDPOINT_NOT_READY.
   */
  getMqttEndpoint(installationID: string, options?: CallOptions): Promise<MqttEndpoint>;
  /** Connects and subscribes; resolves when messages can arrive. */
  connect(endpoint: MqttEndpoint, options?: ConnectOptions): Promise<Connection>;
  /**
   * All of it in one call, and kept alive: registers the owner who is logged in for push, fetches where to
   * connect (and waits for that as long as the call may take), connects, and goes on when logins change. The installation is
   * remembered where the page may store something, which saves a request at the next start.
   */
  startPush(options?: StartPushOptions): Promise<Push>;
  /** Ends push for the owner; open connections of the installation end with REVOKED. */
  uninstall(installationRegistrationID: string, deviceType: "MQTT", options?: CallOptions): Promise<void>;
  /** The same by the other id. */
  uninstallByInstallationID(installationID: string, options?: CallOptions): Promise<void>;
  /**
   * Pushes a message to the owner who is logged in. One of which the cloud does not know whether it is stored
   * (503 PUSH_NOT_CONFIRMED) is sent once more, under the id that the cloud gave it: nobody sees it twice.
   */
  sendToMe(message: PushMessage, options?: CallOptions): Promise<{ pushMessageID: string }>;
  /**
   * Creates a topic. CONFLICT: there is one of that name. So it is, too, when a call is repeated whose
   * answer was lost.
   */
  createTopic(topic: Topic, options?: CallOptions): Promise<void>;
  /** Deletes a topic with its subscriptions. NOT_FOUND: there is none, perhaps since an earlier call. */
  deleteTopic(topic: Topic, options?: CallOptions): Promise<void>;
  /** Says whether there is such a topic. A server that is no Kii-compatible one rejects; it is no `false`. */
  topicExists(topic: Topic, options?: CallOptions): Promise<boolean>;
  /** Names the app's topics, or those of a user or thing: a page of them, the first without `paginationKey`. */
  listTopics(scope?: TopicScope | null, paginationKey?: string | null, options?: CallOptions): Promise<TopicList>;
  /**
   * Subscribes the owner who is logged in: what is sent to the topic reaches the owner's installations,
   * and so the connections of `connect`. Resolves when the subscription is there, also when it was
   * before: the call can be repeated. NOT_FOUND: there is no such topic.
   */
  subscribe(topic: Topic, options?: CallOptions): Promise<void>;
  /**
   * Ends that. Resolves when there is no subscription, also when there was none before. NOT_FOUND:
   * there is no such topic.
   */
  unsubscribe(topic: Topic, options?: CallOptions): Promise<void>;
  /** Says whether the owner who is logged in is subscribed. NOT_FOUND: there is no such topic. */
  isSubscribed(topic: Topic, options?: CallOptions): Promise<boolean>;
  /**
   * `sendToMe` to all subscribers of a topic. A call whose answer was lost may have sent it: to
   * repeat the call can send it twice. PUSH_TOO_LARGE: the message is over 4,096 bytes. NOT_FOUND:
   * there is no such topic.
   */
  sendToTopic(topic: Topic, message: PushMessage, options?: CallOptions): Promise<{ pushMessageID: string }>;
  /**
   * Ends all that this client runs: calls under way reject with CLOSED, connections are closed, the worker or the
   * module is stopped. Resolves when that is done, whatever the broker does: `timeout`, 5,000 when absent, and
   * `signal` bound the goodbyes only. May be called again.
   */
  dispose(options?: CallOptions): Promise<void>;
  /** `dispose`, for `await using kii = …`. */
  [Symbol.asyncDispose](): Promise<void>;
}
