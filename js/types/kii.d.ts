// The client, and topics.
/// <reference lib="esnext.disposable" />

import type { CallOptions, KiiError } from "./calls.js";
import type { ConnectOptions, Connection, Push, StartPushOptions } from "./connection.js";
import type { PushMessage } from "./messages.js";
import type { Installation, Login, MqttEndpoint, Owner } from "./owners.js";

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
   * Uses a token that was kept. With its owner nothing is sent, and the token is taken as it is; without, the server
   * is asked which user the token belongs to. UNAUTHORIZED: it is good no more.
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
   * production. An owner who is registered gets the same ids again, and the new value of `development` counts.
   * NOT_LOGGED_IN: nobody is logged in.
   */
  installMqtt(development: boolean, options?: CallOptions): Promise<Installation>;
  /**
   * Fetches where to connect. While the server prepares the endpoint it is asked three times in
   * all, one second apart, before ENDPOINT_NOT_READY. NOT_FOUND: the installation is gone.
   */
  getMqttEndpoint(installationID: string, options?: CallOptions): Promise<MqttEndpoint>;
  /**
   * Connects and subscribes; resolves when messages can arrive. From then on the connection heals itself, and fetches the
   * endpoint again when its credentials or its topic are refused, or its time is over. What no retry mends
   * rejects at once, such as FORBIDDEN, REVOKED, DISPLACED and INSECURE; all else is tried again for `timeout`, and then
   * rejects with TIMEOUT, which tells the last failure. There is one connection per owner: a further one
   * displaces it, unless tabs of this browser share it.
   */
  connect(endpoint: MqttEndpoint, options?: ConnectOptions): Promise<Connection>;
  /**
   * All of it in one call, and kept alive: registers the owner who is logged in for push, fetches where to
   * connect (and waits for that as long as the call may take), connects, and goes on when logins change. The installation is
   * remembered where the page may store something, which saves a request at the next start.
   */
  startPush(options?: StartPushOptions): Promise<Push>;
  /**
   * Ends push for the owner; open connections of the installation end with REVOKED. NOT_FOUND: there is no such
   * installation, perhaps since an earlier call whose answer was lost.
   */
  uninstall(installationRegistrationID: string, deviceType: "MQTT", options?: CallOptions): Promise<void>;
  /** The same by the other id. */
  uninstallByInstallationID(installationID: string, options?: CallOptions): Promise<void>;
  /**
   * Pushes a message to the owner who is logged in. One of which the cloud does not know whether it is stored
   * (503 PUSH_NOT_CONFIRMED) is sent once more, under the id that the cloud gave it: nobody sees it twice. Resolves when it
   * is accepted, whether or not the owner is connected. PUSH_TOO_LARGE: the message is over 4,096 bytes.
   */
  sendToMe(message: PushMessage, options?: CallOptions): Promise<{ pushMessageID: string }>;
  /**
   * Creates a topic. CONFLICT: there is one of that name, perhaps made by an earlier call whose answer was
   * lost.
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
