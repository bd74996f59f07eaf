// Where the client's Go program runs. The page speaks to all places through this.

import type { CallOptions, ConnectOptions, KiiError, MqttEndpoint, PublishOptions, StateChange } from "../types/index.js";
import type { Batch } from "./batch.js";
import type { Sender } from "./publisher.js";

/**
 * What became of a batch: nothing or 0 where all of it was handled, else the packet identifier of the first message that nobody
 * will handle, since nobody wants any more: what is before it is to be acknowledged, and comes again to nobody.
 */
export type Handled = number | void;

/** Takes what happens on one connection. None of its methods throws. */
export interface Sink {
  /**
   * Takes messages, which count as delivered when it returns, or when what it returns settles. owed, which is true unless it is given: they, or repeats
   * that came with them, are to be acknowledged then.
   */
  batch(batch: Batch, owed?: boolean): Handled | Promise<Handled>;
  /** Takes how the properties end of a push that it may have at QoS 0 and must not drop any more: with its id. It is not there where nothing is ever dropped. */
  readonly firm?: (property: Uint8Array) => void;
  state(change: StateChange): void;
  /** Says that messages of sender were sent, or why one was not. */
  sent(tickets: Int32Array, error?: KiiError): void;
}

/** What a call to a connection takes: plain data, and properties of a message as they are on the wire. */
export type LinkOptions = Omit<PublishOptions, "properties"> & { rawProperties?: Uint8Array };

/** The way back, to one connection of the Go program. */
export interface Link {
  call(
    method: "publish" | "subscribe" | "unsubscribe" | "takeBack" | "close",
    args: unknown[],
    options: LinkOptions,
  ): Promise<unknown>;
  wake(cause: string): void;
  /**
   * Says which messages of batches were dropped after all, by their raw properties, each behind its length, four bytes, little endian: should such a push come
   * again, it is no repeat.
   */
  unseen?(list: Uint8Array): void;
  /** The way for many messages at once, which each connection has under the loader. */
  readonly sender?: Sender | undefined;
}

/** Which place it is. */
export interface Place {
  /** null before the first call, which finds it out. */
  readonly name: "worker" | "main" | null;
  /** Why it is not the worker, where that was tried. */
  readonly reason: KiiError | null;
  /** This tab's part in what tabs share, where they share; null while it has none. */
  readonly tabs?: "leader" | "follower" | null;
  /** Why nothing is shared, where that was wanted. */
  readonly tabsReason?: KiiError | null;
}

/** What the browser says of the page and its network: that they are back, or that they go away. */
export type Signal = "wake" | "pause";

/** Arguments and results are plain data, which can be cloned; errors are KiiErrors. */
export interface Host {
  readonly place: Place;
  call(method: string, args: unknown[], options: CallOptions): Promise<unknown>;
  connect(endpoint: MqttEndpoint, options: ConnectOptions, sink: Sink, call: CallOptions): Promise<Link>;
  /** Stops what runs, at once and for good: calls reject with the error, connections are closed with it. */
  end(error: KiiError): void;
  /** Tells all connections, those that are being opened too, at once: while a page goes away there is no later. */
  signal(signal: Signal, cause: string): void;
}
