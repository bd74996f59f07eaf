// Connections: how they are opened, where they stand, and what can be done with them.
/// <reference lib="esnext.disposable" />

import type { CallOptions, Code, KiiError } from "./calls.js";
import type { Message, MessageProperties } from "./messages.js";
import type { Installation } from "./owners.js";

/** How `connect` connects; all of it may be left out. */
export interface ConnectOptions extends CallOptions {
  /** Seconds, 1 to 65,535; 60 when absent. */
  keepAlive?: number | undefined;
  /** The QoS to subscribe with; 1 when absent. */
  qos?: 0 | 1 | 2 | undefined;
  /**
   * "off" switches off the watch for another tab or device of the owner on brokers that do not tell of
   * it, as all before MQTT 5. By default three closes without a reason within a minute, less than 5, 10 and
   * 15 seconds after the connection was accepted (and longer where connecting takes long), lead to
   * `displaced`; so do six running, less than 20 seconds after it. For brokers that restart often.
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
   * the broker speaks, which is found by trying and remembered for a day, or for an hour where mere closes had ruled a better one out.
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
  /** Assigned Client Identifier. */
  assignedClientID?: string;
  /** Another server to use. */
  serverReference?: string;
  /** For people. */
  reasonString?: string;
  userProperties?: [name: string, value: string][];
}

/** How `Connection.publish` sends a message. */
export interface PublishOptions extends CallOptions {
  /** 1 when absent. */
  qos?: 0 | 1 | 2 | undefined;
  /** Has the broker keep it as the topic's retained message; false when absent. */
  retain?: boolean | undefined;
  /**
   * MQTT 5 properties to be sent along. Before MQTT 5 there is nothing to send them in, and they are left
   * out: `protocol: 5` in `connect` makes sure of it. `subscriptionIDs` are the broker's to give.
   */
  properties?: Omit<MessageProperties, "subscriptionIDs"> | undefined;
}

/** How `Connection.subscribe` subscribes. */
export interface SubscribeOptions extends CallOptions {
  /** 1 when absent. */
  qos?: 0 | 1 | 2 | undefined;
}

/** What listeners of a connection get, by the events' names. */
export interface ConnectionEvents {
  message: Message;
  state: StateChange;
}

/**
 * A connection to the broker that reconnects by itself until it is closed.
 *
 * Packets of up to 1 MiB and 64 KiB are accepted. A broker of MQTT 5 knows, and keeps larger messages back; before, such a message is
 * acknowledged and passed over, and a change to `online` with the code PACKET_TOO_LARGE says which.
 *
 * A message is acknowledged to the broker when the listeners have returned from it, in this tab, and the other tabs that share
 * the connection have been handed it. What is held for somebody to take it counts as delivered: messages that arrive before the first listener or
 * loop, and those that a slow loop has not come to. They are at most 1,000: beyond that the oldest is
 * dropped and counted in `dropped`, and a page that ends takes what it holds along, so listen right after `connect`. A page that is put
 * into the back/forward cache is in state `waiting` from then on, without `retryIn`. It is connected again when it is shown again. What other tabs that share the connection have had
 * meanwhile does not come to it any more: at `pageshow` with `persisted`, load what you show anew. An exception in a listener is reported as an uncaught
 * error of the page and disturbs nothing else.
 */
export interface Connection extends AsyncIterable<Message> {
  readonly state: State;
  /** The change that led to the current state. */
  readonly lastChange: StateChange;
  /** Messages lost because nobody took them in time, and those that were passed over because they were too large. */
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
   * acknowledged is sent anew. QUEUE_FULL, TIMEOUT: it could not wait, or has waited too long, by `maxQueue` and `queueAge`.
   * PACKET_TOO_LARGE, UNSUPPORTED, FORBIDDEN: the broker does not take it. CLOSED, or the connection's own code: it has ended.
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

/** The options of `Push.stop`. */
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
