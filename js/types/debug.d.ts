// The types of the debug log: what `debug` of `load` gives a function.

import type { Code, State } from "./index.js";

/** What every entry of the debug log has. */
export interface DebugEntryBase {
  /** When it happened, in milliseconds since 1970. */
  at: number;
  /** All of it in one line, for people: what `debug: true` writes to the console. Its form may change. */
  text: string;
}

/** A reason code (MQTT 5, 2.4) or, before MQTT 5, a return code, with its name in the standard; "unknown" where it has none. */
export interface DebugReason {
  code: number;
  name: string;
}

/**
 * An MQTT packet, sent or received. What is there depends on the packet; nothing of a payload, a password, a will or
 * authentication is. What is named as in MQTT means the same.
 */
export interface DebugPacket extends DebugEntryBase {
  type: "packet";
  /** Over which WebSocket: its number among those of the module that runs. */
  socket: number;
  /** false: it was received. */
  sent: boolean;
  /** null for what is no MQTT packet. */
  name:
    | "CONNECT"
    | "CONNACK"
    | "PUBLISH"
    | "PUBACK"
    | "PUBREC"
    | "PUBREL"
    | "PUBCOMP"
    | "SUBSCRIBE"
    | "SUBACK"
    | "UNSUBSCRIBE"
    | "UNSUBACK"
    | "PINGREQ"
    | "PINGRESP"
    | "DISCONNECT"
    | "AUTH"
    | null;
  /** The packet's size with its header, in bytes; 0 where it is not known. */
  bytes: number;
  packetId?: number;
  /** Of PUBLISH. */
  topic?: string;
  qos?: 0 | 1 | 2;
  retain?: boolean;
  dup?: boolean;
  payloadBytes?: number;
  /** Of SUBSCRIBE, with the QoS that was asked for, and of UNSUBSCRIBE. */
  filters?: { filter: string; qos?: 0 | 1 | 2 }[];
  /** One, or of SUBACK and UNSUBACK one for each filter, in order. */
  reasonCodes?: DebugReason[];
  /** Of CONNECT: the version spoken, 4 is 3.1.1 and 3 is 3.1. */
  protocol?: 5 | 4 | 3;
  clientID?: string;
  cleanStart?: boolean;
  /** Seconds. */
  keepAlive?: number;
  /** Of CONNACK. */
  sessionPresent?: boolean;
  /**
   * MQTT 5 properties by their names; of user properties how many, and of them only `pushMessageID`, of binary ones the
   * size.
   */
  properties?: Record<string, string | number>;
  /** It breaks the standard; what could be read is there. */
  malformed?: true;
}

/** A WebSocket that is being opened, has opened, or has closed. */
export interface DebugSocket extends DebugEntryBase {
  type: "socket";
  socket: number;
  event: "opening" | "open" | "closed";
  /** With "opening", without a query. */
  url?: string;
  /** With "open": the sub-protocol that the server has chosen. */
  subprotocol?: string;
  /** With "closed": the close code of the WebSocket; 1006 when it ended without one. */
  closeCode?: number;
  reason?: string;
}

/** A call of the REST API: once when it is sent, and once with the answer. */
export interface DebugRequest extends DebugEntryBase {
  type: "request";
  /** Its number among those of the module that runs. */
  request: number;
  method: string;
  /** Without a query. */
  url: string;
  /** HTTP status of the answer. */
  status?: number;
  /** The name of the error where none came: "TypeError" for a network that failed, "AbortError" for a call that has ended. */
  failure?: string;
  /** With the answer, and with failure: milliseconds since it was sent. */
  duration?: number;
}

/** A change of state of a connection, as its listeners get it. */
export interface DebugState extends DebugEntryBase {
  type: "state";
  /** The connection's number among those of this client. */
  connection: number;
  state: State;
  code?: Code;
  reason: string;
  /** What the broker said. */
  reasonCode?: DebugReason;
  /** In state `waiting`: milliseconds until the next attempt. */
  retryIn?: number;
}

/** A call of a method of the client or, with its number, of a connection: once when it begins, and once when it has ended. */
export interface DebugCall extends DebugEntryBase {
  type: "call";
  /** Its number among those of this client. */
  call: number;
  method: string;
  connection?: number;
  /** When it has ended: milliseconds that it took. */
  duration?: number;
  /** When it has failed, and how. */
  error?: { code: string; status?: number; kiiCode?: string; reasonCode?: number; why?: string };
}

/** Something that tabs which share say to each other. Tabs are named by ids of their own. */
export interface DebugTabs extends DebugEntryBase {
  type: "tabs";
  /** false: another tab said it. */
  sent: boolean;
  /** "batch": messages for all; "lead": who leads, and how the connection stands; "ask": a call that the leader is to make. */
  message: string;
  from?: string;
  method?: string;
  /** How many messages are in a batch. */
  messages?: number;
  state?: State;
}

/** Where the module runs, or this tab's part, has changed: `Kii.host` and `Kii.tabs`, with their reasons. */
export interface DebugPlace extends DebugEntryBase {
  type: "place";
  host: "worker" | "main" | null;
  hostReason?: Code;
  tabs: "leader" | "follower" | null;
  tabsReason?: Code;
}

/** The page or its network has come back ("wake") or is going away ("pause"), and why that is known: the event's name. */
export interface DebugSignal extends DebugEntryBase {
  type: "signal";
  signal: "wake" | "pause";
  cause: string;
}

/** An entry of the debug log. More types of entries may come: pass over what is not known. */
export type DebugEntry = DebugPacket | DebugSocket | DebugRequest | DebugState | DebugCall | DebugTabs | DebugPlace | DebugSignal;
