// What kiiweb.wasm sets as the global `kiiweb` when it runs under a plain wasm_exec.js,
// without the loader:
//
//   import type { Raw } from "kiiweb/raw";
//   declare const kiiweb: Raw;

import type {
  CallOptions,
  ConnectOptions,
  Kii,
  LoadOptions,
  Message,
  PublishOptions,
  State,
  StateChange,
  SubscribeOptions,
} from "./index.js";

/** What a client has from its loader. */
type LoaderOnly = "current" | "host" | "hostReason" | "tabs" | "tabsReason" | "startPush" | "dispose" | typeof Symbol.asyncDispose;

/** What load takes for its own ends. */
type LoaderOptions = "wasmURL" | "workerURL" | "host" | "tabs" | "debug";

/**
 * A client of one app: the functions of Kii, with its arguments. Rejections are `Error`s with the fields
 * of KiiError.
 */
export interface RawClient extends Omit<Kii, "connect" | LoaderOnly> {
  connect(endpoint: Parameters<Kii["connect"]>[0], options?: RawConnectOptions): Promise<RawConnection>;
  /**
   * The network or the page may have come back: every connection, one that is being opened too, is checked now,
   * or connects at once; with "offline" those that stand are checked, and no more. Without the loader nobody else watches the browser's signals.
   */
  wake(cause?: string): void;
  /** The page is going away: every connection says goodbye to the broker, and waits for `wake`. */
  pause(cause?: string): void;
}

/** The global: the client that `init` sets up, and the way to further ones. */
export interface Raw extends RawClient {
  readonly version: string;
  /** Sets up this client, or sets it up anew. Until then its methods reject with INVALID_ARGUMENT. */
  init(config: RawConfig, options?: CallOptions): Promise<void>;
  /** Makes another client. */
  create(config: RawConfig, options?: CallOptions): Promise<RawClient>;
}

/** Of each way to say which cloud, what is not the loader's. */
type Without<Options, Names extends PropertyKey> = Options extends unknown ? Omit<Options, Names> : never;

/** What `load` takes, without what only the loader has a use for. */
export type RawConfig = Without<LoadOptions, LoaderOptions>;

/** The options of `connect`, and who is told what happens; exceptions in them are reported and disturb nothing else. */
export interface RawConnectOptions extends ConnectOptions {
  onMessage?: (message: RawMessage) => void;
  onState?: (change: StateChange) => void;
}

/** A plain object; `properties` are there as they were on the wire. */
export interface RawMessage extends Omit<Message, "properties"> {
  /** MQTT 5 properties without their length (2.2.2.2 of the standard). */
  readonly rawProperties: Uint8Array;
}

/** A connection, without what the loader adds: `onMessage` and `onState` are its listeners. */
export interface RawConnection {
  /** The state as of the last change. */
  readonly state: State;
  /** `rawProperties` are as in RawMessage. */
  publish(
    topic: string,
    payload: string | Uint8Array | ArrayBuffer,
    options?: Omit<PublishOptions, "properties"> & { rawProperties?: Uint8Array | undefined },
  ): Promise<void>;
  subscribe(filter: string, options?: SubscribeOptions): Promise<0 | 1 | 2>;
  unsubscribe(filter: string, options?: CallOptions): Promise<void>;
  takeBack(options?: CallOptions): Promise<void>;
  wake(cause?: string): void;
  close(options?: CallOptions): Promise<void>;
}
